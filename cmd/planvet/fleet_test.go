package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/planvet/planvet/internal/monitor"
	"github.com/planvet/planvet/internal/shadow/shadowtest"
)

// TestFleetPoolersAndHistory watches two servers, one of them behind a pooler, and keeps
// both in one database.
func TestFleetPoolersAndHistory(t *testing.T) {
	one, two := shadowtest.Connect(t, "create extension pg_stat_statements"), shadowtest.Connect(t, "create extension pg_stat_statements")
	team := shadowtest.URL(t)
	metrics := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer s3cret" {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		fmt.Fprintln(w, `supavisor_connections_active{tenant="a",user="app",db_name="shop",mode="transaction"} 3`)
	}))
	defer metrics.Close()
	dir := t.TempDir()
	file := filepath.Join(dir, "servers.txt")
	write := func(text string) {
		t.Helper()
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	first, second := "one "+one.Config().ConnString(), "two "+two.Config().ConnString()
	write(first + " supavisor=" + metrics.URL + "/metrics supavisor-token=s3cret\n" + second + "\n")
	for range 2 {
		code, out, errs := planvetRun(t, "monitor", "--targets", file, "--format", "json", "--pool-stats", "--json-output", team)
		if code != 0 {
			t.Fatalf("exit %d: %s", code, errs)
		}
		var doc struct{ Targets []monitor.Target }
		if err := json.Unmarshal([]byte(out), &doc); err != nil || len(doc.Targets) != 2 {
			t.Fatalf("%v\n%s", err, out)
		}
		if p := doc.Targets[0].Report.Pools; len(p) != 1 || p[0].Pooler != "supavisor" || p[0].Clients != 3 {
			t.Errorf("the first server's pools are %+v", p)
		}
		if p := doc.Targets[1].Report.Pools; len(p) != 0 {
			t.Errorf("the second server's pools are %+v", p)
		}
	}
	for _, name := range []string{"one", "two"} {
		code, out, errs := planvetRun(t, "monitor", "trends", "--history", team, "--target", name, "--format", "json")
		var trends monitor.Trends
		if err := json.Unmarshal([]byte(out), &trends); err != nil || code != 0 || trends.Readings != 2 {
			t.Errorf("history of %s: exit %d, %s%s, %v", name, code, out, errs, err)
		}
	}

	// A mistake names its line, a pooler that is down its server, and neither a secret.
	write(first + "\n" + second + " pgbouncr=postgres://u:s3cret@127.0.0.1:1/pgbouncer\n")
	if code, _, errs := planvetRun(t, "monitor", "--targets", file); code != 2 || !strings.Contains(errs, `servers.txt:2: unknown key "pgbouncr" of two; did you mean "pgbouncer"?`) || strings.Contains(errs, "s3cret") {
		t.Errorf("exit %d: %s", code, errs)
	}
	write(first + "\n" + second + " pgbouncer=postgres://u:s3cret@127.0.0.1:1/pgbouncer\n")
	if code, out, errs := planvetRun(t, "monitor", "--targets", file); code != 0 || !strings.Contains(errs, "two was not read: ") || strings.Contains(out+errs, "s3cret") {
		t.Errorf("exit %d: %s", code, errs)
	}
	for _, c := range []struct {
		args []string
		says string
	}{
		{[]string{"monitor", "--targets", file, "--pgbouncer", "postgres://127.0.0.1:1/pgbouncer"}, "write pgbouncer=URL behind each server's URL in the file of --targets"},
		{[]string{"monitor", "trends", "--history", filepath.Join(dir, "h.jsonl"), "--target", "one"}, "name the one of this server, like history.one.jsonl"},
	} {
		if code, _, errs := planvetRun(t, c.args...); code != 2 || !strings.Contains(errs, c.says) {
			t.Errorf("%v: exit %d: %s", c.args, code, errs)
		}
	}
}

// TestTrendsOfSnapshots reads what the companion kept, and says what is missing without.
func TestTrendsOfSnapshots(t *testing.T) {
	conn := shadowtest.Connect(t, "create extension pg_stat_statements")
	url := conn.Config().ConnString()
	args := []string{"monitor", "trends", "--snapshots", url, "--format", "json"}
	if code, _, errs := planvetRun(t, args...); code != 2 || !strings.Contains(errs, "run planvet companion install") {
		t.Errorf("exit %d: %s", code, errs)
	}
	if code, _, errs := planvetRun(t, "companion", "install", "--database-url", url); code != 0 {
		t.Fatalf("exit %d: %s", code, errs)
	}
	for range 3 {
		if _, err := conn.Exec(t.Context(), "select planvet.snapshot()"); err != nil {
			t.Fatal(err)
		}
		if _, err := conn.Exec(t.Context(), "update planvet.snapshots set taken_at = taken_at - interval '10 min'"); err != nil {
			t.Fatal(err)
		}
	}
	code, out, errs := planvetRun(t, args...)
	var trends monitor.Trends
	if err := json.Unmarshal([]byte(out), &trends); err != nil || code != 0 || trends.Readings != 3 {
		t.Errorf("exit %d, %+v, %v, %s", code, trends, err, errs)
	}
	if code, _, errs := planvetRun(t, append(args, "--history", "x")...); code != 2 || !strings.Contains(errs, "read one of them") {
		t.Errorf("exit %d: %s", code, errs)
	}
}
