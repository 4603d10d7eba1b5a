package pgast

import (
	"fmt"
	"os"
	"reflect"
	"strings"
	"testing"

	"github.com/planvet/planvet/internal/casetest"
)

// dump writes a tree without positions and zero fields.
func dump(v reflect.Value) string {
	if n, ok := v.Interface().(Node); ok && v.Kind() == reflect.Pointer && !v.IsNil() {
		switch n.(type) {
		case Expr, *Select, *Insert, *Update, *Delete, *Merge:
			return "`" + Format(n) + "`"
		}
	}
	switch v.Kind() {
	case reflect.Interface, reflect.Pointer:
		if v.IsNil() {
			return "nil"
		}
		return dump(v.Elem())
	case reflect.Struct:
		if t, ok := v.Interface().(TypeName); ok {
			return formatType(t)
		}
		var fields []string
		for i := 0; i < v.NumField(); i++ {
			f := v.Type().Field(i)
			if f.Type == reflect.TypeFor[At]() || f.Name == "BodyPos" || !f.IsExported() || v.Field(i).IsZero() && f.Name != "Kind" {
				continue
			}
			fields = append(fields, f.Name+":"+dump(v.Field(i)))
		}
		return v.Type().Name() + "{" + strings.Join(fields, " ") + "}"
	case reflect.Slice:
		var items []string
		for i := 0; i < v.Len(); i++ {
			items = append(items, dump(v.Index(i)))
		}
		return "[" + strings.Join(items, ", ") + "]"
	case reflect.String:
		return fmt.Sprintf("%q", v.String())
	}
	return fmt.Sprint(v.Interface())
}

// Each kind of statement becomes the node that its fields say; the golden file is
// read by eye when it changes.
func TestConvert(t *testing.T) {
	src, err := os.ReadFile("testdata/convert.sql")
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	for _, p := range ParseFile(string(src)) {
		if p.Err != nil {
			t.Errorf("%s: %v", p.Text, p.Err)
			continue
		}
		fmt.Fprintf(&b, "%s\n    %s\n", p.Text, dump(reflect.ValueOf(p.Stmt)))
	}
	casetest.Golden(t, "testdata/convert.golden", b.String())
}

func TestBodyPos(t *testing.T) {
	for _, c := range []struct {
		sql, at string
	}{
		{"create function f() returns int language plpgsql as $fn$begin x; end$fn$", "begin x; end$fn$"},
		{"create function f() returns int as /* $x$ */ 'select 1' language sql", "select 1' language"},
		{"do language plpgsql $$ x $$", " x $$"},
		{"do $a$ x $a$", " x $a$"},
		{"create function f() returns int as 'select ''x''' language sql", ""},
		{`do E'a\nb'`, ""},
	} {
		pos := -1
		switch s := mustParse(t, c.sql).(type) {
		case *Do:
			pos = s.BodyPos
		case *CreateFunction:
			pos = s.BodyPos
		}
		if c.at == "" && pos >= 0 || c.at != "" && (pos < 0 || !strings.HasPrefix(c.sql[pos:], c.at)) {
			t.Errorf("%s: %d", c.sql, pos)
		}
	}
}

// Positions are those where the expression begins, not its operator.
func TestPositions(t *testing.T) {
	sql := "select a + b::int, (select  max(x) from t where y = 1) from s.u where  q.z is null and c like 'x' limit 5"
	s := mustParse(t, sql).(*Select)
	sub := s.Targets[1].Expr.(*SubLink).Query.(*Select)
	and := s.Where.(*Bool)
	for want, n := range map[string]Node{"select a +": s, "a + b": s.Targets[0].Expr, "b::int": s.Targets[0].Expr.(*Op).Right, "select  max": sub,
		"y = 1": sub.Where, "s.u where": s.From[0], "q.z is null and": and, "c like": and.Args[1], "5": s.Limit} {
		if n.Pos() < 0 || !strings.HasPrefix(sql[n.Pos():], want) {
			t.Errorf("%q is at %d", want, n.Pos())
		}
	}
	e, err := ParseExpr("a = b")
	if err != nil || e.Pos() != 0 || e.(*Op).Right.Pos() != 4 {
		t.Errorf("ParseExpr: %v at %d", err, e.Pos())
	}
}
