package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/planvet/planvet/internal/casetest"
	"github.com/planvet/planvet/internal/engine"
	"github.com/planvet/planvet/internal/shadow/shadowtest"
)

// step is one command of a story.
type step struct {
	// write are files that change before it; a text of "" removes one.
	write map[string]string
	args  string
	code  int
	// out has to be in what is printed, not must not.
	out, not []string
}

func story(t *testing.T, dir string, steps []step) {
	t.Helper()
	t.Chdir(dir)
	for _, s := range steps {
		for name, text := range s.write {
			if text == "" {
				if err := os.Remove(name); err != nil {
					t.Fatal(err)
				}
				continue
			}
			casetest.WriteFiles(t, dir, map[string]string{name: text})
		}
		code, out, errs := planvetRun(t, strings.Fields(s.args)...)
		if code != s.code {
			t.Fatalf("planvet %s: exit %d, want %d\n%s%s", s.args, code, s.code, out, errs)
		}
		for _, want := range s.out {
			if !strings.Contains(out+errs, want) {
				t.Errorf("planvet %s: %q is not in\n%s%s", s.args, want, out, errs)
			}
		}
		for _, not := range s.not {
			if strings.Contains(out+errs, not) {
				t.Errorf("planvet %s: %q is in\n%s%s", s.args, not, out, errs)
			}
		}
	}
}

const byRoom = "-- name: %s :many\nselect id from visits where room = $1;\n\n"

func TestBaseline(t *testing.T) {
	dir := project(t, hotel())
	queries := hotel()["queries.sql"]
	room := func(name string) string { return strings.Replace(byRoom, "%s", name, 1) }
	story(t, dir, []step{
		{args: "baseline prune", code: 2, out: []string{"there is no baseline .planvet-baseline.json; `planvet baseline write` makes one"}},
		{args: "check", code: 1, out: []string{"visits.room has no index"}, not: []string{"baselined"}},
		{args: "baseline write --reason", code: 2},
		{args: "baseline write", out: []string{".planvet-baseline.json: 1 finding, 1 new, 0 dropped\n"}},
		{args: "check", out: []string{"no findings\n1 baselined in .planvet-baseline.json\n"}, not: []string{"visits.room"}},
		{args: "check --no-baseline", code: 1, out: []string{"visits.room has no index"}, not: []string{"baselined"}},
		{args: "check --no-baseline --strict-baseline", code: 2},
		// A moved line stays known, a second occurrence is not.
		{write: map[string]string{"queries.sql": "\n\n\n" + queries}, args: "check --strict-baseline", out: []string{"1 baselined in"}},
		{write: map[string]string{"more.sql": room("Again")}, args: "check", code: 1, out: []string{"more.sql:2:29", "1 finding: 1 warning\n1 baselined in"}},
		// A renamed file stays known.
		{write: map[string]string{"more.sql": "", "queries.sql": "", "renamed.sql": queries}, args: "check --strict-baseline", out: []string{"no findings\n1 baselined in"}},
		{args: "baseline write", out: []string{"1 finding, 0 new, 0 dropped"}},
		// What is mended is stale; a narrowed run does not tell.
		{write: map[string]string{"migrations/2.sql": "create index on visits (room);\n"}, args: "check", out: []string{
			".planvet-baseline.json: stale: renamed.sql: visits.room has no index", "0 baselined in .planvet-baseline.json; 1 entry is stale, planvet baseline prune drops it\n",
		}},
		{args: "check --strict-baseline", code: 1},
		{args: "check --strict-baseline --fail-on never", code: 1},
		{args: "check --strict-baseline --rules unindexed-order", not: []string{"stale"}},
		{args: "check --strict-baseline migrations", not: []string{"stale"}},
		{args: "baseline prune --rules unindexed-order", out: []string{"1 finding, 0 dropped"}},
		{args: "baseline prune", out: []string{"dropped renamed.sql unindexed-where: visits.room has no index", ".planvet-baseline.json: 0 findings, 1 dropped\n"}},
		{args: "check --strict-baseline", out: []string{"0 baselined in .planvet-baseline.json\n"}, not: []string{"stale"}},
		{args: "check --baseline no-such.json", code: 2, out: []string{"reading the baseline no-such.json: no such file or directory; `planvet baseline write` makes one"}},
		{write: map[string]string{"broken.json": "{\n<<<<<<< HEAD\n"}, args: "check --baseline broken.json", code: 2, out: []string{"broken.json:2: no baseline of findings"}},
		{args: "baseline write --baseline broken.json", code: 2, out: []string{"broken.json:2: no baseline of findings"}},
		{args: "baseline write --baseline other.json --reason later", out: []string{"other.json: 0 findings"}},
	})
}

