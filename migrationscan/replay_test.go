package migrationscan_test

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"github.com/planvet/planvet/catalog"
	"github.com/planvet/planvet/internal/casetest"
	"github.com/planvet/planvet/migrationscan"
)

func TestFromDDL(t *testing.T) {
	for _, c := range []struct{ name, sql, err string }{
		{"ok", "CREATE TABLE t (id int PRIMARY KEY); CREATE INDEX ON t (id)", ""},
		{"syntax", "CREATE TABLE t (id int);\nCREATE TABEL u (id int)", `applying schema.sql:2: syntax error at or near "TABEL" (not in the PostgreSQL 16 grammar)`},
		{"unknown table", "CREATE TABLE t (id int);\n\nCREATE INDEX ON u (id)", "applying schema.sql:3: public.u is not created before this; its columns are unknown"},
		{"twice", "CREATE TABLE t (id int); CREATE TABLE t (id int)", "applying schema.sql:1: relation public.t already exists"},
	} {
		t.Run(c.name, func(t *testing.T) {
			cat, err := migrationscan.FromDDL(c.sql)
			got := ""
			if err != nil {
				got = casetest.Grammar(err.Error())
			}
			if got != c.err {
				t.Errorf("error %q, want %q", got, c.err)
			}
			if r := cat.Relation("public", "t"); r == nil || r.Column("id") == nil {
				t.Error("the catalog lacks table t")
			}
		})
	}
}

// One bad piece hides nothing else, and nothing is dropped without a word.
func TestHostile(t *testing.T) {
	deep := "SELECT " + strings.Repeat("(", 100_000) + "1" + strings.Repeat(")", 100_000)
	chain := "CREATE INDEX ON t ((id" + strings.Repeat("+1", 100_000) + "))"
	for _, c := range []struct{ name, bad string }{
		{"nul", "CREATE TABLE x (id int\x00)"},
		{"utf8", "CREATE TABLE x (\xff int)"},
		{"quote", "CREATE TABLE x (id int DEFAULT 'abc)"},
		{"dollar", "DO $$ BEGIN"},
		{"comment", "/* " + strings.Repeat("/* ", 1000)},
		{"parentheses", deep},
		{"chain", chain},
		{"do", "DO $$ this is no plpgsql $$"},
		{"missing table", "ALTER TABLE missing ADD COLUMN x int"},
	} {
		t.Run(c.name, func(t *testing.T) {
			set := migrationscan.Set{Scripts: []migrationscan.Script{
				{Path: "1.sql", Text: "CREATE TABLE t (id int);\n" + c.bad}, {Path: "2.sql", Text: "CREATE TABLE u (id int);"},
			}}
			res := migrationscan.Replay(set, migrationscan.ReplayOptions{})
			if res.Catalog.Relation("public", "t") == nil || res.Catalog.Relation("public", "u") == nil {
				t.Error("the statements around it are lost")
			}
			ps := append(res.Unparsed, res.NotApplied...)
			if len(ps) == 0 {
				t.Fatal("it is not listed")
			}
			for _, p := range ps {
				if p.Path != "1.sql" || p.Line < 1 || p.Column < 1 || strings.Contains(p.Error, "\n") {
					t.Errorf("listed as %+v", p)
				}
			}
		})
	}
}

// DDL in Go keeps its place: a raw string's lines are those of the file.
func TestGoLiteral(t *testing.T) {
	set := migrationscan.Set{Format: "go", Scripts: []migrationscan.Script{
		{Path: "db/migrations.go", Text: "CREATE TABLE t (\n\tid int PRIMARY KEY\n)", Line: 10, Column: 7, GoLiteral: true},
		{Path: "db/migrations.go", Text: "\n\tCREATE INDEX ON t (id);\n\tCREATE INDEX ON u (id);", Line: 20, Column: 30, GoLiteral: true},
	}}
	res := migrationscan.Replay(set, migrationscan.ReplayOptions{})
	r := res.Catalog.Relation("public", "t")
	got := []catalog.Location{r.Location, r.Column("id").Location, r.Index("t_id_idx").Location}
	want := []catalog.Location{{Path: "db/migrations.go", Line: 10, Column: 7}, {Path: "db/migrations.go", Line: 11, Column: 2}, {Path: "db/migrations.go", Line: 21, Column: 2}}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	if p := res.NotApplied; len(p) != 1 || p[0].Line != 22 || p[0].Column != 2 {
		t.Errorf("not applied: %+v", p)
	}
}

