package monitor_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/planvet/planvet/internal/live"
	"github.com/planvet/planvet/internal/monitor"
	"github.com/planvet/planvet/internal/shadow/shadowtest"
	"github.com/planvet/planvet/internal/slope"
)

// flowRuns runs a flow at each size between two readings of pg_stat_statements.
func flowRuns(t *testing.T, conn *pgx.Conn, s *live.Session, sizes []int, flow func(n int)) []monitor.FlowRun {
	t.Helper()
	reading := func() *live.Statements {
		r, err := s.Statements(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	var runs []monitor.FlowRun
	for _, n := range sizes {
		run(t, conn, "delete from members")
		run(t, conn, "insert into members select i, i from generate_series(1, $1) i", n)
		before := reading()
		flow(n)
		runs = append(runs, monitor.FlowRun{Items: n, Delta: monitor.Between(before, reading())})
	}
	return runs
}

func ids(t *testing.T, conn *pgx.Conn, sql string, args ...any) []int64 {
	t.Helper()
	rows, err := conn.Query(t.Context(), sql, args...)
	if err != nil {
		t.Fatal(err)
	}
	out, err := pgx.CollectRows(rows, pgx.RowTo[int64])
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestSlopes(t *testing.T) {
	conn := shadowtest.Connect(t, schema, "create table members (id int, player_id bigint)")
	s := open(t, conn)
	const members, page, player = "select player_id from members order by id", "select player_id from members order by id limit $1", "select name from players where id = $1"
	loop := func(parent string, args ...any) {
		for _, id := range ids(t, conn, parent, args...) {
			run(t, conn, player, id)
		}
	}
	for _, c := range []struct {
		name   string
		sizes  []int
		flow   func(n int)
		growth slope.Growth
		child  string
		calls  []int64
		parent string
	}{
		{"loop", []int{2, 20}, func(int) { loop(members) }, slope.PerItem, player, []int64{2, 20}, members},
		{"loop, given in the other order", []int{20, 2}, func(int) { loop(members) }, slope.PerItem, player, []int64{2, 20}, members},
		{"two statements in a loop", []int{2, 20}, func(int) {
			for _, id := range ids(t, conn, members) {
				run(t, conn, player, id)
				run(t, conn, "select name from clubs where id = $1", id)
			}
		}, slope.PerItem, "select name from", []int64{2, 20}, members},
		{"loop over values", []int{2, 20}, func(n int) {
			for i := range n {
				run(t, conn, player, i)
			}
		}, slope.PerItem, player, []int64{2, 20}, ""},
		{"lists of other lengths", []int{2, 20}, func(n int) {
			for i := range n {
				run(t, conn, "select name from players where id in (1"+strings.Repeat(", 2", i)+")")
			}
		}, slope.PerItem, "select name from players where id in", []int64{2, 20}, ""},
		{"a page", []int{2, 20}, func(int) { loop(page, 10) }, slope.Bounded, player, []int64{2, 10}, page},
		{"a page below all sizes", []int{20, 40}, func(int) { loop(page, 10) }, slope.Hidden, player, []int64{10, 10}, page},
		{"join", []int{2, 20}, func(int) { run(t, conn, "select p.name from members m join players p on p.id = m.player_id") }, slope.Constant, "", nil, ""},
		{"five always", []int{2, 20}, func(int) {
			for i := range 5 {
				run(t, conn, player, i)
			}
		}, slope.Constant, "", nil, ""},
		{"chunks", []int{10, 40}, func(n int) {
			for range n / 10 {
				run(t, conn, "update players set name = 'x' where id < 10")
			}
		}, slope.Slower, "update players", []int64{1, 4}, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := monitor.Slopes(flowRuns(t, conn, s, c.sizes, c.flow), slope.Limit)
			if err != nil {
				t.Fatal(err)
			}
			if c.growth == slope.Constant {
				if len(got.Growing) != 0 {
					t.Fatalf("got %+v, want nothing that grows", got.Growing)
				}
				return
			}
			if len(got.Growing) == 0 {
				t.Fatal("nothing grows")
			}
			for _, g := range got.Growing {
				if !strings.HasPrefix(g.Query.SQL, c.child) || g.Growth != c.growth || !slices.Equal(g.Calls, c.calls) || g.Transaction {
					t.Errorf("got %+v, want %s of %s: %v", g, c.growth, c.child, c.calls)
				}
				if (g.Parent == nil) != (c.parent == "") || g.Parent != nil && g.Parent.SQL != c.parent {
					t.Errorf("%s: the parent is %+v, want %q", g.Query.SQL, g.Parent, c.parent)
				}
			}
		})
	}

	t.Run("a transaction an item", func(t *testing.T) {
		got, err := monitor.Slopes(flowRuns(t, conn, s, []int{2, 20}, func(n int) {
			for i := range n {
				run(t, conn, "begin")
				run(t, conn, "update players set name = 'y' where id = $1", i)
				run(t, conn, "commit")
			}
		}), slope.Limit)
		if err != nil {
			t.Fatal(err)
		}
		if len(got.Growing) != 3 || got.Growing[0].Transaction || !got.Growing[1].Transaction || !got.Growing[2].Transaction {
			t.Errorf("got %+v, want the update, then begin and commit", got.Growing)
		}
	})

	t.Run("a reset", func(t *testing.T) {
		runs := flowRuns(t, conn, s, []int{2, 20}, func(n int) {
			if n == 20 {
				run(t, conn, "select pg_stat_statements_reset()")
			}
			loop(members)
		})
		_, err := monitor.Slopes(runs, slope.Limit)
		if runs[1].Delta.Reset != (err != nil) { // before version 1.9 the extension does not tell
			t.Errorf("reset %v, error %v", runs[1].Delta.Reset, err)
		}
		if err != nil && !strings.Contains(err.Error(), "20 items") {
			t.Error(err)
		}
	})
}

func TestSlopesRefuses(t *testing.T) {
	empty := func(n int) monitor.FlowRun { return monitor.FlowRun{Items: n} }
	for _, runs := range [][]monitor.FlowRun{nil, {empty(2)}, {empty(2), empty(2)}, {empty(2), empty(3)}, {empty(2), empty(20)}} {
		if got, err := monitor.Slopes(runs, slope.Limit); err == nil {
			t.Errorf("%d runs: %s, want an error", len(runs), fmt.Sprint(got))
		}
	}
}
