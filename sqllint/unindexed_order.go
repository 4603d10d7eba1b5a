package sqllint

import (
	"strings"

	"github.com/planvet/planvet/internal/predicate"
	"github.com/planvet/planvet/rules"
)

var unindexedOrder = &rules.Rule{
	Name:      "unindexed-order",
	Summary:   "a limit sorts a large table because no index gives the order",
	Package:   "sqllint",
	Group:     "indexes",
	Severity:  rules.Warning,
	Certainty: rules.Certain,
	Page:      page("unindexed_order"),
}

// runUnindexedOrder reports ORDER BY … LIMIT, min and max that have to read all
// rows for want of an index in that order.
func runUnindexedOrder(p *pass) {
	for i, s := range p.stmts {
		for _, b := range p.plans[i].Blocks {
			g := b.OrderGap
			if g == nil || b.FromPolicy {
				continue
			}
			t := g.Rel.Relation.Name.Short()
			f := p.start(unindexedOrder, s, g.Rel, g.Columns, g.Pos, g.Certain)
			f.Probe.NeedsOrder = true
			f.Message = "no index of " + t + " gives the order by " + strings.Join(keys(b), ", ") + "; the limit sorts all of " + t
			if b.MinMax {
				f.Message = "no index of " + t + " leads with " + strings.Join(keys(b), ", ") + "; min and max read all of " + t
			}
			f.Message += " (" + rules.Size(g.Rel.Rows, g.Rel.RowsSource) + ")"
			if g.Why != "" {
				f.Message += ": " + g.Why
			}
			p.report(f, []predicate.Need{g.Need(0)})
		}
	}
}

// keys are the order's keys as messages show them.
func keys(b *predicate.Block) []string {
	var out []string
	for _, o := range b.OrderBy {
		k := o.Column
		if k == "" {
			k = o.KeyExpr
		}
		if o.Desc && !b.MinMax {
			k += " desc"
		}
		out = append(out, k)
	}
	return out
}
