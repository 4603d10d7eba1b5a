package main

import (
	"context"
	"encoding/json"
	"fmt"
	"html"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/planvet/planvet/internal/dashboard"
	"github.com/planvet/planvet/internal/report"
	"github.com/planvet/planvet/internal/shadow/shadowtest"
)

const (
	recordedResults = "../../internal/bench/results/testdata/results.json"
	recordedSLOs    = "../../internal/bench/slo/testdata/slos.json"
)

// TestDashboard makes the page of a history that monitor wrote, of a server now, and of
// a benchmark's results; the figures are those that monitor has.
func TestDashboard(t *testing.T) {
	conn := shadowtest.Connect(t, "create extension pg_stat_statements", "create table things (id bigint primary key, note text)",
		"insert into things select i, 'thing ' || i from generate_series(1, 3000) i")
	url, dir := conn.Config().ConnString(), t.TempDir()
	history, page := filepath.Join(dir, "history.jsonl"), filepath.Join(dir, "page.html")
	load := func(n int) {
		for i := range n {
			if _, err := conn.Exec(t.Context(), "select note from things where id = $1", i); err != nil {
				t.Fatal(err)
			}
		}
	}
	monitor := func() {
		if code, _, errs := planvetRun(t, "monitor", "--database-url", url, "--history", history, "--pool-stats", "--locks"); code != 0 {
			t.Fatalf("exit %d: %s", code, errs)
		}
	}
	figures := func(args ...string) (d dashboard.Dashboard) {
		t.Helper()
		code, out, errs := planvetRun(t, append([]string{"dashboard", "--format", "json"}, args...)...)
		if code != 0 {
			t.Fatalf("exit %d: %s", code, errs)
		}
		if err := json.Unmarshal([]byte(out), &d); err != nil {
			t.Fatal(err)
		}
		return d
	}
	calls := func(d *dashboard.Dashboard) int64 {
		for _, q := range d.Statements.Top {
			if strings.HasPrefix(q.SQL, "select note from things") {
				return q.Calls
			}
		}
		return 0
	}
	load(20)
	monitor()
	load(30)
	monitor()
	load(50)
	monitor()
	d := figures("--history", history, "--results", recordedResults, "--slo-file", recordedSLOs)
	if calls(&d) != 80 || !d.Interval || d.Readings != 3 || len(d.Statements.Load) != 2 || d.Locks == nil || d.Connections == nil || d.Selectivity == nil || len(d.Flows) != 3 || len(d.Objectives) != 7 {
		t.Errorf("of the history: %d calls in %d readings; %+v", calls(&d), d.Readings, d.Panels)
	}
	if d = figures("--database-url", url); calls(&d) != 100 || d.Interval || d.Run != nil || d.Connections.Now == nil {
		t.Errorf("of now: %d calls; %+v", calls(&d), d.Panels)
	}
	load(5)
	// The history goes on with what the server has now.
	if d = figures("--history", history, "--database-url", url); calls(&d) != 85 || d.Readings != 4 {
		t.Errorf("of both: %d calls in %d readings", calls(&d), d.Readings)
	}
	if d = figures("--database-url", url, "--interval", "1s"); !d.Interval || d.Readings != 2 || calls(&d) != 0 {
		t.Errorf("of two readings: %d calls", calls(&d))
	}
	t.Setenv("DATABASE_URL", "postgres://nobody@127.0.0.1:1/x")
	if d = figures("--history", history); d.Readings != 3 { // the environment's server is not asked
		t.Errorf("%d readings", d.Readings)
	}
	code, out, errs := planvetRun(t, "dashboard", "--history", history, "--output", page)
	text, err := os.ReadFile(page)
	if code != 0 || out != "" || !strings.Contains(errs, "wrote "+page) || err != nil || !strings.Contains(string(text), "select note from things") {
		t.Errorf("exit %d, %q, %q, %v", code, out, errs, err)
	}
	other := shadowtest.Connect(t, "create extension pg_stat_statements").Config()
	if code, _, errs := planvetRun(t, "dashboard", "--history", history, "--database-url", other.ConnString()); code != 2 || !strings.Contains(errs, "the history is of the database "+conn.Config().Database+", --database-url names "+other.Database) {
		t.Errorf("the history of one database and another: exit %d, %s", code, errs)
	}
}

