// Package nplusone finds loops that send a query for each element.
package nplusone

import (
	"github.com/planvet/planvet/analyzers/embedsql"
	"github.com/planvet/planvet/rules"
)

// Options say what to report.
type Options struct {
	// CertainOnly leaves possible findings out.
	CertainOnly bool
}

// Check looks at every loop of the code that r was extracted from. Findings are
// sorted; their IDs and verdicts are left to the caller, and so is the schema of
// an unqualified table.
func Check(r *embedsql.Result, o Options) []rules.Finding { return check(r, o) }

func check(*embedsql.Result, Options) []rules.Finding { return nil }
