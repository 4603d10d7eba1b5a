package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/planvet/planvet/internal/casetest"
	"github.com/planvet/planvet/internal/shadow/shadowtest"
)

const lspPlain = "create table visits (id bigint primary key, guest bigint not null);\n"

// A broken planvet.yaml shows its complaint on its line; what was found before stays. A
// client that knows little gets what it knows. What changes outside is judged too.
func TestLSPConfigAndOutside(t *testing.T) {
	dir := project(t, map[string]string{
		"planvet.yaml":          "version: 1\nqueries: q.sql\n",
		"migrations/1_base.sql": lspPlain, "q.sql": "-- name: Of :many\nselect id from visits where guest = $1;\n",
	})
	e := newEditor(t, dir)
	e.begin(func(p map[string]any) {
		p["capabilities"] = map[string]any{}
		p["initializationOptions"] = map[string]any{"confrim": "shadow"}
	})
	var shown struct{ Message string }
	if e.event("show", &shown); !strings.Contains(shown.Message, `unknown field "confrim"`) {
		t.Errorf("of an unknown option is said %s", shown.Message)
	}
	e.judged()
	d := e.shownOf("q.sql", "unindexed-where")
	if d == nil || d.Related != nil || d.CodeDescription.Href != "" {
		t.Fatalf("%+v", d)
	}
	if a := e.action("q.sql", d, ""); a != nil {
		t.Errorf("a client that takes no code actions is offered %+v", a)
	}
	write := func(rel, text string) {
		t.Helper()
		casetest.WriteFiles(t, dir, map[string]string{rel: text})
		e.notify("workspace/didChangeWatchedFiles", map[string]any{"changes": []any{map[string]any{"uri": fileURI(e.path(rel)), "type": 2}}})
	}
	write("planvet.yaml", "version: 1\nqueries: q.sql\nrules:\n  unindexed-were: off\n")
	e.until("a diagnostic of planvet.yaml", func(l editorLine) bool { return len(e.shown["planvet.yaml"]) == 1 })
	d = &e.shown["planvet.yaml"][0]
	if d.Range.Start.Line != 3 || !strings.Contains(d.Message, `did you mean "unindexed-where"?`) || !strings.Contains(d.Message, "nothing is judged until") || d.Severity != 1 {
		t.Errorf("planvet.yaml shows %+v", d)
	}
	if e.shownOf("q.sql", "unindexed-where") == nil {
		t.Error("a run that could not be made took findings back")
	}
	write("planvet.yaml", "version: 1\nqueries: q.sql\n")
	e.judged()
	if len(e.shown["planvet.yaml"]) != 0 {
		t.Errorf("planvet.yaml is right and shows %+v", e.shown["planvet.yaml"])
	}
	write("migrations/2_index.sql", "create index on visits (guest);\n")
	e.judged()
	if len(e.shown["q.sql"]) != 0 {
		t.Errorf("there is an index, and the query shows %+v", e.shown["q.sql"])
	}
	if err := os.Remove(e.path("planvet.yaml")); err != nil {
		t.Fatal(err)
	}
	write("migrations/2_index.sql", "-- nothing\n")
	if line := e.judged(); !strings.Contains(line, "1 finding") { // without planvet.yaml too
		t.Errorf("%s", line)
	}
	if code := e.stop(); code != 0 {
		t.Errorf("exit %d", code)
	}
}

// Two folders are two projects, and a folder's planvet.yaml parts its project off; what
// leaves takes its diagnostics along.
func TestLSPFolders(t *testing.T) {
	query := "-- name: Of :many\nselect id from visits where guest = $1;\n"
	dir := project(t, map[string]string{
		"a/migrations/1_base.sql": lspPlain, "a/queries.sql": query, "a/.git/HEAD": "",
		"b/migrations/1_base.sql": lspPlain, "b/queries.sql": query, "b/.git/HEAD": "",
	})
	e := newEditor(t, dir)
	folder := func(name string) map[string]any {
		return map[string]any{"uri": fileURI(e.path(name)), "name": name}
	}
	e.begin(func(p map[string]any) {
		p["rootUri"], p["workspaceFolders"] = nil, []any{folder("a")}
	})
	e.judged()
	if len(e.shown["a/queries.sql"]) != 1 || len(e.shown["b/queries.sql"]) != 0 {
		t.Fatalf("%+v", e.shown)
	}
	change := func(added, removed []any) {
		e.notify("workspace/didChangeWorkspaceFolders", map[string]any{"event": map[string]any{"added": added, "removed": removed}})
	}
	change([]any{folder("b")}, []any{})
	e.judged()
	if len(e.shown["a/queries.sql"]) != 1 || len(e.shown["b/queries.sql"]) != 1 {
		t.Fatalf("%+v", e.shown)
	}
	change([]any{}, []any{folder("a")})
	e.until("a's leaving", func(editorLine) bool { return len(e.shown["a/queries.sql"]) == 0 })
	// b/inner becomes a project of its own: its findings are shown once.
	casetest.WriteFiles(t, dir, map[string]string{
		"b/inner/planvet.yaml": "version: 1\n", "b/inner/migrations/1_base.sql": strings.ReplaceAll(lspPlain, "visits", "calls"),
		"b/inner/queries.sql": strings.ReplaceAll(query, "visits", "calls"),
	})
	e.notify("workspace/didChangeWatchedFiles", map[string]any{"changes": []any{map[string]any{"uri": fileURI(e.path("b/inner/planvet.yaml")), "type": 1}}})
	e.judged()
	e.judged()
	if len(e.shown["b/inner/queries.sql"]) != 1 || len(e.shown["b/queries.sql"]) != 1 {
		t.Fatalf("%+v", e.shown)
	}
	if code := e.stop(); code != 0 {
		t.Errorf("exit %d", code)
	}
}

