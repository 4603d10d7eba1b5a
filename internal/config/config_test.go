package config

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

const full = `# every key
version: 1
databases:
  app:
    migrations: [db/migrations, db/extra/*.sql]
    roles: {"internal/api": app_user}
  audit:
    schema: audit/schema.sql
go: ./...
exclude: ["**/testdata/**"]
queries:
  - sql/*.sql
rules:
  unindexed-where: error
  redundant-index: off
  rls-leakproof: on
  nplusone: {severity: info}
  rls-initplan: {enabled: false}
fail_on: never
roles:
  internal/web: &web authenticated
  internal/rpc: *web
tables:
  countries: {rows: 250}
  audit.events:
    rows: 1_000_000
    distinct: {tenant_id: 40}
  events: {width: 220, recent: at}
postgres: 17
claims: {sub: abc, casinos: [1, 2], nested: {admin: true}}
settings: {app.tenant: 42}
search_path: [app, public]
pooling: {mode: transaction, prepared_statements: false, direct: internal/listen}
spec_refs: {nplusone: NFR-12}
confirm: {rows: 5000}
`

func TestParseFull(t *testing.T) {
	got, err := Parse("planvet.yaml", []byte(full))
	if err != nil {
		t.Fatal(err)
	}
	countries, events, no := int64(250), int64(1000000), false
	want := &Config{
		File: "planvet.yaml", Version: 1,
		Databases: map[string]Database{
			"app":   {Migrations: Strings{"db/migrations", "db/extra/*.sql"}, Roles: map[string]string{"internal/api": "app_user"}},
			"audit": {Schema: "audit/schema.sql"},
		},
		Go: Strings{"./..."}, Exclude: Strings{"**/testdata/**"}, Queries: Strings{"sql/*.sql"},
		Rules: map[string]Rule{
			"unindexed-where": {Severity: "error", On: true},
			"redundant-index": {Off: true},
			"rls-leakproof":   {On: true},
			"nplusone":        {Severity: "info", On: true},
			"rls-initplan":    {Off: true},
		},
		FailOn: "never", Roles: map[string]string{"internal/web": "authenticated", "internal/rpc": "authenticated"},
		Tables:   map[string]Table{"countries": {Rows: &countries}, "audit.events": {Rows: &events, Distinct: map[string]int64{"tenant_id": 40}}, "events": {Width: 220, Recent: Strings{"at"}}},
		Postgres: 17, Claims: map[string]any{
			"sub": "abc", "casinos": []any{uint64(1), uint64(2)}, "nested": map[string]any{"admin": true},
		},
		Settings: map[string]string{"app.tenant": "42"}, SearchPath: Strings{"app", "public"},
		Pooling:  Pooling{Mode: "transaction", Prepared: &no, Direct: Strings{"internal/listen"}},
		SpecRefs: map[string]string{"nplusone": "NFR-12"}, Confirm: Confirm{Rows: 5000},
	}
	if d := cmp.Diff(want, got, cmpopts.IgnoreUnexported(Config{})); d != "" {
		t.Error(d)
	}
	if e := got.Table("audit", "events"); e.Width != 220 || e.Distinct["tenant_id"] != 40 || len(e.Recent) != 1 || *e.Rows != 1000000 {
		t.Errorf("audit.events: %+v", e)
	}
	for _, c := range []struct {
		schema, name string
		rows         int64
		ok           bool
	}{
		{"public", "countries", 250, true},
		{"audit", "events", 1000000, true},
		{"public", "events", 0, false},
	} {
		if rows, ok := got.Rows(c.schema, c.name); rows != c.rows || ok != c.ok {
			t.Errorf("Rows(%s, %s) = %d, %v", c.schema, c.name, rows, ok)
		}
	}
}

