package predicate

import (
	"slices"

	"github.com/planvet/planvet/catalog"
)

// finish analyses a block whose names are bound: derived tables first, with the
// quals that the planner pushes into them, then the block, then its subqueries.
func (b *Block) finish(r *resolver) {
	if b.done {
		return
	}
	b.done = true
	b.classify()
	b.push()
	for _, c := range b.children {
		c.finish(r)
	}
	for _, rel := range b.Rels {
		r.rows(rel)
	}
	b.reach()
	b.order()
	b.narrow()
	for _, s := range b.sublinks {
		s.finish(r)
	}
}

// reach finds which relations have an access path.
//
//  1. A relation is reached by its own quals, by being small or no relation at all,
//     or by an index that gives the order of a LIMIT; it is narrow as surely as the
//     quals of its path select.
//  2. A join clause lets an index be probed from relations that are reached, to a
//     fixpoint; the probed relation is as narrow as the narrowest of them.
//  3. What is left is a gap if the block selects somewhere: the relation with the
//     surest quals of its own first (where), then one that is joined from narrow
//     rows (join). It counts as reached from then on, and 2 runs again, so that
//     one missing index is one finding.
func (b *Block) reach() {
	ordered := b.ordered()
	for _, rel := range b.Rels {
		b.start(rel)
		for _, c := range rel.Conjuncts {
			b.Selective = b.Selective || c.Selects > No && !c.FromJoin
		}
	}
	if ordered != nil {
		ordered.Reached = true
		ordered.Narrow = max(ordered.Narrow, Yes)
	}
	b.spread()
	if !b.Selective && !b.drives() {
		return
	}
	for {
		rel, gap := b.worst()
		if rel == nil {
			break
		}
		rel.Gap = gap
		rel.Reached = true
		rel.Narrow = max(rel.Narrow, gap.grade)
		b.spread()
	}
}

// drives reports whether a derived source of few rows stands in the block.
func (b *Block) drives() bool {
	for _, rel := range b.Rels {
		if rel.Relation == nil && rel.Narrow > No {
			return true
		}
	}
	return false
}

// start decides what a relation has by itself.
func (b *Block) start(rel *Rel) {
	if rel.Relation == nil {
		rel.Narrow = rel.derived.likelihood()
		// A source that reads everything is read whole: nothing is probed from it.
		rel.Reached = rel.derived.block == nil || rel.Narrow > No || len(rel.derived.needs) > 0
		return
	}
	if p := b.path(rel, own); p != nil {
		rel.Path, rel.Reached = p, true
		rel.Narrow = min(p.grade(), Yes)
	}
	switch rel.Relation.Kind {
	case catalog.Table, catalog.PartitionedTable, catalog.MaterializedView:
	default:
		rel.Reached = true
	}
	if rel.Small {
		rel.Reached = true
		for _, c := range rel.Conjuncts {
			if !c.FromJoin && c.Op == "=" {
				rel.Narrow = max(rel.Narrow, min(c.Selects, Maybe))
			}
		}
	}
	if rel.Path == nil && rel.Relation.Stub {
		rel.Reached = true
	}
}

// own keeps to quals whose comparand is known when the block starts.
func own(c *Conjunct) bool { return len(c.needs) == 0 }

func (d *derived) likelihood() Likelihood {
	if d.block != nil {
		return d.block.Narrow
	}
	if len(d.needs) > 0 {
		return No // until what it is lateral to is narrow
	}
	return d.few
}

// spread runs step 2 to its fixpoint.
func (b *Block) spread() {
	for changed := true; changed; {
		changed = false
		for _, rel := range b.Rels {
			if rel.Narrow == Yes {
				continue
			}
			if rel.Relation == nil {
				if n := rel.derived.lateral(); n > rel.Narrow {
					rel.Narrow, changed = n, true
				}
				continue
			}
			p := b.path(rel, func(c *Conjunct) bool { return c.known() })
			if p == nil {
				continue
			}
			n := No
			for _, c := range p.Used {
				n = max(n, c.carries())
			}
			if !rel.Reached || n > rel.Narrow {
				if !rel.Reached || rel.Path == nil {
					rel.Path = p
				}
				rel.Reached, rel.Narrow = true, max(rel.Narrow, n)
				changed = true
			}
		}
	}
}

// lateral is what a LATERAL source inherits from the rows that it runs for.
func (d *derived) lateral() Likelihood {
	if len(d.needs) == 0 {
		return No
	}
	n := Yes
	for _, rel := range d.needs {
		n = min(n, rel.Narrow)
	}
	return n
}

// known reports whether the comparand is at hand once reached relations are read.
func (c *Conjunct) known() bool {
	for _, n := range c.needs {
		if !n.Reached {
			return false
		}
	}
	return true
}

// carries is how narrow a probe by this conjunct is: as its driver, and no more
// than the conjunct selects.
func (c *Conjunct) carries() Likelihood {
	n := c.Selects
	for _, d := range c.needs {
		n = min(n, d.Narrow)
	}
	return n
}

// worst picks the gap to report next.
func (b *Block) worst() (*Rel, *Gap) {
	var best *Rel
	var gap *Gap
	score := 0
	for _, rel := range b.Rels {
		if rel.Relation == nil || rel.Reached || rel.Gap != nil || b.probedOuter(rel) {
			continue
		}
		for _, g := range []*Gap{b.whereGap(rel), b.joinGap(rel)} {
			if g == nil {
				continue
			}
			s := 1
			if g.grade == Yes {
				s = 3
			}
			if g.Kind == GapWhere {
				s++
			}
			if s > score {
				best, gap, score = rel, g, s
			}
		}
	}
	return best, gap
}

// probedOuter reports whether a relation on the nullable side of an outer join is
// probed for each row of a side that is read whole in any case: its own quals
// filter no row of the result, so that an index for them alone is not missing.
func (b *Block) probedOuter(rel *Rel) bool {
	nullable := func(r *Rel) bool {
		return slices.ContainsFunc(r.nullBy, func(j *outerJoin) bool { return !j.reduced && !j.anti })
	}
	return nullable(rel) && b.path(rel, func(c *Conjunct) bool {
		return !slices.ContainsFunc(c.needs, func(n *Rel) bool { return !n.Reached && nullable(n) })
	}) != nil
}

// narrow says whether the block yields few rows.
func (b *Block) narrow() {
	switch {
	case len(b.sets) > 0:
		b.Narrow = Yes
		for _, a := range b.sets {
			if a.block != b {
				a.block.finish(b.resolver)
				b.Narrow = min(b.Narrow, a.block.Narrow)
			}
		}
	case b.Limit, b.Aggregated && !b.Grouped:
		b.Narrow = Yes
	default:
		best := No
		for _, rel := range b.Rels {
			best = max(best, rel.Narrow)
		}
		b.Narrow = best
		for _, rel := range b.Rels {
			if rel.Relation != nil && !rel.Reached {
				b.Narrow = No
			}
		}
		if len(b.Rels) == 0 {
			b.Narrow = Yes
		}
	}
	if b.Limit {
		b.Narrow = Yes
	}
}
