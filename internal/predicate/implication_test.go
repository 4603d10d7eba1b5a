package predicate

import (
	"fmt"
	"math/rand"
	"strconv"
	"testing"

	"github.com/planvet/planvet/internal/pgast"
)

func expr(t testing.TB, s string) pgast.Expr {
	t.Helper()
	e, err := pgast.ParseExpr(s)
	if err != nil {
		t.Fatalf("%s: %v", s, err)
	}
	return e
}

func textColumns(c string) string {
	return map[string]string{"s": "text", "a": "integer", "b": "integer", "f": "boolean", "d": "date"}[c]
}

// TestImplies goes through the table of the comment on Implies, line by line.
func TestImplies(t *testing.T) {
	cases := []struct {
		quals, pred string
		want        bool
	}{
		{"a = 1", "a = 1", true},
		{"a = 1", "a = 2", false},
		{"a = 1 and b = 2", "b = 2", true},
		{"a = 1", "a = 1 and b = 2", false},
		{"a = 1 and b = 2", "a = 1 and b = 2", true},
		{"a = 1 or a = 2", "a in (1, 2, 3)", true},
		{"a = 1 or b = 2", "a = 1", false},
		{"a in (1, 2)", "a = any (array[1, 2, 3])", true},
		{"a in (1, 4)", "a in (1, 2)", false},
		{"a = 1", "a = 1 or b = 2", true},
		// strict operators and IS NOT NULL
		{"a = $1", "a is not null", true},
		{"a = any ($1)", "a is not null", true},
		{"a <> all ($1)", "a is not null", false},
		{"a is distinct from 1", "a is not null", false},
		{"s like 'x%'", "s is not null", true},
		{"lower(s) = 'x'", "s is not null", true},
		{"coalesce(a, 1) = 1", "a is not null", false},
		{"a + b > 1", "b is not null", true},
		{"not (a = 1)", "a is not null", true},
		{"b = $1", "a is not null", false},
		{"a is not null", "a is not null", true},
		{"a is null", "a is null", true},
		{"a is null", "a is not null", false},
		{"f", "f is not null", true},
		// ranges
		{"a > 5", "a > 3", true},
		{"a > 3", "a > 5", false},
		{"a >= 5", "a > 5", false},
		{"a > 5", "a >= 5", true},
		{"a = 5", "a > 3", true},
		{"a between 4 and 6", "a > 3", true},
		{"a < 3", "a <> 3", true},
		{"a = 3", "a <> 4", true},
		{"a <> 3", "a <> 3", true},
		{"a <> 3", "a <> 4", false},
		{"5 < a", "a > 3", true},
		{"a > 2.5", "a > 2", false}, // of an integer these are two operators
		{"n > 2.5", "n > 2", true},
		{"d > '2024-01-01'", "d > '2023-01-01'", true},
		{"d > '2024-01-01'", "d > '2023-1-1'", false}, // only dates of one form are ordered here: a miss
		// texts that differ
		{"s = 'open'", "s <> 'closed'", true},
		{"s = 'x'", "s <> 'X'", false}, // the same in citext
		{"d = '2024-01-01'", "d <> '2024-1-1'", false},
		{"s in ('a', 'b')", "s not in ('c', 'd')", true},
		// booleans
		{"f", "f = true", true},
		{"f is true", "f", false},
		{"not f", "f = false", true},
		{"f = false", "not f", true},
		{"f", "f is not false", false},
		{"f is not false", "f", false},
		{"f", "not f", false},
		{"f is not true", "not f", false},
		// parameters are never known
		{"a = $1", "a = 1", false},
		{"a > $1", "a > 1", false},
		{"s = $1 and f", "f", true},
	}
	for _, c := range cases {
		got := ImpliesTyped([]pgast.Expr{expr(t, c.quals)}, expr(t, c.pred), textColumns)
		if got != c.want {
			t.Errorf("%s ⇒ %s is %v, want %v", c.quals, c.pred, got, c.want)
		}
	}
	if Implies([]pgast.Expr{expr(t, "s = 'open'")}, expr(t, "s <> 'closed'")) {
		t.Error("without types, texts that differ may be one value")
	}
}

// TestImpliesHolds checks claims on every row of a small domain: nothing that is
// claimed may be false.
func TestImpliesHolds(t *testing.T) {
	rnd := rand.New(rand.NewSource(1))
	claims := 0
	for range 20000 {
		data := make([]byte, 24)
		rnd.Read(data)
		if claimHolds(t, data) {
			claims++
		}
	}
	if claims < 500 {
		t.Fatalf("%d claims only: the generator tests nothing", claims)
	}
}

func FuzzImplies(f *testing.F) {
	for i := range 8 {
		f.Add([]byte(fmt.Sprintf("seed %d of implication", i)))
	}
	f.Fuzz(func(t *testing.T, data []byte) { claimHolds(t, data) })
}

// claimHolds builds quals and a predicate from data; it reports whether Implies
// claims something, and fails the test where that is false for a row.
func claimHolds(t *testing.T, data []byte) bool {
	g := &generator{data: data}
	q, p := g.cond(2), g.cond(2)
	if !ImpliesTyped([]pgast.Expr{q}, p, textColumns) {
		return false
	}
	for _, a := range []any{nil, 0, 1, 2, 3} {
		for _, b := range []any{nil, 1, 2} {
			for _, s := range []any{nil, "x", "y", "z"} {
				for _, f := range []any{nil, true, false} {
					row := map[string]any{"a": a, "b": b, "s": s, "f": f}
					if eval(t, q, row) == true && eval(t, p, row) != true {
						t.Fatalf("%s ⇒ %s is claimed and false for %v", pgast.Format(q), pgast.Format(p), row)
					}
				}
			}
		}
	}
	return true
}

