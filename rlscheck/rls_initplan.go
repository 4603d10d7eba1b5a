package rlscheck

import (
	"fmt"
	"slices"

	"github.com/planvet/planvet/catalog"
	"github.com/planvet/planvet/catalog/builtin"
	"github.com/planvet/planvet/rules"
)

var initplan = &rules.Rule{
	Name:     "rls-initplan",
	Summary:  "a policy calls a function for each row, though its result is the same for all",
	Package:  "rlscheck",
	Group:    "rls",
	Severity: rules.Warning, Certainty: rules.Certain,
	Page: page("rls_initplan"),
}

// initplan reports a policy with bare calls: as a warning where rows pay for one,
// as information where each is an index condition, which is computed once a scan,
// or where another value of the session is, which leaves the session's own rows.
func (c *checker) initplan() {
	c.policies(func(r *catalog.Relation, p *catalog.Policy) {
		pol := c.parsePolicy(r, p)
		if pol == nil || len(pol.bare) == 0 {
			return
		}
		served := c.serve(pol)
		var paying, lucky []*call
		for _, b := range pol.bare {
			if served[b] {
				lucky = append(lucky, b)
			} else {
				paying = append(paying, b)
			}
		}
		f := start(initplan, r, p, c.uses(r, p))
		f.Probe.Columns = c.comparedWith(pol)
		f.Object.Columns = f.Probe.Columns
		f.Object.Function = pol.bare[0].name
		switch {
		case len(paying) == 0:
			f.Severity = rules.Info
			f.Message = fmt.Sprintf("policy %q on %s calls %s bare: once a scan by its index, but for each row of any other scan",
				p.Name, r.Name.Short(), list(calls(lucky)))
		case c.narrowed(pol):
			f.Severity = rules.Info
			f.Object.Function = paying[0].name
			f.Message = fmt.Sprintf("policy %q on %s calls %s for each row that its index leaves; as (select …) it runs once a query",
				p.Name, r.Name.Short(), list(calls(paying)))
		default:
			f.Object.Function = paying[0].name
			f.Message = fmt.Sprintf("policy %q on %s calls %s for each row; as (select …) it runs once a query",
				p.Name, r.Name.Short(), list(calls(paying)))
			if inside(paying) {
				f.Message = fmt.Sprintf("policy %q on %s calls %s for each row of a subquery; as (select …) it runs once a query",
					p.Name, r.Name.Short(), list(calls(paying)))
			}
		}
		if scan := c.analyze(c.cat, r, nil); scan != nil && scan.Small && !inside(pol.bare) {
			f.Severity = rules.Info
		}
		if !slices.ContainsFunc(pol.bare, func(b *call) bool { return b.known }) {
			f.Certainty = rules.Possible
		}
		f.Fix = &rules.Fix{Note: note(pol)}
		if alter := c.improve(r, p); alter != "" {
			f.Fix.SQL = []string{alter}
			f.Probe.Apply = f.Fix.SQL
		}
		c.findings = append(c.findings, f)
	})
}

// inside reports whether all calls stand where rows of subqueries are looked at.
func inside(cs []*call) bool {
	return !slices.ContainsFunc(cs, func(b *call) bool {
		f := b.frame
		for f.depth > 0 && len(f.query.From) == 0 {
			f = f.parent
		}
		return f.depth == 0
	})
}

// comparedWith lists the policy's own columns.
func (c *checker) comparedWith(p *policy) []string { return c.columnsOf(p, p.expr, p.top) }

// note warns of what wrapping changes.
func note(p *policy) string {
	for _, b := range p.bare {
		if b.user != nil && b.volatility == builtin.Volatile {
			return b.name + "() is volatile: declare it stable if it only reads; wrapped, it runs once a query"
		}
	}
	return ""
}
