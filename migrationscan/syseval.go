package migrationscan

import (
	"regexp"
	"slices"
	"strings"

	"github.com/planvet/planvet/internal/pgast"
)

// eval computes an expression: bool, int64, string, []any, nil for NULL, or
// unknown.
func (a *asker) eval(e pgast.Expr) any {
	switch x := e.(type) {
	case *pgast.Const:
		return constValue(x)
	case *pgast.Param:
		if x.Number > 0 && x.Number <= len(a.params) {
			return a.variable(a.params[x.Number-1].Name)
		}
	case *pgast.ColumnRef:
		return a.column(x)
	case *pgast.Cast:
		return a.castValue(x)
	case *pgast.Bool:
		return a.connective(x)
	case *pgast.NullTest:
		v := a.eval(x.Arg)
		if v == (unknown{}) {
			return v
		}
		return (v == nil) != x.Not
	case *pgast.Op:
		return a.operator(x)
	case *pgast.Array:
		return a.list(x.Elems)
	case *pgast.List:
		return a.list(x.Items)
	case *pgast.Coalesce:
		for _, arg := range x.Args {
			if v := a.eval(arg); v != nil {
				return v
			}
		}
		return nil
	case *pgast.SubLink:
		return a.subLink(x)
	case *pgast.FuncCall:
		return a.call(x)
	case *pgast.ValueFunc:
		switch x.Name {
		case "CURRENT_USER", "SESSION_USER", "CURRENT_ROLE", "USER":
			return "postgres"
		case "CURRENT_SCHEMA":
			return "public"
		}
	}
	return unknown{}
}

func constValue(x *pgast.Const) any {
	switch x.Kind {
	case pgast.ConstNull:
		return nil
	case pgast.ConstBool:
		return x.Text == "true"
	case pgast.ConstInt:
		return int64(atoi(x.Text))
	}
	return x.Text
}

func (a *asker) list(es []pgast.Expr) any {
	out := []any{}
	for _, e := range es {
		v := a.eval(e)
		if v == (unknown{}) {
			return v
		}
		out = append(out, v)
	}
	return out
}

func (a *asker) castValue(x *pgast.Cast) any {
	v := a.eval(x.Arg)
	if list, ok := v.([]any); ok {
		return list
	}
	s, ok := v.(string)
	if !ok || len(x.Type.Names) == 0 {
		return v
	}
	switch x.Type.Names[len(x.Type.Names)-1] {
	case "regclass":
		if strings.Contains(s, ".") && a.r.relationID(s) == s {
			return s
		}
		if id := a.r.relationID(s); id != "" {
			return id
		}
		return unknown{} // the server raises an error
	case "regtype":
		if id := a.r.typeID(s); id != "" {
			return id
		}
		return unknown{}
	case "bool":
		return s == "t" || s == "true" || s == "on" || s == "1"
	case "int4", "int8", "int2":
		return int64(atoi(s))
	}
	return v
}

// connective is AND, OR and NOT over true, false, NULL and unknown; NULL counts as
// not known to be true, which is what a condition asks.
func (a *asker) connective(x *pgast.Bool) any {
	if x.Kind == pgast.Not {
		switch v := a.eval(x.Args[0]).(type) {
		case bool:
			return !v
		case nil:
			return nil
		}
		return unknown{}
	}
	decides := x.Kind == pgast.Or
	var out any = !decides
	for _, arg := range x.Args {
		switch v := a.eval(arg); {
		case v == decides:
			return decides
		case v == (unknown{}):
			out = unknown{}
		case v == nil && out != (unknown{}):
			out = nil
		}
	}
	return out
}

