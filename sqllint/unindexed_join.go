package sqllint

import (
	"github.com/planvet/planvet/internal/predicate"
	"github.com/planvet/planvet/rules"
)

var unindexedJoin = &rules.Rule{
	Name:      "unindexed-join",
	Summary:   "few rows are joined to a large table by columns that no index serves",
	Package:   "sqllint",
	Group:     "indexes",
	Severity:  rules.Warning,
	Certainty: rules.Certain,
	Page:      page("unindexed_join"),
}

// runUnindexedJoin reports the relations that few rows at hand, or a row of the
// query around, are compared with, and that have no access path by that.
func runUnindexedJoin(p *pass) {
	p.gaps(predicate.GapJoin, func(s *Statement, rel *predicate.Rel, g *predicate.Gap) {
		f := p.start(unindexedJoin, s, rel, g.Columns, g.Pos, g.Certain)
		t := rel.Relation.Name.Short()
		f.Message = subject(rel.Relation.Name, g) + "; "
		switch d := driver(g); {
		case d != "":
			f.Message += "the join from " + d + " reads all of " + t
		default:
			f.Message += "each row of the query around reads all of " + t
		}
		f.Message += " (" + rules.Size(rel.Rows, rel.RowsSource) + ")"
		if g.Why != "" {
			f.Message += ": " + g.Why
		}
		if g.Advice != "" {
			f.Fix = &rules.Fix{Note: g.Advice}
		}
		p.report(f, rel.Needs(0))
	})
}

// driver names the relation that is joined from, "" for a query around.
func driver(g *predicate.Gap) string {
	for _, c := range g.Conjuncts {
		if c.Other == nil {
			continue
		}
		if c.Other.Relation != nil {
			return c.Other.Relation.Name.Short()
		}
		if c.Other.Alias != "" {
			return c.Other.Alias
		}
		return "the subquery"
	}
	return ""
}
