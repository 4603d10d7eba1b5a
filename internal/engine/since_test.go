package engine

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/planvet/planvet/internal/casetest"
	"github.com/planvet/planvet/internal/config"
	"github.com/planvet/planvet/rules"
)

// shop is a project with one fault of old in Go, one in a query file, and no other.
func shop() map[string]string {
	return map[string]string{
		"go.mod": "module shop\n\ngo 1.24\n",
		"migrations/0001_init.sql": `create table orders (
  id bigint primary key, customer_id bigint not null, reference text not null, note text);
create index orders_customer_idx on orders (customer_id);
`,
		"store/store.go": `package store

import "database/sql"

func ByCustomer(db *sql.DB, id int64) (*sql.Rows, error) {
	return db.Query("select id from orders where customer_id = $1", id)
}

func ByNote(db *sql.DB, note string) (*sql.Rows, error) {
	return db.Query("select id from orders where note = $1", note)
}
`,
		"queries/orders.sql": "-- name: ByReference :many\nselect id from orders where reference = $1;\n\n-- name: ByID :one\nselect id from orders where id = $1;\n",
	}
}

// since checks a change; the change is closed when the test ends.
func since(t testing.TB, dir string, s Scope, paths ...string) *Change {
	t.Helper()
	c, err := Since(t.Context(), Options{Dir: dir, Paths: paths}, s)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	})
	return c
}

// places are the findings, a line each.
func places(fs []rules.Finding) string {
	var out []string
	for _, f := range fs {
		out = append(out, fmt.Sprintf("%s %s %s.%s", f.Rule, f.Location.Path, f.Object.Table, strings.Join(f.Object.Columns, ",")))
	}
	return strings.Join(out, "\n")
}

const dropIndex = "drop index orders_customer_idx;\n"

// A migration that drops an index brings a fault to a query that did not change.
func TestSinceDroppedIndex(t *testing.T) {
	r := casetest.GitRepository(t, shop())
	r.Write(map[string]string{"migrations/0002_drop.sql": dropIndex})
	want := "unindexed-where store/store.go orders.customer_id"
	c := since(t, r.Dir, Scope{Rev: "HEAD"}) // an untracked file is part of the work tree
	if got := places(c.New); got != want {
		t.Errorf("new\n%s\nwant\n%s", got, want)
	}
	if c.Old != 2 || len(c.Gone) != 0 || len(c.Statements) != 0 || c.Read != 1 || c.Root != r.Dir || c.Rev != "HEAD" {
		t.Errorf("old %d, gone %v, statements %v, read %d, root %s", c.Old, c.Gone, c.Statements, c.Read, c.Root)
	}
	if got := len(c.Before.Findings); got != 2 {
		t.Errorf("%d findings before", got)
	}
	// Nothing of it is staged.
	if c := since(t, r.Dir, Scope{Staged: true}); c.Read != 0 || c.Before != nil || len(c.New) != 0 {
		t.Errorf("staged: read %d, new %s", c.Read, places(c.New))
	}
	r.Git("add", "-A")
	r.Write(map[string]string{"migrations/0002_drop.sql": "select 1;\n"})
	c = since(t, r.Dir, Scope{Staged: true})
	if got := places(c.New); got != want {
		t.Errorf("staged: new\n%s\nwant\n%s", got, want)
	}
	if text, err := c.After.Read("migrations/0002_drop.sql"); err != nil || string(text) != dropIndex {
		t.Errorf("the text of the index is %q, %v", text, err)
	}
}

// The index that was missing comes: what it mends is gone.
func TestSinceMended(t *testing.T) {
	r := casetest.GitRepository(t, shop())
	r.Git("checkout", "-q", "-b", "work")
	r.Write(map[string]string{"migrations/0002_add.sql": "create index on orders (note);\n"})
	r.Commit()
	r.Git("checkout", "-q", "main")
	r.Write(map[string]string{"migrations/0002_drop.sql": dropIndex})
	r.Commit()
	r.Git("checkout", "-q", "work")
	// Against main the work tree has an index more, too; what main did is not its doing.
	c := since(t, r.Dir, Scope{MergeBase: "main"})
	if len(c.New) != 0 || c.Old != 1 || places(c.Gone) != "unindexed-where store/store.go orders.note" {
		t.Errorf("new %s, old %d, gone %s", places(c.New), c.Old, places(c.Gone))
	}
	if c := since(t, r.Dir, Scope{Rev: "main"}); len(c.Gone) != 2 {
		t.Errorf("since main: gone %s", places(c.Gone))
	}
}

