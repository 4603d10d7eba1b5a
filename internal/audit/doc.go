// Package audit is a log of what planvet measured and decided: one JSON object a
// line, each with the hash of the line before, so that a line that was changed,
// taken out or put in shows. What is cut off at the end shows only to who noted the
// last hash: `planvet audit verify` prints it.
package audit
