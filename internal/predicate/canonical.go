package predicate

import (
	"github.com/planvet/planvet/internal/pgast"
)

// canonical writes a condition as the planner sees it before it looks for indexes:
// NOT stands only where nothing can take it in, as PostgreSQL's negate_clause has
// it. The result is true, false and null for the same rows.
func canonical(e pgast.Expr) pgast.Expr {
	if x, ok := e.(*pgast.Op); ok {
		if x.Kind == pgast.OpNotBetween {
			return outside(x)
		}
		return plainBoolean(x)
	}
	b, ok := e.(*pgast.Bool)
	if !ok {
		return e
	}
	if b.Kind == pgast.Not && len(b.Args) == 1 {
		return negate(b)
	}
	c := *b
	c.Args = nil
	for _, a := range b.Args {
		c.Args = append(c.Args, canonical(a))
	}
	return &c
}

// negate takes a NOT in as far as it goes; n itself is the result where it does not.
func negate(n *pgast.Bool) pgast.Expr {
	not := func(e pgast.Expr) pgast.Expr {
		return canonical(&pgast.Bool{At: n.At, Kind: pgast.Not, Args: []pgast.Expr{e}})
	}
	switch x := n.Args[0].(type) {
	case *pgast.Bool:
		if x.Kind == pgast.Not && len(x.Args) == 1 {
			return canonical(x.Args[0])
		}
		kind := pgast.And
		if x.Kind == pgast.And {
			kind = pgast.Or
		}
		out := &pgast.Bool{At: x.At, Kind: kind}
		for _, a := range x.Args {
			out.Args = append(out.Args, not(a))
		}
		return out
	case *pgast.NullTest:
		if _, row := x.Arg.(*pgast.Row); row {
			return n // of a row that is null in part, neither is true
		}
		c := *x
		c.Not = !x.Not
		return &c
	case *pgast.BoolTest:
		if opposite, ok := oppositeTests[x.Test]; ok {
			c := *x
			c.Test = opposite
			return &c
		}
	case *pgast.Op:
		return negateOp(n, x)
	}
	return n
}

func negateOp(n *pgast.Bool, x *pgast.Op) pgast.Expr {
	c := *x
	switch x.Kind {
	case pgast.OpPlain, pgast.OpLike, pgast.OpILike:
		if opposite, ok := negators[x.Name]; ok && x.Schema == "" {
			if _, row := x.Left.(*pgast.Row); row {
				return n
			}
			c.Name = opposite
			return plainBoolean(&c)
		}
	case pgast.OpIn:
		if opposite, ok := map[string]string{"=": "<>", "<>": "="}[x.Name]; ok {
			c.Name = opposite
			return &c
		}
	case pgast.OpAny:
		if opposite, ok := negators[x.Name]; ok {
			c.Kind, c.Name = pgast.OpAll, opposite
			return &c
		}
	case pgast.OpAll:
		if opposite, ok := negators[x.Name]; ok {
			c.Kind, c.Name = pgast.OpAny, opposite
			return &c
		}
	case pgast.OpBetween:
		if o := outside(x); o != pgast.Expr(x) {
			return o
		}
	case pgast.OpNotBetween:
		c.Kind = pgast.OpBetween
		return &c
	}
	return n
}

// plainBoolean writes x = true and x <> false as x, the other two as NOT x.
func plainBoolean(x *pgast.Op) pgast.Expr {
	left, right := x.Left, x.Right
	if c, ok := left.(*pgast.Const); ok && c.Kind == pgast.ConstBool {
		left, right = right, left
	}
	c, ok := pgast.Uncast(right).(*pgast.Const)
	if !ok || c.Kind != pgast.ConstBool || x.Kind != pgast.OpPlain || isNil(left) || x.Schema != "" || x.Name != "=" && x.Name != "<>" && x.Name != "!=" {
		return x
	}
	if (x.Name == "=") == (c.Text == "true") {
		return left
	}
	return canonical(&pgast.Bool{At: x.At, Kind: pgast.Not, Args: []pgast.Expr{left}})
}

// outside is x NOT BETWEEN a AND b, of a list of two.
func outside(x *pgast.Op) pgast.Expr {
	l, ok := x.Right.(*pgast.List)
	if !ok || len(l.Items) != 2 {
		return x
	}
	return &pgast.Bool{At: x.At, Kind: pgast.Or, Args: []pgast.Expr{
		&pgast.Op{At: x.At, Name: "<", Left: x.Left, Right: l.Items[0]},
		&pgast.Op{At: x.At, Name: ">", Left: x.Left, Right: l.Items[1]},
	}}
}

var (
	negators = map[string]string{"=": "<>", "<>": "=", "!=": "=", "<": ">=", ">=": "<", ">": "<=", "<=": ">",
		"~~": "!~~", "!~~": "~~", "~~*": "!~~*", "!~~*": "~~*", "~": "!~", "!~": "~", "~*": "!~*", "!~*": "~*"}
	oppositeTests = map[string]string{
		"TRUE": "NOT TRUE", "NOT TRUE": "TRUE", "FALSE": "NOT FALSE", "NOT FALSE": "FALSE", "UNKNOWN": "NOT UNKNOWN", "NOT UNKNOWN": "UNKNOWN",
	}
)