type generator struct {
	data []byte
	i    int
}

func (g *generator) n(k int) int {
	if len(g.data) == 0 {
		return 0
	}
	v := int(g.data[g.i%len(g.data)]) + g.i/len(g.data)
	g.i++
	return v % k
}

func column(n string) pgast.Expr { return &pgast.ColumnRef{Names: []string{n}} }

func (g *generator) cond(depth int) pgast.Expr {
	if depth > 0 {
		switch g.n(5) {
		case 0:
			return &pgast.Bool{Kind: pgast.And, Args: []pgast.Expr{g.cond(depth - 1), g.cond(depth - 1)}}
		case 1:
			return &pgast.Bool{Kind: pgast.Or, Args: []pgast.Expr{g.cond(depth - 1), g.cond(depth - 1)}}
		case 2:
			return &pgast.Bool{Kind: pgast.Not, Args: []pgast.Expr{g.cond(depth - 1)}}
		}
	}
	num := func() pgast.Expr { return &pgast.Const{Kind: pgast.ConstInt, Text: strconv.Itoa(g.n(4))} }
	text := func() pgast.Expr { return &pgast.Const{Kind: pgast.ConstString, Text: string("xyz"[g.n(3)])} }
	ops := []string{"=", "<>", "<", "<=", ">", ">="}
	col := column([]string{"a", "b"}[g.n(2)])
	switch g.n(9) {
	case 0, 1, 2:
		return &pgast.Op{Name: ops[g.n(6)], Left: col, Right: num()}
	case 3:
		return &pgast.Op{Name: ops[g.n(2)], Left: column("s"), Right: text()}
	case 4:
		return &pgast.Op{Kind: pgast.OpIn, Name: ops[g.n(2)], Left: col, Right: &pgast.List{Items: []pgast.Expr{num(), num()}}}
	case 5:
		return &pgast.NullTest{Arg: column([]string{"a", "b", "s", "f"}[g.n(4)]), Not: g.n(2) == 0}
	case 6:
		return &pgast.BoolTest{Arg: column("f"), Test: []string{"TRUE", "NOT TRUE", "FALSE", "NOT FALSE"}[g.n(4)]}
	case 7:
		return &pgast.Op{Name: ops[g.n(2)], Left: column("f"), Right: &pgast.Const{Kind: pgast.ConstBool, Text: []string{"true", "false"}[g.n(2)]}}
	}
	return column("f")
}

// eval is SQL's three-valued logic over the generated conditions; nil is null.
func eval(t *testing.T, e pgast.Expr, row map[string]any) any {
	switch e := e.(type) {
	case *pgast.ColumnRef:
		return row[e.Names[0]]
	case *pgast.Const:
		switch e.Kind {
		case pgast.ConstInt:
			n, _ := strconv.Atoi(e.Text)
			return n
		case pgast.ConstBool:
			return e.Text == "true"
		}
		return e.Text
	case *pgast.NullTest:
		return (eval(t, e.Arg, row) != nil) == e.Not
	case *pgast.BoolTest:
		v := eval(t, e.Arg, row)
		switch e.Test {
		case "TRUE":
			return v == true
		case "NOT TRUE":
			return v != true
		case "FALSE":
			return v == false
		}
		return v != false
	case *pgast.Bool:
		return evalBool(t, e, row)
	case *pgast.Op:
		l := eval(t, e.Left, row)
		if list, ok := e.Right.(*pgast.List); ok {
			any := &pgast.Bool{Kind: pgast.Or}
			for _, i := range list.Items {
				any.Args = append(any.Args, &pgast.Op{Name: "=", Left: e.Left, Right: i})
			}
			if e.Name == "<>" {
				return eval(t, &pgast.Bool{Kind: pgast.Not, Args: []pgast.Expr{any}}, row)
			}
			return eval(t, any, row)
		}
		r := eval(t, e.Right, row)
		if l == nil || r == nil {
			return nil
		}
		return order(l, r, e.Name)
	}
	t.Fatalf("eval: %T", e)
	return nil
}

func evalBool(t *testing.T, e *pgast.Bool, row map[string]any) any {
	if e.Kind == pgast.Not {
		v := eval(t, e.Args[0], row)
		if v == nil {
			return nil
		}
		return v == false
	}
	decisive := e.Kind == pgast.Or // true decides an OR, false an AND
	var out any = !decisive
	for _, a := range e.Args {
		v := eval(t, a, row)
		if v == decisive {
			return decisive
		}
		if v == nil {
			out = nil
		}
	}
	return out
}

func order(l, r any, op string) bool {
	switch op {
	case "=":
		return l == r
	case "<>":
		return l != r
	}
	a, b := l.(int), r.(int)
	switch op {
	case "<":
		return a < b
	case "<=":
		return a <= b
	case ">":
		return a > b
	}
	return a >= b
}

func BenchmarkImplies(b *testing.B) {
	for _, n := range []int{4, 64} {
		var quals []pgast.Expr
		for i := range n {
			quals = append(quals, expr(b, fmt.Sprintf("c%d = %d", i, i)))
		}
		pred := expr(b, "c1 is not null and c2 in (1, 2, 3)")
		b.Run(fmt.Sprintf("quals=%d", n), func(b *testing.B) {
			for range b.N {
				Implies(quals, pred)
			}
		})
	}
}
