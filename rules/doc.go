// Package rules is planvet's vocabulary: what a rule is, and what a finding says.
//
// It imports nothing of planvet's, so that every checker, the confirmation and
// every writer can share it. A checker fills a Finding; confirmation adds only
// its Verdict; writers render it. The JSON names are those of
// contract/findings.schema.json and change with its version only.
package rules
