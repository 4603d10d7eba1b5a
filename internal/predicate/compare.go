package predicate

import (
	"math/big"
	"strings"
	"time"

	"github.com/planvet/planvet/internal/pgast"
)

// compared is key op constant; typ is the constant's type as it is written, "" where
// it takes the key's.
type compared struct {
	key pgast.Expr
	op  string
	val *pgast.Const
	typ string
}

// written is the type that a literal says it has.
func written(e pgast.Expr) string {
	switch e := e.(type) {
	case *pgast.Cast:
		return typeName(e.Type)
	case *pgast.Const:
		return map[pgast.ConstKind]string{pgast.ConstInt: "integer", pgast.ConstFloat: "numeric"}[e.Kind]
	}
	return ""
}

// sameOperators reports whether two comparisons of one key use operators of one
// family that no setting changes: id = 7 and id = 7.0 do not.
func (p *prover) sameOperators(x, y compared) bool {
	key := ""
	if c, ok := x.key.(*pgast.ColumnRef); ok && len(c.Names) > 0 {
		key = plainType(p.typeOf(c.Names[len(c.Names)-1]))
	}
	if key == "" || key == "enum" {
		return true
	}
	of := func(c compared) string {
		t := c.typ
		if t == "" || key == "numeric" && family(t) == "integer" || family(key) == "float" && (family(t) == "integer" || t == "numeric") {
			t = key // the literal is read as the key's type
		}
		return t
	}
	s, t := of(x), of(y)
	return s == t || family(s) == family(t) && (family(s) == "integer" || family(s) == "text")
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
	if c, ok := pgast.Uncast(op.Right).(*pgast.Const); ok {
		return compared{op.Left, name, c, written(op.Right)}, c.Kind != pgast.ConstNull
	}
	if c, ok := pgast.Uncast(op.Left).(*pgast.Const); ok {
		if com, has := commutators[name]; has {
			return compared{op.Right, com, c, written(op.Left)}, c.Kind != pgast.ConstNull
		}
	}
	return compared{}, false
}

// compare decides x.op x.val ⇒ y.op y.val for one key, by the order of the values.
func (p *prover) compare(x, y compared) bool {
	if !p.sameOperators(x, y) {
		return false
	}
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
	if a.Kind != pgast.ConstString {
		return 0, false, false
	}
	if p.family(x.key) == "datetime" {
		ord, known = days(a.Text, b.Text)
		return ord, known, known
	}
	if p.family(x.key) == "uuid" && len(a.Text) == 36 && len(b.Text) == 36 {
		return strings.Compare(strings.ToLower(a.Text), strings.ToLower(b.Text)), true, !strings.EqualFold(a.Text, b.Text)
	}
	if !p.textual(x.key) {
		return 0, false, false
	}
	if a.Text == "" || b.Text == "" { // the empty text is less than any other
		return strings.Compare(a.Text, b.Text), true, true
	}
	return 0, false, !strings.EqualFold(strings.TrimRight(a.Text, " "), strings.TrimRight(b.Text, " "))
}

// days compares two points in time that are more than two days apart, so that no
// time of day and no time zone matters.
func days(a, b string) (ord int, known bool) {
	day := func(s string) (time.Time, bool) {
		t, err := time.Parse(time.DateOnly, s[:min(len(s), len(time.DateOnly))])
		return t, err == nil
	}
	s, ok1 := day(a)
	t, ok2 := day(b)
	if d := s.Sub(t).Abs(); !ok1 || !ok2 || d <= 48*time.Hour {
		return 0, false
	}
	return s.Compare(t), true
}

// family is the type family of a key that is a plain column, "" for others.
func (p *prover) family(key pgast.Expr) string {
	c, ok := key.(*pgast.ColumnRef)
	if !ok || len(c.Names) == 0 {
		return ""
	}
	return family(plainType(p.typeOf(c.Names[len(c.Names)-1])))
}

// textual reports whether different texts are different values of the key: text,
// and enums, whose types are none that the core knows under another family.
func (p *prover) textual(key pgast.Expr) bool {
	c, ok := pgast.Uncast(key).(*pgast.ColumnRef)
	if !ok || len(c.Names) == 0 || pgast.Expr(c) != key {
		return false
	}
	switch t := plainType(p.typeOf(c.Names[len(c.Names)-1])); t {
	case "":
		return false
	default:
		return family(t) == "text" || t == "character" || t == "enum"
	}
}
