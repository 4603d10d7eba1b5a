package migrationscan

import (
	"strings"

	"github.com/planvet/planvet/internal/pgast"
)

// exprType is the type of an expression as far as a view's columns need it; the
// text is "" where it is not known and "unknown" for a bare literal.
func (r *replayer) exprType(e pgast.Expr, l *level) printed {
	switch x := e.(type) {
	case *pgast.ColumnRef:
		return l.columnType(x)
	case *pgast.Const:
		return printed{text: constType(x)}
	case *pgast.Cast:
		return r.printType(x.Type, true)
	case *pgast.Collate:
		return r.exprType(x.Arg, l)
	case *pgast.Bool, *pgast.NullTest, *pgast.BoolTest:
		return printed{text: "boolean"}
	case *pgast.Coalesce:
		return r.firstType(l, x.Args...)
	case *pgast.MinMax:
		return r.firstType(l, x.Args...)
	case *pgast.Case:
		var results []pgast.Expr
		if x.Else != nil {
			results = append(results, x.Else)
		}
		for _, w := range x.Whens {
			results = append(results, w.Result)
		}
		return r.firstType(l, results...)
	case *pgast.SubLink:
		return r.subLinkType(x, l)
	case *pgast.Array:
		return arrayOf(r.firstType(l, x.Elems...))
	case *pgast.Subscript:
		return r.subscriptType(x, l)
	case *pgast.ValueFunc:
		return printed{text: valueTypes[strings.SplitN(strings.ToLower(x.Name), "(", 2)[0]]}
	case *pgast.Op:
		return r.opType(x, l)
	case *pgast.FuncCall:
		return r.callType(x, l)
	}
	return printed{}
}

var valueTypes = map[string]string{
	"current_timestamp": "timestamp with time zone", "current_date": "date", "localtimestamp": "timestamp without time zone",
	"current_time": "time with time zone", "localtime": "time without time zone", "current_user": "name",
	"session_user": "name", "current_role": "name", "user": "name", "current_schema": "name", "current_catalog": "name",
}

func constType(x *pgast.Const) string {
	switch x.Kind {
	case pgast.ConstInt:
		if len(x.Text) > 9 {
			return "bigint"
		}
		return "integer"
	case pgast.ConstFloat:
		if !strings.ContainsAny(x.Text, ".eE") {
			return "bigint"
		}
		return "numeric"
	case pgast.ConstBool:
		return "boolean"
	case pgast.ConstBit:
		return "bit"
	}
	return "unknown"
}

func arrayOf(p printed) printed {
	p.text = orText(p.text)
	if p.text != "" && !strings.HasSuffix(p.text, "[]") {
		p.text += "[]"
	}
	return p
}

// columnType finds a column in this level, then in those around it.
func (l *level) columnType(c *pgast.ColumnRef) printed {
	if len(c.Names) == 0 {
		return printed{}
	}
	name := c.Names[len(c.Names)-1]
	for o := l; o != nil; o = o.outer {
		for _, s := range o.sources {
			if len(c.Names) > 1 && c.Names[len(c.Names)-2] != s.alias {
				continue
			}
			for _, k := range s.columns {
				if k.name == name {
					return printed{text: k.text, name: k.typ}
				}
			}
		}
	}
	return printed{}
}

// numberRank orders the numeric types by which wins.
var numberRank = map[string]int{
	"smallint": 1, "integer": 2, "bigint": 3, "numeric": 4, "real": 5, "double precision": 6,
}

// firstType is the common type of alternatives: the first that is known, or the
// widest number.
func (r *replayer) firstType(l *level, es ...pgast.Expr) printed {
	var best printed
	same := true
	for _, e := range es {
		p := r.exprType(e, l)
		if p.text == "" || p.text == "unknown" {
			same = false // a literal has no length
			if best.text == "" {
				best = p
			}
			continue
		}
		switch a, b := withoutMods(best.text), withoutMods(p.text); {
		case best.text == "" || best.text == "unknown":
			best = p
		case a == b && best.text != p.text:
			same = false
		case numberRank[b] > numberRank[a] && numberRank[a] > 0:
			best, same = p, false
		case a == "character varying" && b == "text":
			best = p
		}
	}
	if !same {
		best.text = withoutMods(best.text)
	}
	return best
}

func (r *replayer) subLinkType(x *pgast.SubLink, l *level) printed {
	if x.Kind != pgast.SubScalar && x.Kind != pgast.SubArray {
		return printed{text: "boolean"}
	}
	out := r.outputs(x.Query, l)
	if len(out) == 0 {
		return printed{}
	}
	p := printed{text: out[0].text, name: out[0].typ}
	if x.Kind == pgast.SubArray {
		return arrayOf(p)
	}
	return p
}

func (r *replayer) subscriptType(x *pgast.Subscript, l *level) printed {
	p := r.exprType(x.Arg, l)
	if x.Field != "" {
		if t := r.cat.Type(p.name.Schema, p.name.Name); t != nil {
			for _, c := range t.Columns {
				if c.Name == x.Field {
					return printed{text: c.Type, name: c.TypeName}
				}
			}
		}
		if rel := r.cat.Relation(p.name.Schema, p.name.Name); rel != nil && rel.Column(x.Field) != nil {
			c := rel.Column(x.Field)
			return printed{text: c.Type, name: c.TypeName}
		}
		return printed{}
	}
	if !x.Slice {
		p.text = strings.TrimSuffix(p.text, "[]")
	}
	return p
}

func (r *replayer) opType(x *pgast.Op, l *level) printed {
	switch x.Kind {
	case pgast.OpPlain:
	case pgast.OpNullIf:
		return r.exprType(x.Left, l)
	default:
		return printed{text: "boolean"}
	}
	var a printed
	if x.Left != nil {
		a = r.exprType(x.Left, l)
	}
	b := r.exprType(x.Right, l)
	switch x.Name {
	case "=", "<>", "!=", "<", ">", "<=", ">=", "@>", "<@", "&&", "@@", "~", "~*", "!~", "!~*", "?", "?|", "?&", "~~", "!~~", "~~*", "!~~*":
		return printed{text: "boolean"}
	case "->>", "#>>":
		return printed{text: "text"}
	case "->", "#>":
		return a
	case "||":
		return concatType(a, b)
	case "+", "-", "*", "/", "%", "^":
		return arithmeticType(x.Name, a, b)
	}
	return printed{}
}

func concatType(a, b printed) printed {
	for _, p := range []printed{a, b} {
		if strings.HasSuffix(p.text, "[]") || p.text == "jsonb" || p.text == "tsvector" || p.text == "bytea" {
			return p
		}
	}
	return printed{text: "text"}
}

func arithmeticType(op string, a, b printed) printed {
	x, y := withoutMods(a.text), withoutMods(b.text)
	switch {
	case x == "" || x == "unknown":
		return printed{text: y}
	case numberRank[x] > 0 && numberRank[y] > 0:
		if numberRank[y] > numberRank[x] {
			x = y
		}
		if x == "real" && (numberRank[withoutMods(a.text)] == 4 || numberRank[y] == 4) || op == "^" && x != "numeric" {
			x = "double precision"
		}
		return printed{text: x}
	case strings.HasPrefix(x, "timestamp") && strings.HasPrefix(y, "timestamp"):
		return printed{text: "interval"}
	case x == "date" && y == "date":
		return printed{text: "integer"}
	case x == "date" && y == "interval":
		return printed{text: "timestamp without time zone"}
	case strings.HasPrefix(y, "timestamp"):
		return printed{text: y}
	case y == "interval" && numberRank[x] > 0:
		return printed{text: y}
	}
	return printed{text: x}
}
