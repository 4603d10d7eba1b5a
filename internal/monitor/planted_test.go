package monitor_test

import (
	"bytes"
	"context"
	"math"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/prometheus/client_golang/prometheus/testutil/promlint"

	"github.com/planvet/planvet/internal/live"
	"github.com/planvet/planvet/internal/monitor"
	"github.com/planvet/planvet/internal/shadow"
	"github.com/planvet/planvet/internal/shadow/shadowtest"
)

// ask is one number that SQL says.
func ask(t *testing.T, conn *pgx.Conn, sql string) float64 {
	t.Helper()
	var text string
	if err := conn.QueryRow(t.Context(), "select ("+sql+")::text").Scan(&text); err != nil {
		t.Fatalf("%v\n%s", err, sql)
	}
	x, err := strconv.ParseFloat(text, 64)
	if err != nil {
		t.Fatal(err)
	}
	return x
}

func flagNames(q monitor.Query) []string {
	var out []string
	for _, f := range q.Flags {
		out = append(out, f.Name)
	}
	return out
}

// TestUneven has a statement that is quick or slow, as a cache has it, and one that
// always takes the same time (row 18).
func TestUneven(t *testing.T) {
	conn := shadowtest.Connect(t, schema, "create function nap(ms float8) returns int language plpgsql as $$ begin perform pg_sleep(ms / 1000); return 1; end $$",
		"create function doze(ms float8) returns int language plpgsql as $$ begin perform pg_sleep(ms / 1000); return 1; end $$")
	for i := range 20 {
		ms := 1.0
		if i%5 == 0 {
			ms = 150
		}
		run(t, conn, "select nap($1)", ms)
		run(t, conn, "select doze($1)", 40.0)
	}
	s := open(t, conn)
	r := read(t, s).Report(options(t, s, "total", 0))
	peaks, steady := find(t, r, "select nap($1)"), find(t, r, "select doze($1)")
	if cv := ask(t, conn, "select stddev_exec_time / mean_exec_time from pg_stat_statements where query = 'select nap($1)'"); math.Abs(peaks.CV-cv) > 1e-6 || cv <= 1 || !slices.Contains(flagNames(peaks), "uneven") {
		t.Errorf("two peaks: %+v, SQL says a deviation of %g means", peaks, cv)
	}
	if slices.Contains(flagNames(steady), "uneven") {
		t.Errorf("one peak: %+v", steady)
	}
}

