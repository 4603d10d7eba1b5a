package predicate

import "github.com/planvet/planvet/internal/pgast"

// Var is a column reference bound to a relation; Column is "" for a whole row.
// Rel is nil when the name could not be bound.
type Var struct {
	pgast.ColumnRef
	Rel    *Rel
	Column string
}

// subquery is a subquery in an expression, bound to the block that it became.
type subquery struct {
	pgast.SubLink
	block *Block
	out   []outCol
}

// constant makes a literal that stands nowhere.
func constant(kind pgast.ConstKind, text string) pgast.Expr {
	return &pgast.Const{At: -1, Kind: kind, Text: text}
}

// rewrite copies e with some nodes replaced: f returns the replacement, or nil to
// go below the node. Subqueries are not entered.
func rewrite(e pgast.Expr, f func(pgast.Expr) pgast.Expr) pgast.Expr {
	if isNil(e) {
		return nil
	}
	if r := f(e); r != nil {
		return r
	}
	one := func(e pgast.Expr) pgast.Expr { return rewrite(e, f) }
	all := func(es []pgast.Expr) []pgast.Expr {
		if es == nil {
			return nil
		}
		out := make([]pgast.Expr, len(es))
		for i, x := range es {
			out[i] = one(x)
		}
		return out
	}
	switch e := e.(type) {
	case *pgast.Op:
		c := *e
		c.Left, c.Right = one(e.Left), one(e.Right)
		return &c
	case *pgast.Bool:
		c := *e
		c.Args = all(e.Args)
		return &c
	case *pgast.NullTest:
		c := *e
		c.Arg = one(e.Arg)
		return &c
	case *pgast.BoolTest:
		c := *e
		c.Arg = one(e.Arg)
		return &c
	case *pgast.SubLink:
		c := *e
		c.Test = one(e.Test)
		return &c
	case *subquery:
		c := *e
		c.Test = one(e.Test)
		return &c
	case *pgast.FuncCall:
		c := *e
		c.Args, c.Filter = all(e.Args), one(e.Filter)
		c.OrderBy = nil
		for _, s := range e.OrderBy {
			s.Expr = one(s.Expr)
			c.OrderBy = append(c.OrderBy, s)
		}
		if e.Over != nil {
			w := *e.Over
			w.PartitionBy = all(w.PartitionBy)
			w.OrderBy = nil
			for _, s := range e.Over.OrderBy {
				s.Expr = one(s.Expr)
				w.OrderBy = append(w.OrderBy, s)
			}
			c.Over = &w
		}
		return &c
	case *pgast.Case:
		c := *e
		c.Arg, c.Else = one(e.Arg), one(e.Else)
		c.Whens = nil
		for _, w := range e.Whens {
			c.Whens = append(c.Whens, pgast.When{Cond: one(w.Cond), Result: one(w.Result)})
		}
		return &c
	case *pgast.Coalesce:
		c := *e
		c.Args = all(e.Args)
		return &c
	case *pgast.MinMax:
		c := *e
		c.Args = all(e.Args)
		return &c
	case *pgast.Cast:
		c := *e
		c.Arg = one(e.Arg)
		return &c
	case *pgast.Array:
		c := *e
		c.Elems = all(e.Elems)
		return &c
	case *pgast.Row:
		c := *e
		c.Args = all(e.Args)
		return &c
	case *pgast.List:
		c := *e
		c.Items = all(e.Items)
		return &c
	case *pgast.Subscript:
		c := *e
		c.Arg, c.Lower, c.Upper = one(e.Arg), one(e.Lower), one(e.Upper)
		return &c
	case *pgast.Collate:
		c := *e
		c.Arg = one(e.Arg)
		return &c
	case *pgast.Other:
		c := *e
		c.Args = all(e.Args)
		return &c
	}
	return e
}

// each visits e and what is below it, parents first; f returning false stops
// there. Subqueries are not entered.
func each(e pgast.Expr, f func(pgast.Expr) bool) {
	rewrite(e, func(x pgast.Expr) pgast.Expr {
		if f(x) {
			return nil
		}
		return x
	})
}

// isNil tells an absent operand.
func isNil(e pgast.Expr) bool { return e == nil }

// vars lists the bound columns of e, those that its subqueries take from the
// blocks around them included.
func vars(e pgast.Expr) []*Var {
	var out []*Var
	each(e, func(x pgast.Expr) bool {
		switch x := x.(type) {
		case *Var:
			out = append(out, x)
		case *subquery:
			out = append(out, x.block.outer...)
		}
		return true
	})
	return out
}

// unbind turns bound columns back into plain names, without their relation, so
// that an expression on one relation can be compared with an index's.
func unbind(e pgast.Expr) pgast.Expr {
	return rewrite(e, func(x pgast.Expr) pgast.Expr {
		switch x := x.(type) {
		case *Var:
			if x.Rel == nil || x.Column == "" {
				return &pgast.ColumnRef{At: x.At, Names: x.Names, Star: x.Star}
			}
			return &pgast.ColumnRef{At: x.At, Names: []string{x.Column}}
		case *subquery:
			c := x.SubLink
			c.Test = unbind(c.Test)
			return &c
		}
		return nil
	})
}

// conjunction splits nested ANDs.
func conjunction(e pgast.Expr) []pgast.Expr { return pgast.Flatten(e, pgast.And) }
