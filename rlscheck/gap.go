package rlscheck

import (
	"slices"

	"github.com/planvet/planvet/catalog"
	"github.com/planvet/planvet/catalog/builtin"
	"github.com/planvet/planvet/internal/pgast"
	"github.com/planvet/planvet/internal/predicate"
)

// gap is a missing access path of one or more policies on one table.
type gap struct {
	rel     *catalog.Relation // the table that lacks it
	rows    int64
	source  string
	columns []string
	needs   []predicate.Need
	// rewrite is set when an index alone does not do: x IN (SELECT …).
	rewrite bool
	certain bool
	// frame is the subselect that reads rel; nil for the policy's own table.
	frame    *frame
	on       *catalog.Relation // the policies' table
	policies []*catalog.Policy
	uses     []use
	// together are the policies of the table whose gaps close only with this one's.
	together []*catalog.Policy
}

// ownGap is what keeps a policy's own table from being reached.
func (c *checker) ownGap(r *catalog.Relation, p *catalog.Policy) *gap {
	pol := c.parsePolicy(r, p)
	if pol == nil {
		return nil
	}
	wants := c.wants(r, p)
	if len(wants) == 0 {
		return nil
	}
	missing := c.missing(r, wants)
	sets := c.setTests(pol)
	if len(missing) == 0 && !sets {
		return nil
	}
	uses := c.uses(r, p)
	for _, u := range uses {
		now := c.state(r, u)
		scan := now.scan()
		if scan == nil || reached(scan) {
			continue
		}
		g := &gap{rel: r, on: r, rows: scan.Rows, source: scan.RowsSource, uses: uses, certain: true, together: now.policies}
		if !now.closes[0]() {
			if !now.closes[1]() {
				continue
			}
			g.rewrite, g.certain = true, false
		} else if len(missing) == 0 {
			continue // another policy's index is missing, and reported there
		}
		for _, b := range pol.bare {
			g.certain = g.certain && b.known // an unknown function may be volatile
		}
		for _, k := range wants {
			g.columns = append(g.columns, column(k))
		}
		for _, k := range missing {
			g.needs = append(g.needs, predicate.Need{Relation: r, Policy: []predicate.Key{k}})
		}
		return g
	}
	return nil
}

func column(k predicate.Key) string {
	if k.Column != "" {
		return k.Column
	}
	return k.Expr
}

// wants are the keys by which a policy selects rows: one of the and-ed equalities,
// or one of each arm of an OR; none when an arm has none.
func (c *checker) wants(r *catalog.Relation, p *catalog.Policy) []predicate.Key {
	keys, known := c.wanted[p]
	if known {
		return keys
	}
	if pol := c.parsePolicy(r, p); pol != nil {
		if scan := c.analyze(c.cat, r, c.scan(pol, true)); scan != nil && !scan.Small {
			keys = c.selecting(scan.Conjuncts)
		}
	}
	c.wanted[p] = keys
	return keys
}

func (c *checker) selecting(cs []predicate.Conjunct) []predicate.Key {
	for _, q := range cs {
		if q.Op != "=" || !q.Sargable || q.Selects == predicate.No || q.Column == "" && q.KeyExpr == "" || !c.varies(q.Comparand) {
			continue
		}
		switch q.Kind {
		case predicate.Param, predicate.Subquery, predicate.ArrayOf:
			return []predicate.Key{{Column: q.Column, Expr: q.KeyExpr}}
		}
	}
	for _, q := range cs {
		if len(q.Or) == 0 {
			continue
		}
		var out []predicate.Key
		for _, arm := range q.Or {
			ks := c.selecting(arm)
			if ks == nil {
				return nil
			}
			for _, k := range ks {
				if !slices.Contains(out, k) {
					out = append(out, k)
				}
			}
		}
		return out
	}
	return nil
}

// varies reports whether a comparand is the caller's, rather than a constant: a
// policy that compares with a constant selects a kind of row, not an owner's. CURRENT_USER
// is left out: it is of type name, whose collation keeps a text column's index out.
func (c *checker) varies(e pgast.Expr) bool {
	if e == nil {
		return false
	}
	found := false
	pgast.Walk(e, func(n pgast.Node) bool {
		switch n := n.(type) {
		case *pgast.Param:
			found = true
		case *pgast.FuncCall:
			found = found || c.fns.of(n).volatility != builtin.Immutable
		}
		return !found
	})
	return found
}

// place is a key of a table.
type place struct {
	rel *catalog.Relation
	key predicate.Key
}

// missing are the keys that no index leads with.
func (c *checker) missing(r *catalog.Relation, keys []predicate.Key) []predicate.Key {
	var out []predicate.Key
	for _, k := range keys {
		at := place{r, k}
		lacks, known := c.lacking[at]
		if !known {
			scan := c.analyze(c.cat, r, equality(k))
			lacks = scan != nil && scan.Path == nil
			c.lacking[at] = lacks
		}
		if lacks {
			out = append(out, k)
		}
	}
	return out
}

// innerGaps are the subselects that no index serves.
func (c *checker) innerGaps(r *catalog.Relation, p *catalog.Policy) []*gap {
	pol := c.parsePolicy(r, p)
	if pol == nil {
		return nil
	}
	var out []*gap
	for i, g := range pol.frames {
		a := c.inner(r, p, i)
		if a == nil || len(a.Blocks) == 0 {
			continue
		}
		for _, rel := range a.Blocks[0].Rels {
			if rel.Gap == nil || rel.Relation == nil || rel.Relation.Stub || rel.ViaView {
				continue
			}
			out = append(out, &gap{rel: rel.Relation, on: r, rows: rel.Rows, source: rel.RowsSource, columns: rel.Gap.Columns,
				needs: innerNeeds(rel), certain: rel.Gap.Certain, frame: g, uses: c.uses(r, p)})
		}
	}
	return out
}

// innerNeeds puts the caller's columns before those of the row around: the planner
// may run a correlated EXISTS once, for all rows, and then has only the former.
func innerNeeds(rel *predicate.Rel) []predicate.Need {
	need := predicate.Need{Relation: rel.Relation}
	for _, q := range rel.Gap.Conjuncts {
		if q.Op != "=" || q.Column == "" {
			return rel.Needs(0)
		}
		correlated := false
		if q.Comparand != nil {
			pgast.Walk(q.Comparand, func(n pgast.Node) bool {
				p, ok := n.(*pgast.Param)
				correlated = correlated || ok && p.Number > firstOuter
				return true
			})
		}
		if k := (predicate.Key{Column: q.Column}); correlated {
			need.Equality = append(need.Equality, k)
		} else {
			need.Policy = append(need.Policy, k)
		}
	}
	return []predicate.Need{need}
}
