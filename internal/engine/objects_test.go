package engine

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/planvet/planvet/internal/casetest"
	"github.com/planvet/planvet/rules"
)

// archive is a project with a table of each of two schemas that a query reads without index.
func archive(config string) map[string]string {
	return map[string]string{
		"planvet.yaml": "version: 1\n" + config,
		"migrations/1.sql": "create schema legacy;\ncreate table audit_log (id bigint primary key, entity bigint, actor bigint);\n" +
			"create table legacy.calls (id bigint primary key, number text);\n",
		"queries.sql": "-- name: A :many\nselect id from audit_log where entity = $1;\n\n-- name: B :many\nselect id from audit_log where actor = $1;\n\n-- name: C :many\nselect id from legacy.calls where number = $1;\n",
	}
}

func TestObjects(t *testing.T) {
	const all = "warning queries.sql:2\nwarning queries.sql:5\nwarning queries.sql:8"
	for _, c := range []struct {
		name, objects string
		silenced      int
		want          string
	}{
		{"none", "", 0, all},
		{"a table, a schema", "public.audit_log: {severity: info, reason: r}\nlegacy.*: {enabled: false, reason: r}", 1, "info queries.sql:2\ninfo queries.sql:5"},
		{"a table of any schema", "calls: {severity: error, reason: r}", 0, "warning queries.sql:2\nwarning queries.sql:5\nerror queries.sql:8"},
		{"a column", "public.audit_log.actor: {enabled: false, reason: r}", 1, "warning queries.sql:2\nwarning queries.sql:8"},
		{"the narrower holds", "'*': {enabled: false, reason: r}\npublic.audit_log: {severity: info, reason: r}\n'public.*': {severity: error, reason: r}\npublic.audit_log.entity: {severity: error, reason: r}", 1, "error queries.sql:2\ninfo queries.sql:5"},
		{"held to the end of its day", "public.audit_log: {enabled: false, reason: r, until: 2027-01-01}", 2, "warning queries.sql:8"},
		{"is past", "legacy.calls: {enabled: false, reason: r, until: 2026-12-31}", 0,
			"warning planvet.yaml:5 rules: unindexed-where: objects: legacy.calls held until 2026-12-31; what it covers is reported again\n" + all},
		{"covers nothing", "legacy.gone: {enabled: false, reason: r}", 0,
			"warning planvet.yaml:5 rules: unindexed-where: objects: legacy.gone covers no finding; it would hide the next one\n" + all},
	} {
		t.Run(c.name, func(t *testing.T) {
			config := ""
			if c.objects != "" {
				config = "rules:\n  unindexed-where:\n    objects:\n      " + strings.ReplaceAll(c.objects, "\n", "\n      ") + "\n"
			}
			dir := t.TempDir()
			casetest.WriteFiles(t, dir, archive(config))
			check := func(o Options) (string, int) {
				o.Dir, o.Today = dir, "2027-01-01"
				p, err := Open(o)
				if err != nil {
					t.Fatal(err)
				}
				if err := p.Load(t.Context()); err != nil {
					t.Fatal(err)
				}
				fs, _ := p.Check()
				var out []string
				for _, f := range fs {
					line := fmt.Sprintf("%s %s:%d", f.Severity, f.Location.Path, f.Location.Line)
					if strings.HasPrefix(f.Rule, "ignore-") {
						line += " " + f.Message
					}
					out = append(out, line)
				}
				return strings.Join(out, "\n"), p.Silenced
			}
			if got, n := check(Options{}); got != c.want || n != c.silenced {
				t.Errorf("%d silenced, want %d; got\n%s\nwant\n%s", n, c.silenced, got, c.want)
			}
			// A narrowed run does not tell what is unused.
			if got, _ := check(Options{Rules: []string{"unindexed-where", "ignore-unused"}}); strings.Contains(got, "covers no finding") {
				t.Errorf("a run of two rules: %s", got)
			}
		})
	}
}

