package dashboard_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/planvet/planvet/internal/dashboard"
	"github.com/planvet/planvet/internal/live"
	"github.com/planvet/planvet/internal/monitor"
	"github.com/planvet/planvet/internal/shadow/shadowtest"
)

const schema = `
	create extension if not exists pg_stat_statements;
	create table players (id bigint primary key, club_id bigint not null, name text not null);
	insert into players select i, i % 50 + 1, 'player ' || i from generate_series(1, 20000) i;
	create table slips (id int primary key, n int); insert into slips values (1, 0), (2, 0);
	analyze;
`

func exec(t *testing.T, c *pgx.Conn, sql string, args ...any) {
	t.Helper()
	if _, err := c.Exec(t.Context(), sql, args...); err != nil {
		t.Fatal(err)
	}
}

func client(t *testing.T, of *pgx.Conn) *pgx.Conn {
	t.Helper()
	c, err := pgx.ConnectConfig(t.Context(), of.Config().Copy())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close(context.Background()) })
	return c
}

func sourceOf(t *testing.T, conn *pgx.Conn) *monitor.Source {
	t.Helper()
	s := &monitor.Source{
		Connect: func(ctx context.Context) (*live.Session, error) {
			return live.Connect(ctx, conn.Config().ConnString(), live.Options{})
		},
		Activity: monitor.Activity{Connections: true, Locks: true, Scans: true},
	}
	t.Cleanup(func() { s.Close(context.Background()) })
	return s
}

// scan reads one row.
func scan(t *testing.T, c *pgx.Conn, sql string, to ...any) {
	t.Helper()
	if err := c.QueryRow(t.Context(), sql).Scan(to...); err != nil {
		t.Fatal(err)
	}
}

