package querytrace

import (
	"bufio"
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"
)

func TestRecorder(t *testing.T) {
	pool, tracer := shopPool(t)
	fill(t, pool, 7)
	outer, inner, watching := &Recorder{}, &Recorder{}, &Recorder{}
	ctx := outer.Context(context.Background())
	if err := namesByLoop(ctx, pool, 3); err != nil {
		t.Fatal(err)
	}
	stop := watching.Watch(tracer)
	if err := sendBatch(inner.Context(inner.Context(ctx)), pool, 4); err != nil {
		t.Fatal(err)
	}
	if _, err := pool.Exec(ctx, "select broken"); err == nil {
		t.Fatal("no error")
	}
	if _, err := pool.Exec(context.Background(), "listen jobs"); err != nil {
		t.Fatal(err)
	}
	stop()
	if err := pool.Ping(ctx); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		rec                    *Recorder
		statements, roundTrips int
	}{"outer": {outer, 9, 6}, "inner": {inner, 4, 1}, "watching": {watching, 6, 3}} {
		if s, r := len(c.rec.Statements()), c.rec.RoundTrips(); s != c.statements || r != c.roundTrips {
			t.Errorf("%s: %d statements in %d round trips, want %d in %d\n%s", name, s, r, c.statements, c.roundTrips, c.rec.Report())
		}
	}
	s := outer.Statements()
	if s[0].Rows != 3 || s[1].Rows != 1 || s[0].Caller().Func != self+".orders" || s[1].Caller().Func != self+".namesByLoop" || s[0].Err != nil {
		t.Errorf("the loop: %+v", s[:2])
	}
	if s[4].Batch != 1 || s[7].Batch != 1 || s[8].Batch != 0 || s[4].Caller().Func != self+".sendBatch" {
		t.Errorf("the batch: %+v", s[4:])
	}
	if s[8].Err == nil || s[8].SQL != "select broken" {
		t.Errorf("the error: %+v", s[8])
	}
	want := `9 statements in 6 round trips
   1 ×  select customer_id from orders order by id limit $1
        at querytrace/pgx_test.go:LINE querytrace.orders, 3 rows
   3 ×  select name from customers where id = $1
        at querytrace/pgx_test.go:LINE querytrace.namesByLoop, 3 rows
   1 ×  batch of insert into customers values ($1, ?) on conflict do nothing
        at querytrace/pgx_test.go:LINE querytrace.sendBatch
   1 ×  select broken
        at querytrace/recorder_test.go:LINE querytrace.TestRecorder, 0 rows, 1 error
`
	if got := maskLines(outer.Report()); got != want {
		t.Errorf("report\n%swant\n%s", got, want)
	}
	outer.Reset()
	if outer.RoundTrips() != 0 {
		t.Error("a recorder remembers after Reset")
	}
}

// maskLines takes line numbers out: they are this file's.
func maskLines(s string) string {
	for _, part := range strings.SplitAfter(s, ".go:")[1:] {
		number := part[:strings.IndexFunc(part, func(r rune) bool { return r < '0' || r > '9' })]
		s = strings.Replace(s, ".go:"+number+" ", ".go:LINE ", 1)
	}
	return s
}

func TestMax(t *testing.T) {
	pool, _ := shopPool(t)
	fill(t, pool, 7)
	rec := &Recorder{Items: 7}
	if err := namesByLoop(rec.Context(t.Context()), pool, 100); err != nil {
		t.Fatal(err)
	}
	for limit, parts := range map[int][]string{
		3: {"8 round trips, at most 3 are allowed", "7 ×  select name"},
		7: {"8 round trips, at most 7", "a bound of 7 says nothing of 7 items"},
		8: {"a bound of 8 says nothing of 7 items"},
	} {
		v := &verdictTB{TB: t}
		Max(v, rec, limit)
		for _, p := range parts {
			if !strings.Contains(strings.Join(v.errors, "\n"), p) {
				t.Errorf("limit %d: no %q in %q", limit, p, v.errors)
			}
		}
	}
	rec.Items = 0
	Max(t, rec, 8)
}

func TestHandler(t *testing.T) {
	pool, _ := shopPool(t)
	h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := namesByJoin(r.Context(), pool); err != nil {
			t.Error(err)
		}
	})
	var rec Recorder
	server := httptest.NewServer(rec.Handler(h))
	defer server.Close()
	answer, err := http.Get(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	answer.Body.Close()
	if rec.RoundTrips() != 1 {
		t.Errorf("recorded\n%s", rec.Report())
	}
}

