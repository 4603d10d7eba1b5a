package predicate

import (
	"slices"
	"strings"

	"github.com/planvet/planvet/catalog"
)

// ordered is the relation whose index gives the order that LIMIT, min or max
// needs; nil when there is none. A plain read in that order stops early.
func (b *Block) ordered() *Rel {
	rel := b.sortRel()
	if rel == nil || !b.Limit && !b.MinMax {
		return nil
	}
	for _, x := range b.resolver.indexes(rel) {
		if b.gives(rel, x) {
			if rel.Path == nil {
				rel.Path = &Path{Kind: InOrder, Index: x}
			}
			return rel
		}
	}
	return nil
}

// sortRel is the one base relation that the block's order is about.
func (b *Block) sortRel() *Rel {
	if len(b.OrderBy) == 0 || b.Grouped || b.Aggregated && !b.MinMax || len(b.distinct) > 0 {
		return nil
	}
	rel := b.OrderBy[0].Rel
	for _, o := range b.OrderBy {
		if o.Rel == nil || o.Rel != rel {
			return nil
		}
	}
	if rel == nil || rel.Block != b || rel.Relation == nil || rel.Relation.Kind != catalog.Table &&
		rel.Relation.Kind != catalog.PartitionedTable && rel.Relation.Kind != catalog.MaterializedView {
		return nil
	}
	return rel
}

// gives reports whether an index yields the block's order, forwards or backwards.
// Keys that an equality fixes may stand anywhere, in the index and in ORDER BY.
func (b *Block) gives(rel *Rel, x *catalog.Index) bool {
	if x.Method != "btree" && x.Method != "" || x.Predicate != "" && !b.implied(rel, x.Predicate) {
		return false
	}
	fixed := func(col, expr string) bool {
		for i := range rel.Conjuncts {
			c := &rel.Conjuncts[i]
			if c.Op == "=" && !c.Array && len(c.needs) == 0 && c.Sargable && c.Column == col && c.KeyExpr == expr {
				return true
			}
		}
		return false
	}
	i, dir := 0, 0
	for n, o := range b.OrderBy {
		if fixed(o.Column, o.KeyExpr) || slices.ContainsFunc(b.OrderBy[:n], o.again) {
			continue
		}
		for i < len(x.Keys) && !(x.Keys[i].Column == o.Column && x.Keys[i].Expr == o.KeyExpr) && fixed(x.Keys[i].Column, x.Keys[i].Expr) {
			i++
		}
		if i == len(x.Keys) {
			// A unique index's keys settle the order of the rest.
			return x.Unique && i > 0
		}
		k := x.Keys[i]
		if k.Column != o.Column || k.Expr != o.KeyExpr || strings.HasSuffix(k.OpClass, "_pattern_ops") ||
			!collated(rel, k, o.Collation) {
			return false
		}
		d := 1
		if k.Desc != o.Desc {
			d = -1
		}
		// The place of nulls matters even for a NOT NULL column: PostgreSQL does not look.
		if !b.MinMax && (d == 1) != (k.NullsFirst == o.NullsFirst) {
			return false
		}
		if dir == 0 {
			dir = d
		}
		if d != dir {
			return false
		}
		i++
	}
	return true
}

// again reports whether an earlier item of the order settles this one.
func (o Order) again(before Order) bool {
	return o.Column == before.Column && o.KeyExpr == before.KeyExpr && o.Collation == before.Collation
}

// order finds a missing order: a LIMIT (min, max) over a sort of a large relation.
// It is certain only when no equality on an index comes before the sort.
func (b *Block) order() {
	rel := b.sortRel()
	if rel == nil || !b.Limit && !b.MinMax || rel.Small || rel.Gap != nil || rel.Path != nil && rel.Path.Kind == InOrder {
		return
	}
	if b.Limit && b.LimitRows > 10_000 || b.ordered() != nil {
		return
	}
	for _, other := range b.Rels {
		if other != rel && other.Gap != nil {
			return // that one first
		}
	}
	g := &OrderGap{Rel: rel, Pos: b.OrderPos, Certain: true}
	for _, o := range b.OrderBy {
		if o.Column == "" {
			g.Certain = false
			if o.KeyExpr == "" {
				return
			}
		}
		if !slices.Contains(g.Columns, o.Column) && o.Column != "" {
			g.Columns = append(g.Columns, o.Column)
		}
	}
	switch {
	case rel.Narrow == Yes, rel.Path != nil && len(rel.Path.Used) > 1:
		return // few rows are sorted
	case rel.Narrow == Maybe:
		g.Certain, g.Why = false, "how many rows are sorted depends on the values"
	case rel.Path != nil:
		g.Certain, g.Why = false, "an index comes before the sort"
	case b.MinMax:
		g.Certain = false
	}
	if len(b.Rels) > 1 {
		for _, other := range b.Rels {
			if other != rel && other.Narrow > No {
				return
			}
		}
		g.Certain = false
	}
	if len(rel.Conjuncts) > 0 && b.MinMax {
		return
	}
	b.OrderGap = g
}