// Under planted load the figures are those of direct SQL: calls, time and hit ratio of
// an interval, rows read, a lock wait, a deadlock, connections (rows 74, 76, 79, 80).
func TestLive(t *testing.T) {
	conn := shadowtest.Connect(t, schema)
	source, course := sourceOf(t, conn), &monitor.Course{}
	add := func() {
		t.Helper()
		r, err := source.Read(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		course.Add(r)
	}
	// What the server counts, as a person would ask for it; planvet's own statements are
	// marked.
	type counted struct {
		calls, rows, hit, blocks, deadlocks int64
		ms                                  float64
	}
	direct := func() (c counted) {
		scan(t, conn, `select sum(calls), sum(rows), sum(shared_blks_hit), sum(shared_blks_hit + shared_blks_read), sum(total_exec_time) from pg_stat_statements
			where dbid = (select oid from pg_database where datname = current_database()) and query not like '%planvet%' and query not like '%pg_stat_%'`, &c.calls, &c.rows, &c.hit, &c.blocks, &c.ms)
		scan(t, conn, `select deadlocks from pg_stat_database where datname = current_database()`, &c.deadlocks)
		return c
	}
	settled(t, conn)
	add()
	before := direct()

	worker := client(t, conn)
	for i := range 30 {
		exec(t, worker, "select count(*) from players where name like '%' || $1::text || '%'", fmt.Sprint(i))
	}
	a, b := client(t, conn), client(t, conn)
	exec(t, a, "begin")
	exec(t, b, "begin")
	exec(t, a, "update slips set n = 1 where id = 1")
	exec(t, b, "update slips set n = 1 where id = 2")
	failed := make(chan error, 2)
	go func() { _, err := a.Exec(context.Background(), "update slips set n = 2 where id = 2"); failed <- err }()
	go func() { _, err := b.Exec(context.Background(), "update slips set n = 2 where id = 1"); failed <- err }()
	if first, second := <-failed, error(nil); first == nil {
		if second = <-failed; second == nil {
			t.Fatal("no deadlock")
		}
	} else {
		<-failed
	}
	exec(t, a, "rollback")
	exec(t, b, "rollback")
	// A wait that lasts while the server is read.
	exec(t, a, "begin")
	exec(t, a, "update slips set n = 3 where id = 1")
	waiting := make(chan error, 1)
	go func() { _, err := b.Exec(context.Background(), "update slips set n = 4 where id = 1"); waiting <- err }()
	eventually(t, "a session waits", func() bool {
		var n int
		scan(t, conn, "select count(*) from pg_locks where not granted", &n)
		return n == 1
	})
	worker.Close(t.Context()) // it tells what it did
	eventually(t, "the deadlock is counted, and the scans", func() bool {
		var rows int64
		scan(t, conn, "select seq_tup_read from pg_stat_user_tables where relname = 'players'", &rows)
		return direct().deadlocks == before.deadlocks+1 && rows >= 600_000
	})
	after := direct()
	add()
	var used int
	scan(t, conn, "select count(*) from pg_stat_activity where backend_type = 'client backend'", &used)
	exec(t, a, "rollback")
	if err := <-waiting; err != nil {
		t.Fatal(err)
	}

	d := dashboard.Build(dashboard.Inputs{Made: time.Now(), Course: course, Options: monitor.Options{Catalog: source.Catalog(), Limits: monitor.DefaultLimits}})
	var search *dashboard.Statement
	for i := range d.Statements.Top {
		if strings.HasPrefix(d.Statements.Top[i].SQL, "select count(*) from players") {
			search = &d.Statements.Top[i]
		}
	}
	var calls, hit, blocks int64
	var ms float64
	scan(t, conn, `select calls, shared_blks_hit, shared_blks_hit + shared_blks_read, total_exec_time from pg_stat_statements
		where query like 'select count(*) from players%' and dbid = (select oid from pg_database where datname = current_database())`, &calls, &hit, &blocks, &ms)
	if search == nil || search.Calls != calls || search.Calls != 30 || search.Hit != hit || search.Hit+search.Read != blocks || math.Abs(search.ExecMS-ms) > 1e-6*ms || search.Class != monitor.Aggregate {
		t.Errorf("got %+v; the server has %d calls, %d of %d blocks, %v ms", search, calls, hit, blocks, ms)
	}
	if r := d.Hits.Ratio; r == nil || math.Abs(*r-float64(after.hit-before.hit)/float64(after.blocks-before.blocks)) > 0.02 {
		t.Errorf("hit ratio %v, the server's is %d of %d", r, after.hit-before.hit, after.blocks-before.blocks)
	}
	if d.Locks.Deadlocks != 1 || d.Locks.Waiting != 1 || len(d.Locks.Trees) != 1 || d.Locks.LongestMS <= 0 || d.Locks.Peak != 1 {
		t.Errorf("locks %+v", d.Locks)
	}
	if p := d.Panels; p[8].ID != "locks" || p[8].State != dashboard.Warning {
		t.Errorf("got %+v", p[8])
	}
	if s := d.Selectivity; s.Read == nil || *s.Read < 600_000 || s.Tables[0].Table != "public.players" || s.Tables[0].SequentialRows < 600_000 || *s.Ratio < 1000 {
		t.Errorf("selectivity %+v", s)
	}
	// The session of direct SQL is one of them, planvet's own is not in its figures.
	if c := d.Connections; c.Now.Used != used-1 || c.Now.IdleInTransaction != 1 {
		t.Errorf("connections %+v, the server has %d", c.Now, used)
	}
	if err := dashboard.HTML(io.Discard, d, 0); err != nil {
		t.Error(err)
	}
}

// settled waits until the server counts what the schema's statements did.
func settled(t *testing.T, conn *pgx.Conn) {
	t.Helper()
	last, same := int64(-1), 0
	eventually(t, "counters stand still", func() bool {
		var n int64
		scan(t, conn, "select coalesce(sum(seq_tup_read + coalesce(idx_tup_fetch, 0) + n_tup_ins), 0)::bigint from pg_stat_user_tables", &n)
		if n == last {
			same++
		} else {
			last, same = n, 0
		}
		return same > 40
	})
}

func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(30 * time.Second); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		if ok() {
			return
		}
	}
	t.Fatalf("never came: %s", what)
}

