package monitor_test

import (
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/planvet/planvet/internal/live"
	"github.com/planvet/planvet/internal/monitor"
	"github.com/planvet/planvet/internal/shadow/shadowtest"
)

var noon = time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)

// reading is one of a server with a single statement, and one table.
func reading(minute int, reset time.Time, calls int64, scanned int64) *monitor.Reading {
	return &monitor.Reading{
		Server: monitor.Server{Version: "16.9", Where: "db", Started: noon.Add(-time.Hour)},
		Statements: &live.Statements{At: noon.Add(time.Duration(minute) * time.Minute), Reset: reset, All: []live.Statement{{
			QueryID: 7, TopLevel: true, Query: "select n from things where id = $1", Calls: calls, Rows: calls, ExecMS: 2 * float64(calls), StddevExecMS: 0.5, SharedHit: 30 * calls, SharedRead: 10 * calls,
		}}},
		Scans:       []monitor.TableScans{{Table: "public.things", Index: scanned, IndexRows: scanned}},
		Connections: &monitor.Connections{Used: minute % 3},
		Locks:       &monitor.Locks{Deadlocks: calls / 1000},
	}
}

// What was counted before a reset is lost and the time of it is a hole; no figure is
// negative or of another time.
func TestCourseOfAReset(t *testing.T) {
	c := &monitor.Course{}
	reset := noon.Add(11 * time.Minute)
	for _, r := range []*monitor.Reading{reading(0, noon.Add(-time.Hour), 5000, 9000), reading(10, noon.Add(-time.Hour), 7000, 13000), reading(20, reset, 400, 13900), reading(30, reset, 1400, 15900)} {
		c.Add(r)
	}
	if len(c.Steps) != 3 {
		t.Fatalf("%d steps", len(c.Steps))
	}
	lost := c.Steps[1]
	if !lost.Reset || !lost.From.Equal(reset) || lost.Totals.Calls != 400 || lost.Read != nil || lost.Returned != nil {
		t.Errorf("the step of the reset is %+v", lost)
	}
	if s := c.Steps[2]; s.Totals.Calls != 1000 || *s.Read != 2000 || *s.Returned != 1000 || *s.Totals.HitRatio != 0.75 || s.Seconds() != 600 {
		t.Errorf("the step after is %+v", s)
	}
	r := c.Report(monitor.Options{Sort: "total"})
	q := r.Top[0]
	if q.Calls != 3400 || q.ExecMS != 6800 || math.Abs(q.StddevMS-0.5) > 1e-9 || q.MaxMS != nil || !strings.Contains(strings.Join(r.Notes, " "), "reset") {
		t.Errorf("the whole is %+v, notes %v", q, r.Notes)
	}
	if ms := c.Steps[0].ExecMS(&q) + c.Steps[1].ExecMS(&q) + c.Steps[2].ExecMS(&q); ms != 6800 {
		t.Errorf("the steps add up to %v ms", ms)
	}
	if s := c.Scans(); len(s) != 1 || s[0].IndexRows != 4000+900+2000 || s[0].Index != 6900 {
		t.Errorf("scans are %+v", s)
	}
}

// A long course is held in few steps that add up to the same.
func TestCourseIsBounded(t *testing.T) {
	c := &monitor.Course{}
	const n = 2000
	for i := range n {
		c.Add(reading(i, noon.Add(-time.Hour), int64(1000+10*i), int64(50*i)))
	}
	if len(c.Steps) > 240 || len(c.Steps) < 100 || c.Readings != n {
		t.Fatalf("%d readings in %d steps", c.Readings, len(c.Steps))
	}
	var calls, read, returned, deadlocks int64
	looked := 0
	for i, s := range c.Steps {
		if i > 0 && !s.From.Equal(c.Steps[i-1].To) {
			t.Fatalf("a hole before %s", s.From)
		}
		calls, read, returned, deadlocks, looked = calls+s.Totals.Calls, read+*s.Read, returned+*s.Returned, deadlocks+*s.Deadlocks, looked+s.Used.N
		if s.Used.N > 2 && (s.Used.Min != 0 || s.Used.Max != 2) {
			t.Errorf("step %d saw %+v", i, s.Used)
		}
	}
	if calls != 10*(n-1) || read != 50*(n-1) || returned != calls || deadlocks != 19 || looked != n-1 {
		t.Errorf("%d calls, %d read, %d returned, %d deadlocks, %d looks", calls, read, returned, deadlocks, looked)
	}
}

