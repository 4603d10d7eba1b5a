package predicate

import (
	"math/big"
	"strings"

	"github.com/planvet/planvet/internal/pgast"
)

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