func TestSinceChanges(t *testing.T) {
	with := func(name, text string) func(*casetest.Repository) {
		return func(r *casetest.Repository) { r.Write(map[string]string{name: text}) }
	}
	store := shop()["store/store.go"]
	for _, c := range []struct {
		name   string
		change func(*casetest.Repository)
		// read is how many files are read, new the findings, statements those that are new
		// or, with a *, changed.
		read            int
		new, statements string
	}{
		{"nothing", func(*casetest.Repository) {}, 0, "", ""},
		{"a text, a test, a picture", func(r *casetest.Repository) {
			r.Write(map[string]string{"README.md": "x", "store/store_test.go": "package store\n", "a.png": "x", ".github/workflows/ci.yml": "on: push\n"})
		}, 0, "", ""},
		{"lines above", with("store/store.go", strings.Replace(store, "func ByCustomer", "// Another.\nfunc Another() {}\n\nfunc ByCustomer", 1)), 1, "", ""},
		{"a file is renamed", func(r *casetest.Repository) {
			r.Git("mv", "store/store.go", "store/orders.go")
			r.Git("mv", "queries/orders.sql", "queries/of_orders.sql")
			r.Git("mv", "migrations/0001_init.sql", "migrations/0001_start.sql")
		}, 3, "", ""},
		{"a folder is renamed without git", func(r *casetest.Repository) {
			if err := os.Rename(filepath.Join(r.Dir, "store"), filepath.Join(r.Dir, "shelf")); err != nil {
				t.Error(err)
			}
		}, 1, "", ""},
		{"a function is renamed", with("store/store.go", strings.Replace(store, "ByNote", "WithNote", 1)), 1, "", ""},
		{"a query moves to a file of its own", func(r *casetest.Repository) {
			i := strings.Index(store, "func ByNote")
			r.Write(map[string]string{"store/store.go": store[:i], "store/note.go": "package store\n\nimport \"database/sql\"\n\n" + store[i:]})
		}, 2, "", ""},
		{"the query again", with("store/more.go", strings.NewReplacer("ByCustomer", "C", "ByNote", "N").Replace(store)), 1,
			"unindexed-where store/more.go orders.note", "store/more.go:6\nstore/more.go:10"},
		{"the query again in its function", with("store/store.go", strings.Replace(store, "note string) (*sql.Rows, error) {", "note string) (*sql.Rows, error) {\n\tdb.Query(\"select id from orders where note = $1\", note)", 1)), 1,
			"unindexed-where store/store.go orders.note", "store/store.go:11"},
		{"another query in its place", with("store/store.go", strings.Replace(store, "customer_id = $1", "reference = $1", 1)), 1,
			"unindexed-where store/store.go orders.reference", "*store/store.go:6"},
		{"a comment that silenced goes", with("queries/orders.sql", "-- name: ByReference :many\nselect id from orders where reference = $1;\n\n-- name: ByRef :many\n-- planvet:ignore unindexed-where: rare\nselect id, note from orders where reference = $1;\n"), 1,
			"", "queries/orders.sql:6"},
		{"a rule comes on", with("planvet.yaml", "version: 1\nrules: {unindexed-where: error}\n"), 1, "", ""},
		{"a query file is named", with("planvet.yaml", "version: 1\nqueries: [queries/*.sql]\nexclude: [nowhere/**]\n"), 1, "", ""},
		{"a new project beside", with("other/go.mod", "module other\n"), 1, "", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := casetest.GitRepository(t, shop())
			c.change(r)
			got := since(t, r.Dir, Scope{Rev: "main"})
			if places(got.New) != c.new || got.Read != c.read {
				t.Errorf("read %d, want %d; new\n%s\nwant\n%s", got.Read, c.read, places(got.New), c.new)
			}
			var stmts []string
			for _, s := range got.Statements {
				line := fmt.Sprintf("%s:%d", s.Location.Path, s.Location.Line)
				if s.Was != nil {
					line = "*" + line
				}
				stmts = append(stmts, line)
			}
			if s := strings.Join(stmts, "\n"); s != c.statements {
				t.Errorf("statements\n%s\nwant\n%s", s, c.statements)
			}
			if testing.Short() {
				return
			}
			// What is staged alike is judged alike.
			r.Git("add", "-A")
			if again := since(t, r.Dir, Scope{Staged: true}); places(again.New) != c.new || again.Read != c.read {
				t.Errorf("staged: read %d; new\n%s", again.Read, places(again.New))
			}
		})
	}
}

