package main

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/planvet/planvet/internal/report"
	"github.com/planvet/planvet/internal/shadow/shadowtest"
	"github.com/planvet/planvet/rules"
)

const workloadSchema = `create table calls_log (id bigint primary key, guest bigint not null, note text, state text not null, at timestamptz not null);
create index on calls_log (guest) where state = 'open';
create table memos (id bigint primary key, tenant integer not null, body text);
alter table memos enable row level security;
create policy tenant on memos for select to planvet_wl_app using (tenant = current_setting('app.tenant')::integer);
`

// planWorkload runs statements on a database of the schema: one that the project's code
// has, some that it has not.
func planWorkload(t *testing.T) *pgx.Conn {
	t.Helper()
	conn := shadowtest.Connect(t, "create extension pg_stat_statements", "do $$ begin create role planvet_wl_app login; exception when duplicate_object then null; end $$",
		"do $$ begin create role planvet_wl_low login; exception when duplicate_object then null; end $$",
		workloadSchema, "grant select on memos, calls_log to planvet_wl_app")
	run := func(n int, sql string) {
		for range n {
			if _, err := conn.Exec(t.Context(), sql, pgx.QueryExecModeSimpleProtocol); err != nil {
				t.Fatal(err)
			}
		}
	}
	run(20, "select note from calls_log where guest = 5")
	run(5, "select id from calls_log\n\twhere at > now() - interval '3 days' and at < now()")
	run(1, "select id from calls_log where note in ('a', 'b', 'c')")
	run(1, "select id from calls_log where note in ('a', 'b')")
	run(3, "select note from calls_log where id = 7")
	run(3, "select id from calls_log where guest = 6 and state = 'open'")
	run(1, "select guest from calls_log where note = 'once'")
	run(2, "select count(*) from pg_class")
	run(2, "analyze calls_log")
	run(2, "explain select id from calls_log where note = 'x'")
	run(1, "set role planvet_wl_app; set app.tenant = 3; select body from memos where id > 0; select body from memos where id > 0; reset role")
	run(4, "select body from memos where id > 0")
	return conn
}

// workloadProject has the schema and one of the queries.
func workloadProject(t *testing.T) string {
	t.Helper()
	return project(t, map[string]string{
		"planvet.yaml":       "version: 1\nqueries: queries/*.sql\n",
		"migrations/1_a.sql": "create role planvet_wl_app;\n" + workloadSchema,
		"queries/log.sql":    "-- name: NotesOfGuest :many\nselect note from calls_log where guest = $1;\n",
	})
}

// workloadReport is what planvet check --format json says of a workload.
type workloadReport struct {
	Summary struct {
		Workload *report.Workload
	}
	Findings   []rules.Finding
	Unresolved []struct{ Reason string }
}

func checkWorkload(t *testing.T, args ...string) workloadReport {
	t.Helper()
	_, out, errs := planvetRun(t, append([]string{"check", "--format", "json"}, args...)...)
	var d workloadReport
	if err := json.Unmarshal([]byte(out), &d); err != nil {
		t.Fatalf("%v: %s%s", err, out, errs)
	}
	return d
}

// weighed are the findings that a workload weighs: "path table.columns certainty calls".
func weighed(t *testing.T, d workloadReport) []string {
	t.Helper()
	var out []string
	for i := range d.Findings {
		f := &d.Findings[i]
		if f.Query == nil {
			continue
		}
		if f.Query.Workload == nil {
			t.Errorf("%s at %s is of no workload", f.Message, f.Location.Path)
			continue
		}
		w := f.Query.Workload
		out = append(out, fmt.Sprintf("%s %s.%s %s %d %v", f.Location.Path, f.Object.Table, strings.Join(f.Object.Columns, ","), f.Certainty, w.Calls, w.Roles))
		if w.Rank < 1 || len(w.QueryIDs) == 0 || w.Share < 0 || w.Share > 1 || math.Abs(w.MeanMS*float64(w.Calls)-w.TotalMS) > 1e-9 {
			t.Errorf("%s: %+v", f.Message, w)
		}
		if f.Location.Path == rules.WorkloadPath && f.Location.Line != w.Rank {
			t.Errorf("%s is at line %d, of rank %d", f.Message, f.Location.Line, w.Rank)
		}
	}
	slices.Sort(out)
	return out
}