// With paths and rules only a part is written anew.
func TestBaselineOfAPart(t *testing.T) {
	files := map[string]string{
		"planvet.yaml":     "version: 1\n",
		"migrations/1.sql": "create table visits (id bigint primary key, room bigint not null, note text not null);\n",
		"c/queries.sql":    "-- name: C :many\nselect id from visits order by note limit 10;\n",
		"a/queries.sql":    strings.Replace(byRoom, "%s", "A", 1), "b/queries.sql": strings.Replace(byRoom, "%s", "B", 1),
	}
	dir := project(t, files)
	story(t, dir, []step{
		{args: "baseline write a", out: []string{".planvet-baseline.json: 1 finding, 1 new"}},
		{args: "check", code: 1, out: []string{"b/queries.sql:2", "unindexed-order", "1 baselined"}, not: []string{"a/queries.sql"}},
		{args: "baseline write --rules unindexed-order --reason self", out: []string{"2 findings, 1 new, 0 dropped"}},
		{args: "check", code: 1, out: []string{"b/queries.sql:2", "2 baselined"}, not: []string{"a/queries.sql", "unindexed-order"}},
		{args: "baseline write b", out: []string{"3 findings, 1 new, 0 dropped"}},
		{args: "check", out: []string{"3 baselined"}},
	})
	text := textOf(t, filepath.Join(dir, engine.BaselineFile))
	if strings.Count(text, `"reason":"backlog"`) != 2 || strings.Count(text, `"reason":"self"`) != 1 {
		t.Error(text)
	}
	var doc struct {
		Summary struct {
			Baseline struct {
				File     string
				Findings int
				Stale    []any
			}
		}
		Findings []any
	}
	if code, out, _ := planvetRun(t, "check", "--format", "json"); code != 0 || json.Unmarshal([]byte(out), &doc) != nil || doc.Summary.Baseline.Findings != 3 || doc.Summary.Baseline.Stale == nil || len(doc.Findings) != 0 {
		t.Errorf("%d %+v", code, doc)
	}
}

// A change is held against the revision and the baseline both.
func TestBaselineSince(t *testing.T) {
	r := casetest.GitRepository(t, hotel())
	t.Chdir(r.Dir)
	r.Write(map[string]string{"migrations/2_drop.sql": dropGuests})
	if code, out, errs := planvetRun(t, "baseline", "write"); code != 0 {
		t.Fatalf("%s%s", out, errs)
	}
	r.Write(map[string]string{"more.sql": strings.Replace(byRoom, "%s", "More", 1)})
	code, out, errs := planvetRun(t, "check", "--since", "HEAD")
	if code != 1 || !strings.Contains(out, "more.sql:2") || strings.Contains(out, "visits.guest has") || !strings.Contains(out, "2 baselined in .planvet-baseline.json\nsince HEAD") {
		t.Errorf("exit %d\n%s%s", code, out, errs)
	}
	// Nothing was looked at: no entry is stale.
	r.Commit()
	if code, out, _ := planvetRun(t, "check", "--since", "HEAD", "--strict-baseline"); code != 0 || strings.Contains(out, "stale") {
		t.Errorf("exit %d\n%s", code, out)
	}
}

// What a planner refutes is not taken.
func TestBaselineConfirm(t *testing.T) {
	shadowtest.Server(t)
	files := hotel()
	files["migrations/1_init.sql"] += "create function define_index(col text, tab text) returns void language plpgsql as $$\n" +
		"begin execute format('create index on %I (%I)', tab, col); end\n$$;\nselect define_index('room', 'visits');\n"
	story(t, project(t, files), []step{
		{args: "baseline write --confirm shadow", out: []string{": 0 findings, 0 new", "1 finding not taken: only possible, or refuted"}},
		{args: "check --confirm shadow", out: []string{"refuted"}},
	})
}
