// Package suppress reads the comments that silence findings, and applies them.
//
// A comment names its rules and gives a reason:
//
//	-- planvet:ignore unindexed-where: 40 rows, never grows
//	//planvet:ignore nplusone, unindexed-where: three items at most
//
// and holds for the statement that it precedes, stands in or trails. ignore-file
// holds for the whole file; in Go the comment may also stand in a function's doc,
// and //nolint:planvet is honoured.
package suppress

import "github.com/planvet/planvet/rules"

// Directive is one comment.
type Directive struct {
	// Location is the comment's own place.
	Location rules.Location
	// Rules are the names; empty for //nolint:planvet, which means all.
	Rules []string
	// Reason is the text after the colon, "" where it is missing.
	Reason string
	// From and To are the lines that it covers; To is 0 for the whole file.
	From, To int
	// NoLint is set for //nolint:planvet, which needs no reason.
	NoLint bool
}

// Rules are the rules on suppressions themselves.
var Rules []*rules.Rule

// Collect returns a file's directives in order. path is relative to the project's
// root. Text that is not valid Go or SQL still gives the directives that can be
// made out.
func Collect(path string, text []byte, isGo bool) []Directive { return nil }

// Apply drops the findings that directives cover, and adds findings for
// directives without a reason (which are not in force), with unknown rules, and,
// when all is set because the whole rule set ran, for directives that covered
// nothing. It returns what is left, unsorted, and how many were dropped.
func Apply(fs []rules.Finding, ds []Directive, known func(string) bool, all bool) (kept []rules.Finding, suppressed int) {
	return fs, 0
}