// A finding that was possible and is certain now, or weighs more, is what a change brings.
func TestCompareWorse(t *testing.T) {
	at := func(s rules.Severity, c rules.Certainty) *Result {
		fs := []rules.Finding{{Rule: "unindexed-where", Severity: s, Certainty: c, Location: rules.Location{Path: "a.sql", Line: 1}}}
		rules.SetIDs(fs)
		return &Result{Project: &Project{}, Findings: fs}
	}
	for _, c := range []struct {
		before, after *Result
		want          int
	}{
		{at(rules.Warning, rules.Certain), at(rules.Warning, rules.Certain), 0},
		{at(rules.Warning, rules.Possible), at(rules.Warning, rules.Certain), 1},
		{at(rules.Warning, rules.Certain), at(rules.Warning, rules.Possible), 0},
		{at(rules.Info, rules.Certain), at(rules.Warning, rules.Certain), 1},
		{at(rules.Error, rules.Certain), at(rules.Warning, rules.Certain), 0},
	} {
		if got := Compare(c.before, c.after, nil); len(got.New) != c.want || got.Old != 1-c.want || len(got.Gone) != 0 {
			t.Errorf("%v to %v: %d new, %d old", c.before.Findings[0].Severity, c.after.Findings[0].Severity, len(got.New), got.Old)
		}
	}
}

// A project in a folder of a repository, with a module beside it that it needs, and one
// that git ignores.
func TestSinceInAFolder(t *testing.T) {
	files := map[string]string{".gitignore": "gen/\n", "shared/go.mod": "module shared\n", "shared/db.go": `package shared

import "database/sql"

type DB struct{ *sql.DB }
`}
	for name, text := range shop() {
		text = strings.ReplaceAll(text, "db *sql.DB", "db shared.DB")
		files["services/shop/"+name] = strings.Replace(text, `import "database/sql"`, "import (\n\t\"database/sql\"\n\n\t\"shared\"\n\t_ \"shop/gen\"\n)", 1)
	}
	files["services/shop/go.mod"] = "module shop\n\ngo 1.24\n\nrequire shared v0.0.0\n\nreplace shared => ../../shared\n"
	r := casetest.GitRepository(t, files)
	r.Write(map[string]string{
		"services/shop/migrations/0002_drop.sql": dropIndex, "services/shop/gen/gen.go": "package gen\n",
		// Go code changes, so that the packages of before are loaded.
		"services/shop/main.go": "package shop\n",
	})
	c := since(t, filepath.Join(r.Dir, "services", "shop"), Scope{Rev: "main"})
	if got := places(c.New); got != "unindexed-where store/store.go orders.customer_id" || c.Old != 2 || len(c.Notes) > 0 {
		t.Errorf("new %s, old %d, notes %q", got, c.Old, c.Notes)
	}
	if c.Before.GoPackages != 2 || c.After.GoPackages != 3 {
		t.Errorf("%d and %d packages", c.Before.GoPackages, c.After.GoPackages)
	}
	// Paths are a filter of what is reported.
	c = since(t, r.Dir, Scope{Rev: "main"}, filepath.Join("services", "shop", "queries"))
	if len(c.New) != 0 || c.Old != 1 {
		t.Errorf("queries only: new %s, old %d", places(c.New), c.Old)
	}
	// A change beside the project, of nothing that it reads.
	r.Commit()
	r.Write(map[string]string{"migrations/9.sql": "drop table orders;\n"})
	if c := since(t, filepath.Join(r.Dir, "services", "shop"), Scope{Rev: "HEAD"}); c.Read != 0 || c.Files != 1 {
		t.Errorf("%d of %d files read", c.Read, c.Files)
	}
}

