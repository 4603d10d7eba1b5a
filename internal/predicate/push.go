package predicate

import (
	"slices"

	"github.com/planvet/planvet/internal/pgast"
)

// push hands quals on a derived table to the blocks inside of it, as the planner
// does: into each arm of a UNION; below GROUP BY and DISTINCT when they are on the
// grouped columns; below window
// functions when all divide their rows by it; never below LIMIT or a locking clause.
func (b *Block) push() {
	for _, rel := range b.Rels {
		d := rel.derived
		if d == nil || !d.push || d.block == nil || d.block.noPush {
			continue
		}
		for _, c := range b.clauses {
			if !c.restricts(rel) || !b.onlyOn(c.expr, rel) {
				continue
			}
			for _, a := range d.out {
				if a.block.noPush || a.block.done {
					continue
				}
				if e := a.substitute(c.expr, rel); !isNil(e) {
					a.block.clauses = append(a.block.clauses, &clause{expr: e, pos: c.pos, derived: c.derived})
				}
			}
		}
	}
}

// onlyOn reports whether an expression's columns of this block are all of rel.
func (b *Block) onlyOn(e pgast.Expr, rel *Rel) bool {
	found, ok := false, true
	each(e, func(x pgast.Expr) bool {
		switch x := x.(type) {
		case *Var:
			if x.Rel == rel && x.Column != "" {
				found = true
			} else if x.Rel == nil || x.Rel.Block == b {
				ok = false
			}
		case *subquery:
			ok = ok && len(x.block.outer) == 0
		}
		return ok
	})
	return found && ok
}

// substitute writes a qual on a derived table's columns over what they stand for
// in one arm; nil where that is unknown or may not be pushed.
func (a arm) substitute(e pgast.Expr, rel *Rel) pgast.Expr {
	ok := true
	out := rewrite(e, func(x pgast.Expr) pgast.Expr {
		v, isVar := x.(*Var)
		if !isVar {
			return nil
		}
		if v.Rel != rel {
			return v
		}
		i := slices.IndexFunc(a.cols, func(c outCol) bool { return c.name == v.Column })
		if i < 0 || isNil(a.cols[i].expr) || !a.pushable(a.cols[i].expr) {
			ok = false
			return v
		}
		return a.cols[i].expr
	})
	if !ok {
		return nil
	}
	return out
}

func (a arm) pushable(e pgast.Expr) bool {
	b := a.block
	if len(vars(e)) == 0 {
		return false
	}
	if b.Aggregated && !b.Grouped {
		return false
	}
	if b.Grouped && !slices.ContainsFunc(b.groupBy, func(g pgast.Expr) bool { return sameBound(g, e) }) {
		return false
	}
	if len(b.distinct) > 0 && !slices.ContainsFunc(b.distinct, func(g pgast.Expr) bool { return sameBound(g, e) }) {
		return false
	}
	for _, by := range b.windows {
		if !slices.ContainsFunc(by, func(g pgast.Expr) bool { return sameBound(g, e) }) {
			return false
		}
	}
	return !b.resolver.volatile(e)
}

// sameBound compares bound expressions.
func sameBound(a, b pgast.Expr) bool {
	v, ok := a.(*Var)
	w, ok2 := b.(*Var)
	if ok && ok2 {
		return v.Rel == w.Rel && v.Column == w.Column
	}
	return !ok && !ok2 && sameExpr(unbind(a), unbind(b))
}
