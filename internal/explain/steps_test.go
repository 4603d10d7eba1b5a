package explain

import (
	"context"
	"math"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/planvet/planvet/internal/plan"
)

// all are the steps of a tree in order.
func (s *Step) all() []*Step {
	out := []*Step{s}
	for _, c := range s.Children {
		out = append(out, c.all()...)
	}
	return out
}

// TestPartsSumToTheWhole checks, for plans of every kind of node, that no step has a
// negative part and that parts sum to what the plan took as a whole.
func TestPartsSumToTheWhole(t *testing.T) {
	b := newBench(t, shop, "vacuum analyze")
	kinds := map[string]bool{}
	for _, s := range statements {
		if b.major < 14 && (s.name == "tid range" || s.name == "memoize") {
			continue
		}
		for _, way := range []struct{ analyze, untimed bool }{{true, false}, {true, true}, {false, false}} {
			b.untimed = way.untimed
			p := b.explain(s.sql, s.settings, way.analyze)
			root := tree(p)
			p.Walk(func(n *plan.Node) { kinds[n.Type+" "+n.Strategy] = true })
			checkSums(t, s.name, p, root)
		}
	}
	t.Logf("%d statements, %d kinds of node", len(statements), len(kinds))
}

func checkSums(t *testing.T, name string, p *plan.Plan, root *Step) {
	t.Helper()
	var ms, share, blockShare float64
	var blocks int64
	for i, s := range root.all() {
		if s.ID != i+1 {
			t.Errorf("%s: step %d has the ID %d", name, i+1, s.ID)
		}
		if s.SelfMS < 0 || s.SelfBlocks < 0 || s.SelfRead < 0 || s.Share < 0 || math.IsNaN(s.Share) {
			t.Errorf("%s: %s has a part below zero: %+v", name, s.Title, s)
		}
		if s.SelfMS > s.MS+1e-6 || s.SelfBlocks > s.Blocks {
			t.Errorf("%s: %s alone took %g ms and %d blocks, with the steps below %g ms and %d blocks", name, s.Title, s.SelfMS, s.SelfBlocks, s.MS, s.Blocks)
		}
		ms, share, blocks, blockShare = ms+s.SelfMS, share+s.Share, blocks+s.SelfBlocks, blockShare+s.BlockShare
	}
	if blocks != p.Blocks() {
		t.Errorf("%s: steps have %d blocks, the plan has %d", name, blocks, p.Blocks())
	}
	if root.Cost > 0 && math.Abs(share-1) > 1e-6 || blocks > 0 && math.Abs(blockShare-1) > 1e-6 {
		t.Errorf("%s: shares sum to %g, of blocks to %g", name, share, blockShare)
	}
	want := p.Root.TotalMS
	if late := root.late(); late == nil && math.Abs(ms-want) > 1e-6 || ms < want-1e-6 {
		t.Errorf("%s: steps took %g ms, the root %g ms", name, ms, want)
	}
}

// TestPartsAreChargedWhereTheyRan checks by blocks, of which a scan of a whole table
// has exactly as many as the table, that what nests oddly is charged once and to the
// step that did it.
func TestPartsAreChargedWhereTheyRan(t *testing.T) {
	b := newBench(t, shop, "vacuum analyze")
	pages := map[string]int64{}
	for _, rel := range []string{"customers", "orders", "lines"} {
		var n int64
		if err := b.conn.QueryRow(context.Background(), "select pg_relation_size($1) / 8192", rel).Scan(&n); err != nil {
			t.Fatal(err)
		}
		pages["public."+rel] = n
	}
	for _, name := range []string{"seq scan", "hash join", "sort", "window", "initplan", "initplan under sort", "initplan in output", "initplan twice",
		"initplan nested", "initplan in parallel", "hashed subplan", "cte", "cte read twice", "cte in cte", "cte in initplan", "cte of one name twice",
		"full join", "parallel seq scan", "parallel hash join", "one-time subquery", "gather merge"} {
		s := statement(name)
		p := b.explain(s.sql, s.settings, true)
		scans := 0
		for _, step := range tree(p).all() {
			if step.Type == "Seq Scan" && !step.Never {
				scans++
				if step.SelfBlocks != pages[step.Relation] {
					t.Errorf("%s: %s has %d blocks, the table has %d", name, step.Title, step.SelfBlocks, pages[step.Relation])
				}
			} else if step.SelfBlocks > 30 && step.Index == "" && s.settings == "" { // a worker's catalog is cold
				t.Errorf("%s: %s reads no table and has %d blocks of its own", name, step.Title, step.SelfBlocks)
			}
		}
		if scans == 0 {
			t.Errorf("%s: no sequential scan to look at", name)
		}
	}
}

// TestTitles holds titles to what EXPLAIN itself writes in its text form.
func TestTitles(t *testing.T) {
	b := newBench(t, shop, "vacuum analyze")
	node := regexp.MustCompile(`(?m)^(?:\s*->  |)(\S.*)$`)
	for _, s := range statements {
		if b.major < 14 && (s.name == "tid range" || s.name == "memoize") {
			continue
		}
		b.exec("begin;" + s.settings)
		rows, err := b.conn.Query(context.Background(), "explain (costs off) "+s.sql, pgx.QueryExecModeSimpleProtocol)
		if err != nil {
			t.Fatal(err)
		}
		lines, err := pgx.CollectRows(rows, pgx.RowTo[string])
		if err != nil {
			t.Fatal(err)
		}
		b.exec("rollback")
		var want, got []string
		for i, l := range lines {
			if m := node.FindStringSubmatch(l); m != nil && (i == 0 || strings.Contains(l, "->  ")) {
				want = append(want, m[1])
			}
		}
		for _, step := range tree(b.explain(s.sql, s.settings, false)).all() {
			got = append(got, step.Title)
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s: titles\n%q\nEXPLAIN says\n%q", s.name, got, want)
		}
	}
}

// late is a WITH query that writes, which may run after the root is done.
func (s *Step) late() *Step {
	for _, x := range s.all() {
		if x.Type == "ModifyTable" && x.Role != "" {
			return x
		}
	}
	return nil
}
