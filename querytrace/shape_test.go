package querytrace

import (
	"runtime"
	"strings"
	"testing"
)

func TestShapesThatAreOne(t *testing.T) {
	for _, same := range [][]string{
		{"select name from c where id = $1", "SELECT name\n\tFROM c -- why\nWHERE id = 42;", "select name from c where id = $1 /*controller='orders',traceparent='00-4bf9'*/", "/* a */ select name from c where id = 'x'"},
		{"select 1 from c where id in (1, 2)", "select 1 from c where id in ($1, $2, $3)"},
		{"set local app.tenant = 'a'", "SET LOCAL app.tenant = 'b'"},
		{"savepoint sp_1", "savepoint sp_2"},
		{"listen jobs", "listen jobs -- again"},
		{"select from where", "select  from /* no */ where"},
		{"select 1 from c where id = 1; delete from c where id = 1", "select 1 from c where id = 2;\ndelete from c where id = 2;"},
	} {
		for _, s := range same[1:] {
			if a, b := shapeOf(same[0], false), shapeOf(s, false); a.fingerprint != b.fingerprint {
				t.Errorf("two shapes:\n%s\n%s", same[0], s)
			}
		}
	}
}

func TestShapesThatDiffer(t *testing.T) {
	all := []string{
		"select name from c where id = $1", "select name from c where id = any($1)", "select name from c where id > $1", "select name from d where id = $1",
		"select 1; select 1", "set local app.tenant = 'a'", "set app.tenant = 'a'", "set local app.other = 'a'", "listen jobs", "listen mail",
		"begin", "commit", "rollback", "savepoint a", "release a", "select from where", "select from whither", "copy c from stdin", "copy d from stdin",
	}
	seen := map[string]string{}
	for _, s := range all {
		f := shapeOf(s, false).fingerprint
		if other, ok := seen[f]; ok {
			t.Errorf("one shape:\n%s\n%s", s, other)
		}
		seen[f] = s
	}
}

// No value is in a shape's text: it is written to files.
func TestShapeTextHasNoValues(t *testing.T) {
	for _, c := range []struct{ sql, text string }{
		{"select name from c where email = 'a@example.org' and n = 42 and x = $2", "SELECT name FROM c WHERE email = $3 AND n = $4 AND x = $2"},
		{"insert into c values (1, 'secret') -- 'secret'", "INSERT INTO c VALUES ($1, $2)"},
		{"set local app.tenant = 'secret'", "set local app.tenant = ?"},
		{"do $$ begin perform 'it''s secret'; end $$", "do $$ begin perform ??; end $$"},
		{"copy c (id) from stdin", "copy c (id) from stdin"},
		{"savepoint sp_12", "savepoint"},
	} {
		if got := shapeOf(c.sql, false).text; got != c.text {
			t.Errorf("%s: text %q, want %q", c.sql, got, c.text)
		}
	}
}

func TestBlank(t *testing.T) {
	for sql, want := range map[string]bool{"": true, "-- ping": true, " ;; ": true, "/* x */ ;": true, "select 1": false, "-- a\nselect 1": false, "/* a */ select 1": false} {
		if blank(sql) != want {
			t.Errorf("blank(%q) is not %v", sql, want)
		}
	}
}

func TestPasses(t *testing.T) {
	for function, want := range map[string]bool{
		"github.com/jackc/pgx/v5.(*Conn).Query":                 true,
		"github.com/jackc/pgx/v5/pgxpool.(*Pool).Query":         true,
		"database/sql.(*DB).QueryContext":                       true,
		"net/http.HandlerFunc.ServeHTTP":                        true,
		"github.com/planvet/planvet/querytrace.stack":           true,
		"example.com/shop/db.(*Wrapper).Query":                  true,
		"example.com/shop/dbx.Query":                            false,
		"example.com/shop/store.Orders.func1":                   false,
		"sqlx.Orders":                                           false,
		"databases/sql.Orders":                                  false,
		"github.com/planvet/planvet/querytracery.Orders":        false,
		"gopkg.in/shop%2ev1.Orders":                             true,
		"slices.SortFunc[go.shape.[]int,go.shape.int,sort.Foo]": true,
	} {
		f := runtime.Frame{Function: function, File: "/x/y.go"}
		if got := passes(f, []string{"example.com/shop/db", "gopkg.in/shop.v1"}); got != want {
			t.Errorf("%s passes on: %v, want %v", function, got, want)
		}
	}
}

func TestFrame(t *testing.T) {
	f := callers(stack(), nil)[0]
	if f.File != "querytrace/shape_test.go" || f.Line == 0 || !strings.HasSuffix(f.Func, "/querytrace.TestFrame") {
		t.Errorf("this frame is %+v", f)
	}
	if got := (Frame{File: "a/b.go", Line: 3, Func: "example.com/x/a.(*T).F"}).String(); got != "a/b.go:3 a.(*T).F" {
		t.Errorf("a frame is written %q", got)
	}
	for file, want := range map[string]string{
		"example.com/x@v1.0.0/a/b.go":        "example.com/x@v1.0.0/a/b.go",
		"github.com/planvet/planvet/a/b.go":  "a/b.go",
		"github.com/planvet/planvets/a/b.go": "github.com/planvet/planvets/a/b.go",
	} {
		if got := inModule(file); got != want {
			t.Errorf("with -trimpath, %s is %q, want %q", file, got, want)
		}
	}
}