// TestHitRatio has a server whose shared buffers hold 1 MB: a scan of more is flagged,
// a statement of few blocks is not, whether it finds them or not (rows 19 and 26).
func TestHitRatio(t *testing.T) {
	srv, err := shadow.Start(t.Context(), shadow.Options{Major: shadowtest.Server(t).Major(), Settings: []string{"shared_buffers=1MB", "shared_preload_libraries=pg_stat_statements"}})
	if err != nil {
		t.Fatal(err)
	}
	defer srv.Stop()
	conn, err := pgx.Connect(t.Context(), srv.URL("postgres"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.Background())
	run(t, conn, schema)
	run(t, conn, "create table wide as select i as id, repeat('x', 1000) as text from generate_series(1, 20000) i")
	run(t, conn, "analyze wide")
	for i := range 4 {
		run(t, conn, "select count(*) from wide where text > 'a'")
		run(t, conn, "select name from players where id = $1", 400*i+7) // what the scan has driven out
	}
	for range 60 {
		run(t, conn, "select count(*) from clubs c1, clubs c2 where c1.id + c2.id > 0")
		run(t, conn, "select name from clubs")
	}
	s := open(t, conn)
	r := read(t, s).Report(options(t, s, "total", 0))
	scan, tiny, found := find(t, r, "select count(*) from wide"), find(t, r, "select name from players where id"), find(t, r, "select count(*) from clubs c1")
	if ratio := ask(t, conn, "select shared_blks_hit::float8 / (shared_blks_hit + shared_blks_read) from pg_stat_statements where query like 'select count(*) from wide%'"); scan.HitRatio == nil || *scan.HitRatio != ratio || ratio >= 0.9 ||
		!slices.Contains(flagNames(scan), "low-hit-ratio") {
		t.Errorf("a scan of 20 MB: %+v, SQL says %g", scan, ratio)
	}
	if tiny.Read == 0 || float64(tiny.Hit)/float64(tiny.Hit+tiny.Read) >= 0.9 || tiny.HitRatio != nil || len(tiny.Flags) != 0 {
		t.Errorf("a lookup that finds few of its blocks: %+v", tiny)
	}
	if slices.Contains(flagNames(found), "low-hit-ratio") {
		t.Errorf("a statement that finds its blocks: %+v", found)
	}
}

// TestPoolHeldByIdleTransaction has a client of a pool of one that began and does
// nothing: another waits, and the report says why (row 29).
func TestPoolHeldByIdleTransaction(t *testing.T) {
	conn := shadowtest.Connect(t, schema)
	through, console := shadowtest.PgBouncer(t, conn, 1)
	connect := func(url string) *pgx.Conn {
		cfg, err := pgx.ParseConfig(url)
		if err != nil {
			t.Fatal(err)
		}
		cfg.DefaultQueryExecMode = pgx.QueryExecModeSimpleProtocol
		c, err := pgx.ConnectConfig(t.Context(), cfg)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { c.Close(context.Background()) })
		return c
	}
	source := monitor.Source{
		Connect: func(ctx context.Context) (*live.Session, error) {
			return live.Connect(ctx, conn.Config().ConnString(), live.Options{})
		},
		Activity: monitor.Activity{PgBouncer: func(ctx context.Context) (*live.Session, error) { return live.Connect(ctx, console, live.Options{}) }},
	}
	defer source.Close(context.Background())
	reading := func() *monitor.Reading {
		r, err := source.Read(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if len(r.Pools) != 1 {
			t.Fatalf("%d pools: %+v", len(r.Pools), r.Pools)
		}
		return r
	}
	holder := connect(through)
	run(t, holder, "begin")
	run(t, holder, "select 1")
	if p := reading().Pools[0]; p.Saturated || p.IdleInTransaction != 1 || p.Active != 1 {
		t.Errorf("nobody waits: %+v", p)
	}
	waiter, done := connect(through), make(chan error, 1)
	go func() {
		_, err := waiter.Exec(context.Background(), "select 2")
		done <- err
	}()
	var r *monitor.Reading
	eventually(t, "a client waits", func() bool {
		r = reading()
		return r.Pools[0].Waiting == 1 && r.Pools[0].MaxWaitMS > 0
	})
	if p := r.Pools[0]; !p.Saturated || p.IdleInTransaction != 1 || !strings.Contains(p.Verdict, "1 of 1 server connections are held by transactions that do nothing") || r.Connections.IdleInTransaction != 1 {
		t.Errorf("got %+v, the server's connections %+v", p, r.Connections)
	}
	run(t, holder, "commit")
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	eventually(t, "the queue is gone", func() bool { p := reading().Pools[0]; return !p.Saturated && p.IdleInTransaction == 0 })
}

// TestPromlint asks of what Prometheus is served what promtool check metrics asks (row
// 82), with all that there can be.
func TestPromlint(t *testing.T) {
	conn := shadowtest.Connect(t, schema)
	for i := range 3 {
		run(t, conn, "select name from players where id = $1", i)
	}
	run(t, conn, `select name, '"\ ' || 'x' from players where id = 7`)
	source := monitor.Source{Activity: monitor.Activity{Connections: true, Locks: true}, Connect: func(ctx context.Context) (*live.Session, error) {
		return live.Connect(ctx, conn.Config().ConnString(), live.Options{})
	}}
	defer source.Close(context.Background())
	r, err := source.Read(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	wait := 1.5
	r.Pools = []monitor.Pool{{Pooler: "pgbouncer", Database: "app", User: "app", Mode: "transaction", Size: 4, Active: 4, Clients: 4, Waiting: 2, MaxWaitMS: 70, AverageWaitMS: &wait, AverageQueryMS: &wait}}
	var text bytes.Buffer
	for _, targets := range [][]monitor.Target{
		{{Report: r.Report(monitor.Options{Catalog: source.Catalog(), Sort: "total", Limits: monitor.DefaultLimits})}},
		{{Name: "one", Report: r.Report(monitor.Options{Catalog: source.Catalog(), Sort: "total", Limits: monitor.DefaultLimits})}, {Name: "two", Error: "no answer"}},
	} {
		text.Reset()
		if err := monitor.Prometheus(&text, targets...); err != nil {
			t.Fatal(err)
		}
		for _, want := range []string{"planvet_statement_calls_total{", "planvet_connections{", "planvet_pool_waiting", "planvet_up"} {
			if !strings.Contains(text.String(), want) {
				t.Errorf("%s is not there:\n%s", want, text.String())
			}
		}
		problems, err := promlint.New(bytes.NewReader(text.Bytes())).Lint()
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range problems {
			t.Errorf("%s: %s", p.Metric, p.Text)
		}
	}
	if problems, err := promlint.New(strings.NewReader("# TYPE planvet_x counter\nplanvet_x 1\n")).Lint(); err != nil || len(problems) == 0 {
		t.Errorf("a counter without a help text passes: %v, %v", problems, err)
	}
}