// Findings are proved when a person asks, and after each run where the options say so;
// a verdict stays while what it rests on stays.
func TestLSPConfirm(t *testing.T) {
	shadowtest.Server(t)
	config := "version: 1\n"
	if v := os.Getenv("PLANVET_TEST_PG_MAJOR"); v != "" {
		config += "postgres: " + v + "\n"
	}
	dir := project(t, map[string]string{
		"migrations/1_base.sql": lspPlain, "queries.sql": "-- name: Of :many\nselect id from visits where guest = $1;\n",
		"planvet.yaml": config,
	})
	memory := filepath.Join(t.TempDir(), "memory.db")
	t.Setenv("PLANVET_MEMORY", memory)
	if code, _, errs := planvetRun(t, "memory", "add", "--task", "visits of a guest", "--outcome", "success", "--rule", "unindexed-where", "--pattern", "index on the foreign key", "--p95-before", "450", "--p95-after", "85"); code != 0 {
		t.Fatalf("exit %d: %s", code, errs)
	}
	e := newEditor(t, dir)
	e.begin(nil)
	e.judged()
	e.file("open", "queries.sql")
	d := e.shownOf("queries.sql", "unindexed-where")
	prove := e.action("queries.sql", d, "prove")
	if prove == nil || prove.Command == nil {
		t.Fatalf("%+v", prove)
	}
	var tally struct{ Confirmed, Refuted, Inconclusive, NotRun int }
	if err := json.Unmarshal(e.request("workspace/executeCommand", map[string]any{"command": prove.Command.Command, "arguments": prove.Command.Arguments}), &tally); err != nil || tally.Confirmed != 1 {
		t.Fatalf("%+v, %v", tally, err)
	}
	if d = e.shownOf("queries.sql", "unindexed-where"); !strings.HasSuffix(d.Message, " (confirmed)") {
		t.Errorf("the diagnostic says %s", d.Message)
	}
	text := e.hover("queries.sql", d.Range.Start)
	for _, want := range []string{"confirmed (estimated at 100,000 rows", "cost ", "on PostgreSQL ", "remembered: "} {
		if !strings.Contains(text, want) {
			t.Errorf("the hover lacks %q:\n%s", want, text)
		}
	}
	if e.action("queries.sql", d, "prove") != nil {
		t.Error("what is proved is to be proved again")
	}
	e.do("change", map[string]any{"file": e.path("queries.sql"), "text": "-- two\n-- lines\n\n-- name: Of :many\nselect id from visits where guest = $1;\n"})
	e.file("save", "queries.sql")
	e.judged()
	if d = e.shownOf("queries.sql", "unindexed-where"); d.Range.Start.Line != 4 || !strings.HasSuffix(d.Message, " (confirmed)") {
		t.Errorf("of a query that moved is shown %+v", d)
	}
	casetest.WriteFiles(t, dir, map[string]string{"planvet.yaml": config + "tables: {visits: {rows: 150000}}\n"})
	e.notify("workspace/didChangeWatchedFiles", map[string]any{"changes": []any{map[string]any{"uri": fileURI(e.path("planvet.yaml")), "type": 2}}})
	e.judged()
	if d = e.shownOf("queries.sql", "unindexed-where"); strings.HasSuffix(d.Message, " (confirmed)") {
		t.Errorf("a verdict outlives what it rests on: %s", d.Message)
	}
	e.notify("workspace/didChangeConfiguration", map[string]any{"settings": map[string]any{"planvet": map[string]any{"confirm": "shadow"}}})
	e.until("a verdict", func(editorLine) bool {
		d = e.shownOf("queries.sql", "unindexed-where")
		return d != nil && strings.HasSuffix(d.Message, " (confirmed)")
	})
	if code := e.stop(); code != 0 {
		t.Errorf("exit %d", code)
	}
}
