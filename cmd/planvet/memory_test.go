package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/planvet/planvet/internal/memory"
	"github.com/planvet/planvet/internal/shadow/shadowtest"
)

// Two processes at a time that add one entry after the other, from no memory at all, lose
// none: real processes, on both stores.
func TestMemoryOfTwoProcesses(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	const each = 12
	for name, place := range map[string]string{"sqlite": filepath.Join(t.TempDir(), "new", "memory.db"), "postgres": shadowtest.URL(t)} {
		t.Run(name, func(t *testing.T) {
			var wg sync.WaitGroup
			for writer := range 2 {
				wg.Go(func() {
					for i := range each {
						cmd := exec.CommandContext(t.Context(), self, "memory", "add", "--store", place, "--task", fmt.Sprintf("try %d of %d", i, writer), "--outcome", "success")
						cmd.Env = append(os.Environ(), "PLANVET_TEST_MAIN=1")
						if out, err := cmd.CombinedOutput(); err != nil || !strings.HasPrefix(string(out), "added ") {
							t.Errorf("%v: %s", err, out)
						}
					}
				})
			}
			wg.Wait()
			code, out, errs := planvetRun(t, "memory", "list", "--store", place, "--limit", "0", "--format", "json")
			var d memory.Document
			if err := json.Unmarshal([]byte(out), &d); err != nil || code != 0 {
				t.Fatalf("exit %d: %v %s", code, err, errs)
			}
			tasks := map[string]bool{}
			for _, e := range d.Entries {
				tasks[e.Task] = true
			}
			if len(d.Entries) != 2*each || len(tasks) != 2*each {
				t.Errorf("%d entries of %d tasks, want %d", len(d.Entries), len(tasks), 2*each)
			}
		})
	}
}

// What helped before is told beside the finding and beside the explained statement, by
// text, checklist and JSON; without a memory nothing is.
func TestRemembered(t *testing.T) {
	conn := shadowtest.Connect(t, "create table visits (id bigint primary key, guest bigint not null)", "insert into visits select i, i % 900 from generate_series(1, 20000) i", "analyze visits")
	url := conn.Config().ConnString()
	const query = "select id from visits where guest = $1"
	dir := project(t, map[string]string{
		"planvet.yaml":            "version: 1\n",
		"migrations/1_visits.sql": "create table visits (id bigint primary key, guest bigint not null);\n",
		"queries.sql":             "-- name: VisitsOf :many\n" + query + ";\n",
	})
	t.Setenv("PLANVET_MEMORY", "")
	t.Chdir(dir)
	confirm := []string{"check", "--confirm", "live", "--database-url", url}
	asking := []string{"explain", "--sql", query, "--database-url", url, "--params", "[7]", "--no-advice"}
	for _, args := range [][]string{confirm, asking} {
		if _, out, errs := planvetRun(t, args...); strings.Contains(out+errs, "remembered") || strings.Contains(out+errs, "memory") {
			t.Errorf("without a memory:\n%s%s", out, errs)
		}
	}
	if _, err := os.Stat(filepath.Join(dir, ".planvet")); err == nil {
		t.Error("a memory was made")
	}
	if code, _, errs := planvetRun(t, "memory", "add", "--task", "visits of a guest", "--outcome", "success", "--pattern", "an index on guest", "--p95-before", "450", "--p95-after", "85", "--sql", "select id from visits where guest = 7", "--rule", "unindexed-where"); code != 0 {
		t.Fatal(errs)
	}
	const want = "the same shape was fixed by an index on guest: p95 450 ms → 85.0 ms (−81 %)"
	for _, args := range [][]string{
		confirm, append(confirm, "--format", "checklist"), append(confirm, "--format", "json"), append(confirm, "--format", "jsonl"), append(confirm, "--format", "markdown"), append(confirm, "--format", "html"),
		asking, append(asking, "--format", "markdown"), append(asking, "--format", "json"), append(asking, "--format", "html"),
	} {
		if _, out, errs := planvetRun(t, args...); !strings.Contains(strings.Join(strings.Fields(out), " "), want) {
			t.Errorf("%v:\n%s%s", args, out, errs)
		}
	}
	if _, out, _ := planvetRun(t, "check"); strings.Contains(out, "remembered") {
		t.Errorf("check without --confirm:\n%s", out)
	}
	// A memory that cannot be read is said, and changes neither report nor exit code.
	t.Setenv("PLANVET_MEMORY", "postgres://nobody:hunter2@127.0.0.1:1/none")
	code, out, errs := planvetRun(t, confirm...)
	if strings.Contains(errs, "hunter2") || !strings.Contains(errs, "; nothing is recalled") || !strings.Contains(out, "unindexed-where") || code == 2 || code == 3 {
		t.Errorf("exit %d: %s%s", code, out, errs)
	}
}