func TestSinceBeforeThatDiffers(t *testing.T) {
	t.Run("a config that was broken", func(t *testing.T) {
		files := shop()
		files["planvet.yaml"] = "version: 1\nrulez: {}\n"
		r := casetest.GitRepository(t, files)
		r.Write(map[string]string{"planvet.yaml": "version: 1\n", "migrations/0002_drop.sql": dropIndex})
		if c := since(t, r.Dir, Scope{Rev: "HEAD"}); len(c.New) != 1 || c.Old != 2 {
			t.Errorf("new %s, old %d", places(c.New), c.Old)
		}
	})
	t.Run("migrations moved, and the config with them", func(t *testing.T) {
		files := shop()
		files["planvet.yaml"] = "version: 1\nmigrations: migrations\n"
		r := casetest.GitRepository(t, files)
		r.Git("mv", "migrations", "ddl")
		r.Write(map[string]string{"planvet.yaml": "version: 1\nmigrations: ddl\ntables: {orders: {distinct: {added: 3}}}\n", "ddl/0002_drop.sql": dropIndex + "alter table orders add added int;\n"})
		c := since(t, r.Dir, Scope{Rev: "HEAD"})
		if places(c.New) != "unindexed-where store/store.go orders.customer_id" || c.Old != 2 {
			t.Errorf("new %s, old %d", places(c.New), c.Old)
		}
		if len(c.Notes) != 1 || !strings.HasPrefix(c.Notes[0], "HEAD does not fit today's config and was read by its own: planvet.yaml: ") || strings.Contains(c.Notes[0], os.TempDir()) {
			t.Errorf("notes %q", c.Notes)
		}
	})
	t.Run("nothing of the project was there", func(t *testing.T) {
		r := casetest.GitRepository(t, map[string]string{"README.md": "x"})
		r.Write(shop())
		if c := since(t, r.Dir, Scope{Rev: "HEAD"}); len(c.New) != 2 || c.Old != 0 || len(c.Statements) != 4 {
			t.Errorf("new %s, old %d, %d statements", places(c.New), c.Old, len(c.Statements))
		}
	})
	t.Run("code that did not type-check", func(t *testing.T) {
		files := shop()
		files["store/store.go"] = strings.Replace(files["store/store.go"], "db *sql.DB, note", "db *sql.DBB, note", 1)
		r := casetest.GitRepository(t, files)
		r.Write(shop())
		c := since(t, r.Dir, Scope{Rev: "HEAD"})
		if len(c.Notes) != 1 || !strings.HasPrefix(c.Notes[0], "Go packages of HEAD do not type-check, what they had may be reported as new: 1, first undefined: sql.DBB") {
			t.Errorf("new %s, notes %q", places(c.New), c.Notes)
		}
	})
	t.Run("code that did not load", func(t *testing.T) {
		files := shop()
		files["go.mod"] = "modul shop\n"
		r := casetest.GitRepository(t, files)
		r.Write(shop())
		c := since(t, r.Dir, Scope{Rev: "HEAD"})
		if places(c.New) != "unindexed-where store/store.go orders.note" || c.Old != 1 {
			t.Errorf("new %s, old %d", places(c.New), c.Old)
		}
		if len(c.Notes) != 1 || !strings.HasPrefix(c.Notes[0], "Go packages of HEAD do not load, what they had is reported as new: ") {
			t.Errorf("notes %q", c.Notes)
		}
	})
	t.Run("before the first commit", func(t *testing.T) {
		r := casetest.GitRepository(t, nil)
		r.Write(shop())
		r.Git("add", "-A")
		if c := since(t, r.Dir, Scope{Staged: true}); len(c.New) != 2 || c.Old != 0 {
			t.Errorf("new %s, old %d", places(c.New), c.Old)
		}
	})
}

func TestSinceErrors(t *testing.T) {
	r := casetest.GitRepository(t, shop())
	outside := casetest.TempDir(t, "planvet-outside-")
	casetest.WriteFiles(t, outside, shop())
	inner := casetest.GitRepository(t, shop()) // the project is above its repository
	casetest.WriteFiles(t, filepath.Dir(inner.Dir), map[string]string{"planvet.yaml": "version: 1\n"})
	for _, c := range []struct {
		dir  string
		s    Scope
		want string
	}{
		{outside, Scope{Rev: "HEAD"}, "is in no git repository"},
		{r.Dir, Scope{Rev: "no-such"}, "git knows no revision no-such: fetch it first"},
		{inner.Dir, Scope{Rev: "HEAD"}, "is in no git repository"},
	} {
		_, err := Since(t.Context(), Options{Dir: c.dir}, c.s)
		if err == nil || !strings.Contains(err.Error(), c.want) || KindOf(err) != Usage {
			t.Errorf("%s %+v: %v, want %s", c.dir, c.s, err, c.want)
		}
	}
}

