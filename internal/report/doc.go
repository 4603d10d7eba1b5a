// Package report writes findings in each of Formats: text for people, JSON by its
// schema, what platforms and editors read; and holds what every command shares with
// them: exit codes, masking of secrets, progress.
//
// Writers take a Document, and know nothing of where it came from.
package report
