package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/planvet/planvet/internal/casetest"
	"github.com/planvet/planvet/internal/shadow/shadowtest"
)

// TestShadowCommand starts a shadow that plans like production, asks it for a plan,
// interrupts it, and looks for what is left.
func TestShadowCommand(t *testing.T) {
	shadowtest.Server(t) // there is a PostgreSQL, or the test is skipped
	dir := project(t, map[string]string{
		"planvet.yaml":            "version: 1\nstatistics: stats.json\n",
		"migrations/1_visits.sql": "create table visits (id bigint primary key, guest bigint not null);\ncreate index visits_guest_idx on visits (guest);\n",
		"stats.json": `{"version": 1, "server": "15.18", "values": false, "settings": {"random_page_cost": "1.5"}, "tables": [
			{"schema": "public", "name": "visits", "rows": 3000000, "pages": 30000, "visible": 0,
			 "columns": [{"name": "guest", "null_fraction": 0, "width": 8, "distinct": 60000}],
			 "indexes": [{"name": "visits_guest_idx", "rows": 3000000, "pages": 9000}]}]}`,
	})
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, self, "shadow", dir, "--plan", "--verbose")
	cmd.Env = append(os.Environ(), "PLANVET_TEST_MAIN=1")
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	var errs strings.Builder
	cmd.Stderr = &errs
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatalf("%v: %s", err, errs.String())
	}
	u, err := url.Parse(strings.TrimSpace(line))
	if err != nil {
		t.Fatal(err)
	}
	text := explained(ctx, t, u.String(), "select * from visits where guest = 1")
	if !strings.Contains(text, "visits_guest_idx") || !strings.Contains(text, "rows=50 ") {
		t.Errorf("the plan is not production's:\n%s", text)
	}
	text = explained(ctx, t, u.String(), "select * from visits")
	if !strings.Contains(text, "cost=0.00..60000.00 rows=3000000") {
		t.Errorf("the size is not production's:\n%s", text)
	}
	if err := cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Errorf("interrupted, it ended with %v: %s", err, errs.String())
	}
	home := filepath.Dir(u.Query().Get("host"))
	if _, err := os.Stat(home); !os.IsNotExist(err) {
		t.Errorf("%s is left: %v", home, err)
	}
}

// TestStatsLoad loads a file into a running shadow, and is refused by a server that is
// none.
func TestStatsLoad(t *testing.T) {
	server := shadowtest.URL(t)
	conn, err := pgx.Connect(t.Context(), server)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.Background())
	if _, err := conn.Exec(t.Context(), "create table visits (id bigint primary key, guest bigint not null)"); err != nil {
		t.Fatal(err)
	}
	dir := project(t, map[string]string{"stats.json": `{"version": 1, "server": "15.18", "values": false, "settings": {}, "tables": [
		{"schema": "public", "name": "visits", "rows": 3000000, "pages": 30000, "visible": 0, "columns": [], "indexes": []}]}`})
	var out, errs bytes.Buffer
	if code := run(t.Context(), []string{"stats", "load", "--file", filepath.Join(dir, "stats.json"), "--database-url", server}, &out, &errs); code != 0 {
		t.Fatalf("exit code %d: %s", code, errs.String())
	}
	if text := explained(t.Context(), t, server, "select * from visits"); !strings.Contains(text, "rows=3000000") || !strings.Contains(out.String(), "loaded: 1, left out: 0") {
		t.Errorf("%s\n%s", out.String(), text)
	}
	other, err := url.Parse(server)
	if err != nil {
		t.Fatal(err)
	}
	q := other.Query()
	q.Set("planvet.shadow", "another")
	other.RawQuery = strings.ReplaceAll(q.Encode(), "+", "%20")
	errs.Reset()
	code := run(t.Context(), []string{"stats", "load", "--file", filepath.Join(dir, "stats.json"), "--database-url", other.String()}, &out, &errs)
	if code != 2 || strings.Count(errs.String(), "\n") != 1 || !strings.Contains(errs.String(), "this is none") {
		t.Errorf("exit code %d: %s", code, errs.String())
	}
}

func explained(ctx context.Context, t *testing.T, server, sql string) string {
	t.Helper()
	conn, err := pgx.Connect(ctx, server)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(ctx)
	rows, err := conn.Query(ctx, "explain "+sql)
	if err != nil {
		t.Fatal(err)
	}
	lines, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		t.Fatal(err)
	}
	return strings.Join(lines, "\n")
}

// project writes the files of a project and returns its folder.
func project(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	casetest.WriteFiles(t, dir, files)
	return dir
}

