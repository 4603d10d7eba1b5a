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
//	x, x = true          x IS TRUE, x IS NOT FALSE …, spelled any way
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
		for _, x := range parts {
			if !p.implies(x, b) {
				return false
			}
		}
		return len(parts) > 0
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
			return negate(e)
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
	if c, ok := uncast(e.Right).(*pgast.Const); ok && items == nil && strings.HasPrefix(c.Text, "{") && !strings.ContainsAny(c.Text, `"\`) {
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

// negate pushes NOT down one level where the result is no weaker for nulls.
func negate(n *pgast.Bool) pgast.Expr {
	not := func(e pgast.Expr) pgast.Expr { return &pgast.Bool{Kind: pgast.Not, Args: []pgast.Expr{e}} }
	switch x := n.Args[0].(type) {
	case *pgast.Bool:
		if x.Kind == pgast.Not && len(x.Args) == 1 {
			return expand(x.Args[0])
		}
		kind := pgast.And
		if x.Kind == pgast.And {
			kind = pgast.Or
		}
		var parts []pgast.Expr
		for _, a := range x.Args {
			parts = append(parts, not(a))
		}
		return &pgast.Bool{Kind: kind, Args: parts}
	case *pgast.NullTest:
		c := *x
		c.Not = !x.Not
		return &c
	case *pgast.Op:
		if opposite, ok := negators[x.Name]; ok && x.Kind == pgast.OpPlain {
			c := *x
			c.Name = opposite
			return &c
		}
		if x.Kind == pgast.OpIn {
			c := *x
			c.Name = map[string]string{"=": "<>", "<>": "="}[x.Name]
			if c.Name != "" {
				return expandList(&c)
			}
		}
	}
	return n
}

var negators = map[string]string{"=": "<>", "<>": "=", "!=": "=", "<": ">=", ">=": "<", ">": "<=", "<=": ">"}

// atom decides between two conditions that are no connectives.
func (p *prover) atom(a, b pgast.Expr) bool {
	if sameExpr(a, b) {
		return true
	}
	if nt, ok := b.(*pgast.NullTest); ok {
		return nt.Not && p.notNull(a, nt.Arg)
	}
	if kb, vb, ok := boolean(b); ok {
		if ka, va, ok := boolean(a); ok && va.truth == vb.truth && (!va.orNull || vb.orNull) && sameExpr(ka, kb) {
			return true
		}
	}
	x, ok1 := comparison(a)
	y, ok2 := comparison(b)
	if p.values && ok2 && !ok1 {
		op := equality(a)
		return op != nil && sameExpr(op.Left, y.key) && isParam(op.Right)
	}
	if !ok1 || !ok2 || !sameExpr(x.key, y.key) {
		return false
	}
	return p.compare(x, y)
}

func isParam(e pgast.Expr) bool {
	_, ok := uncast(e).(*pgast.Param)
	return ok
}
