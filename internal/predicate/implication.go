package predicate

import (
	"math/big"
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

type prover struct {
	typeOf func(string) string
	// budget bounds the steps: nested ANDs of ORs multiply.
	budget int
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
	if !ok1 || !ok2 || !sameExpr(x.key, y.key) {
		return false
	}
	return p.compare(x, y)
}

// notNull reports whether a being true keeps x from being null.
func (p *prover) notNull(a, x pgast.Expr) bool {
	switch a := a.(type) {
	case *pgast.NullTest:
		return a.Not && sameExpr(a.Arg, x)
	case *pgast.BoolTest:
		return (a.Test == "TRUE" || a.Test == "FALSE") && p.strictIn(a.Arg, x)
	case *pgast.Op:
		switch a.Kind {
		case pgast.OpDistinct, pgast.OpNotDistinct, pgast.OpNullIf:
			return false
		case pgast.OpAny, pgast.OpIn:
			return p.strictIn(a.Left, x)
		case pgast.OpAll:
			return false // true for an empty array
		}
		return p.strictIn(a, x)
	case *pgast.Bool:
		return a.Kind == pgast.Not && len(a.Args) == 1 && p.strictIn(a.Args[0], x)
	}
	return p.strictIn(a, x) // a bare boolean
}

// strictIn reports whether e is null whenever x is.
func (p *prover) strictIn(e, x pgast.Expr) bool {
	if isNil(e) {
		return false
	}
	if sameExpr(e, x) {
		return true
	}
	switch e := e.(type) {
	case *pgast.Op:
		// Operators of the core are strict, but for these: -> on jsonb and the like
		// are strict as well, || of arrays is not.
		if e.Name == "||" || e.Kind == pgast.OpDistinct || e.Kind == pgast.OpNotDistinct || e.Kind == pgast.OpNullIf ||
			e.Schema != "" {
			return false
		}
		if e.Kind == pgast.OpAny || e.Kind == pgast.OpIn || e.Kind == pgast.OpAll {
			return e.Kind != pgast.OpAll && p.strictIn(e.Left, x)
		}
		return p.strictIn(e.Left, x) || p.strictIn(e.Right, x)
	case *pgast.Cast:
		return p.strictIn(e.Arg, x)
	case *pgast.Collate:
		return p.strictIn(e.Arg, x)
	case *pgast.FuncCall:
		if len(e.Name) == 1 || e.Name[0] == "pg_catalog" {
			if strictFunctions[e.Name[len(e.Name)-1]] {
				for _, a := range e.Args {
					if p.strictIn(a, x) {
						return true
					}
				}
			}
		}
	}
	return false
}

// truthTest is a test of a boolean: its value, and whether null passes too.
type truthTest struct{ truth, orNull bool }

// boolean reads x, NOT x, x = true, x IS TRUE, x IS NOT FALSE and so on.
func boolean(e pgast.Expr) (pgast.Expr, truthTest, bool) {
	switch e := e.(type) {
	case *pgast.BoolTest:
		switch e.Test {
		case "TRUE":
			return e.Arg, truthTest{truth: true}, true
		case "FALSE":
			return e.Arg, truthTest{}, true
		case "NOT TRUE":
			return e.Arg, truthTest{orNull: true}, true
		case "NOT FALSE":
			return e.Arg, truthTest{truth: true, orNull: true}, true
		}
	case *pgast.ColumnRef:
		return e, truthTest{truth: true}, true
	case *pgast.FuncCall:
		return e, truthTest{truth: true}, true
	case *pgast.Bool:
		if e.Kind == pgast.Not && len(e.Args) == 1 {
			if k, t, ok := boolean(e.Args[0]); ok && !t.orNull {
				if _, isTest := e.Args[0].(*pgast.BoolTest); !isTest {
					return k, truthTest{truth: !t.truth}, true
				}
			}
		}
	case *pgast.Op:
		if c, ok := uncast(e.Right).(*pgast.Const); ok && c.Kind == pgast.ConstBool && e.Kind == pgast.OpPlain && !isNil(e.Left) {
			switch e.Name {
			case "=":
				return e.Left, truthTest{truth: c.Text == "true"}, true
			case "<>", "!=":
				return e.Left, truthTest{truth: c.Text != "true"}, true
			}
		}
	}
	return nil, truthTest{}, false
}

// compared is key op constant.
type compared struct {
	key pgast.Expr
	op  string
	val *pgast.Const
}

func comparison(e pgast.Expr) (compared, bool) {
	op, ok := e.(*pgast.Op)
	if !ok || op.Kind != pgast.OpPlain || isNil(op.Left) || op.Schema != "" {
		return compared{}, false
	}
	name := op.Name
	if name == "!=" {
		name = "<>"
	}
	if name != "<>" && !compares(name) {
		return compared{}, false
	}
	if c, ok := uncast(op.Right).(*pgast.Const); ok {
		return compared{op.Left, name, c}, c.Kind != pgast.ConstNull
	}
	if c, ok := uncast(op.Left).(*pgast.Const); ok {
		if com, has := commutators[name]; has {
			return compared{op.Right, com, c}, c.Kind != pgast.ConstNull
		}
	}
	return compared{}, false
}

// compare decides x.op x.val ⇒ y.op y.val for one key, by the order of the values.
func (p *prover) compare(x, y compared) bool {
	ord, known, differ := p.order(x, y)
	if differ && x.op == "=" && y.op == "<>" {
		return true
	}
	if !known {
		return false
	}
	switch y.op { // ord is the sign of x.val - y.val
	case "=":
		return x.op == "=" && ord == 0
	case "<>":
		switch x.op {
		case "=":
			return ord != 0
		case "<":
			return ord <= 0
		case "<=":
			return ord < 0
		case ">":
			return ord >= 0
		case ">=":
			return ord > 0
		case "<>":
			return ord == 0
		}
	case "<":
		return x.op == "<" && ord <= 0 || (x.op == "<=" || x.op == "=") && ord < 0
	case "<=":
		return (x.op == "<" || x.op == "<=" || x.op == "=") && ord <= 0
	case ">":
		return x.op == ">" && ord >= 0 || (x.op == ">=" || x.op == "=") && ord > 0
	case ">=":
		return (x.op == ">" || x.op == ">=" || x.op == "=") && ord >= 0
	}
	return false
}

// order compares two constants of one key: known tells that ord is their order,
// differ that they are surely different values though their order is not known.
func (p *prover) order(x, y compared) (ord int, known, differ bool) {
	a, b := x.val, y.val
	number := func(c *pgast.Const) bool { return c.Kind == pgast.ConstInt || c.Kind == pgast.ConstFloat }
	if number(a) && number(b) {
		m, ok1 := new(big.Rat).SetString(a.Text)
		n, ok2 := new(big.Rat).SetString(b.Text)
		if ok1 && ok2 {
			return m.Cmp(n), true, m.Cmp(n) != 0
		}
		return 0, false, false
	}
	if a.Kind != b.Kind {
		return 0, false, false
	}
	if a.Text == b.Text {
		return 0, true, false
	}
	if a.Kind != pgast.ConstString || !p.textual(x.key) {
		return 0, false, false
	}
	return 0, false, !strings.EqualFold(strings.TrimRight(a.Text, " "), strings.TrimRight(b.Text, " "))
}

// textual reports whether different texts are different values of the key: text,
// and enums, whose types are none that the core knows under another family.
func (p *prover) textual(key pgast.Expr) bool {
	c, ok := uncast(key).(*pgast.ColumnRef)
	if !ok || len(c.Names) == 0 || pgast.Expr(c) != key {
		return false
	}
	switch t := plainType(p.typeOf(c.Names[len(c.Names)-1])); t {
	case "":
		return false
	default:
		return family(t) == "text" || t == "character"
	}
}