// TestCheckStatements judges what a server ran beside what the code has: each statement
// once, where it stands. What may use a partial index is no fault, what ran once is
// possible.
func TestCheckStatements(t *testing.T) {
	conn, dir := planWorkload(t), workloadProject(t)
	url := conn.Config().ConnString()
	want := []string{
		"pg_stat_statements calls_log.at possible 5 [postgres]",
		"pg_stat_statements calls_log.note certain 2 [postgres]",
		"pg_stat_statements calls_log.note possible 1 [postgres]",
		"queries/log.sql calls_log.guest certain 20 [postgres]",
	}
	d := checkWorkload(t, dir, "--statements", url)
	if got := weighed(t, d); !slices.Equal(got, want) {
		t.Errorf("got  %s\nwant %s", strings.Join(got, "\n     "), strings.Join(want, "\n     "))
	}
	if w := d.Summary.Workload; w == nil || w.Known != 1 || w.Added < 7 || len(w.LeftOut) < 2 {
		t.Errorf("summary %+v", w)
	}
	_, out, errs := planvetRun(t, "check", dir, "--statements", url)
	for _, s := range []string{"select id from calls_log where note in ($1", "workload: 20 calls, ", "ran 1 statement of the code and ", "utility commands"} {
		if !strings.Contains(out, s) {
			t.Errorf("the text has no %q:\n%s%s", s, out, errs)
		}
	}

	// A proof needs values, which a server's texts do not have.
	confirmed := 0
	d = checkWorkload(t, dir, "--statements", url, "--confirm", "shadow", "--rules", "unindexed-where")
	for _, f := range d.Findings {
		if f.Object.Columns[0] == "note" && f.Certainty == rules.Certain && f.Verdict.Status == rules.Confirmed && f.Location.Path == rules.WorkloadPath {
			confirmed++
		}
	}
	if confirmed != 1 {
		t.Errorf("a statement of the server has no proof: %+v", d.Findings)
	}

	// The same from the monitor's files, which name no roles.
	for i := range want {
		want[i] = strings.Replace(want[i], "[postgres]", "[]", 1)
	}
	history, reported := filepath.Join(t.TempDir(), "history.jsonl"), filepath.Join(t.TempDir(), "monitor.json")
	code, out, errs := planvetRun(t, "monitor", "--database-url", url, "--top", "0", "--format", "json", "--json-output", history)
	if err := os.WriteFile(reported, []byte(out), 0o644); err != nil || code != 0 {
		t.Fatal(err, code, errs)
	}
	for _, file := range []string{history, reported} {
		if got := weighed(t, checkWorkload(t, dir, "--statements", file)); !slices.Equal(got, want) {
			t.Errorf("%s: got  %s\nwant %s", filepath.Base(file), strings.Join(got, "\n     "), strings.Join(want, "\n     "))
		}
	}
	if _, out, _ := planvetRun(t, "monitor", "--database-url", url, "--top", "2", "--format", "json"); os.WriteFile(reported, []byte(out), 0o644) == nil {
		d := checkWorkload(t, dir, "--statements", reported)
		if len(d.Unresolved) != 1 || !strings.Contains(d.Unresolved[0].Reason, "--top 0 writes all") {
			t.Errorf("of a report of the first two: %+v", d.Unresolved)
		}
	}
}

// TestCheckStatementsRole finds, of a statement that the code has, what is slow for the
// role that the server saw alone: a policy keeps its index from it.
func TestCheckStatementsRole(t *testing.T) {
	conn := shadowtest.Connect(t, "create extension pg_stat_statements", "do $$ begin create role planvet_wl_app login; exception when duplicate_object then null; end $$",
		leakSchema, "grant select on notes to planvet_wl_app")
	dir := project(t, map[string]string{
		"planvet.yaml":       "version: 1\nqueries: queries/*.sql\n",
		"migrations/1_a.sql": "create role planvet_wl_app;\n" + leakSchema,
		"queries/n.sql":      "-- name: Find :many\nselect id from notes where price = $1;\n",
	})
	leaks := func(args ...string) int {
		n := 0
		for _, f := range checkWorkload(t, append([]string{dir}, args...)...).Findings {
			if f.Rule == "rls-leakproof" && f.Location.Path == "queries/n.sql" && f.Object.Role == "planvet_wl_app" {
				n++
			}
		}
		return n
	}
	ask := func(role string) {
		if _, err := conn.Exec(t.Context(), "set app.owner = '7b4a3f0e-0000-4000-8000-000000000000'; set role "+role+"; select id from notes where price = 3; reset role", pgx.QueryExecModeSimpleProtocol); err != nil {
			t.Fatal(err)
		}
	}
	ask("postgres") // policies do not bind it
	if n := leaks("--statements", conn.Config().ConnString()); n != 0 {
		t.Errorf("run by a superuser: %d findings", n)
	}
	ask("planvet_wl_app")
	if n := leaks("--statements", conn.Config().ConnString()); n != 1 {
		t.Errorf("run by the role: %d findings, want 1", n)
	}
}

