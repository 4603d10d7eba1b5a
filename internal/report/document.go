package report

import (
	"errors"
	"io"

	"github.com/planvet/planvet/rules"
)

// Document is what a check found.
type Document struct {
	// Version is planvet's own.
	Version  string
	Summary  Summary
	Findings []rules.Finding
	// Unparsed is SQL that the grammar refused, Unresolved calls whose SQL could
	// not be worked out, NotApplied DDL that the catalog could not replay.
	Unparsed, Unresolved, NotApplied []Problem
	// Suppressed counts findings that comments silenced.
	Suppressed int
	// ConfirmRun is set when a planner was asked about the findings.
	ConfirmRun bool
	// GoRun is set when Go packages were analysed for loops over queries.
	GoRun bool
	// Read returns a file of the project by its relative path, for excerpts; nil
	// leaves excerpts out.
	Read func(path string) ([]byte, error)
}

// Summary counts what was looked at.
type Summary struct {
	Migrations, Tables, Indexes, Policies, Statements, GoPackages int
	ElapsedMS                                                     int64
}

// Problem is an item that was listed rather than analysed.
type Problem struct {
	Location rules.Location
	// Text is the error or the reason.
	Text string
}

// TextOptions say how text is written.
type TextOptions struct {
	// Color asks for colour; ColorFor decides it for a file.
	Color bool
	// Verbose lists unparsed, unresolved and not applied items one by one.
	Verbose bool
	// Possible shows findings that are only possible; they are counted otherwise.
	HidePossible bool
}

// JSON writes a document by findings.schema.json.
func JSON(w io.Writer, d *Document) error { return errors.ErrUnsupported }

// Text writes a document for people.
func Text(w io.Writer, d *Document, o TextOptions) error { return errors.ErrUnsupported }

// Checklist writes the pull request's checklist in Markdown.
func Checklist(w io.Writer, d *Document) error { return errors.ErrUnsupported }

// Queries is what planvet queries prints.
type Queries struct {
	Queries              []Query
	Unresolved, Unparsed []Problem
}

// Query is one statement, and how it was found.
type Query struct {
	Location rules.Location
	// Source is go, sql, function, view or statements.
	Source                         string
	Symbol, Call, ResolvedBy, Text string
	Fingerprint, Role              string
	InLoop                         bool
}

// QueriesJSON writes statements by queries.schema.json, sorted by place.
func QueriesJSON(w io.Writer, q *Queries) error { return errors.ErrUnsupported }

// QueriesText writes statements for people.
func QueriesText(w io.Writer, q *Queries, o TextOptions) error { return errors.ErrUnsupported }

// RulesText writes the list of rules.
func RulesText(w io.Writer, rs []*rules.Rule) error { return errors.ErrUnsupported }

// RulesJSON writes the list of rules as JSON.
func RulesJSON(w io.Writer, rs []*rules.Rule) error { return errors.ErrUnsupported }

// RuleText writes one rule's metadata and page.
func RuleText(w io.Writer, r *rules.Rule, o TextOptions) error { return errors.ErrUnsupported }

// Redact masks passwords in connection strings and URLs anywhere in a text.
func Redact(s string) string { return s }
