package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/planvet/planvet/internal/companion"
	"github.com/planvet/planvet/internal/monitor"
	"github.com/planvet/planvet/internal/shadow/shadowtest"
)

// TestWatchSurvivesARestart stops a server under a watch and starts it again: once with
// its counters saved, once without.
func TestWatchSurvivesARestart(t *testing.T) {
	c := shadowtest.NewCluster(t)
	c.Connect(t, "postgres", "create extension pg_stat_statements", "create table things (id int primary key)")
	const planted = "select id from things where id = 7"
	work := func(n int) {
		conn := c.Connect(t, "postgres")
		for range n {
			if _, err := conn.Exec(t.Context(), planted); err != nil {
				t.Fatal(err)
			}
		}
	}
	history := filepath.Join(t.TempDir(), "history.jsonl")
	out, errs, stop := watching(t, "--database-url", c.URL("postgres"), "--format", "json", "--json-output", history, "--locks", "--pool-stats")
	out.wants(t, `(?m)^\{`, 1)
	work(50)
	out.wants(t, `select id from things`, 1)
	for i, save := range []string{"on", "off"} {
		c.Connect(t, "postgres", "alter system set pg_stat_statements.save = "+save, "select pg_reload_conf()", "select pg_sleep(0.2)")
		c.Stop()
		errs.wants(t, `(?m)^planvet: .*\n`, i+1)
		c.Start(t)
		work(3)
		out.wants(t, "did not answer from", i+1)
		out.wants(t, "the server was restarted at", i+1)
	}
	time.Sleep(1500 * time.Millisecond) // an interval without a restart
	if code := stop(); code != 0 {
		t.Errorf("exit %d: %s", code, errs)
	}
	if n := strings.Count(errs.String(), "\n"); n != 2 {
		t.Errorf("two restarts are told in %d lines:\n%s", n, errs)
	}
	var calls int64
	for in := json.NewDecoder(strings.NewReader(out.String())); in.More(); {
		var r monitor.Report
		if err := in.Decode(&r); err != nil {
			t.Fatal(err)
		}
		for _, q := range r.Top {
			if q.Calls <= 0 || q.ExecMS < 0 || q.Rows < 0 || q.MeanMS < 0 || q.StddevMS < 0 || q.Share < 0 || q.Share > 1 {
				t.Errorf("an impossible figure: %+v", q)
			}
			if strings.HasPrefix(q.SQL, "select id from things") {
				calls += q.Calls
			}
		}
		if r.Locks == nil || r.Locks.Deadlocks != 0 || r.Connections == nil {
			t.Errorf("locks %+v, connections %+v", r.Locks, r.Connections)
		}
	}
	// What was counted before a restart and saved is not counted again.
	if calls != 56 {
		t.Errorf("%d calls over two restarts, 56 were made", calls)
	}
	if code, text, errs := planvetRun(t, "monitor", "trends", "--history", history); code != 0 {
		t.Errorf("exit %d: %s%s", code, text, errs)
	}
}

