package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/planvet/planvet/internal/shadow/shadowtest"
)

// TestTopQueries writes the document of a project whose code sends the statement, keeps
// a note through a second run, and finds a document that is too old.
func TestTopQueries(t *testing.T) {
	conn := shadowtest.Connect(t, visits)
	for range 20 {
		if _, err := conn.Exec(t.Context(), "select note from visits where guest = $1", 5); err != nil {
			t.Fatal(err)
		}
	}
	dir := project(t, map[string]string{
		"planvet.yaml":         "version: 1\nqueries: queries/*.sql\n",
		"migrations/1_a.sql":   "create table visits (id bigint primary key, guest bigint not null, note text);\n",
		"queries/visits.sql":   "-- name: NotesOfGuest :many\nselect note from visits where guest = $1;\n",
		"docs/ops/notes.md":    "",
		"docs/ops/broken.md":   "<!-- planvet:top-queries {} -->\n",
		"docs/ops/foreign.md":  "# Ours\n",
		"docs/ops/ancient.txt": "",
	})
	doc := filepath.Join(dir, "docs/50-ops/TOP_10_QUERIES.md")
	args := []string{"top-queries", dir, "--database-url", conn.Config().ConnString(), "--output", doc}
	if code, _, errs := planvetRun(t, args...); code != 0 {
		t.Fatalf("exit %d: %s", code, errs)
	}
	text, err := os.ReadFile(doc)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(text), "queries/visits.sql:2") {
		t.Errorf("the owner is not there:\n%s", text)
	}
	note := strings.Replace(string(text), "_No notes yet: what is written here stays._", "Known; see the board.", 1)
	if err := os.WriteFile(doc, []byte(note), 0o644); err != nil {
		t.Fatal(err)
	}
	if code, _, errs := planvetRun(t, args...); code != 0 {
		t.Fatalf("exit %d: %s", code, errs)
	}
	if text, _ = os.ReadFile(doc); !strings.Contains(string(text), "Known; see the board.") {
		t.Errorf("the note is gone:\n%s", text)
	}
	for _, c := range []struct {
		args []string
		code int
		says string
	}{
		{[]string{"--check", "--output", doc}, 0, "TOP_10_QUERIES.md is of"},
		{[]string{"--check", "--output", doc, "--max-age", "1ns"}, 1, "days old"},
		{[]string{"--check", "--output", doc + "x"}, 1, "is not there"},
		{[]string{"--check", "--output", filepath.Join(dir, "docs/ops/foreign.md")}, 2, "no figures"},
		{[]string{"--output", filepath.Join(dir, "docs/ops/broken.md"), "--no-owners", "--database-url", conn.Config().ConnString()}, 2, "marks are broken"},
	} {
		code, out, errs := planvetRun(t, append([]string{"top-queries"}, c.args...)...)
		if code != c.code || !strings.Contains(out+errs, c.says) {
			t.Errorf("%v: exit %d, %s%s", c.args, code, out, errs)
		}
	}
}
