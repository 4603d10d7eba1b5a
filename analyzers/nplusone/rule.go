package nplusone

import (
	_ "embed"

	"github.com/planvet/planvet/rules"
)

//go:embed nplusone.md
var page string

// Rule is nplusone's metadata.
var Rule = &rules.Rule{
	Name:      "nplusone",
	Summary:   "a loop asks for each element, where one query could take them all",
	Package:   "analyzers/nplusone",
	Group:     "loops",
	Severity:  rules.Warning,
	Certainty: rules.Certain,
	Page:      page,
}

// Rules are this package's rules, sorted by name. A statement in a loop is one's or the
// other's, never both's.
var Rules = []*rules.Rule{Rule, RowAtATimeWrite}
