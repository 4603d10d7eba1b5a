package rlsguide

import (
	"bytes"
	"context"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/planvet/planvet/internal/shadow/shadowtest"
)

const docs = "../../docs/rls.md"

// TestGuide runs every pair: each gains tenfold, and the slow forms rank as in the
// guide. docs/rls.md has the table of a run, figures aside; UPDATE=1 writes it.
func TestGuide(t *testing.T) {
	rs, version, err := Run(context.Background(), shadowtest.URL(t), nil)
	if err != nil {
		t.Fatal(err)
	}
	r := NewReport(rs, version)
	for _, d := range r.Differs {
		t.Errorf("PostgreSQL %s: %s", version, d)
	}
	if len(r.Pairs) != 9 {
		t.Errorf("%d pairs", len(r.Pairs))
	}
	// Where time is not the point, blocks and rows tell the same on any machine.
	if s := rs[0]; s.Fast.Blocks > s.Slow.Blocks/2 {
		t.Errorf("the index leaves %d of %d blocks", s.Fast.Blocks, s.Slow.Blocks)
	}
	if s := rs[len(rs)-1]; s.Fast.Blocks != 0 || s.Slow.Blocks == 0 {
		t.Errorf("anon reads %d blocks without TO and %d with", s.Slow.Blocks, s.Fast.Blocks)
	}
	var table bytes.Buffer
	if err := r.Markdown(&table); err != nil {
		t.Fatal(err)
	}
	compareDocs(t, table.String())
}

// TestCheckCatches: a pair that gains little and a slow form out of its rank differ.
func TestCheckCatches(t *testing.T) {
	ok := []Result{
		{Pair: Pair{Name: "a", GuideSlow: 170}, Slow: Side{MS: 10}, Fast: Side{MS: 0.5}},
		{Pair: Pair{Name: "b", GuideSlow: 11_000}, Slow: Side{MS: 700}, Fast: Side{MS: 1}},
	}
	if d := Check(ok); len(d) > 0 {
		t.Errorf("%v", d)
	}
	little, rank := ok[0], ok[1]
	little.Fast.MS, rank.Slow.MS = 2, 9
	d := Check([]Result{little, rank})
	if len(d) != 3 || !strings.Contains(d[0], "pair a gains 5.0 times") || !strings.Contains(d[1], "pair b gains 9.0 times") || !strings.Contains(d[2], "slow form of b takes 9.0 ms") {
		t.Errorf("%q", d)
	}
}

var figure = regexp.MustCompile(`(over )?[<\d][\d.,]*(e-\d+)?( (ms|s|min)|×)|PostgreSQL [\d.]+`)

func compareDocs(t *testing.T, table string) {
	t.Helper()
	const begin, end = "<!-- planvet rls guide --format markdown -->\n", "<!-- end -->"
	text, err := os.ReadFile(docs)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, ok := strings.Cut(string(text), begin)
	old, after, ok2 := strings.Cut(rest, end)
	if !ok || !ok2 {
		t.Fatalf("%s has no place for the table", docs)
	}
	if os.Getenv("UPDATE") != "" {
		if err := os.WriteFile(docs, []byte(before+begin+table+end+after), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	mask := func(s string) string { return figure.ReplaceAllString(s, "N") }
	if d := cmp.Diff(mask(old), mask(table)); d != "" {
		t.Errorf("the table in docs/rls.md is stale; run make rls-guide\n%s", d)
	}
}