const leakSchema = `create table notes (id bigint primary key, owner uuid not null, price numeric not null);
create index on notes (price);
create index on notes (owner);
alter table notes enable row level security;
create policy own on notes for select to planvet_wl_app using (owner = (select current_setting('app.owner')::uuid));
`

// TestCheckStatementsRefused has what cannot be read told in a line.
func TestCheckStatementsRefused(t *testing.T) {
	conn, dir := planWorkload(t), workloadProject(t)
	low := strings.Replace(conn.Config().ConnString(), "postgres@", "planvet_wl_low@", 1)
	d := checkWorkload(t, dir, "--statements", low)
	if len(d.Unresolved) != 1 || !strings.Contains(d.Unresolved[0].Reason, "hidden from planvet_wl_low: grant pg_read_all_stats to it") {
		t.Errorf("a role without rights: %+v", d.Unresolved)
	}
	if code, _, _ := planvetRun(t, "check", dir, "--statements", low, "--strict"); code != 3 {
		t.Errorf("--strict exits %d", code)
	}
	bare := shadowtest.Connect(t)
	other := filepath.Join(dir, "planvet.yaml")
	for _, c := range []struct {
		name, where, want string
		code              int
	}{
		{"no extension", bare.Config().ConnString(), "create extension pg_stat_statements", 3},
		{"no server", "postgres://planvet@127.0.0.1:1/x?connect_timeout=2", "127.0.0.1", 3},
		{"no file", filepath.Join(dir, "none.json"), "none.json", 2},
		{"another file", other, "no report of planvet monitor", 2},
		{"nothing", "", "name a URL", 2},
	} {
		code, out, errs := planvetRun(t, "check", dir, "--statements", c.where)
		if code != c.code || out != "" || strings.Count(errs, "\n") != 1 || !strings.Contains(errs, c.want) {
			t.Errorf("%s: exit %d, %s%s", c.name, code, out, errs)
		}
	}
}

// TestCheckStatementsAlone judges a server's statements by the schema and the statistics
// of that server, where the folder has none, and proves the findings on a throwaway one.
func TestCheckStatementsAlone(t *testing.T) {
	conn := planWorkload(t)
	for _, sql := range []string{"insert into calls_log select g, g % 500, 'n' || g, 'open', now() from generate_series(1, 20000) g", "analyze calls_log"} {
		if _, err := conn.Exec(t.Context(), sql); err != nil {
			t.Fatal(err)
		}
	}
	for range 20 {
		if _, err := conn.Exec(t.Context(), "select note from calls_log where guest = 7", pgx.QueryExecModeSimpleProtocol); err != nil {
			t.Fatal(err)
		}
	}
	d := checkWorkload(t, t.TempDir(), "--statements", conn.Config().ConnString(), "--confirm", "shadow")
	found := map[string]rules.Finding{}
	for _, f := range d.Findings {
		found[f.Rule+" "+strings.Join(f.Object.Columns, ",")+" "+string(f.Certainty)] = f
		if f.Location.Path != rules.WorkloadPath && f.Location.Path != "server-schema.sql" {
			t.Errorf("%s at %s", f.Message, f.Location.Path)
		}
	}
	guest := found["unindexed-where guest certain"]
	if guest.Verdict.Status != rules.Confirmed || guest.Verdict.Rows != 20000 || guest.Query.Workload.Calls != 40 {
		t.Errorf("of what ran 40 times: %+v", guest)
	}
	if f := found["rls-unindexed-predicate tenant certain"]; f.Rule == "" {
		t.Errorf("the policy of a table that statements read is not judged: %v", found)
	}
	_, text, _ := planvetRun(t, "check", t.TempDir(), "--statements", conn.Config().ConnString(), "--confirm", "shadow", "--rules", "unindexed-where")
	if !strings.Contains(text, "workload: 40 calls, ") {
		t.Errorf("the text has no calls:\n%s", text)
	}
	t.Log(text) // docs/monitor.md shows it
	// The project's own schema comes first.
	for _, f := range checkWorkload(t, workloadProject(t), "--statements", conn.Config().ConnString()).Findings {
		if f.Location.Path == "server-schema.sql" {
			t.Errorf("%s is of the server's schema", f.Message)
		}
	}
}
