package main

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/planvet/planvet/internal/audit"
	"github.com/planvet/planvet/internal/monitor"
	"github.com/planvet/planvet/internal/shadow/shadowtest"
)

// planvetRun runs the program and returns its exit code, and what it wrote.
func planvetRun(t *testing.T, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, errs bytes.Buffer
	code = run(t.Context(), args, &out, &errs)
	return code, out.String(), errs.String()
}

func TestMonitor(t *testing.T) {
	conn := shadowtest.Connect(t, "create extension pg_stat_statements", "create table things (id bigint primary key, note text)",
		"insert into things select i, 'thing, \"' || i from generate_series(1, 3000) i",
		"create function nap() returns boolean language plpgsql as $$ begin perform pg_sleep(0.012); return true; end $$")
	for i := range 30 {
		if _, err := conn.Exec(t.Context(), `select note, ', "' as x from things where nap() and id = $1`, i); err != nil {
			t.Fatal(err)
		}
	}
	url, dir := conn.Config().ConnString(), t.TempDir()
	log, sheet := filepath.Join(dir, "audit.jsonl"), filepath.Join(dir, "top.csv")
	code, out, errs := planvetRun(t, "monitor", "--database-url", url, "--format", "json", "--csv-output", sheet, "--audit", log, "--correlation-id", "pr-123")
	if code != 0 {
		t.Fatalf("exit %d: %s", code, errs)
	}
	var r monitor.Report
	if err := json.Unmarshal([]byte(out), &r); err != nil {
		t.Fatal(err)
	}
	if r.Version != 1 || r.CorrelationID != "pr-123" || len(r.Top) != min(r.Statements, 20) {
		t.Errorf("got %+v", r)
	}

	// CSV holds the same statements and figures.
	text, err := os.ReadFile(sheet)
	if err != nil {
		t.Fatal(err)
	}
	rows, err := csv.NewReader(bytes.NewReader(text)).ReadAll()
	if err != nil || len(rows) != len(r.Top)+1 {
		t.Fatalf("%d rows, %v", len(rows), err)
	}
	column := map[string]int{}
	for i, name := range rows[0] {
		column[name] = i
	}
	flagged := 0
	for i, q := range r.Top {
		row := rows[i+1]
		if row[column["sql"]] != q.SQL || row[column["calls"]] != strconv.FormatInt(q.Calls, 10) || row[column["exec_ms"]] != strconv.FormatFloat(q.ExecMS, 'g', -1, 64) {
			t.Errorf("row %d: %v, JSON has %+v", i+1, row, q)
		}
		for _, f := range q.Flags {
			if flagged++; f.Name != "slow-primary-key-lookup" || row[column["flags"]] != f.Name {
				t.Errorf("flag %+v of %s, CSV has %s", f, q.SQL, row[column["flags"]])
			}
		}
	}
	if flagged != 1 {
		t.Errorf("%d flags, want that of the lookup that naps", flagged)
	}

	// The audit log is one chain under one id, and a second run goes on with it.
	if code, _, errs := planvetRun(t, "monitor", "--conn", url, "--dump-audit", log, "--correlation-id", "pr-124"); code != 0 {
		t.Fatalf("exit %d: %s", code, errs)
	}
	f, err := os.Open(log)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if s, err := audit.Verify(f); err != nil || s.Events != 4 {
		t.Errorf("got %+v, %v; want a measurement and a finding of each run", s, err)
	}
	for _, format := range []string{"text", "markdown", "csv"} {
		code, out, errs := planvetRun(t, "monitor", "--database-url", url, "--format", format, "--sort", "mean", "--top", "3", "--pool-stats", "--locks")
		activity := format == "csv" || strings.Contains(strings.ToLower(out), "connections") && strings.Contains(out, "0 deadlocks")
		if code != 0 || !strings.Contains(out, "select note") || !activity {
			t.Errorf("%s: exit %d, %s%s", format, code, out, errs)
		}
	}
}