// What stands under a rule goes before what stands under its group and under all.
func TestObjectsOfGroups(t *testing.T) {
	p := &Project{Config: mustConfig(t, `version: 1
rules:
  all: {objects: {"*": {severity: info, reason: r}}}
  indexes: {objects: {"public.*": {severity: warning, reason: r}}}
  unindexed-where: {objects: {public.orders: {enabled: false, reason: r}}}
`)}
	o := p.objects()
	for _, c := range []struct{ rule, schema, table, want string }{
		{"unindexed-where", "public", "orders", "off"},
		{"unindexed-where", "", "orders", "off"}, // Go code alone does not tell the schema
		{"unindexed-where", "app", "orders", "info"},
		{"unindexed-where", "public", "customers", "warning"},
		{"rls-initplan", "public", "orders", "info"},
		{"rls-initplan", "public", "", ""},
	} {
		got := ""
		if e := o.of(&rules.Finding{Rule: c.rule, Object: rules.Object{Schema: c.schema, Table: c.table}}); e != nil {
			if got = e.Severity; e.Off {
				got = "off"
			}
		}
		if got != c.want {
			t.Errorf("%s on %s.%s: %q, want %q", c.rule, c.schema, c.table, got, c.want)
		}
	}
	if fs := o.faults(func(string) bool { return true }); len(fs) != 0 {
		t.Errorf("unused: %v", slices.Collect(func(yield func(string) bool) {
			for _, f := range fs {
				yield(f.Message)
			}
		}))
	}
}

// Comments silence in migrations, query files and Go alike; those that cover nothing and
// those whose day is past are told in each.
func TestCommentsEverywhere(t *testing.T) {
	dir := t.TempDir()
	casetest.WriteFiles(t, dir, map[string]string{
		"go.mod": "module m\n\ngo 1.24\n",
		"migrations/1.sql": `create table docs (id bigint primary key, note text);
-- planvet:ignore rls-enabled-no-policy: only the owner reads it
alter table docs enable row level security;
create table papers (id bigint primary key);
-- planvet:ignore rls-enabled-no-policy until=2026-12-31: only the owner reads it
alter table papers enable row level security;
-- planvet:ignore rls-initplan: nothing here
create table maps (id bigint primary key);
`,
		"queries.sql": "-- name: A :many\n-- planvet:ignore unindexed-where until=2027-01-01: ten rows\nselect id from docs where note = $1;\n",
		"a.go": `package m

import "database/sql"

//planvet:ignore unindexed-where until=2027-01-01: ten rows
func F(db *sql.DB) { db.Query("select id, 1 from docs where note = $1", 1) }

func G(db *sql.DB) {
	//planvet:ignore unindexed-where until=2026-12-31: ten rows
	db.Query("select id, 2 from docs where note = $1", 1)
	//planvet:ignore unindexed-order: ten rows
	db.Query("select id from docs where id = $1", 1)
}
`,
	})
	run := func(only ...string) (string, int) {
		p, err := Open(Options{Dir: dir, Today: "2027-01-01", Rules: only})
		if err != nil {
			t.Fatal(err)
		}
		if err := p.Load(t.Context()); err != nil {
			t.Fatal(err)
		}
		fs, suppressed := p.Check()
		var out []string
		for _, f := range fs {
			out = append(out, fmt.Sprintf("%s:%d %s", f.Location.Path, f.Location.Line, f.Rule))
		}
		return strings.Join(out, "\n"), suppressed
	}
	want := `a.go:9 ignore-expired
a.go:10 unindexed-where
a.go:11 ignore-unused
migrations/1.sql:5 ignore-expired
migrations/1.sql:6 rls-enabled-no-policy
migrations/1.sql:7 ignore-unused`
	if got, n := run(); got != want || n != 3 {
		t.Errorf("%d suppressed; got\n%s\nwant\n%s", n, got, want)
	}
	if got, _ := run("indexes", "rls", "suppressions"); strings.Contains(got, "ignore-unused") {
		t.Errorf("a part of the rules ran:\n%s", got)
	}
}
