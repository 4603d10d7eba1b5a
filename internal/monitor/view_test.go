package monitor_test

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/planvet/planvet/internal/casetest"
	"github.com/planvet/planvet/internal/monitor"
	"github.com/planvet/planvet/internal/report"
)

// interval is a report of ten seconds that ends at second n of noon.
func interval(n int, top ...monitor.Query) *monitor.Report {
	at := time.Date(2026, 3, 4, 12, 0, n, 0, time.UTC)
	r := &monitor.Report{Version: 1, Server: monitor.Server{Version: "16.3", Where: "app"}, From: at.Add(-10 * time.Second), To: at, Interval: true, Statements: len(top), Sort: "total", Top: top}
	for _, q := range top {
		r.Totals.Calls += q.Calls
		r.Totals.ExecMS += q.ExecMS
	}
	hit := 0.987
	r.Totals.HitRatio = &hit
	for i := range r.Top {
		r.Top[i].Share = r.Top[i].ExecMS / max(r.Totals.ExecMS, 1)
	}
	return r
}

func query(fingerprint, sql string, calls int64, ms float64) monitor.Query {
	return monitor.Query{Fingerprint: fingerprint, TopLevel: true, SQL: sql, Calls: calls, Rows: 2 * calls, ExecMS: ms, MeanMS: ms / float64(calls), RowsPerCall: 2}
}

const (
	seats   = "select s.id,\n\tv.player_id from rating_slips s join visits v on v.id = s.visit_id where s.table_id = $1"
	players = "select first_name, last_name from players where id = $1"
)

// intervals is a view of one server after four intervals.
func intervals() *monitor.View {
	v := &monitor.View{Interval: 10 * time.Second, Sort: "total"}
	for n := range 4 {
		r := interval(10*(n+1), query("aa", seats, 40, 200+100*float64(n)), query("bb", players, 4000, 160), query("cc", "select \x1b[31m'é日本'", 1, 20))
		r.Top[1].Flags = []monitor.Flag{{Name: "uneven"}}
		r.Connections = &monitor.Connections{Verdict: "12 of 97 connections are taken", IdleInTransaction: 2}
		r.Locks = &monitor.Locks{Deadlocks: 1, Trees: []monitor.Blocker{{PID: 4711, Waiting: 1, Query: "update visits set ended_at = now()", Holds: []monitor.Blocker{{PID: 4712, Wants: "ShareLock"}}}}}
		v.Update([]monitor.Target{{Report: r}}, r.To)
	}
	return v
}

func TestViewLines(t *testing.T) {
	down := intervals()
	down.Update([]monitor.Target{{Error: "connecting to db:5432: connection refused"}}, time.Date(2026, 3, 4, 12, 0, 50, 0, time.UTC))
	back := interval(60, query("aa", seats, 1, 5))
	restarted := intervals()
	back.Notes = []string{"the server was restarted at 2026-03-04T12:00:51Z; what it did just before may be lost"}
	restarted.Update([]monitor.Target{{Report: back}}, back.To)
	byCalls := intervals()
	byCalls.Key("c")
	byRows := intervals()
	byRows.Key("R")
	fleet := &monitor.View{Interval: 10 * time.Second, Sort: "mean"}
	fleet.Update([]monitor.Target{{Name: "app-1", Report: interval(10, query("aa", seats, 40, 200))}, {Name: "app-2", Error: "no route to host"},
		{Name: "app-3", Report: interval(10, query("aa", seats, 40, 900), query("bb", players, 10, 1))}}, time.Date(2026, 3, 4, 12, 0, 10, 0, time.UTC))
	for _, c := range []struct {
		name          string
		v             *monitor.View
		width, height int
	}{
		{"view.txt", intervals(), 110, 20},
		{"view_narrow.txt", intervals(), 44, 9},
		{"view_calls.txt", byCalls, 110, 20},
		{"view_rows.txt", byRows, 110, 20},
		{"view_down.txt", down, 110, 20},
		{"view_restarted.txt", restarted, 110, 20},
		{"view_fleet.txt", fleet, 120, 20},
	} {
		casetest.Golden(t, filepath.Join("testdata", "golden", c.name), strings.Join(c.v.Lines(c.width, c.height), "\n")+"\n")
	}
}

// TestViewFits draws at every size: no line is wider, none too many, none a terminal
// would act on.
func TestViewFits(t *testing.T) {
	for _, v := range []*monitor.View{intervals(), {}, {Sort: "total"}} {
		for width := range 130 {
			for height := range 15 {
				lines := v.Lines(width, height)
				if len(lines) == 0 || len(lines) > max(height, 1) {
					t.Fatalf("%d lines at a height of %d", len(lines), height)
				}
				for _, l := range lines {
					if report.Cells(l) > max(width, 1) || strings.ContainsAny(l, "\x1b\n\r\t") {
						t.Fatalf("%q at a width of %d", l, width)
					}
				}
			}
		}
	}
	v := intervals()
	v.Color = true
	if text := strings.Join(v.Lines(110, 20), "\n"); !strings.Contains(text, "\x1b[") || strings.Contains(text, "\x1b[31m'") {
		t.Errorf("styles are planvet's own, and no others: %q", text)
	}
}

func TestViewKeys(t *testing.T) {
	v := intervals()
	for _, c := range []struct{ key, sort string }{
		{"m", "mean"}, {"C", "calls"}, {"i", "io"}, {"w", "wal"}, {"\t", "total"}, {"\t", "mean"}, {"\x1b[Z", "total"}, {"x", "total"}, {"\x1b[A", "total"}, {"r", "rows"}, {"\t", "temp"},
	} {
		if v.Key(c.key) || v.Sort != c.sort {
			t.Errorf("%q: sorted by %s, want %s", c.key, v.Sort, c.sort)
		}
	}
	for _, key := range []string{"q", "\x03"} {
		if !v.Key(key) {
			t.Errorf("%q does not end the watch", key)
		}
	}
}

// TestViewForgets watches long with ever new statements.
func TestViewForgets(t *testing.T) {
	v := &monitor.View{Sort: "total"}
	for n := range 200 {
		r := interval(n%60, query("aa", seats, 1, 1), query(fmt.Sprint(n), fmt.Sprint("select ", n), 1, 1))
		v.Update([]monitor.Target{{Report: r}}, r.To)
	}
	if n := monitor.Trails(v); n > 25 {
		t.Errorf("%d trails are kept of statements that are gone", n)
	}
}