func TestParse(t *testing.T) {
	for _, c := range []struct{ name, text, err string }{
		{"ok_empty", "", ""},
		{"ok_comment_only", "# nothing yet\n", ""},
		{"ok_version_alone", "version: 1\n", ""},
		{"ok_null_sections", "version: 1\nrules:\ntables:\n", ""},
		{"ok_migrations", "version: 1\nmigrations: db\n", ""},
		{"ok_pooling", "version: 1\npooling: session\n", ""},
		{"err_pooling", "version: 1\npooling: statement\n", `c.yaml:2:10: pooling: "statement" is not one of transaction, session, none`},
		{"err_pooling_mode", "version: 1\npooling: {direct: [a]}\n", `pooling has no mode: use transaction, session or none`},
		{"err_pooling_prepared", "version: 1\npooling: {mode: none, prepared_statements: maybe}\n", `pooling.prepared_statements must be true or false`},
		{"ok_objects", "version: 1\nrules: {a: {objects: {public.t: {severity: info, reason: r, until: 2027-01-01}, 't*.x.y': {enabled: false, reason: r}}}}\n", ""},
		{"err_object_key", "version: 1\nrules:\n  a:\n    objects:\n      public.t: {severty: info, reason: r}\n", `c.yaml:5:18: unknown key "rules.a.objects.public.t.severty"; did you mean "severity"?`},
		{"err_object_says_nothing", "version: 1\nrules: {a: {objects: {t: {reason: r}}}}\n", `rules.a.objects.t needs one of severity and enabled: false`},
		{"err_object_says_both", "version: 1\nrules: {a: {objects: {t: {severity: info, enabled: false, reason: r}}}}\n", `rules.a.objects.t needs one of severity and enabled: false`},
		{"err_object_enabled", "version: 1\nrules: {a: {objects: {t: {enabled: true, reason: r}}}}\n", `rules.a.objects.t.enabled can only be false`},
		{"err_object_reason", "version: 1\nrules: {a: {objects: {t: {enabled: false}}}}\n", `rules.a.objects.t has no reason`},
		{"err_object_until", "version: 1\nrules: {a: {objects: {t: {enabled: false, reason: r, until: soon}}}}\n", `rules.a.objects.t.until: "soon" is no day: write 2027-01-31`},
		{"err_object_pattern", "version: 1\nrules: {a: {objects: {a.b.c.d: {enabled: false, reason: r}}}}\n", `rules.a.objects.a.b.c.d is no object`},
		{"err_object_glob", "version: 1\nrules: {a: {objects: {'a[': {enabled: false, reason: r}}}}\n", `rules.a.objects.a[ is no object`},
		{"err_no_version", "go: ./...\n", `c.yaml:1:1: no version: begin with "version: 1"`},
		{"err_version", "version: 2\n", `c.yaml:1:1: version 2 is not one that this planvet reads: use 1`},
		{"err_unknown_key", "version: 1\nfail-on: error\n", `c.yaml:2:1: unknown key "fail-on"; did you mean "fail_on"?`},
		{"err_unknown_far", "version: 1\nconfirm: {workers: 3}\n", `c.yaml:2:11: unknown key "confirm.workers": the keys here are rows`},
		{"err_nested_key", "version: 1\ntables:\n  t:\n    row: 3\n", `c.yaml:4:5: unknown key "tables.t.row"; did you mean "rows"?`},
		{"err_rule_value", "version: 1\nrules:\n  nplusone: fatal\n", `c.yaml:3:13: rules.nplusone: "fatal" is not one of off, on, error, warning, info`},
		{"err_severity", "version: 1\nrules: {nplusone: {severity: bad}}\n", `c.yaml:2:30: rules.nplusone.severity: "bad" is not one of error, warning, info`},
		{"err_width", "version: 1\ntables: {t: {width: wide}}\n", `c.yaml:2:21: tables.t.width must be a whole number, 0 or more`},
		{"err_distinct", "version: 1\ntables: {t: {distinct: {a: few}}}\n", `tables.t.distinct.a must be a whole number, 0 or more`},
		{"err_rows", "version: 1\ntables: {t: {rows: -1}}\n", `c.yaml:2:20: tables.t.rows must be a whole number, 0 or more`},
		{"err_rows_text", "version: 1\ntables: {t: {rows: many}}\n", `c.yaml:2:20: tables.t.rows must be a whole number, 0 or more`},
		{"err_postgres", "version: 1\npostgres: 9\n", `c.yaml:2:11: postgres: 9 is not a supported major version: use 13 to 18`},
		{"err_twice", "version: 1\nversion: 1\n", `c.yaml:2:1: `},
		{"err_list_for_mapping", "version: 1\nrules: [a]\n", `rules must be a mapping`},
		{"err_mapping_for_list", "version: 1\ngo: {a: b}\n", `go must be a string`},
		{"err_syntax", "version: 1\n\tgo: x\n", `c.yaml:2:`},
		{"err_database_empty", "version: 1\ndatabases: {app: {}}\n", `c.yaml:2:13: databases.app has neither migrations nor schema`},
		{"err_both", "version: 1\nmigrations: db\ndatabases: {app: {schema: s.sql}}\n", `migrations and databases exclude each other`},
		{"err_two_documents", "version: 1\n---\nversion: 1\n", `a second document`},
		{"err_alias_loop", "version: 1\nroles: &a {x: *a}\n", `roles.x must be a string`},
		{"err_alias_recursion", "version: 1\nclaims: &a {x: *a}\n", `aliases expand to more than`},
		{"err_nested", "version: 1\nclaims: " + strings.Repeat("[", 100_000) + "\n", `c.yaml:1:1: values are nested more than 200 deep`},
		{"err_nested_dashes", "version: 1\nclaims:\n" + strings.Repeat("- ", 100_000) + "\n", `c.yaml:1:1: values are nested more than 200 deep`},
		{"err_large", "# " + strings.Repeat("x", 1<<20), `c.yaml:1:1: the file has more than 262144 bytes`},
		{"err_nul", "version: 1\ngo: \x00\n", ``},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := Parse("c.yaml", []byte(c.text))
			if c.err == "" && c.name[:2] == "ok" {
				if err != nil {
					t.Fatal(err)
				}
				return
			}
			if c.name == "err_nul" { // only: no panic, one line
				if err != nil && strings.Contains(err.Error(), "\n") {
					t.Errorf("more than one line: %q", err)
				}
				return
			}
			if err == nil || !strings.Contains(err.Error(), c.err) || strings.Contains(err.Error(), "\n") {
				t.Errorf("got %v, want %s", err, c.err)
			}
		})
	}
}

