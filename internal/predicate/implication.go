package predicate

import (
	"strings"

	"github.com/planvet/planvet/internal/pgast"
)

// Implies reports whether every row for which all of quals are true makes pred
// true as well. It may say no where the answer is yes (a worse plan, a miss); a
// yes holds. Columns are plain names; parameters are unknown values. Quals and
// predicate are in normal form. Without types, texts that differ are not taken to
// be different values.
//
// With A the quals and B the predicate, as PostgreSQL's predicate_implied_by:
//
//	A          B          A ⇒ B when
//	AND of a   any        some a ⇒ B, or (below) B's parts each
//	any        AND of b   A ⇒ every b
//	OR of a    any        every a ⇒ B
//	any        OR of b    A ⇒ some b
//	atom       atom       they are the same; or by the table of atoms
//
// An AND on the left and an OR on the right are taken apart last, since each of
// their parts may need the whole of the other side. IN lists are ORs of
// equalities. The table of atoms, for a column or expression x and constants:
//
//	x strict-op …        x IS NOT NULL
//	x IS NOT NULL        x IS NOT NULL of the same x
//	x < c (<= = > >=)    x op d, where the order of c and d says so
//	x = c                x <> d, where c and d differ
//	x, x = true          each other; so NOT x and x = false; x IS TRUE is itself only
func Implies(quals []pgast.Expr, pred pgast.Expr) bool { return ImpliesTyped(quals, pred, nil) }

// ImpliesTyped is Implies with the types of columns, as printed, "" when unknown:
// different texts of a text or enum column are different values.
func ImpliesTyped(quals []pgast.Expr, pred pgast.Expr, typeOf func(column string) string) bool {
	if typeOf == nil {
		typeOf = func(string) string { return "" }
	}
	p := &prover{typeOf: typeOf, budget: 20_000}
	return p.implies(&pgast.Bool{Kind: pgast.And, Args: quals}, pred)
}

// mayImply is the same for a statement that is planned with its parameters' values:
// an equality with a parameter implies what one with some value would. PostgreSQL
// plans so as long as that is cheaper than one plan for every value, and with the
// index it is.
func mayImply(quals []pgast.Expr, pred pgast.Expr, typeOf func(column string) string) bool {
	p := &prover{typeOf: typeOf, budget: 20_000, values: true}
	return p.implies(&pgast.Bool{Kind: pgast.And, Args: quals}, pred)
}

type prover struct {
	typeOf func(string) string
	// budget bounds the steps: nested ANDs of ORs multiply.
	budget int
	// values is set when a parameter may be any value that suits.
	values bool
}

func (p *prover) implies(a, b pgast.Expr) bool {
	if p.budget--; p.budget < 0 {
		return false
	}
	a, b = expand(a), expand(b)
	if isNil(b) {
		return false
	}
	if parts, ok := connective(b, pgast.And); ok {
		for _, x := range parts {
			if !p.implies(a, x) {
				return false
			}
		}
		return len(parts) > 0
	}
	if parts, ok := connective(a, pgast.Or); ok {
		told := 0
		for _, x := range parts {
			if p.values && settled(x) {
				continue // $1 is null: false for the values that matter
			}
			if !p.implies(x, b) {
				return false
			}
			told++
		}
		return told > 0
	}
	if parts, ok := connective(b, pgast.Or); ok {
		for _, x := range parts {
			if p.implies(a, x) {
				return true
			}
		}
	}
	if parts, ok := connective(a, pgast.And); ok {
		for _, x := range parts {
			if p.implies(x, b) {
				return true
			}
		}
		return false
	}
	return p.atom(a, b)
}

// settled reports whether a condition is about parameters alone.
func settled(e pgast.Expr) bool {
	param, column := false, false
	each(e, func(x pgast.Expr) bool {
		switch x.(type) {
		case *pgast.Param:
			param = true
		case *pgast.ColumnRef, *pgast.FuncCall, *pgast.SubLink:
			column = true
		}
		return true
	})
	return param && !column
}

func connective(e pgast.Expr, kind pgast.BoolKind) ([]pgast.Expr, bool) {
	if x, ok := e.(*pgast.Bool); ok && x.Kind == kind {
		return x.Args, true
	}
	return nil, false
}

