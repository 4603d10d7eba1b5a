// Package report writes findings: text for people, JSON by its schema, the pull
// request's checklist; and holds what every command shares with them: exit codes,
// masking of secrets, progress.
//
// Writers take a Document, and know nothing of where it came from.
package report
