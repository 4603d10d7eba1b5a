package predicate

import (
	"slices"

	"github.com/planvet/planvet/internal/pgast"
)

// rows reads a row comparison: (a, b) = (x, y) is two equalities, and
// (a, b) > (x, y) is served by an index that leads with a.
func (b *Block) rows(e *pgast.Op, left *pgast.Row, rel *Rel) []Conjunct {
	right, ok := e.Right.(*pgast.Row)
	if !ok || len(right.Args) != len(left.Args) || len(left.Args) == 0 {
		return nil
	}
	if e.Name == "=" {
		var out []Conjunct
		for i := range left.Args {
			out = append(out, b.operator(&pgast.Op{At: e.At, Name: "=", Left: left.Args[i], Right: right.Args[i]}, rel)...)
		}
		return out
	}
	out := b.operator(&pgast.Op{At: e.At, Name: e.Name, Left: left.Args[0], Right: right.Args[0]}, rel)
	for i := range out {
		out[i].Row = nil
		for _, a := range left.Args {
			if v, ok := b.resolver.relabel(a).(*Var); ok && v.Rel == rel {
				out[i].Row = append(out[i].Row, v.Column)
			}
		}
		out[i].Expr = e
	}
	return out
}

// disjunction reads an OR: it is usable only when every arm is. An arm without a
// column of the relation, beside one that has some, is either the optional-filter
// idiom ($1 IS NULL OR c = $1) or about another relation.
func (b *Block) disjunction(e *pgast.Bool, rel *Rel) []Conjunct {
	c := Conjunct{Expr: e, Op: "or", Kind: Nothing, Sargable: true}
	for _, a := range pgast.Flatten(e, pgast.Or) {
		if b.fixed(a) && len(vars(a)) == 0 {
			c.Optional = true // a plan made for the value drops the arm, or the rest
			continue
		}
		arm := b.conjuncts(a, rel)
		if len(arm) == 0 {
			c.Sargable = false
		}
		c.Or = append(c.Or, arm)
		for _, x := range arm {
			for _, n := range x.Columns {
				if !slices.Contains(c.Columns, n) {
					c.Columns = append(c.Columns, n)
				}
			}
			for _, n := range x.needs {
				if !slices.Contains(c.needs, n) {
					c.needs = append(c.needs, n)
				}
			}
			c.Outer = c.Outer || x.Outer
		}
	}
	c.FromJoin = len(c.needs) > 0
	if len(c.Or) == 0 {
		return nil
	}
	c.Selects = Yes
	for _, arm := range c.Or {
		best := No
		for _, x := range arm {
			best = max(best, x.Selects)
		}
		c.Selects = min(c.Selects, best)
	}
	if c.Optional {
		c.Selects = min(c.Selects, Maybe)
	}
	return []Conjunct{c}
}