// What the throwaway server refuses of the migrations is listed, once.
func TestConfirmListsWhatTheServerRefused(t *testing.T) {
	shadowtest.Server(t)
	dir := project(t, map[string]string{
		"migrations/1_init.sql": "create extension no_such_extension;\ncreate table visits (id bigint primary key, guest bigint not null);\ncreate index on nowhere (id);\n",
		"queries.sql":           "-- name: VisitsOf :many\nselect id from visits where guest = $1;\n",
	})
	var out, errs bytes.Buffer
	if code := run(t.Context(), []string{"check", dir, "--confirm", "shadow", "--format", "json"}, &out, &errs); code != 1 {
		t.Fatalf("exit code %d: %s", code, errs.String())
	}
	var doc struct {
		NotApplied []struct {
			Location struct{ Line int }
			Error    string
		} `json:"not_applied"`
	}
	if err := json.Unmarshal(out.Bytes(), &doc); err != nil {
		t.Fatal(err)
	}
	lines := map[int]int{}
	for _, q := range doc.NotApplied {
		lines[q.Location.Line]++
	}
	if len(doc.NotApplied) != 2 || lines[1] != 1 || lines[3] != 1 || !strings.Contains(doc.NotApplied[0].Error, "throwaway PostgreSQL") {
		t.Errorf("not applied: %+v", doc.NotApplied)
	}
}

// A call that the replay does not follow may have made the index. Where the server ran
// it, the server knows; where it refused it, nothing is confirmed.
func TestCallThatMakesAnIndex(t *testing.T) {
	shadowtest.Server(t)
	const define = "create function define_index(col text, tab text) returns void language plpgsql as $$\n" +
		"begin execute format('create index on %I (%I)', tab, col); end\n$$;\n"
	for call, want := range map[string]string{
		define + "select define_index('guest', 'visits');\n": "refuted",
		"select vendor.define_index('guest', 'visits');\n":   "inconclusive",
		define + "select define_index('guest', 'rooms');\n":  "confirmed",
	} {
		dir := project(t, map[string]string{
			"migrations/1_init.sql": "create table visits (id bigint primary key, guest bigint not null);\n" +
				"create table rooms (id bigint primary key, guest bigint not null);\n" + call,
			"queries.sql": "-- name: VisitsOf :many\nselect id from visits where guest = $1;\n",
		})
		var out, errs bytes.Buffer
		run(t.Context(), []string{"check", dir, "--confirm", "shadow", "--format", "json"}, &out, &errs)
		var doc struct {
			Findings []struct {
				Certainty string
				Verdict   struct{ Status, Reason string }
			}
		}
		if err := json.Unmarshal(out.Bytes(), &doc); err != nil {
			t.Fatalf("%v: %s", err, errs.String())
		}
		if len(doc.Findings) != 1 || doc.Findings[0].Verdict.Status != want || (doc.Findings[0].Certainty == "certain") != (want == "confirmed") {
			t.Errorf("%s\nwanted %s: %+v", call, want, doc.Findings)
		}
	}
}

// Two folders that are taken for two databases may be one: where the other has an index or
// a policy that a table lacks, nothing of the table is confirmed.
func TestConfirmDoubtsTwins(t *testing.T) {
	shadowtest.Server(t)
	others := func(names ...string) (ddl string) {
		for _, n := range names {
			ddl += "create table " + n + " (id bigint primary key);\n"
		}
		return ddl
	}
	table := "create table shifts (id bigint primary key, guest bigint not null);\nalter table shifts enable row level security;\n"
	for _, c := range []struct{ name, more, want string }{
		{"a policy", "create policy own on shifts using (guest = 1);\n", "inconclusive"},
		{"nothing more", "", "confirmed"},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := project(t, map[string]string{
				"app/migrations/1_init.sql":  table + others("guests", "rooms", "visits", "keys", "bills"),
				"jobs/migrations/1_init.sql": table + others("queue", "runs", "workers", "locks", "logs") + c.more,
			})
			var out, errs bytes.Buffer
			if code := run(t.Context(), []string{"check", dir, "--rules", "rls-enabled-no-policy", "--confirm", "shadow", "--format", "json"}, &out, &errs); code != 0 {
				t.Fatalf("exit code %d: %s", code, errs.String())
			}
			var doc struct {
				Findings []struct {
					Location struct{ Path string }
					Verdict  struct{ Status, Reason string }
				}
			}
			if err := json.Unmarshal(out.Bytes(), &doc); err != nil {
				t.Fatal(err)
			}
			if len(doc.Findings) == 0 {
				t.Fatalf("no finding: %s%s", out.Bytes(), errs.Bytes())
			}
			for _, f := range doc.Findings {
				if strings.HasPrefix(f.Location.Path, "app/") && f.Verdict.Status != c.want {
					t.Errorf("%+v, want %s", f, c.want)
				}
			}
		})
	}
}