func TestCheckRules(t *testing.T) {
	c, err := Parse("planvet.yaml", []byte("version: 1\nrules:\n  nplusone: off\n  unindexed-wher: off\nspec_refs:\n  zzz: x\n"))
	if err != nil {
		t.Fatal(err)
	}
	names := []string{"nplusone", "unindexed-where", "unindexed-join"}
	err = c.CheckRules(names, []string{"loops"})
	want := "planvet.yaml:4: unknown rule or group \"unindexed-wher\"; did you mean \"unindexed-where\"?; `planvet rules` lists them"
	if err == nil || err.Error() != want {
		t.Errorf("got  %v\nwant %s", err, want)
	}
	if err := c.CheckRules(append(names, "zzz"), []string{"unindexed-wher"}); err != nil {
		t.Error(err)
	}
	err = c.CheckRules(append(names, "unindexed-wher"), []string{"zzz"})
	if want = "planvet.yaml:6: unknown rule \"zzz\"; `planvet rules` lists them"; err == nil || err.Error() != want {
		t.Errorf("a group in spec_refs: got %v, want %s", err, want)
	}
}

func FuzzParse(f *testing.F) {
	f.Add(full)
	f.Add("version: 1\nrules: {a: *b}\n")
	f.Fuzz(func(t *testing.T, s string) {
		c, err := Parse("f", []byte(s))
		if (c == nil) == (err == nil) {
			t.Fatal("neither config nor error")
		}
	})
}