// TestMonitorHistory reads twice into a history, and shows its trends.
func TestMonitorHistory(t *testing.T) {
	conn := shadowtest.Connect(t, "create extension pg_stat_statements")
	url, file := conn.Config().ConnString(), filepath.Join(t.TempDir(), "history.jsonl")
	for range 2 {
		if code, _, errs := planvetRun(t, "monitor", "--database-url", url, "--json-output", file); code != 0 {
			t.Fatalf("exit %d: %s", code, errs)
		}
	}
	code, out, errs := planvetRun(t, "monitor", "trends", "--history", file)
	if code != 0 || !strings.Contains(out, "2 readings") || !strings.Contains(out, "0 of 0 statements changed") {
		t.Errorf("exit %d: %s%s", code, out, errs)
	}
	if code, _, errs := planvetRun(t, "monitor", "trends", "--history", file+"x"); code != 2 || !strings.Contains(errs, file+"x") {
		t.Errorf("exit %d: %s", code, errs)
	}
}

func TestMonitorRefuses(t *testing.T) {
	conn := shadowtest.Connect(t)
	url := conn.Config().ConnString()
	for _, c := range []struct {
		args []string
		code int
		says string
	}{
		{[]string{"monitor", "--database-url", url}, 2, "create extension pg_stat_statements"},
		{[]string{"monitor", "--database-url", url, "--sort", "cost"}, 2, `--sort "cost": use total`},
		{[]string{"monitor", "--database-url", url, "--top", "-1"}, 2, "--top -1"},
		{[]string{"monitor", "--database-url", url, "--correlation-id", "a b"}, 2, "correlation id"},
		{[]string{"monitor", "--database-url", url, "--audit", "/nowhere/audit"}, 3, "audit"},
		{[]string{"monitor", "--database-url", "postgres://u:s3cret@127.0.0.1:1/db"}, 3, "connecting to database db"},
		{[]string{"monitor"}, 2, "needs --database-url"},
	} {
		code, out, errs := planvetRun(t, c.args...)
		if code != c.code || !strings.Contains(errs, c.says) || strings.Contains(out+errs, "s3cret") || strings.Count(errs, "\n") != 1 {
			t.Errorf("%v: exit %d, %q; want %d and one line with %q", c.args[1:], code, errs, c.code, c.says)
		}
	}
}

// TestMonitorOwners names the code that sends a statement, by the project and by what
// querytrace recorded.
func TestMonitorOwners(t *testing.T) {
	conn := shadowtest.Connect(t, visits)
	for _, sql := range []string{"select note from visits where guest = $1", "select guest from visits where id = $1"} {
		if _, err := conn.Exec(t.Context(), sql, 5); err != nil {
			t.Fatal(err)
		}
	}
	dir := project(t, map[string]string{
		"planvet.yaml":       "version: 1\nqueries: queries/*.sql\n",
		"migrations/1_a.sql": "create table visits (id bigint primary key, guest bigint not null, note text);\n",
		"queries/visits.sql": "-- name: NotesOfGuest :many\nselect note from visits where guest = $1;\n",
	})
	url := conn.Config().ConnString()
	owners := func(args ...string) map[string]string {
		t.Helper()
		code, out, errs := planvetRun(t, append([]string{"monitor", "--database-url", url, "--format", "json"}, args...)...)
		var r monitor.Report
		if err := json.Unmarshal([]byte(out), &r); code != 0 || err != nil {
			t.Fatalf("exit %d, %v: %s", code, err, errs)
		}
		got := map[string]string{}
		for _, q := range r.Top {
			if q.Owner != "" {
				got[q.SQL] = q.Owner
			}
			if q.SQL == "select guest from visits where id = $1" {
				record := `{"v":1,"kind":"statement","fingerprint":"` + q.Fingerprint + `","file":"store/visits.go","line":12}` + "\n"
				if err := os.WriteFile(filepath.Join(dir, "traces.jsonl"), []byte(record), 0o644); err != nil {
					t.Fatal(err)
				}
			}
		}
		return got
	}
	if got := owners("--code", dir); len(got) != 1 || got["select note from visits where guest = $1"] != "queries/visits.sql:2" {
		t.Errorf("by the code: %v", got)
	}
	if got := owners("--code", dir, "--querytrace", dir); len(got) != 2 || got["select guest from visits where id = $1"] != "store/visits.go:12" {
		t.Errorf("by both: %v", got)
	}
	if _, out, _ := planvetRun(t, "monitor", "--database-url", url, "--code", dir); !strings.Contains(out, " is sent by queries/visits.sql:2\n") {
		t.Errorf("got %s", out)
	}
	if code, _, errs := planvetRun(t, "monitor", "--database-url", url, "--querytrace", filepath.Join(dir, "migrations")); code != 2 {
		t.Errorf("exit %d: %s", code, errs)
	}
}
