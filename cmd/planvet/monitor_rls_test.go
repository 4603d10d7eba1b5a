package main

import (
	"encoding/csv"
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/planvet/planvet/internal/monitor"
	"github.com/planvet/planvet/internal/shadow/shadowtest"
)

// TestMonitorRLSOverhead has one table whose policy calls auth.uid() for each of 100,000
// rows, and one whose policy calls it once (row 22).
func TestMonitorRLSOverhead(t *testing.T) {
	const table = `create table %t (id bigint generated always as identity primary key, owner uuid not null, note text);
		insert into %t (owner, note) select ('00000000-0000-0000-0000-' || lpad((i % 1000)::text, 12, '0'))::uuid, 'n' || i from generate_series(1, 100000) i;
		alter table %t enable row level security;
		create policy own on %t for select using (owner = %p);
		grant select on %t to authenticated;`
	made := func(name, call string) string {
		return strings.NewReplacer("%t", name, "%p", call).Replace(table)
	}
	conn := shadowtest.Connect(t, "create extension pg_stat_statements", "create schema auth",
		"do $$ begin create role authenticated nologin; exception when duplicate_object then null; end $$",
		`create function auth.uid() returns uuid language sql stable as $$ select nullif(current_setting('request.jwt.claims', true)::json ->> 'sub', '')::uuid $$`,
		"grant usage on schema auth to authenticated",
		made("per_row", "auth.uid()"), made("wrapped", "(select auth.uid())"),
		"create table open_to_all as select i as id, 'x' as note from generate_series(1, 10) i", "analyze", "select pg_stat_statements_reset()")
	for _, sql := range []string{"select count(*) from per_row where note <> 'a'", "select count(*) from wrapped where note <> 'a'", "select note from open_to_all where id = 3", "update wrapped set note = 'x' where id = 3"} {
		if _, err := conn.Exec(t.Context(), sql); err != nil {
			t.Fatal(err)
		}
	}
	url := conn.Config().ConnString()
	run := func(args ...string) string {
		t.Helper()
		code, out, errs := planvetRun(t, append([]string{"monitor", "--database-url", url, "--rls-overhead", "--claims", `{"sub": "00000000-0000-0000-0000-000000000007"}`, "--top", "0"}, args...)...)
		if code != 0 {
			t.Fatalf("exit %d: %s", code, errs)
		}
		return out
	}
	var r monitor.Report
	if err := json.Unmarshal([]byte(run("--format", "json")), &r); err != nil {
		t.Fatal(err)
	}
	costs := map[string]*monitor.RLSCost{}
	for _, q := range r.Top {
		if q.RLS != nil {
			costs[q.SQL] = q.RLS
		}
	}
	slow, fast := costs["select count(*) from per_row where note <> $1"], costs["select count(*) from wrapped where note <> $1"]
	if len(costs) != 2 || slow == nil || fast == nil || slow.MS == nil || fast.MS == nil {
		t.Fatalf("%d statements have a cost, %+v, %+v", len(costs), slow, fast)
	}
	if slow.Role != "authenticated" || *slow.MS < 5**fast.MS || *slow.MS < 10 || *slow.Ratio < 3 || len(slow.PerRow) == 0 || len(fast.PerRow) != 0 {
		t.Errorf("per row %+v (%g ms), wrapped %+v (%g ms)", slow, *slow.MS, fast, *fast.MS)
	}

	rows, err := csv.NewReader(strings.NewReader(run("--format", "csv"))).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	measured, at := 0, slices.Index(rows[0], "rls_overhead_ms")
	for _, row := range rows[1:] {
		if row[at] != "" {
			measured++
		}
	}
	if measured != 2 {
		t.Errorf("%d rows of CSV have a cost", measured)
	}
	for _, format := range []string{"text", "markdown"} {
		if out := run("--format", format); !strings.Contains(out, "RLS/call") || !strings.Contains(out, "called for each row") || strings.Contains(out, "00000007") {
			t.Errorf("%s:\n%s", format, out)
		}
	}
	// What nobody vouches for is not called, and what it is is told.
	if _, err := conn.Exec(t.Context(), `create function danger() returns uuid language plpgsql as $$ begin raise 'it was called'; end $$;
		alter policy own on per_row using (owner = danger())`); err != nil {
		t.Fatal(err)
	}
	if out := run(); !strings.Contains(out, "not measured as") || !strings.Contains(out, "danger") || strings.Contains(out, "it was called") {
		t.Errorf("a function that nobody vouches for:\n%s", out)
	}
	for _, args := range [][]string{{"--watch"}, {"--listen", "127.0.0.1:0"}, {"--claims", "x"}} {
		if code, _, errs := planvetRun(t, append([]string{"monitor", "--database-url", url, "--rls-overhead"}, args...)...); code != 2 {
			t.Errorf("%v: exit %d: %s", args, code, errs)
		}
	}
	if code, _, errs := planvetRun(t, "monitor", "--database-url", url, "--role", "x"); code != 2 || !strings.Contains(errs, "--role is of --rls-overhead") {
		t.Errorf("exit %d: %s", code, errs)
	}
}