func TestDiscoverFromConfig(t *testing.T) {
	project := fstest.MapFS{
		"db/migrations/2.sql": {Data: []byte("CREATE TABLE b (id int);")}, "db/migrations/1.sql": {Data: []byte("CREATE TABLE a (id int);")},
		"db/migrations/10.down.sql": {Data: []byte("DROP TABLE a;")}, "other/schema.sql": {Data: []byte("CREATE TABLE o (id int);")},
		"other/extra_1.sql": {Data: []byte("CREATE INDEX ON o (id);")}, "testdata/x.sql": {Data: []byte("CREATE TABLE x (id int);")},
	}
	d, err := migrationscan.Discover(project, migrationscan.Options{
		Paths:     []string{"./db/migrations"},
		Databases: map[string][]string{"other": {"other/schema.sql", "other/extra_*.sql"}, "test": {"testdata"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	got := map[string][]string{}
	for _, s := range d.Sets {
		for _, x := range s.Scripts {
			got[s.Name] = append(got[s.Name], x.Path)
		}
	}
	want := map[string][]string{
		"default": {"db/migrations/1.sql", "db/migrations/2.sql"}, "other": {"other/schema.sql", "other/extra_1.sql"}, "test": {"testdata/x.sql"},
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	for _, bad := range []string{"no/such/dir", "db/*.nothing", "db/["} {
		if _, err := migrationscan.Discover(project, migrationscan.Options{Paths: []string{bad}}); err == nil || strings.Contains(err.Error(), "\n") || !strings.Contains(err.Error(), bad) {
			t.Errorf("%s: error %v", bad, err)
		}
	}
}

// Blanking keeps every offset: the text is as long as the file.
func TestOffsetsStay(t *testing.T) {
	text := "\ufeff-- +goose Up\nCREATE TABLE {{ .Schema }}.t (id int);\n-- +goose Down\nDROP TABLE t;\n-- +goose Up\nCREATE INDEX i ON \"{{.Schema}}\".t (id);\n"
	d, err := migrationscan.Discover(fstest.MapFS{"migrations/1.sql": {Data: []byte(text)}}, migrationscan.Options{})
	if err != nil || len(d.Sets) != 1 {
		t.Fatal(d, err)
	}
	s := d.Sets[0].Scripts[0]
	if len(s.Text) != len(text) {
		t.Errorf("%d bytes became %d", len(text), len(s.Text))
	}
	res := migrationscan.Replay(d.Sets[0], migrationscan.ReplayOptions{})
	if x := res.Catalog.Relation("public", "t").Index("i"); x == nil || x.Location.Line != 6 {
		t.Errorf("index i: %+v", x)
	}
}

// The example's catalog is the server's.
func TestExampleEqualsServer(t *testing.T) {
	d, err := migrationscan.Discover(os.DirFS("../examples/casino"), migrationscan.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if len(d.Sets) != 1 {
		t.Fatalf("%d sets", len(d.Sets))
	}
	equalsServer(t, d.Sets[0])
}

// SupabaseSQL runs on a fresh server, and the replay of it is that server.
func TestSupabaseSQL(t *testing.T) {
	set := migrationscan.Set{Name: "default", Format: "supabase", Scripts: []migrationscan.Script{{Path: "1.sql", Text: "create table t (id uuid references auth.users)"}}}
	res := migrationscan.Replay(set, migrationscan.ReplayOptions{})
	server, refused := onServer(t, res)
	if len(refused) > 0 {
		t.Error(refused)
	}
	for _, r := range res.Catalog.Relations() {
		r.Platform = false // compare the platform's own too
	}
	for _, l := range differences(res.Catalog, server) {
		t.Error(l)
	}
}

// Deterministic: two replays print the same.
func TestReplayIsDeterministic(t *testing.T) {
	d, err := migrationscan.Discover(os.DirFS("../examples/casino"), migrationscan.Options{})
	if err != nil {
		t.Fatal(err)
	}
	var prints [2]string
	for i := range prints {
		prints[i] = replayed("default", migrationscan.Replay(d.Sets[0], migrationscan.ReplayOptions{}))
	}
	if d := cmp.Diff(prints[0], prints[1]); d != "" {
		t.Error(d)
	}
}

// statements makes DDL of a size: tables with keys, indexes, policies, renames.
func statements(n int) migrationscan.Set {
	var b strings.Builder
	for i := range n / 10 {
		p := max(i-1, 0)
		fmt.Fprintf(&b, `CREATE TABLE t%[1]d (id bigserial PRIMARY KEY, parent bigint REFERENCES t%[2]d (id), name text NOT NULL, at timestamptz DEFAULT now());
CREATE INDEX ON t%[1]d (parent);
CREATE UNIQUE INDEX t%[1]d_name ON t%[1]d (lower(name)) WHERE at IS NOT NULL;
ALTER TABLE t%[1]d ENABLE ROW LEVEL SECURITY;
CREATE POLICY p ON t%[1]d USING (EXISTS (SELECT 1 FROM t%[2]d x WHERE x.id = parent));
ALTER TABLE t%[1]d ADD COLUMN note text, ADD CHECK (length(note) < 10);
ALTER TABLE t%[1]d RENAME COLUMN note TO remark;
DROP INDEX t%[1]d_name;
INSERT INTO t%[1]d (name) VALUES ('a'), ('b');
ALTER TABLE t%[1]d DROP COLUMN at;
`, i, p)
	}
	return migrationscan.Set{Name: "default", Scripts: []migrationscan.Script{{Path: "1.sql", Text: b.String()}}}
}

func BenchmarkReplay(b *testing.B) {
	for _, n := range []int{200, 2000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			set := statements(n)
			for b.Loop() {
				if res := migrationscan.Replay(set, migrationscan.ReplayOptions{}); res.Statements != n {
					b.Fatal(res.Statements, res.NotApplied)
				}
			}
		})
	}
}