// Recorders, watchers and reports at once, for the race detector; nothing is lost.
func TestConcurrent(t *testing.T) {
	pool, tracer := shopPool(t)
	var all Recorder
	stop := all.Watch(tracer)
	recs := make([]Recorder, 8)
	var wg sync.WaitGroup
	for i := range recs {
		wg.Go(func() {
			ctx := recs[i].Context(context.Background())
			for j := range 20 {
				_, _ = pool.Exec(ctx, "select name from customers where id = $1", j)
				_ = all.Report()
				var short Recorder
				short.Watch(tracer)()
			}
		})
	}
	wg.Wait()
	stop()
	for i := range recs {
		if n := recs[i].RoundTrips(); n != 20 {
			t.Errorf("recorder %d has %d round trips, want its own 20", i, n)
		}
	}
	if n := all.RoundTrips(); n != 160 {
		t.Errorf("the watcher has %d round trips, want 160", n)
	}
}

func TestOut(t *testing.T) {
	pool, _ := shopPool(t)
	dir := t.TempDir()
	t.Setenv("QUERYTRACE_OUT", dir)
	loop := flow(pool, func(ctx context.Context, _ int) error { return namesByLoop(ctx, pool, 100) })
	path := filepath.Join(dir, "github.com_planvet_planvet_querytrace.TestOut.jsonl")
	if err := os.WriteFile(path, []byte("of an earlier process\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	for range 2 { // the second is added
		slopeOf(t, []int{2, 20}, loop, Allow(`select name from customers where id = $1`, "the file is of what was sent, allowed or not"))
	}
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var runs []outRun
	var statements []outStatement
	for lines := bufio.NewScanner(f); lines.Scan(); {
		var head outRun
		if err := json.Unmarshal(lines.Bytes(), &head); err != nil || head.V != 1 {
			t.Fatalf("%s: %v", lines.Text(), err)
		}
		if head.Kind == "run" {
			runs = append(runs, head)
			continue
		}
		var s outStatement
		if err := json.Unmarshal(lines.Bytes(), &s); err != nil || s.Kind != "statement" {
			t.Fatalf("%s: %v", lines.Text(), err)
		}
		statements = append(statements, s)
	}
	if len(runs) != 2 || runs[0].Package != self || runs[0].Test != "TestOut" || !slices.Equal(runs[0].Sizes, []int{2, 20}) || len(statements) != 4 {
		t.Fatalf("got %d runs, %+v, and %d statements", len(runs), runs, len(statements))
	}
	parent, child := statements[0], statements[1]
	if parent.Growth != "constant" || !slices.Equal(parent.Rows, []int64{2, 20}) || !slices.Equal(parent.Calls, []int64{1, 1}) || parent.Parent != "" {
		t.Errorf("the parent: %+v", parent)
	}
	if child.Growth != "per-item" || child.Slope != 1 || child.Parent != parent.Fingerprint || child.File != "querytrace/pgx_test.go" ||
		child.Line == 0 || child.Func != self+".namesByLoop" || !slices.Equal(child.Calls, []int64{2, 20}) || child.Text != "SELECT name FROM customers WHERE id = $1" {
		t.Errorf("the child: %+v", child)
	}
}

// BenchmarkTracer is what a tracer costs a statement: without a recorder next to
// nothing.
func BenchmarkTracer(b *testing.B) {
	var tracer Tracer
	ctx := context.WithValue(context.Background(), batchKey{}, 1)
	data := pgx.TraceQueryStartData{SQL: "select name from customers where id = $1", Args: []any{1}}
	run := func(b *testing.B, ctx context.Context) {
		b.ReportAllocs()
		for b.Loop() {
			tracer.TraceQueryEnd(tracer.TraceQueryStart(ctx, nil, data), nil, pgx.TraceQueryEndData{})
		}
	}
	b.Run("nobody", func(b *testing.B) { run(b, ctx) })
	b.Run("recorder", func(b *testing.B) {
		var rec Recorder
		run(b, rec.Context(ctx))
	})
}

// TestNobodyRecords: without a recorder, a statement makes no allocation.
func TestNobodyRecords(t *testing.T) {
	var tracer Tracer
	ctx := context.Background()
	data := pgx.TraceQueryStartData{SQL: "select name from customers where id = $1"}
	if n := testing.AllocsPerRun(100, func() {
		tracer.TraceQueryEnd(tracer.TraceQueryStart(ctx, nil, data), nil, pgx.TraceQueryEndData{})
	}); n != 0 {
		t.Errorf("%v allocations a statement", n)
	}
}
