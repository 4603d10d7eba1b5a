package shadow_test

import (
	"context"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/planvet/planvet/internal/live"
	"github.com/planvet/planvet/internal/plan"
	"github.com/planvet/planvet/internal/shadow"
	"github.com/planvet/planvet/internal/shadow/shadowtest"
	"github.com/planvet/planvet/internal/stats"
)

// TestPlansLikeTheOriginal fills a database with skewed rows, dumps its statistics,
// loads them into an empty one of the same schema, and compares the plans of the
// statements of testdata/fidelity/queries.sql. None of them compares with what lies in
// the last bin of an indexed column's histogram: there the planner looks the column's
// real end up in the index, and an empty one has none.
func TestPlansLikeTheOriginal(t *testing.T) {
	f := fidelity{t: t, ctx: t.Context()}
	original, _ := f.database(f.read("schema.sql"), f.read("rows.sql"), "vacuum analyze")
	for _, c := range []struct {
		values bool
		// equal is the least share of statements whose plans have one shape.
		equal float64
	}{{true, 0.98}, {false, 0.85}} {
		t.Run(fmt.Sprintf("values=%v", c.values), func(t *testing.T) {
			f := fidelity{t: t, ctx: t.Context()}
			f.run(original, c.values, c.equal)
		})
	}
}

// lastOrder is when rows.sql ends.
var lastOrder = time.Date(2025, 11, 4, 0, 0, 0, 0, time.UTC)

type fidelity struct {
	t   *testing.T
	ctx context.Context
}

func (f *fidelity) read(name string) string {
	f.t.Helper()
	text, err := os.ReadFile("testdata/fidelity/" + name)
	if err != nil {
		f.t.Fatal(err)
	}
	return string(text)
}

func (f *fidelity) database(sql ...string) (*live.Session, string) {
	f.t.Helper()
	url := shadowtest.URL(f.t)
	s, err := live.Connect(f.ctx, url, live.Options{Writable: true})
	if err != nil {
		f.t.Fatal(err)
	}
	f.t.Cleanup(func() { s.Close(context.Background()) })
	for _, x := range sql {
		if _, err := s.Conn().PgConn().Exec(f.ctx, x).ReadAll(); err != nil {
			f.t.Fatalf("%v\n%.200s", err, x)
		}
	}
	var name string
	if err := s.Conn().QueryRow(f.ctx, "select current_database()").Scan(&name); err != nil {
		f.t.Fatal(err)
	}
	return s, name
}

func (f *fidelity) run(original *live.Session, values bool, least float64) {
	t := f.t
	schema := f.read("schema.sql")
	dumped, err := original.DumpStatistics(f.ctx, values)
	if err != nil {
		t.Fatal(err)
	}
	var text strings.Builder
	if err := dumped.Write(&text); err != nil {
		t.Fatal(err)
	}
	file, err := stats.Read([]byte(text.String()))
	if err != nil {
		t.Fatal(err)
	}

	start := time.Now()
	empty, name := f.database(schema)
	loaded, err := shadow.LoadStatistics(f.ctx, empty.Conn(), file, lastOrder)
	if err != nil {
		t.Fatal(err)
	}
	if len(loaded.Missing) > 0 {
		t.Errorf("not loaded: %s", strings.Join(loaded.Missing, "; "))
	}
	empty.Close(f.ctx)
	if err := shadowtest.Server(t).Extend(f.ctx, name); err != nil {
		t.Fatal(err)
	}
	took := time.Since(start)
	if empty, err = live.Connect(f.ctx, shadowtest.Server(t).URL(name), live.Options{Writable: true}); err != nil {
		t.Fatal(err)
	}
	defer empty.Close(context.Background())

	var all, equal, near int
	for _, sql := range strings.Split(f.read("queries.sql"), ";\n") {
		if sql = strings.TrimSpace(sql); sql == "" {
			continue
		}
		all++
		want, got := f.plan(original, sql), f.plan(empty, sql)
		if want.Shape() != got.Shape() {
			t.Logf("another plan for %s\noriginal, cost %.2f:\n%sempty, cost %.2f:\n%s", sql, want.Root.TotalCost, want.Shape(), got.Root.TotalCost, got.Shape())
			continue
		}
		equal++
		if off := math.Abs(got.Root.TotalCost - want.Root.TotalCost); off <= tolerance(want) {
			near++
		} else if values {
			t.Errorf("another cost for %s: %.2f, empty %.2f", sql, want.Root.TotalCost, got.Root.TotalCost)
		}
	}
	t.Logf("values=%v: %d of %d plans equal, %d of them of the same cost; loaded and extended in %v; the file has %d bytes", values, equal, all, near, took, text.Len())
	var folder string
	if err := empty.Conn().QueryRow(f.ctx, "select 'base/' || oid from pg_database where datname = current_database()").Scan(&folder); err != nil {
		t.Fatal(err)
	}
	srv := shadowtest.Server(t)
	outcome{srv.Major(), values, all, equal, near, onDisk(t, filepath.Join(srv.Dir(), "d", folder)), took}.check(t)
	if all < 50 || float64(equal) < least*float64(all) {
		t.Errorf("%d of %d plans are equal, wanted %.0f %%", equal, all, 100*least)
	}
}

func (f *fidelity) plan(s *live.Session, sql string) *plan.Plan {
	f.t.Helper()
	p, err := s.Explain(f.ctx, plan.Request{SQL: sql})
	if err != nil {
		f.t.Fatalf("%s: %v", sql, err)
	}
	return p
}

// tolerance is how far an empty database's cost may be off: 2 %, 35 % where a GIN or
// BRIN index is read, whose first block counts its parts, and 0.25 for each descent of
// a B-tree, whose height stands in its first block.
func tolerance(p *plan.Plan) float64 {
	share, descents := 0.02, 0.0
	p.Walk(func(n *plan.Node) {
		switch {
		case n.Index == "":
		case strings.Contains(n.Index, "trgm") || strings.Contains(n.Index, "tags") || strings.Contains(n.Index, "brin"):
			share = 0.35
		default:
			descents += started(n) * float64(1+strings.Count(arrayText.FindString(n.IndexCond), ","))
		}
	})
	return share*p.Root.TotalCost + 0.25*descents + 0.01
}

// arrayText is the array that an index is probed with, once for each element.
var arrayText = regexp.MustCompile(`ANY \('\{[^}]*\}`)

// started is how often a node is started: once for each row of the loops that it is
// the inner side of.
func started(n *plan.Node) float64 {
	times := 1.0
	for ; n.Parent != nil; n = n.Parent {
		if n.Parent.Type == "Nested Loop" && n.Relationship == "Inner" {
			times *= max(n.Parent.Children[0].PlanRows, 1)
		}
		if n.Relationship == "SubPlan" {
			times *= max(n.Parent.PlanRows, 1)
		}
	}
	return times
}
