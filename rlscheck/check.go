package rlscheck

import (
	"github.com/planvet/planvet/catalog"
	"github.com/planvet/planvet/internal/pgast"
	"github.com/planvet/planvet/rules"
)

// Options switch rules.
type Options struct {
	// Enabled reports whether a rule runs; nil runs all.
	Enabled func(rule string) bool
}

// Workload is one statement whose role is known.
type Workload struct {
	Stmt pgast.Stmt
	// Role is the role that it runs as; "" is the owner.
	Role string
	// Query is the statement as findings show it.
	Query rules.Query
	// Locate returns the place of an offset in Query.Text.
	Locate func(int) rules.Location
	// SearchPath resolves unqualified names; nil means the catalog's.
	SearchPath []string
	// Variables are names that are parameters though they look like columns.
	Variables map[string]bool
	// Dynamic is set when a part of the text is guessed: findings are possible.
	Dynamic bool
}

// Rules are this package's rules, sorted by name.
var Rules = []*rules.Rule{}

// Check judges the policies of a catalog, and the statements of a workload under
// them. Findings are sorted; their IDs and verdicts are left to the caller.
func Check(cat *catalog.Catalog, workload []Workload, o Options) []rules.Finding {
	return nil
}
