// Package nplusone finds loops that send a query for each element.
//
// The algorithm, for each function with the literals that run in it:
//
//  1. List its calls, each with the loops around it, and whether a branch, an error
//     path or an exit stands between loop and call.
//  2. Summarise a function by the query that each of its calls sends: its own or
//     that of a function it calls, through interfaces, literals and recursion, and
//     which parameters of the function the query's parameters come from.
//  3. Classify each loop: only one that turns once for each element of data can be
//     a fault. Retries, polls, pages, chunks and constant bounds are not.
//  4. Follow what a turn varies into the arguments of the call: a query that does
//     not depend on the element is no query for each element.
//  5. Report the innermost such loop once a call, as row-at-a-time-write where the
//     query writes and as nplusone where it does not; it is certain when text, path
//     and dependence are.
package nplusone

import (
	"slices"

	"github.com/planvet/planvet/analyzers/embedsql"
	"github.com/planvet/planvet/rules"
)

// Options say what to report.
type Options struct {
	// CertainOnly leaves possible findings out.
	CertainOnly bool
	// Enabled reports whether a rule runs; nil runs all.
	Enabled func(rule string) bool
	// Imported gives what is known of a function in another package, by its key; nil
	// knows nothing.
	Imported func(key string) *Queries
	// Outside names what a function in another package waits for outside of the process,
	// by its key; nil knows nothing.
	Outside func(key string) string
}

// any reports whether one of the rules runs.
func (o Options) any() bool {
	return o.Enabled == nil || slices.ContainsFunc(Rules, func(r *rules.Rule) bool { return o.Enabled(r.Name) })
}

// Check looks at every loop of the code that r was extracted from. Findings are
// sorted; their IDs and verdicts are left to the caller, and so is the schema of
// an unqualified table.
func Check(r *embedsql.Result, o Options) []rules.Finding {
	c := newChecker(r, o)
	var out []rules.Finding
	for _, f := range c.prog.Funcs {
		out = append(out, c.function(f)...)
	}
	kept := out[:0]
	for _, f := range out {
		if (o.Enabled == nil || o.Enabled(f.Rule)) && (!o.CertainOnly || f.Certainty == rules.Certain) {
			kept = append(kept, f)
		}
	}
	rules.Sort(kept)
	return kept
}
