package sqllint

import (
	"github.com/planvet/planvet/internal/predicate"
	"github.com/planvet/planvet/rules"
)

var unindexedWhere = &rules.Rule{
	Name:      "unindexed-where",
	Summary:   "a query filters a large table by columns that no index serves",
	Package:   "sqllint",
	Group:     "indexes",
	Severity:  rules.Warning,
	Certainty: rules.Certain,
	Page:      page("unindexed_where"),
}

// runUnindexedWhere reports the relations whose own quals select and have no access
// path, all columns together.
func runUnindexedWhere(p *pass) {
	p.gaps(predicate.GapWhere, func(s *Statement, rel *predicate.Rel, g *predicate.Gap) {
		f := p.start(unindexedWhere, s, rel, g.Columns, g.Pos, g.Certain)
		f.Message = subject(rel.Relation.Name, g) + "; this query reads all of " + rel.Relation.Name.Short() +
			" (" + rules.Size(rel.Rows, rel.RowsSource) + ")"
		if g.Why != "" {
			f.Message += ": " + g.Why
		}
		if g.Advice != "" {
			f.Fix = &rules.Fix{Note: g.Advice}
		}
		p.report(f, rel.Needs(0))
	})
}

// gaps visits the missing paths of one kind.
func (p *pass) gaps(kind predicate.GapKind, f func(*Statement, *predicate.Rel, *predicate.Gap)) {
	for i, s := range p.stmts {
		for _, b := range p.plans[i].Blocks {
			if b.FromPolicy {
				continue // rlscheck's to judge, once for all statements
			}
			for _, rel := range b.Rels {
				if rel.Gap != nil && rel.Gap.Kind == kind {
					f(s, rel, rel.Gap)
				}
			}
		}
	}
}