// TestReadReplica asks a streaming standby what the commands ask a primary.
func TestReadReplica(t *testing.T) {
	primary := shadowtest.NewCluster(t)
	conn := primary.Connect(t, "postgres", "create extension pg_stat_statements", "create table things (id int primary key, club int, note text)",
		"insert into things select i, i % 500, 'note ' || i from generate_series(1, 20000) i", "analyze things")
	standby := primary.Standby(t)
	runCompanion(t, 0, "install", "--database-url", primary.URL("postgres"))
	standby.CatchUp(t, conn)
	url := standby.URL("postgres")
	reader := standby.Connect(t, "postgres")
	for i := range 40 {
		if _, err := reader.Exec(t.Context(), "select note from things where club = $1", i); err != nil {
			t.Fatal(err)
		}
	}
	code, out, errs := planvetRun(t, "monitor", "--database-url", url, "--format", "json", "--pool-stats", "--locks")
	var r monitor.Report
	if err := json.Unmarshal([]byte(out), &r); code != 0 || err != nil {
		t.Fatalf("exit %d, %v: %s", code, err, errs)
	}
	var rows int64
	for _, q := range r.Top {
		if q.SQL == "select note from things where club = $1" && q.Calls == 40 {
			rows = q.Rows
		}
	}
	if rows != 1600 || !r.Server.Replica || r.Locks == nil || r.Connections == nil {
		t.Errorf("%d rows, want 1600; %+v", rows, r.Server)
	}
	if _, out, _ := planvetRun(t, "monitor", "--database-url", url); !strings.Contains(out, ", PostgreSQL "+r.Server.Version+" (read replica): ") {
		t.Errorf("that it is a replica is not told:\n%s", out)
	}

	dir := t.TempDir()
	doc, page := filepath.Join(dir, "TOP.md"), filepath.Join(dir, "page.html")
	for name, args := range map[string][]string{
		"top-queries": {"top-queries", "--no-owners", "--database-url", url, "--output", doc},
		"dashboard":   {"dashboard", "--database-url", url, "--output", page},
		"explain":     {"explain", "--database-url", url, "--sql", "select note from things where club = $1", "--params", "[7]"},
		"status":      {"companion", "status", "--database-url", url},
	} {
		if code, out, errs := planvetRun(t, args...); code > 1 {
			t.Errorf("%s: exit %d: %s%s", name, code, out, errs)
		} else if name == "explain" && !strings.Contains(out, "create index") {
			t.Errorf("%s: %s", name, out)
		}
	}
	for path, want := range map[string]string{doc: "select note from things", page: "(read replica)"} {
		if text, err := os.ReadFile(path); err != nil || !strings.Contains(string(text), want) {
			t.Errorf("%s: %v, %s", path, err, text)
		}
	}
	var st companion.State
	out, _ = runCompanion(t, 0, "status", "--database-url", url, "--format", "json")
	if err := json.Unmarshal([]byte(out), &st); err != nil || st.Kind != companion.Companion {
		t.Errorf("%v: %+v", err, st)
	}
	// What writes is refused in one line.
	for _, what := range []string{"remove", "install"} {
		if code, out, errs := planvetRun(t, "companion", what, "--database-url", url); code < 2 && what == "remove" || strings.Count(errs, "\n") > 1 || code != 0 && !strings.Contains(errs, "replica") {
			t.Errorf("%s on a standby: exit %d, %q, %q", what, code, out, errs)
		}
	}
}

// TestMonitorEvictions has more statements than the server has room for, then a server whose
// extension is made and its library not loaded.
func TestMonitorEvictions(t *testing.T) {
	c := shadowtest.NewCluster(t, "pg_stat_statements.max = 100")
	conn := c.Connect(t, "postgres", "create extension pg_stat_statements")
	url, history := c.URL("postgres"), filepath.Join(t.TempDir(), "history.jsonl")
	out, errs, stop := watching(t, "--database-url", url, "--format", "json", "--top", "0", "--json-output", history)
	out.wants(t, `"interval"`, 1)
	for i := range 300 {
		if _, err := conn.Exec(t.Context(), "select 1 as planted"+strings.Repeat(", 1", i)); err != nil {
			t.Fatal(err)
		}
	}
	out.wants(t, `"interval"`, strings.Count(out.String(), `"interval"`)+2)
	if code := stop(); code != 0 {
		t.Errorf("exit %d: %s", code, errs)
	}
	planted := map[string]bool{}
	for in := json.NewDecoder(strings.NewReader(out.String())); in.More(); {
		var r monitor.Report
		if err := in.Decode(&r); err != nil {
			t.Fatal(err)
		}
		for _, q := range r.Top {
			if planted[q.SQL] = strings.Contains(q.SQL, "planted"); planted[q.SQL] && q.Calls != 1 || q.Calls <= 0 || q.ExecMS < 0 {
				t.Errorf("each was called once: %+v", q)
			}
		}
	}
	if len(planted) == 0 {
		t.Error("no statement that was left in is shown")
	}
	var version int
	if err := conn.QueryRow(t.Context(), "select current_setting('server_version_num')::int").Scan(&version); err != nil {
		t.Fatal(err)
	}
	if tells := version >= 140000; strings.Contains(out.String(), "raise pg_stat_statements.max") != tells {
		t.Errorf("evictions are told: %v, want %v", !tells, tells)
	}

	c = shadowtest.NewCluster(t, "shared_preload_libraries = ''")
	c.Connect(t, "postgres", "create extension pg_stat_statements")
	for _, args := range [][]string{{"monitor"}, {"top-queries", "--no-owners", "--output", filepath.Join(t.TempDir(), "TOP.md")}} {
		if code, _, errs := planvetRun(t, append(args, "--database-url", c.URL("postgres"))...); code != 2 || strings.Count(errs, "\n") != 1 || !strings.Contains(errs, "add it to shared_preload_libraries and restart") {
			t.Errorf("%s of a library that is not loaded: exit %d, %q", args[0], code, errs)
		}
	}
}
