package predicate

import (
	"slices"
)

// Wants are the indexes that could serve a relation's quals in its block, whether it
// has an access path or not: all of its usable equalities with the order and a range,
// and less of that, down to single keys. A planner must choose; most are worth
// nothing. Where row security keeps a qual out of indexes there is none for it. An OR
// wants one for each arm, which stand together in one list; other lists have one.
func (rel *Rel) Wants(id int) [][]Need {
	w := &wants{rel: rel, id: id, seen: map[string]bool{}}
	if rel.Relation == nil {
		return nil
	}
	b := rel.Block
	var own, joined []Conjunct
	for i := range rel.Conjuncts {
		c := rel.Conjuncts[i]
		switch {
		case c.Selects == No || !c.fixable() || !b.may(rel, &c):
		case c.Or != nil:
			var arms []Need
			for _, arm := range c.Or {
				if n := rel.need(id, arm, false); !n.Empty() {
					arms = append(arms, n)
				}
			}
			if len(arms) == len(c.Or) {
				w.together(arms)
			}
		case len(c.needs) > 0 && c.Op == "=":
			joined = append(joined, c)
		case len(c.needs) == 0:
			if m, _ := special(&c); m != "" {
				w.add(rel.need(id, []Conjunct{c}, false))
				continue
			}
			own = append(own, c)
		}
	}
	w.keys(own)
	if len(joined) > 0 {
		w.keys(append(slices.Clone(joined), own...))
		w.keys(joined)
	}
	w.sorted(Need{Relation: rel.Relation, ID: id})
	return w.out
}

// wants collects needs, each once.
type wants struct {
	rel  *Rel
	id   int
	out  [][]Need
	seen map[string]bool
}

func (w *wants) add(n Need) { w.together([]Need{n}) }

func (w *wants) together(ns []Need) {
	key := ""
	for _, n := range ns {
		if n.Empty() {
			return
		}
		key += n.text() + "\x00"
	}
	if !w.seen[key] {
		w.seen[key] = true
		w.out = append(w.out, ns)
	}
}

// keys adds what some conjuncts want, and less.
func (w *wants) keys(cs []Conjunct) {
	if len(cs) == 0 {
		return
	}
	n := w.rel.need(w.id, cs, false)
	w.add(n)
	w.sorted(n)
	bare := n
	bare.Range = nil
	w.add(bare)
	if len(n.Policy) > 0 {
		free := n
		free.Policy = nil
		w.add(free)
		w.sorted(free)
	}
	for _, k := range n.Equality {
		w.add(Need{Relation: n.Relation, ID: w.id, Equality: []Key{k}})
		w.add(Need{Relation: n.Relation, ID: w.id, Equality: []Key{k}, Range: n.Range})
	}
	if len(n.Range) > 0 {
		w.add(Need{Relation: n.Relation, ID: w.id, Range: n.Range})
	}
}

// sorted adds a need with the block's order, with the range behind it and without.
func (w *wants) sorted(n Need) {
	b := w.rel.Block
	if b.sortRel() != w.rel {
		return
	}
	n.Sort = b.sortKeys(w.rel, n)
	if b.MinMax {
		for i := range n.Sort {
			n.Sort[i].Desc, n.Sort[i].NullsFirst = false, false
		}
	}
	w.add(n)
	n.Range = nil
	w.add(n)
}