// A served dashboard shows new figures after load, keeps the last ones where they cannot
// be had, and says so.
func TestServeLive(t *testing.T) {
	conn := shadowtest.Connect(t, schema)
	source, course := sourceOf(t, conn), &monitor.Course{}
	var broken atomic.Bool
	build := func(ctx context.Context) (*dashboard.Dashboard, error) {
		if broken.Load() {
			return nil, fmt.Errorf("asking postgres://u:hunter2@host/db: no answer")
		}
		r, err := source.Read(ctx)
		if err != nil {
			return nil, err
		}
		course.Add(r)
		return dashboard.Build(dashboard.Inputs{Made: time.Now(), Course: course, Options: monitor.Options{Limits: monitor.DefaultLimits}}), nil
	}
	ctx, cancel := context.WithCancel(t.Context())
	address, done := make(chan net.Addr, 1), make(chan error, 1)
	go func() {
		done <- dashboard.Serve(ctx, "127.0.0.1:0", 100*time.Millisecond, build, func(a net.Addr) { address <- a })
	}()
	base := "http://" + (<-address).String()
	get := func(path, host string) (*http.Response, string) {
		t.Helper()
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, base+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		if host != "" {
			req.Host = host
		}
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		text, err := io.ReadAll(res.Body)
		if err != nil {
			t.Fatal(err)
		}
		return res, string(text)
	}
	res, page := get("/", "")
	if res.StatusCode != 200 || res.Header.Get("Refresh") != "1" || res.Header.Get("Cache-Control") != "no-store" || strings.Contains(page, "count(*) from players") {
		t.Fatalf("status %d, headers %v", res.StatusCode, res.Header)
	}
	for i := range 25 {
		exec(t, conn, "select count(*) from players where name like '%' || $1::text || '%'", fmt.Sprint(i))
	}
	eventually(t, "the new statement, with its 25 calls", func() bool {
		_, text := get("/dashboard.json", "")
		var d dashboard.Dashboard
		if err := json.Unmarshal([]byte(text), &d); err != nil {
			t.Fatal(err)
		}
		for _, q := range d.Statements.Top {
			if strings.HasPrefix(q.SQL, "select count(*) from players") {
				return q.Calls == 25 && d.Interval
			}
		}
		return false
	})
	if _, page = get("/", ""); !strings.Contains(page, "count(*) from players") || !strings.Contains(page, `class="fill series1"`) {
		t.Error("the page has not the figures that its data have")
	}
	// Who gets a name of his own to lead here reads nothing.
	for host, want := range map[string]int{"evil.example": 403, "localhost:80": 200, "[::1]:80": 200, "127.0.0.1": 200} {
		if res, _ := get("/", host); res.StatusCode != want {
			t.Errorf("%s is answered with %d, want %d", host, res.StatusCode, want)
		}
	}
	if res, _ := get("/else", ""); res.StatusCode != 404 {
		t.Errorf("status %d", res.StatusCode)
	}
	broken.Store(true)
	eventually(t, "a note that it is stale", func() bool {
		_, page := get("/", "")
		return strings.Contains(page, "could not be refreshed") && strings.Contains(page, "count(*) from players") && !strings.Contains(page, "hunter2")
	})
	broken.Store(false)
	eventually(t, "fresh figures", func() bool {
		_, page := get("/", "")
		return !strings.Contains(page, "could not be refreshed")
	})
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

func TestAddress(t *testing.T) {
	for text, want := range map[string]string{"8090": "127.0.0.1:8090", ":8090": "127.0.0.1:8090", "0.0.0.0:1": "0.0.0.0:1", "localhost:1": "localhost:1", "[::1]:1": "[::1]:1"} {
		if got := dashboard.Address(text); got != want {
			t.Errorf("%s is %s, want %s", text, got, want)
		}
	}
}