// TestDashboardServe sees new figures after load, and new results when their file is.
func TestDashboardServe(t *testing.T) {
	conn := shadowtest.Connect(t, "create extension pg_stat_statements", "create table things (id bigint primary key)")
	results := filepath.Join(t.TempDir(), "results.json")
	text, err := os.ReadFile(recordedResults)
	if err != nil {
		t.Fatal(err)
	}
	write := func(id string) {
		if err := os.WriteFile(results, []byte(strings.ReplaceAll(string(text), "pr-123", id)), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("pr-200")
	ctx, cancel := context.WithCancel(t.Context())
	var errs pipe
	done := make(chan int, 1)
	go func() {
		done <- run(ctx, []string{"dashboard", "--database-url", conn.Config().ConnString(), "--results", results, "--serve", "0", "--interval", "1s"}, io.Discard, &errs)
	}()
	var base string
	wait := func(what string, ok func() bool) {
		t.Helper()
		for end := time.Now().Add(30 * time.Second); !ok(); time.Sleep(50 * time.Millisecond) {
			if time.Now().After(end) {
				t.Fatalf("never came: %s; it said %s", what, errs.String())
			}
		}
	}
	wait("the address", func() bool {
		base = regexp.MustCompile(`http://127\.0\.0\.1:\d+/`).FindString(errs.String())
		return base != ""
	})
	page := func() string {
		res, err := http.Get(base)
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		body, err := io.ReadAll(res.Body)
		if err != nil {
			t.Fatal(err)
		}
		return string(body)
	}
	if p := page(); strings.Contains(p, "count(*) from things") || !strings.Contains(p, "Benchmark pr-200") {
		t.Error("the first page is not of what is there")
	}
	for i := range 10 {
		if _, err := conn.Exec(t.Context(), fmt.Sprintf("select count(*) from things where id > %d", i)); err != nil {
			t.Fatal(err)
		}
	}
	write("pr-201")
	wait("the new figures", func() bool {
		p := page()
		return strings.Contains(p, "count(*) from things") && strings.Contains(p, "Benchmark pr-201")
	})
	cancel()
	if code := <-done; code != 0 {
		t.Errorf("exit %d: %s", code, errs.String())
	}
}

// namedCommand is a command on a page.
var namedCommand = regexp.MustCompile(`<code>(planvet [^<]+)</code>`)

// TestDashboardNamesCommands holds every command that a page names, where figures are
// missing and where they are there, against those that there are.
func TestDashboardNamesCommands(t *testing.T) {
	dir := t.TempDir()
	conn := shadowtest.Connect(t, "create extension pg_stat_statements", "select 1")
	pages := ""
	for name, args := range map[string][]string{
		"bench.html": {"--results", "../../internal/bench/results/testdata/results.json", "--slo-file", "../../internal/bench/slo/testdata/slos.json"},
		"now.html":   {"--database-url", conn.Config().ConnString()},
	} {
		path := filepath.Join(dir, name)
		if code, _, errs := planvetRun(t, append([]string{"dashboard", "--output", path}, args...)...); code != 0 {
			t.Fatalf("exit %d: %s", code, errs)
		}
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, id := range strings.Split(string(text), `<section id="panel-`)[1:] {
			if !strings.Contains(id, "<code>planvet ") {
				t.Errorf("%s: panel %s names no command", name, id[:strings.Index(id, `"`)])
			}
		}
		pages += string(text)
	}
	seen := map[string]bool{}
	for _, m := range namedCommand.FindAllStringSubmatch(pages, -1) {
		for _, command := range strings.Split(html.UnescapeString(m[1]), "; ") {
			seen[command] = true
		}
	}
	if len(seen) < 8 {
		t.Errorf("%d commands", len(seen))
	}
	for command := range seen {
		args := strings.Fields(command)
		code := report.ExitClean
		app := newApp(io.Discard, io.Discard, &code)
		ordered, err := reorder(app, args[1:])
		if err != nil || args[0] != "planvet" || findCommand(app.Commands, ordered[0]) == nil {
			t.Errorf("%s: %v", command, err)
		}
	}
}
