package main

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/planvet/planvet/internal/audit"
	"github.com/planvet/planvet/internal/investigate"
	"github.com/planvet/planvet/internal/shadow/shadowtest"
)

const visits = `create extension pg_stat_statements;
	create table visits (id bigint primary key, guest bigint not null, note text);
	insert into visits select i, i % 5000, 'visit ' || i from generate_series(1, 40000) i;
	analyze visits`

// events reads an audit log that must be unbroken.
func events(t *testing.T, path string) []audit.Event {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := audit.Verify(bytes.NewReader(text)); err != nil {
		t.Fatal(err)
	}
	var out []audit.Event
	for line := range strings.Lines(string(text)) {
		var e audit.Event
		if err := json.Unmarshal([]byte(line), &e); err != nil {
			t.Fatal(err)
		}
		out = append(out, e)
	}
	return out
}

func investigated(t *testing.T, args ...string) (*investigate.Report, []audit.Event) {
	t.Helper()
	log := filepath.Join(t.TempDir(), "audit.jsonl")
	code, out, errs := planvetRun(t, append([]string{"investigate", "--format", "json", "--audit", log, "--correlation-id", "pr-123"}, args...)...)
	if code != 0 {
		t.Fatalf("exit %d: %s", code, errs)
	}
	var r investigate.Report
	if err := json.Unmarshal([]byte(out), &r); err != nil {
		t.Fatal(err)
	}
	return &r, events(t, log)
}

// TestInvestigate is row 10: five sections under one id, in the report and in the log.
func TestInvestigate(t *testing.T) {
	conn := shadowtest.Connect(t, visits)
	url := conn.Config().ConnString()
	r, log := investigated(t, "--database-url", url, "--sql", "select note from visits where guest = $1", "--params", "[7]")
	var names []string
	for i, s := range r.Steps {
		if names = append(names, s.Name); s.Number != i+1 || s.Summary == "" {
			t.Errorf("step %+v", s)
		}
	}
	if strings.Join(names, " ") != "baseline explain plan rls-overhead fixes" {
		t.Errorf("steps %v", names)
	}
	if r.CorrelationID != "pr-123" || len(r.Queries) != 1 || r.Queries[0].CorrelationID != "pr-123" || r.Queries[0].Timing == nil {
		t.Errorf("got %+v", r)
	}
	steps := 0
	for _, e := range log {
		if e.ID != "pr-123" || e.Command != "investigate" {
			t.Errorf("event %+v", e)
		}
		if e.Kind == "step" {
			steps++
		}
	}
	if steps != 5 {
		t.Errorf("%d steps in the log", steps)
	}
	for format, want := range map[string][]string{
		"text": {"1 Baseline", "2 EXPLAIN", "3 Plan", "4 RLS overhead", "5 Fixes"}, "markdown": {"1. **Baseline**", "5. **Fixes**"}, "html": {"<strong>Fixes</strong>", "</html>"},
	} {
		code, out, errs := planvetRun(t, "investigate", "--database-url", url, "--sql", "select note from visits where guest = 7", "--format", format)
		for _, w := range want {
			if code != 0 || !strings.Contains(out, w) {
				t.Errorf("%s: exit %d, %s; no %q in\n%.2000s", format, code, errs, w, out)
			}
		}
	}
}

// TestInvestigateEndpoint finds the statement that makes an endpoint slow, among one
// that does not.
func TestInvestigateEndpoint(t *testing.T) {
	conn := shadowtest.Connect(t, visits)
	url := conn.Config().ConnString()
	pool, err := pgxpool.New(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer pool.Close()
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for _, sql := range []string{"select note from visits where id = $1", "select count(*) from visits where guest = $1"} {
			if _, err := pool.Exec(r.Context(), sql, 11); err != nil {
				t.Error(err)
			}
		}
	}))
	defer srv.Close()
	r, log := investigated(t, "--database-url", url, "--url", srv.URL+"/visits?token=s3cret", "--requests", "20", "--top", "1")
	if r.Endpoint == nil || r.Endpoint.Requests != 20 || r.Endpoint.P95 == nil || r.DatabaseShare == nil || strings.Contains(r.Subject, "s3cret") {
		t.Errorf("got %+v", r)
	}
	calls := map[string]int64{}
	for _, s := range r.Statements {
		calls[s.SQL] = s.Calls
	}
	if calls["select note from visits where id = $1"] != 22 || calls["select count(*) from visits where guest = $1"] != 22 {
		t.Errorf("calls %v, want 22 of each: 20 requests and 2 before them", calls)
	}
	if len(r.Queries) != 1 || !strings.Contains(r.Queries[0].SQL, "guest") {
		t.Errorf("explained %+v", r.Queries)
	}
	for _, e := range log {
		if e.ID != "pr-123" || strings.Contains(e.Subject, "s3cret") {
			t.Errorf("event %+v", e)
		}
	}
	for _, c := range []struct {
		args []string
		says string
	}{
		{[]string{"--url", srv.URL, "--sql", "select 1"}, "exclude each other"},
		{[]string{"--url", "localhost"}, "--url: write http"},
		{[]string{"--url", srv.URL, "--requests", "0"}, "--requests 0"},
		{nil, "needs a statement"},
	} {
		code, _, errs := planvetRun(t, append([]string{"investigate", "--database-url", url}, c.args...)...)
		if code != 2 || !strings.Contains(errs, c.says) {
			t.Errorf("%v: exit %d, %s", c.args, code, errs)
		}
	}
}
