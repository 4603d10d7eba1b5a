package main

import (
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/planvet/planvet/internal/monitor"
	"github.com/planvet/planvet/internal/shadow/shadowtest"
)

// TestMonitorOldExtension has a server that was upgraded and the extension was not: each
// version that can be made gives full figures, those that it does not count are 0.
func TestMonitorOldExtension(t *testing.T) {
	conn := shadowtest.Connect(t, "create table things as select generate_series(1, 100) as id")
	for _, version := range []string{"1.4", "1.5", "1.6", "1.7", "1.8"} {
		for _, sql := range []string{"drop extension if exists pg_stat_statements", "create extension pg_stat_statements version '" + version + "'", "select pg_stat_statements_reset()"} {
			if _, err := conn.Exec(t.Context(), sql); err != nil {
				t.Fatal(err)
			}
		}
		for i := range 3 {
			if _, err := conn.Exec(t.Context(), "select id from things where id > $1", 90+i); err != nil {
				t.Fatal(err)
			}
		}
		code, out, errs := planvetRun(t, "monitor", "--database-url", conn.Config().ConnString(), "--format", "json")
		var r monitor.Report
		if err := json.Unmarshal([]byte(out), &r); err != nil || code != 0 || errs != "" {
			t.Fatalf("%s: exit %d, %s, %v", version, code, errs, err)
		}
		i := slices.IndexFunc(r.Top, func(q monitor.Query) bool { return strings.HasPrefix(q.SQL, "select id from things") })
		if i < 0 || r.Server.Extension != version {
			t.Fatalf("%s: the statement is not there:\n%s", version, out)
		}
		if q := r.Top[i]; q.Calls != 3 || q.Rows != 10+9+8 || q.ExecMS <= 0 || q.MaxMS == nil || *q.MaxMS <= 0 || q.Hit+q.Read == 0 || !q.TopLevel || q.WALBytes != 0 {
			t.Errorf("%s: %+v", version, q)
		}
	}
}

// keys are the paths of a JSON value's keys; all elements of a list have one path.
func keys(at string, v any, into map[string]bool) {
	switch v := v.(type) {
	case map[string]any:
		for k, x := range v {
			into[at+"."+k] = true
			keys(at+"."+k, x, into)
		}
	case []any:
		for _, x := range v {
			keys(at+"[]", x, into)
		}
	}
}

// TestMonitorKeys: the report has the same keys on every version (row 31), which runs by
// PLANVET_TEST_PG_MAJOR. Before 14 the extension does not tell since when it counts.
func TestMonitorKeys(t *testing.T) {
	conn := shadowtest.Connect(t, "create extension pg_stat_statements", "create table things as select i as id, repeat('x', 500) as text from generate_series(1, 20000) i",
		"select count(*) from things where text > 'a'", "select id from things where id < 5")
	code, out, errs := planvetRun(t, "monitor", "--database-url", conn.Config().ConnString(), "--format", "json", "--top", "0", "--pool-stats", "--locks")
	if code != 0 {
		t.Fatalf("exit %d: %s", code, errs)
	}
	var v any
	if err := json.Unmarshal([]byte(out), &v); err != nil {
		t.Fatal(err)
	}
	have := map[string]bool{}
	keys("", v, have)
	if shadowtest.Server(t).Major() < 14 {
		have[".from"] = true
	}
	const golden = "testdata/monitor_keys.txt"
	got := strings.Join(slices.Sorted(maps.Keys(have)), "\n") + "\n"
	if os.Getenv("UPDATE") != "" {
		if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("keys are\n%swant\n%s", got, want)
	}
}

// TestThroughPgBouncer sends the commands that ask a server through a pooler in
// transaction mode, where no statement is sure to find the connection of the one before.
func TestThroughPgBouncer(t *testing.T) {
	conn := shadowtest.Connect(t, "create extension pg_stat_statements", "create table plays (id bigint primary key, player_id bigint, note text)",
		"insert into plays select i, i % 5000, 'x' || i from generate_series(1, 20000) i", "vacuum analyze plays")
	for i := range 7 {
		if _, err := conn.Exec(t.Context(), "select note from plays where player_id = $1", i); err != nil {
			t.Fatal(err)
		}
	}
	through, console := shadowtest.PgBouncer(t, conn, 2)
	dir := t.TempDir()
	doc, page := filepath.Join(dir, "top.md"), filepath.Join(dir, "page.html")
	for _, c := range []struct {
		args []string
		file string
		says []string
	}{
		{[]string{"monitor", "--pool-stats", "--locks", "--pgbouncer", console}, "", []string{"select note from plays", "app/postgres", "0 deadlocks"}},
		{[]string{"monitor", "--interval", "100ms", "--format", "json"}, "", []string{`"interval": true`}},
		{[]string{"monitor", "--rls-overhead"}, "", []string{"select note from plays"}},
		{[]string{"top-queries", "--no-owners", "--output", doc}, doc, []string{"select note from plays"}},
		{[]string{"explain", "--sql", "select note from plays where player_id = 7", "--runs", "2"}, "", []string{"Seq Scan on plays", "an index on plays (player_id)"}},
		{[]string{"dashboard", "--output", page}, page, []string{"select note from plays", "<html"}},
	} {
		code, out, errs := planvetRun(t, append(c.args, "--database-url", through)...)
		if c.file != "" {
			text, err := os.ReadFile(c.file)
			if err != nil {
				t.Errorf("%s: %v", c.args, err)
			}
			out += string(text)
		}
		for _, want := range c.says {
			if !strings.Contains(out, want) {
				t.Errorf("%s: exit %d, %q is not in %.2000s", c.args, code, want, out)
			}
		}
		if code != 0 {
			t.Errorf("%s: exit %d, %s", c.args, code, errs)
		}
	}
	shown, told, stop := watching(t, "--database-url", through, "--format", "json", "--pool-stats")
	shown.wants(t, `(?m)^\{`, 3)
	if code := stop(); code != 0 || told.String() != "" {
		t.Errorf("a watch: exit %d, %s", code, told)
	}
}
