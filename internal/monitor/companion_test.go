package monitor_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/planvet/planvet/internal/companion"
	"github.com/planvet/planvet/internal/live"
	"github.com/planvet/planvet/internal/monitor"
	"github.com/planvet/planvet/internal/shadow/shadowtest"
)

// watched reads a database as a role, with all that a source reads.
func watched(t *testing.T, conn *pgx.Conn, role string) *monitor.Reading {
	t.Helper()
	url := strings.Replace(conn.Config().ConnString(), "postgres@", role+"@", 1)
	s := monitor.Source{Activity: monitor.Activity{Connections: true, Locks: true}, Connect: func(ctx context.Context) (*live.Session, error) {
		return live.Connect(ctx, url, live.Options{})
	}}
	defer s.Close(context.Background())
	r, err := s.Read(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// install puts the companion into a database, with a reader.
func install(t *testing.T, conn *pgx.Conn, version, reader string) {
	t.Helper()
	s, err := live.Connect(t.Context(), conn.Config().ConnString(), live.Options{Writable: true})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close(context.Background())
	c, err := companion.Install(t.Context(), s, version, []string{reader})
	if err == nil {
		err = c.Apply(t.Context(), s)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// TestLowPrivilege has a role that may see nobody's statistics: alone it is told what
// helps, with the companion it gets the figures that a superuser sees (row 30).
func TestLowPrivilege(t *testing.T) {
	const low = "planvet_mon_low"
	conn := shadowtest.Connect(t, schema, "do $$ begin create role "+low+" login; exception when duplicate_object then null; end $$")
	holder, waiter := client(t, conn, "holder"), client(t, conn, "waiter")
	run(t, holder, "begin")
	run(t, holder, "update clubs set name = 'x' where id = 1")
	done := make(chan error, 1)
	waits, stop := context.WithCancel(t.Context())
	defer stop()
	go func() {
		_, err := waiter.Exec(waits, "update clubs set name = 'y' where id = 1")
		done <- err
	}()
	for range 7 {
		run(t, conn, "select name from players where id = 11")
	}
	run(t, conn, "select count(*) from players")
	eventually(t, "somebody waits", func() bool { return watched(t, conn, "postgres").Locks.Waiting() == 1 })

	alone := watched(t, conn, low)
	report := alone.Report(monitor.Options{Sort: "total", Limits: monitor.DefaultLimits})
	if alone.Companion == nil || alone.Companion.Version != "" || !strings.Contains(alone.Companion.Adds, "planvet companion install --reader "+low) || !strings.Contains(alone.Companion.Adds, "grant pg_read_all_stats to "+low) {
		t.Errorf("without the companion: %+v", alone.Companion)
	}
	if notes := strings.Join(report.Notes, "\n"); !strings.Contains(notes, "not in the figures: grant pg_read_all_stats") {
		t.Errorf("notes %s", notes)
	}
	if alone.Statements.Hidden == 0 || alone.Statements.Counted || alone.Locks.Trees[0].State != "" || alone.Locks.Trees[0].XactMS != 0 {
		t.Errorf("a role without rights sees %+v, %d hidden", alone.Locks.Trees[0], alone.Statements.Hidden)
	}
	super := watched(t, conn, "postgres")
	if super.Companion == nil || !strings.Contains(super.Companion.Adds, "keep snapshots") {
		t.Errorf("a superuser without the companion: %+v", super.Companion)
	}
	if alone.Connections.Used < 3 {
		t.Errorf("a role without rights counts %d connections, of which 3 are this test's", alone.Connections.Used)
	}

	install(t, conn, "1.1", low)
	if c := watched(t, conn, low).Companion; c.Version != "1.1" || !strings.Contains(c.Adds, "companion upgrade") || !strings.Contains(c.Through, "connections and waits") {
		t.Errorf("with an old companion: %+v", c)
	}
	run(t, conn, "drop schema planvet cascade")
	install(t, conn, "", low)
	// What SQL says is of a copy, made just before.
	run(t, conn, "create table copied as select queryid, sum(calls)::bigint as calls, sum(rows)::bigint as rows, sum(total_exec_time)::float8 as ms, sum(shared_blks_hit + shared_blks_read)::bigint as blocks "+
		"from pg_stat_statements where query in ('select name from players where id = $1', 'select count(*) from players') group by 1")
	with := watched(t, conn, low)
	report = with.Report(monitor.Options{Sort: "total", Limits: monitor.DefaultLimits})
	if with.Companion.Adds != "" || !strings.Contains(with.Companion.Through, "statements, connections and waits") || !with.Statements.Counted {
		t.Errorf("with the companion: %+v", with.Companion)
	}
	rows, err := conn.Query(t.Context(), "select queryid::text, calls, rows, ms, blocks from copied order by calls")
	if err != nil {
		t.Fatal(err)
	}
	asked := 0
	var id string
	var calls, got, blocks int64
	var ms float64
	if _, err := pgx.ForEachRow(rows, []any{&id, &calls, &got, &ms, &blocks}, func() error {
		asked++
		for _, q := range report.Top {
			if fmt.Sprint(q.QueryIDs) == "["+id+"]" {
				if q.Calls != calls || q.Rows != got || q.ExecMS != ms || q.Hit+q.Read != blocks || q.SQL != live.HiddenText {
					t.Errorf("%+v, SQL says %d calls, %d rows, %g ms, %d blocks", q, calls, got, ms, blocks)
				}
				return nil
			}
		}
		t.Errorf("statement %s is not in the report", id)
		return nil
	}); err != nil || asked != 2 {
		t.Errorf("%d statements, %v", asked, err)
	}
	super = watched(t, conn, "postgres")
	if super.Companion == nil || super.Companion.Through != "" || super.Companion.Adds != "" {
		t.Errorf("a superuser with the companion: %+v", super.Companion)
	}
	a, b := with.Locks.Trees[0], super.Locks.Trees[0]
	if a.PID != b.PID || a.State != b.State || a.State != "idle in transaction" || a.XactMS == 0 || a.Query != live.HiddenText || len(a.Holds) != 1 || a.Holds[0].WaitMS == 0 || a.Holds[0].Wants != b.Holds[0].Wants {
		t.Errorf("locks %+v, a superuser sees %+v", a, b)
	}
	states := func(c *monitor.Connections) string {
		n := map[string]int{}
		for _, g := range c.Groups {
			if g.Application == "holder" || g.Application == "waiter" {
				n[g.Application+" "+g.State] += g.Count
			}
		}
		return fmt.Sprint(n, c.Oldest[0].Application)
	}
	if states(with.Connections) != states(super.Connections) || with.Connections.Used != super.Connections.Used {
		t.Errorf("connections %+v, a superuser sees %+v", with.Connections, super.Connections)
	}
	run(t, holder, "rollback")
	if err := <-done; err != nil {
		t.Error(err)
	}
}

// A role that may see nothing does not take an intruder's schema for the companion.
func TestForeignSchema(t *testing.T) {
	conn := shadowtest.Connect(t, schema, "create schema planvet", "create function planvet.statement_counters() returns setof jsonb language plpgsql as $$ begin raise 'called'; end $$",
		"do $$ begin create role planvet_mon_low login; exception when duplicate_object then null; end $$", "grant usage on schema planvet to planvet_mon_low")
	if r := watched(t, conn, "planvet_mon_low"); r.Companion != nil || r.Statements.Counted {
		t.Errorf("got %+v", r.Companion)
	}
}

// TestSnapshots reads a change from the companion's snapshots as a reader without rights,
// who is not told texts; and as the owner, who is.
func TestSnapshots(t *testing.T) {
	const low = "planvet_mon_low"
	conn := shadowtest.Connect(t, schema, "do $$ begin create role "+low+" login; exception when duplicate_object then null; end $$",
		"create table waits (seconds float8)", "insert into waits values (0.001)",
		"create function wait() returns float8 language plpgsql as $$ begin perform pg_sleep((select seconds from waits)); return 1; end $$")
	s := open(t, conn)
	if _, err := monitor.OpenSnapshots(t.Context(), s); !errors.Is(err, monitor.ErrNoSnapshots) || !strings.Contains(err.Error(), "companion install") {
		t.Errorf("without a companion: %v", err)
	}
	install(t, conn, "", low)
	for i, seconds := range []string{"0.001", "0.001", "0.1", "0.1"} {
		if i > 0 {
			run(t, conn, "update waits set seconds = "+seconds)
			for range 10 {
				run(t, conn, "select wait()")
			}
			// A snapshot is taken once a second at most; the test does not wait for that.
			run(t, conn, "update planvet.snapshots set taken_at = taken_at - interval '10 min'")
		}
		run(t, conn, "select planvet.snapshot()")
	}
	for role, text := range map[string]string{"postgres": "select wait()", low: live.HiddenText} {
		s, err := live.Connect(t.Context(), strings.Replace(conn.Config().ConnString(), "postgres@", role+"@", 1), live.Options{})
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close(context.Background())
		p, err := monitor.OpenSnapshots(t.Context(), s)
		if err != nil {
			t.Fatal(err)
		}
		got, err := monitor.FindTrends(t.Context(), p, monitor.DefaultTrendOptions)
		if err != nil || got.Readings != 4 {
			t.Fatalf("%s: %+v, %v", role, got, err)
		}
		found := 0
		for _, c := range got.Changed {
			// Superuser's texts are hidden from the other role, of which each is one still.
			if c.SQL == text && len(c.Points) == 3 && c.Before > 1 && c.Before < 50 && c.After >= 100 && c.Points[0].Calls == 10 {
				found++
			}
		}
		if found == 0 {
			t.Errorf("%s: %+v", role, got.Changed)
		}
	}
	run(t, conn, "select planvet.set_readers('{}')")
	s, err := live.Connect(t.Context(), strings.Replace(conn.Config().ConnString(), "postgres@", low+"@", 1), live.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close(context.Background())
	if _, err := monitor.OpenSnapshots(t.Context(), s); !errors.Is(err, monitor.ErrNoSnapshots) || !strings.Contains(err.Error(), "--reader "+low) {
		t.Errorf("without rights: %v", err)
	}
}