// TestScans counts what was read by sequential scans and by indexes (row 79); the same
// by direct SQL.
func TestScans(t *testing.T) {
	conn := shadowtest.Connect(t, schema)
	s := open(t, conn)
	for range 3 {
		run(t, conn, "select count(*) from clubs where name like '%7'")
	}
	for i := range 40 {
		run(t, conn, "select name from players where id = $1", i+1)
	}
	// A session tells what it did when it is idle for a while, and at its end.
	if err := conn.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the scans", func() bool {
		after, err := monitor.ReadScans(t.Context(), s)
		if err != nil {
			t.Fatal(err)
		}
		clubs, players := monitor.TableScans{}, monitor.TableScans{}
		for _, x := range after {
			switch x.Table {
			case "public.clubs":
				clubs = x
			case "public.players":
				players = x
			}
		}
		// Building an index counts as a scan of no rows.
		if clubs.Sequential < 3 || clubs.SequentialRows != 150 || clubs.Rows() != 150 || clubs.Live != 50 || players.Index != 40 || players.IndexRows != 40 {
			return false
		}
		rows, err := s.Query(t.Context(), "select seq_tup_read::text from pg_stat_user_tables where relname = 'clubs'")
		return err == nil && *rows[0][0] == fmt.Sprint(clubs.SequentialRows)
	})
}

// A history keeps what was read beside statements, without the texts of sessions.
func TestHistoryOfActivity(t *testing.T) {
	file := filepath.Join(t.TempDir(), "history.jsonl")
	for i := range 3 {
		h, err := monitor.OpenHistory(t.Context(), file)
		if err != nil {
			t.Fatal(err)
		}
		r := reading(i, noon.Add(-time.Hour), int64(1000*(i+1)), int64(100*i))
		r.Locks.Trees = []monitor.Blocker{{PID: 4, Query: "select 'secret'", Waiting: 1, Holds: []monitor.Blocker{{PID: 5, Query: "select 'secret'", Wants: "ShareLock", WaitMS: 70}}}}
		r.Pools = []monitor.Pool{{Pooler: "pgbouncer", Active: 3, Waiting: i}}
		if err := h.Append(t.Context(), r); err != nil {
			t.Fatal(err)
		}
		if r.Locks.Trees[0].Query == "" {
			t.Error("the reading lost its texts too")
		}
		h.Close(t.Context())
	}
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(text), "secret") {
		t.Error("the text of a session is in the history")
	}
	h, err := monitor.OpenHistory(t.Context(), file)
	if err != nil {
		t.Fatal(err)
	}
	defer h.Close(t.Context())
	c, err := h.Course(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	last := c.Steps[1]
	if len(c.Steps) != 2 || last.PoolWaiting.Max != 2 || last.PoolActive.Max != 3 || last.LockWaiting.Max != 1 || last.LockWaitMS.Max != 70 || *last.Read != 100 || *last.Deadlocks != 1 || c.Last().Connections.Used != 2 {
		t.Errorf("got %+v", last)
	}
}

// BenchmarkCourse takes readings of 5,000 statements, of which 300 are called in each
// interval.
func BenchmarkCourse(b *testing.B) {
	all := make([]live.Statement, 5000)
	for i := range all {
		all[i] = live.Statement{QueryID: int64(i), TopLevel: true, Query: fmt.Sprintf("select %d", i), Calls: 1, ExecMS: 1}
	}
	c := &monitor.Course{}
	n := 0
	for b.Loop() {
		now := append([]live.Statement(nil), all...)
		for i := range 300 {
			s := &now[(n*7+i*13)%len(now)]
			s.Calls, s.ExecMS = s.Calls+3, s.ExecMS+float64(i)
		}
		all = now
		c.Add(&monitor.Reading{Server: monitor.Server{Started: noon}, Statements: &live.Statements{At: noon.Add(time.Duration(n) * time.Minute), All: now}})
		n++
	}
}