// expand writes IN, = ANY (ARRAY[…]), BETWEEN and NOT as what they stand for.
func expand(e pgast.Expr) pgast.Expr {
	switch e := e.(type) {
	case *pgast.Op:
		switch e.Kind {
		case pgast.OpIn, pgast.OpAny, pgast.OpAll:
			return expandList(e)
		case pgast.OpNotBetween:
			return canonical(e)
		case pgast.OpBetween:
			if l, ok := e.Right.(*pgast.List); ok && len(l.Items) == 2 {
				return &pgast.Bool{Kind: pgast.And, Args: []pgast.Expr{
					&pgast.Op{Name: ">=", Left: e.Left, Right: l.Items[0]},
					&pgast.Op{Name: "<=", Left: e.Left, Right: l.Items[1]},
				}}
			}
		}
	case *pgast.Bool:
		if e.Kind == pgast.Not && len(e.Args) == 1 {
			if x := negate(e); x != pgast.Expr(e) {
				return expand(x)
			}
		}
	case *pgast.Cast:
		if typeName(e.Type) == "boolean" {
			return expand(e.Arg)
		}
	}
	return e
}

// maxList bounds the lists that are taken apart.
const maxList = 100

func expandList(e *pgast.Op) pgast.Expr {
	items := elements(e.Right)
	if c, ok := pgast.Uncast(e.Right).(*pgast.Const); ok && items == nil && strings.HasPrefix(c.Text, "{") && !strings.ContainsAny(c.Text, `"\`) {
		for _, t := range strings.Split(strings.Trim(c.Text, "{}"), ",") {
			items = append(items, &pgast.Const{Kind: pgast.ConstString, Text: t})
		}
	}
	if len(items) == 0 || len(items) > maxList {
		return e
	}
	name, kind := "=", pgast.Or
	switch {
	case e.Kind == pgast.OpAll && (e.Name == "<>" || e.Name == "!="), e.Kind == pgast.OpIn && e.Name == "<>":
		name, kind = "<>", pgast.And
	case e.Kind == pgast.OpAll || e.Name != "=":
		return e
	}
	var parts []pgast.Expr
	for _, i := range items {
		parts = append(parts, &pgast.Op{Name: name, Left: e.Left, Right: i})
	}
	return &pgast.Bool{Kind: kind, Args: parts}
}

// atom decides between two conditions that are no connectives.
func (p *prover) atom(a, b pgast.Expr) bool {
	if sameExpr(a, b) {
		return true
	}
	if nt, ok := b.(*pgast.NullTest); ok {
		return nt.Not && p.notNull(a, nt.Arg)
	}
	if kb, vb, ok := boolean(b); ok {
		if ka, va, ok := boolean(a); ok && va == vb && sameExpr(ka, kb) {
			return true
		}
		if op, isOp := a.(*pgast.Op); p.values && isOp && op.Kind == pgast.OpPlain && (op.Name == "=" || op.Name == "<>") &&
			sameExpr(op.Left, kb) && isParam(op.Right) {
			return true
		}
	}
	x, ok1 := comparison(a)
	y, ok2 := comparison(b)
	if p.values && ok2 && !ok1 {
		return suits(a, y)
	}
	if !ok1 || !ok2 || !sameExpr(x.key, y.key) {
		return false
	}
	return p.compare(x, y)
}

// suits reports whether a comparison with a parameter implies y for some value.
func suits(a pgast.Expr, y compared) bool {
	op, ok := a.(*pgast.Op)
	if !ok || isNil(op.Left) || op.Kind != pgast.OpPlain && op.Kind != pgast.OpAny && op.Kind != pgast.OpAll {
		return false
	}
	name := op.Name
	switch {
	case y.val.Kind == pgast.ConstBool && op.Kind != pgast.OpPlain:
		return false // such a list stays one
	case sameExpr(op.Left, y.key) && isParam(op.Right):
	case sameExpr(op.Right, y.key) && isParam(op.Left) && op.Kind == pgast.OpPlain:
		name = commutators[name]
	default:
		return false
	}
	switch name {
	case "=":
		return true
	case "<>", "!=":
		return y.op == "<>" && op.Kind != pgast.OpAny
	case "<", "<=":
		return y.op == "<" || y.op == "<=" || y.op == "<>"
	case ">", ">=":
		return y.op == ">" || y.op == ">=" || y.op == "<>"
	}
	return false
}

func isParam(e pgast.Expr) bool {
	_, ok := pgast.Uncast(e).(*pgast.Param)
	return ok
}
