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
	Summary:   "a loop sends a query for each element, where one query could take them all",
	Package:   "analyzers/nplusone",
	Severity:  rules.Warning,
	Certainty: rules.Certain,
	Page:      page,
}

// Rules are this package's rules.
var Rules = []*rules.Rule{Rule}
