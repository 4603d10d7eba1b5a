package sqllint

import (
	"github.com/planvet/planvet/catalog"
	"github.com/planvet/planvet/rules"
)

// Options switch rules.
type Options struct {
	// Enabled reports whether a rule runs; nil runs all.
	Enabled func(rule string) bool
	// Policies adds policy quals for statements whose role is known.
	Policies bool
}

// Check judges statements against a catalog. Findings are sorted; their IDs and
// verdicts are left to the caller.
func Check(cat *catalog.Catalog, stmts []*Statement, o Options) []rules.Finding {
	return check(cat, stmts, o)
}
