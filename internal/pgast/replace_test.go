package pgast

import "testing"

func TestReplace(t *testing.T) {
	for _, c := range []struct{ in, want string }{
		{"a = f()", "a = $1"},
		{"f()", "$1"},
		{"exists (select 1 from t join u on t.x = f() where t.y in (g(f()), 2) order by f())",
			"EXISTS (SELECT 1 FROM t JOIN u ON t.x = $1 WHERE t.y IN (g($1), 2) ORDER BY $1)"},
		{"case when f() then 1 else 2 end = (select f() from (select f()) s)",
			"CASE WHEN $1 THEN 1 ELSE 2 END = (SELECT $1 FROM (SELECT $1) s)"},
	} {
		e, err := ParseExpr(c.in)
		if err != nil {
			t.Fatal(err)
		}
		want, err := ParseExpr(c.want)
		if err != nil {
			t.Fatal(err)
		}
		got := ReplaceExpr(e, func(e Expr) (Expr, bool) {
			if call, ok := e.(*FuncCall); ok && call.Name[0] == "f" {
				return &Param{Number: 1}, true
			}
			return nil, false
		})
		if g, w := Format(got), Format(want); g != w {
			t.Errorf("%s: got %s, want %s", c.in, g, w)
		}
	}
}
