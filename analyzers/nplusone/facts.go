package nplusone

import (
	"slices"
	"strings"

	"github.com/planvet/planvet/analyzers/embedsql"
	"github.com/planvet/planvet/analyzers/program"
)

// Queries is the query that each call of a function sends, for the packages that
// import its own. It is free of maps, so that its encoding is stable.
type Queries struct {
	// Key is the function's.
	Key string
	// Text is the SQL; Call the driver's method.
	Text, Call string
	// Args has, for each $n, the numbers of the parameters that it comes from; the
	// receiver is the number of parameters.
	Args [][]int
	// Chain names the functions down to the driver.
	Chain []string
}

// Summaries are the functions whose every call sends a query that is certain,
// sorted by key.
func Summaries(r *embedsql.Result, o Options) []Queries {
	c := newChecker(r, o)
	var out []Queries
	for _, f := range c.prog.Funcs {
		if f.Lit != nil {
			continue
		}
		e := c.summary(f)
		if e == nil || e.cond || e.guess || e.ambiguous || e.stmt == nil || e.stmt.Dynamic || e.rest != 0 || len(e.chain) > maxDepth {
			continue
		}
		q := Queries{Key: f.Key, Text: e.stmt.Text, Call: e.call, Chain: e.chain}
		for _, o := range e.params {
			var ps []int
			for i := 0; i <= len(f.Params) && i <= 60; i++ {
				if o&paramBit(i) != 0 {
					ps = append(ps, i)
				}
			}
			q.Args = append(q.Args, ps)
		}
		out = append(out, q)
	}
	slices.SortFunc(out, func(a, b Queries) int { return strings.Compare(a.Key, b.Key) })
	return out
}

// waits are the functions that may wait for something outside, sorted by key.
func waits(r *embedsql.Result, o Options) []Waiting {
	prog := r.Program()
	var out []Waiting
	for _, f := range prog.Funcs {
		if f.Lit != nil {
			continue
		}
		for _, call := range f.Calls {
			if w := prog.Outside(program.Site{In: f, Call: call}, o.Outside); w != "" {
				out = append(out, Waiting{f.Key, w})
				break
			}
		}
	}
	slices.SortFunc(out, func(a, b Waiting) int { return strings.Compare(a.Key, b.Key) })
	return out
}