// A pooler that an ignored file shows was there before; one that comes with the change
// makes the session's state a fault of queries that did not change.
func TestSincePooler(t *testing.T) {
	files := shop()
	files[".gitignore"] = ".env\n"
	files["store/lock.go"] = "package store\n\nimport \"database/sql\"\n\nfunc Lock(db *sql.DB) error {\n\t_, err := db.Exec(\"select pg_advisory_lock(1)\")\n\treturn err\n}\n"
	r := casetest.GitRepository(t, files)
	r.Write(map[string]string{".env": "DATABASE_URL=postgres://u@pool.example.com:6543/db\n", "more.sql": "-- name: One :one\nselect 1;\n"})
	if c := since(t, r.Dir, Scope{Rev: "HEAD"}); len(c.New) != 0 || !strings.Contains(places(c.After.Findings), "pool-session-state") {
		t.Errorf("new %s; all\n%s", places(c.New), places(c.After.Findings))
	}
	r.Remove(".env")
	r.Write(map[string]string{"pgbouncer.ini": "pool_mode = transaction\n"})
	if c := since(t, r.Dir, Scope{Rev: "HEAD"}); !strings.HasPrefix(places(c.New), "pool-session-state store/lock.go") {
		t.Errorf("new %s", places(c.New))
	}
}

// Nothing stays behind in the repository, and nothing in the folder for temporary files.
func TestSinceLeavesNothing(t *testing.T) {
	tmp := t.TempDir()
	t.Setenv("TMPDIR", tmp)
	r := casetest.GitRepository(t, shop())
	r.Write(map[string]string{"migrations/0002_drop.sql": dropIndex})
	r.Git("add", "-A")
	for _, s := range []Scope{{Rev: "HEAD"}, {Staged: true}} {
		c, err := Since(t.Context(), Options{Dir: r.Dir}, s)
		if err != nil {
			t.Fatal(err)
		}
		if err := c.Close(); err != nil {
			t.Error(err)
		}
		left, err := filepath.Glob(filepath.Join(tmp, "planvet-*"))
		if err != nil || len(left) > 0 {
			t.Errorf("%+v left %q", s, left)
		}
	}
	if got := r.Git("status", "--porcelain"); got != "A  migrations/0002_drop.sql" {
		t.Errorf("status %q", got)
	}
}

func TestTouched(t *testing.T) {
	p := &Project{Root: "/x"}
	p.Config = mustConfig(t, "version: 1\nstatistics: prod.json\ndatabases: {main: {migrations: [db/**/*.ddl], schema: schema.txt}}\n")
	for name, want := range map[string]bool{
		"a.sql": true, "x/y.SQL": true, "planvet.yaml": true, "sub/sqlc.json": true, "prod.json": true, "other.json": false,
		"db/a/b.ddl": true, "schema.txt": true, "README.md": false, ".github/workflows/ci.yml": false, ".gitignore": false, "m/meta/_journal.json": true,
		".gmrc": true, "query.tmpl": true, "LICENSE": false, "web/App.TSX": false,
		"deploy/nothing.ini": false,
	} {
		if got := p.reads(name); got != want {
			t.Errorf("%s: %v, want %v", name, got, want)
		}
	}
	code := map[string]bool{"a.go": true, "a_test.go": false, "x/go.mod": true, "go.work": true, "vendor/modules.txt": true, "x/modules.txt": false, "a.sql": false}
	for _, name := range slices.Sorted(maps.Keys(code)) {
		if got := isCode(name); got != code[name] {
			t.Errorf("%s is code: %v", name, got)
		}
	}
}

// BenchmarkSince measures a change that brings nothing, one of a text, one of a migration
// and one of Go code, on the example.
func BenchmarkSince(b *testing.B) {
	r := casetest.GitRepository(b, nil)
	if err := os.CopyFS(r.Dir, os.DirFS("../../examples/casino")); err != nil {
		if !os.IsExist(err) {
			b.Fatal(err)
		}
	}
	r.Commit()
	for _, c := range []struct {
		name  string
		files map[string]string
	}{
		{"nothing", map[string]string{"README.md": "changed\n"}},
		{"migration", map[string]string{"supabase/migrations/20990101000000_drop.sql": "drop index public.audit_log_entity_idx;\n"}},
		{"go", map[string]string{"internal/more/more.go": "package more\n"}},
	} {
		b.Run(c.name, func(b *testing.B) {
			r.Git("clean", "-fdq")
			r.Git("checkout", "-q", ".")
			r.Write(c.files)
			for b.Loop() {
				ch, err := Since(b.Context(), Options{Dir: r.Dir}, Scope{Rev: "HEAD"})
				if err != nil {
					b.Fatal(err)
				}
				b.ReportMetric(float64(len(ch.New)), "new")
				if err := ch.Close(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func mustConfig(t *testing.T, text string) *config.Config {
	t.Helper()
	c, err := config.Parse("planvet.yaml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return c
}