func (a *asker) operator(x *pgast.Op) any {
	if x.Left == nil {
		return unknown{}
	}
	l, r := a.eval(x.Left), a.eval(x.Right)
	if isUnknown(l) || isUnknown(r) {
		return unknown{}
	}
	if l == nil || r == nil {
		return nil
	}
	switch x.Kind {
	case pgast.OpIn, pgast.OpAny, pgast.OpAll:
		list, ok := r.([]any)
		if !ok || x.Name != "=" && x.Name != "<>" {
			return unknown{}
		}
		found := slices.ContainsFunc(list, func(v any) bool { return same(v, l) })
		if x.Name == "<>" {
			return !found
		}
		if x.Kind == pgast.OpAll {
			return unknown{}
		}
		return found
	case pgast.OpLike, pgast.OpILike:
		return like(x, l, r)
	case pgast.OpPlain:
		return plainOperator(x.Name, l, r)
	}
	return unknown{}
}

func isUnknown(v any) bool {
	_, ok := v.(unknown)
	return ok
}

func plainOperator(name string, l, r any) any {
	switch name {
	case "=":
		return same(l, r)
	case "<>":
		return !same(l, r)
	case "||":
		a, ok1 := l.(string)
		b, ok2 := r.(string)
		if ok1 && ok2 {
			return a + b
		}
	case "~", "~*", "!~", "!~*":
		return matches(name, l, r)
	case "<", ">", "<=", ">=":
		a, ok1 := l.(int64)
		b, ok2 := r.(int64)
		if ok1 && ok2 {
			return map[string]bool{"<": a < b, ">": a > b, "<=": a <= b, ">=": a >= b}[name]
		}
	}
	return unknown{}
}

// same compares values; a regclass written without its schema was resolved before.
func same(a, b any) bool {
	if x, ok := a.(string); ok {
		if y, ok := b.(string); ok {
			return x == y
		}
	}
	_, l1 := a.([]any)
	_, l2 := b.([]any)
	return !l1 && !l2 && a == b
}

func like(x *pgast.Op, l, r any) any {
	s, ok1 := l.(string)
	p, ok2 := r.(string)
	if !ok1 || !ok2 {
		return unknown{}
	}
	var re strings.Builder
	re.WriteString("(?s)^")
	if x.Kind == pgast.OpILike {
		re.WriteString("(?i)")
	}
	for i := 0; i < len(p); i++ {
		switch {
		case p[i] == '%':
			re.WriteString(".*")
		case p[i] == '_':
			re.WriteString(".")
		case p[i] == '\\' && i+1 < len(p):
			i++
			re.WriteString(regexp.QuoteMeta(p[i : i+1]))
		default:
			re.WriteString(regexp.QuoteMeta(p[i : i+1]))
		}
	}
	re.WriteString("$")
	c, err := regexp.Compile(re.String())
	if err != nil {
		return unknown{}
	}
	return c.MatchString(s) != strings.HasPrefix(x.Name, "!")
}

// matches is the regular expression operators, for patterns that Go reads alike.
func matches(name string, l, r any) any {
	s, ok1 := l.(string)
	p, ok2 := r.(string)
	if !ok1 || !ok2 {
		return unknown{}
	}
	if strings.HasSuffix(name, "*") {
		p = "(?i)" + p
	}
	c, err := regexp.Compile(p)
	if err != nil {
		return unknown{}
	}
	return c.MatchString(s) != strings.HasPrefix(name, "!")
}

func (a *asker) subLink(x *pgast.SubLink) any {
	out := a.ask(x.Query)
	switch {
	case x.Kind == pgast.SubExists && len(out.rows) > 0:
		return true // one sure row is enough
	case !out.sure:
		return unknown{}
	case x.Kind == pgast.SubExists:
		return false
	case x.Kind == pgast.SubScalar && len(out.rows) == 0:
		return nil
	case x.Kind == pgast.SubScalar:
		return out.rows[0][out.names[0]]
	}
	list := []any{}
	for _, m := range out.rows {
		v := m[out.names[0]]
		if isUnknown(v) {
			return unknown{}
		}
		list = append(list, v)
	}
	if x.Kind == pgast.SubArray {
		return list
	}
	if v := a.eval(x.Test); x.Kind == pgast.SubAny && x.Op == "=" && !isUnknown(v) && v != nil {
		return slices.ContainsFunc(list, func(y any) bool { return same(y, v) })
	}
	return unknown{}
}
