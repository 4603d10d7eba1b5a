package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/planvet/planvet/internal/casetest"
)

// commandBlock is a block of a page whose first line is what was run.
var commandBlock = regexp.MustCompile("(?s)```text\n\\$ ([^\n]*)\n(.*?)```\n")

// commitID is the beginning of a commit's, which differs from run to run.
var commitID = regexp.MustCompile(`\([0-9a-f]{9}\)`)

// TestAdoptionPage runs what docs/adoption.md shows, in its order, in a repository, and
// holds the page against what comes out; UPDATE=1 writes it.
func TestAdoptionPage(t *testing.T) {
	page, err := filepath.Abs("../../docs/adoption.md")
	if err != nil {
		t.Fatal(err)
	}
	text := textOf(t, page)
	r := casetest.GitRepository(t, hotel())
	t.Chdir(r.Dir)
	queries := hotel()["queries.sql"]
	silenced := strings.Replace(queries, "select id from visits where room", "-- planvet:ignore unindexed-where: forty rows, never grows\nselect id from visits where room", 1)
	yaml := regexp.MustCompile("(?s)```yaml\n(.*?)```").FindStringSubmatch(text)
	if yaml == nil {
		t.Fatal("the page shows no planvet.yaml")
	}
	// What happens before each command, and its exit code.
	steps := []struct {
		command string
		before  func()
		code    int
	}{
		{"planvet check", nil, 1},
		{"planvet check --since main", func() { r.Write(map[string]string{"migrations/2_drop.sql": dropGuests}) }, 1},
		{"planvet check --new-from-merge-base main", func() {
			r.Remove("migrations/2_drop.sql")
			r.Write(map[string]string{"README.md": "# A hotel\n"})
		}, 0},
		{`planvet baseline write --reason "before planvet"`, nil, 0},
		{"cat .planvet-baseline.json", nil, 0},
		{"planvet check --strict-baseline", nil, 0},
		{"planvet check", func() { r.Write(map[string]string{"migrations/2_room.sql": "create index on visits (room);\n"}) }, 0},
		{"planvet baseline prune", nil, 0},
		{"planvet check --no-baseline", func() {
			r.Remove("migrations/2_room.sql")
			r.Write(map[string]string{"queries.sql": silenced})
		}, 0},
		{"planvet check", func() { r.Write(map[string]string{"queries.sql": queries, "planvet.yaml": yaml[1]}) }, 0},
	}
	n := 0
	fresh := commandBlock.ReplaceAllStringFunc(text, func(block string) string {
		m := commandBlock.FindStringSubmatch(block)
		if n == len(steps) || steps[n].command != m[1] {
			t.Fatalf("block %d is %s", n+1, m[1])
		}
		s := steps[n]
		n++
		if s.before != nil {
			s.before()
		}
		var got string
		if file, ok := strings.CutPrefix(m[1], "cat "); ok {
			got = textOf(t, file)
		} else {
			args := strings.Fields(strings.TrimPrefix(m[1], "planvet "))
			if before, quoted, ok := strings.Cut(m[1], ` "`); ok {
				args = append(strings.Fields(strings.TrimPrefix(before, "planvet ")), strings.Trim(quoted, `"`))
			}
			code, out, errs := planvetRun(t, args...)
			if code != s.code {
				t.Errorf("%s: exit %d, want %d: %s", m[1], code, s.code, errs)
			}
			got = out
		}
		if commitID.ReplaceAllString(got, "(#)") == commitID.ReplaceAllString(m[2], "(#)") {
			return block
		}
		if !casetest.Update() {
			t.Errorf("docs/adoption.md: %s is stale; run UPDATE=1 go test ./cmd/planvet -run AdoptionPage\n%s", m[1], cmp.Diff(m[2], got))
		}
		return "```text\n$ " + m[1] + "\n" + got + "```\n"
	})
	if n != len(steps) {
		t.Errorf("the page shows %d commands of %d", n, len(steps))
	}
	if casetest.Update() {
		if err := os.WriteFile(page, []byte(fresh), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}
