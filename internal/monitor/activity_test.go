package monitor_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/planvet/planvet/internal/live"
	"github.com/planvet/planvet/internal/monitor"
	"github.com/planvet/planvet/internal/shadow/shadowtest"
)

// client is another session on conn's database, under a name.
func client(t *testing.T, conn *pgx.Conn, name string) *pgx.Conn {
	t.Helper()
	cfg := conn.Config().Copy()
	cfg.RuntimeParams["application_name"] = name
	c, err := pgx.ConnectConfig(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close(context.Background()) })
	return c
}

// eventually waits for something that another session brings about.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		if ok() {
			return
		}
	}
	t.Fatalf("never came: %s", what)
}

// TestConnections opens 20 clients, five of them with a transaction that does nothing
// (row 76).
func TestConnections(t *testing.T) {
	conn := shadowtest.Connect(t)
	s := open(t, conn)
	for i := range 20 {
		c := client(t, conn, "planvet-test-clients")
		if i < 5 {
			run(t, c, "begin")
			run(t, c, "select 1")
		}
	}
	// Sessions of tests before this one may still be on their way out: the figures are
	// what SQL says where it says the same before and after.
	var after *monitor.Connections
	self := int32(s.Conn().PgConn().PID())
	eventually(t, "SQL says the same", func() bool {
		var before, behind, free int
		const used = "select count(*), current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int - coalesce(current_setting('reserved_connections', true)::int, 0) - count(*) from pg_stat_activity where backend_type = 'client backend' and pid <> $1"
		if err := conn.QueryRow(t.Context(), used, self).Scan(&before, &free); err != nil {
			t.Fatal(err)
		}
		var err error
		if after, err = monitor.ReadConnections(t.Context(), s); err != nil {
			t.Fatal(err)
		}
		if err := conn.QueryRow(t.Context(), used, self).Scan(&behind, &free); err != nil {
			t.Fatal(err)
		}
		return before == behind && after.Used == before && after.Headroom == free && after.Used >= 20
	})
	counts := map[string]int{}
	for _, g := range after.Groups {
		if g.Application == "planvet-test-clients" {
			counts[g.State] += g.Count
		}
	}
	if counts["idle"] != 15 || counts["idle in transaction"] != 5 {
		t.Errorf("got %v", counts)
	}
	if after.IdleInTransaction != 5 || len(after.Oldest) != 5 || after.Oldest[0].XactMS < after.Oldest[0].StateMS || after.Saturated {
		t.Errorf("got %+v", after)
	}
}

// TestLockTree has one session hold a lock, a second wait for it, and a third for both
// (row 80).
func TestLockTree(t *testing.T) {
	conn := shadowtest.Connect(t, "create table slips (id int primary key, n int)", "insert into slips values (1, 0), (2, 0)")
	holder := client(t, conn, "holder")
	run(t, holder, "begin")
	run(t, holder, "update slips set n = 1 where id = 1")
	done := make(chan error, 2)
	for _, name := range []string{"second", "third"} {
		c := client(t, conn, name)
		go func() {
			_, err := c.Exec(context.Background(), "update slips set n = 2 where id = 1")
			done <- err
		}()
		s := open(t, conn)
		eventually(t, name+" waits", func() bool {
			l, err := monitor.ReadLocks(t.Context(), s)
			return err == nil && len(l.Trees) == 1 && l.Trees[0].Waiting == map[string]int{"second": 1, "third": 2}[name]
		})
	}
	l, err := monitor.ReadLocks(t.Context(), open(t, conn))
	if err != nil {
		t.Fatal(err)
	}
	root := l.Trees[0]
	if root.Application != "holder" || root.State != "idle in transaction" || root.Wants != "" || len(root.Holds) == 0 {
		t.Fatalf("got %+v", root)
	}
	if second := root.Holds[0]; second.Application != "second" || second.WaitMS <= 0 || !strings.Contains(second.Wants, " on ") || !strings.HasPrefix(second.Query, "update slips") {
		t.Errorf("got %+v", second)
	}
	s := open(t, conn)
	eventually(t, "the second waits for 2 s, as SQL says too", func() bool {
		var ms float64
		if err := conn.QueryRow(t.Context(), "select extract(epoch from clock_timestamp() - query_start) * 1000 from pg_stat_activity where application_name = 'second' and datname = current_database()").Scan(&ms); err != nil {
			t.Fatal(err)
		}
		l, err := monitor.ReadLocks(t.Context(), s)
		if err != nil || len(l.Trees) != 1 || l.Trees[0].Waiting != 2 {
			t.Fatalf("got %+v, %v", l, err)
		}
		if waited := l.Trees[0].Holds[0].WaitMS; waited > ms+60_000 || l.Trees[0].XactMS < waited {
			t.Fatalf("waits for %g ms behind a transaction of %g ms", waited, l.Trees[0].XactMS)
		}
		return ms >= 2000 && l.LongestMS() >= 2000
	})
	run(t, holder, "commit")
	for range 2 {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
	if l, err = monitor.ReadLocks(t.Context(), open(t, conn)); err != nil || len(l.Trees) != 0 {
		t.Errorf("after the commit: %+v, %v", l, err)
	}
}

// TestDeadlock makes one and finds it counted (row 80).
func TestDeadlock(t *testing.T) {
	conn := shadowtest.Connect(t, "create table slips (id int primary key, n int)", "insert into slips values (1, 0), (2, 0)")
	run(t, conn, "create extension pg_stat_statements")
	source := monitor.Source{Activity: monitor.Activity{Locks: true}, Connect: func(ctx context.Context) (*live.Session, error) {
		return live.Connect(ctx, conn.Config().ConnString(), live.Options{})
	}}
	defer source.Close(context.Background())
	reading := func() *monitor.Reading {
		r, err := source.Read(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	before := reading()
	a, b := client(t, conn, "a"), client(t, conn, "b")
	for c, id := range map[*pgx.Conn]int{a: 1, b: 2} {
		run(t, c, "begin")
		run(t, c, "set local deadlock_timeout = '50ms'")
		run(t, c, "update slips set n = 1 where id = $1", id)
	}
	done := make(chan error, 2)
	for c, id := range map[*pgx.Conn]int{a: 2, b: 1} {
		go func() {
			_, err := c.Exec(context.Background(), "update slips set n = 1 where id = $1", id)
			if err != nil {
				c.Exec(context.Background(), "rollback")
			} else {
				c.Exec(context.Background(), "commit")
			}
			done <- err
		}()
	}
	failed := 0
	for range 2 {
		if err := <-done; live.Code(err) == "40P01" {
			failed++
		}
	}
	if failed != 1 {
		t.Fatalf("%d sessions were told of a deadlock", failed)
	}
	o := monitor.Options{Sort: "total", Limits: monitor.DefaultLimits}
	var after *monitor.Reading
	eventually(t, "the deadlock is counted", func() bool {
		after = reading()
		return after.Locks.Deadlocks > before.Locks.Deadlocks
	})
	if n := after.Since(before, o).Locks.Deadlocks; n != 1 {
		t.Errorf("%d deadlocks in the interval, want 1", n)
	}
	if n := reading().Since(after, o).Locks.Deadlocks; n != 0 {
		t.Errorf("%d deadlocks in the next interval, want none", n)
	}
}