// The report of a check becomes entries, once.
func TestMemoryFromCheck(t *testing.T) {
	shadowtest.Server(t)
	dir := project(t, map[string]string{
		"migrations/1_visits.sql": "create table visits (id bigint primary key, guest bigint not null);\n",
		"queries.sql":             "-- name: VisitsOf :many\nselect id from visits where guest = $1;\n",
		"planvet.yaml":            "version: 1\n",
	})
	t.Setenv("PLANVET_MEMORY", "")
	t.Chdir(dir)
	if code, _, errs := planvetRun(t, "check", "--confirm", "shadow", "--format", "json", "--output", "check.json"); code != 1 {
		t.Fatalf("exit %d: %s", code, errs)
	}
	log := filepath.Join(t.TempDir(), "audit.jsonl")
	for _, want := range []string{"added check-", "there already"} {
		if code, out, errs := planvetRun(t, "memory", "add", "--from", "check.json", "--lesson", "guest is asked for", "--audit", log, "--correlation-id", "pr-7"); code != 0 || !strings.Contains(out, want) {
			t.Errorf("exit %d: %s%s", code, out, errs)
		}
	}
	code, out, errs := planvetRun(t, "memory", "search", "guest index", "--tag", "indexing", "--rule", "unindexed-where")
	if code != 0 || !strings.Contains(out, "confirmed") || !strings.Contains(out, "cost ") || !strings.Contains(out, ", estimated") || !strings.Contains(out, "guest is asked for") {
		t.Errorf("exit %d: %s%s", code, out, errs)
	}
	if code, out, _ := planvetRun(t, "audit", "verify", log); code != 0 || !strings.Contains(out, "2 events") {
		t.Error(out)
	}
	if text, err := os.ReadFile(log); err != nil || !strings.Contains(string(text), `"id":"pr-7"`) || !strings.Contains(string(text), `"cmd":"memory add","kind":"memory","subject":"check-`) {
		t.Errorf("%v %s", err, text)
	}
	// The finding itself is not told of its own proposal.
	var b, e bytes.Buffer
	if run(t.Context(), []string{"check", "--confirm", "shadow"}, &b, &e); strings.Contains(b.String(), "remembered") {
		t.Error(b.String())
	}
}

// The team's PostgreSQL takes the same commands; what it would be sent is told first.
func TestMemoryInPostgres(t *testing.T) {
	conn := shadowtest.Connect(t)
	t.Setenv("PLANVET_MEMORY", conn.Config().ConnString())
	add := []string{"memory", "add", "--task", "Query optimization for visits table", "--outcome", "success", "--pattern", "Index addition + query rewrite", "--lesson", "Composite index on (casino_id, player_id) critical for RLS", "--p95-before", "450", "--p95-after", "85"}
	if code, out, errs := planvetRun(t, "memory", "list"); code != 2 || out != "" || !strings.Contains(errs, "there is no memory in database ") {
		t.Errorf("exit %d: %s%s", code, out, errs)
	}
	code, plan, errs := planvetRun(t, append(add, "--dry-run")...)
	if code != 0 || !strings.Contains(plan, "create schema planvet_memory;") || !strings.Contains(plan, `-- would add: {"version":1`) {
		t.Fatalf("exit %d: %s%s", code, plan, errs)
	}
	if _, err := conn.Exec(t.Context(), "begin; "+plan+"; rollback"); err != nil {
		t.Errorf("the SQL that is told cannot be run: %v", err)
	}
	if code, _, errs := planvetRun(t, "memory", "list"); code != 2 {
		t.Errorf("--dry-run has made it: exit %d: %s", code, errs)
	}
	for _, args := range [][]string{{"memory", "add", "--task", "another index", "--outcome", "success"}, add} {
		if code, _, errs := planvetRun(t, args...); code != 0 {
			t.Fatalf("exit %d: %s", code, errs)
		}
	}
	if code, plan, _ := planvetRun(t, append(add, "--dry-run")...); code != 0 || strings.Contains(plan, "create") {
		t.Error(plan)
	}
	if code, out, errs := planvetRun(t, "memory", "search", "RLS index"); code != 0 || !strings.HasPrefix(out, "Query optimization for visits table  success\n") || !strings.Contains(out, "(−81 %)") {
		t.Errorf("exit %d: %s%s", code, out, errs)
	}
	// To a file, and the same from there.
	file := filepath.Join(t.TempDir(), "lines.jsonl")
	local := filepath.Join(t.TempDir(), "memory.db")
	if code, _, errs := planvetRun(t, "memory", "export", "-o", file); code != 0 {
		t.Fatal(errs)
	}
	for _, want := range []string{"added 2 of 2 entries", "added 0 of 2 entries"} {
		if code, out, errs := planvetRun(t, "memory", "import", file, "--store", local); code != 0 || !strings.HasPrefix(out, want) {
			t.Errorf("exit %d: %s%s", code, out, errs)
		}
	}
	text, err := os.ReadFile(file)
	if code, out, _ := planvetRun(t, "memory", "export", "--store", local); err != nil || code != 0 || out != string(text) {
		t.Errorf("%v %s", err, out)
	}
}
