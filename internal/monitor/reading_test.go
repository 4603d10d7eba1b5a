package monitor_test

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/planvet/planvet/internal/live"
	"github.com/planvet/planvet/internal/monitor"
	"github.com/planvet/planvet/internal/shadow/shadowtest"
)

const schema = `
	create extension if not exists pg_stat_statements;
	create table players (id bigint primary key, club_id bigint not null, name text not null, joined timestamptz not null);
	create index on players (club_id, joined);
	create table clubs (id bigint primary key, name text);
	insert into clubs select i, 'club ' || i from generate_series(1, 50) i;
	insert into players select i, i % 50 + 1, 'player ' || i, timestamptz '2025-01-01' + i * interval '1 minute' from generate_series(1, 20000) i;
	analyze;
`

func open(t *testing.T, conn *pgx.Conn) *live.Session {
	t.Helper()
	s, err := live.Connect(t.Context(), conn.Config().ConnString(), live.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close(context.Background()) })
	return s
}

func read(t *testing.T, s *live.Session) *monitor.Reading {
	t.Helper()
	r, err := monitor.Read(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func options(t *testing.T, s *live.Session, sort string, top int) monitor.Options {
	t.Helper()
	cat, err := s.LoadCatalog(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return monitor.Options{Catalog: cat, Sort: sort, Top: top, Limits: monitor.DefaultLimits}
}

// find returns the query that begins so.
func find(t *testing.T, r *monitor.Report, prefix string) monitor.Query {
	t.Helper()
	for _, q := range r.Top {
		if strings.HasPrefix(q.SQL, prefix) {
			return q
		}
	}
	t.Fatalf("%s is not in the report", prefix)
	return monitor.Query{}
}

func run(t *testing.T, conn *pgx.Conn, sql string, args ...any) {
	t.Helper()
	if _, err := conn.Exec(t.Context(), sql, args...); err != nil {
		t.Fatalf("%v\n%s", err, sql)
	}
}

// TestRanking holds 400 statements against what SQL says of them (row 12).
func TestRanking(t *testing.T) {
	conn := shadowtest.Connect(t, schema)
	for i := range 400 {
		run(t, conn, fmt.Sprintf("select count(*) from players where id%s%s < %d", strings.Repeat(" + 1", i/20), strings.Repeat(" - 1", i%20), 10*i))
	}
	// Some spill, some return rows, and some write, each of another amount.
	run(t, conn, "set work_mem = '64kB'")
	run(t, conn, "create table written as select * from players limit 0")
	for i := range 30 {
		plus := strings.Repeat(" + 1", i)
		run(t, conn, fmt.Sprintf("select count(*) from (select name from players where id%s < %d order by name offset 0) x", plus, 5000+400*i))
		run(t, conn, fmt.Sprintf("select id, id%s from players where id < %d", plus, 10+7*i))
		run(t, conn, fmt.Sprintf("insert into written select id%s, club_id, name, joined from players where id <= %d", plus, 11+9*i))
	}
	s := open(t, conn)
	o := options(t, s, "total", 0)
	// What SQL says is of a copy, made just before: reading counts as well.
	const copied = "create table copied as select * from pg_stat_statements"
	run(t, conn, copied+" where dbid = (select oid from pg_database where datname = current_database()) and query not like '%/* planvet */%'")
	r := read(t, s)
	r.Statements.All = slices.DeleteFunc(r.Statements.All, func(st live.Statement) bool {
		return strings.HasPrefix(st.Query, copied) || strings.HasPrefix(copied, "create table copied as "+st.Query[:min(20, len(st.Query))]) // 18 counts both
	})
	for sort, expression := range map[string]string{"total": "total_exec_time", "mean": "total_exec_time / calls", "temp": "temp_blks_read + temp_blks_written", "calls": "calls",
		"io": "shared_blks_read + temp_blks_read + temp_blks_written", "rows": "rows", "wal": "wal_bytes"} {
		o.Sort, o.Top = sort, 20
		got := r.Report(o)
		differ := 3 // amounts among the first: a column that says nothing ranks nothing
		if sort == "calls" {
			differ = 1
		}
		want, err := s.Query(t.Context(), `select query, (total_exec_time / sum(total_exec_time) over ())::text,
			(`+expression+`)::text as amount from copied order by `+expression+` desc, total_exec_time desc limit 20`)
		if err != nil {
			t.Fatal(err)
		}
		if len(got.Top) != 20 || got.Statements < 400 {
			t.Fatalf("%s: %d of %d statements", sort, len(got.Top), got.Statements)
		}
		amounts := map[string]bool{}
		for i, q := range got.Top {
			amounts[*want[i][2]] = true
			var share float64
			fmt.Sscan(*want[i][1], &share)
			if q.SQL != *want[i][0] || math.Abs(q.Share-share) > 1e-9 {
				t.Errorf("%s, rank %d: got %s (%.9f), want %s (%.9f)", sort, i+1, q.SQL, q.Share, *want[i][0], share)
			}
		}
		if len(amounts) < differ {
			t.Errorf("%s: the first 20 have %d amounts", sort, len(amounts))
		}
	}
	sums, err := s.Query(t.Context(), `select sum(calls)::text, sum(rows)::text, sum(shared_blks_hit + shared_blks_read)::text from copied`)
	if err != nil {
		t.Fatal(err)
	}
	all := r.Report(o).Totals
	if got := fmt.Sprint(all.Calls, all.Rows, all.Blocks); got != strings.Join([]string{*sums[0][0], *sums[0][1], *sums[0][2]}, " ") {
		t.Errorf("totals %s, SQL says %s %s %s", got, *sums[0][0], *sums[0][1], *sums[0][2])
	}
}

// TestListsAreOne: IN lists of any length are one statement (row 20).
func TestListsAreOne(t *testing.T) {
	conn := shadowtest.Connect(t, schema)
	run(t, conn, "select name from players where id in (1, 2, 3)")
	run(t, conn, "select name from players where id in (1, 2, 3, 4, 5)")
	s := open(t, conn)
	q := find(t, read(t, s).Report(options(t, s, "total", 0)), "select name from players where id in")
	if q.Calls != 2 || q.Rows != 8 {
		t.Errorf("got %+v", q)
	}
}

// TestInterval: what happened between two readings, with a reset in one of them (row 13).
func TestInterval(t *testing.T) {
	conn := shadowtest.Connect(t, schema)
	s := open(t, conn)
	for range 5 {
		run(t, conn, "select name from players where id = $1", 7)
	}
	first := read(t, s)
	for range 3 {
		run(t, conn, "select name from players where id = $1", 7)
	}
	second := read(t, s)
	o := options(t, s, "total", 0)
	if q := find(t, second.Since(first, o), "select name from players where id ="); q.Calls != 3 || q.Rows != 3 || q.MaxMS != nil {
		t.Errorf("got %+v, want the 3 calls between", q)
	}
	run(t, conn, "select pg_stat_statements_reset()")
	run(t, conn, "select name from players where id = $1", 7)
	third := read(t, s).Since(second, o)
	if q := find(t, third, "select name from players where id ="); q.Calls != 1 {
		t.Errorf("after a reset: %+v, want 1 call", q)
	}
	for _, q := range third.Top {
		if q.Calls < 0 || q.ExecMS < 0 || q.Rows < 0 {
			t.Errorf("a negative figure: %+v", q)
		}
	}
	if s.Major() >= 14 && !strings.Contains(strings.Join(third.Notes, "\n"), "reset") {
		t.Errorf("the reset is not told: %v", third.Notes)
	}
}

// TestClasses are rows 24 and 25: a policy that sleeps makes a lookup by key slow, a
// range scan of the same time is none.
func TestClasses(t *testing.T) {
	conn := shadowtest.Connect(t, schema, `
		create function slow() returns boolean language plpgsql as $$ begin perform pg_sleep(0.012); return true; end $$;
		alter table clubs enable row level security;
		alter table clubs force row level security;
		create policy slowly on clubs using ((select slow()));
		drop role if exists planvet_reader;
		create role planvet_reader;
		grant select on clubs, players to planvet_reader;`)
	run(t, conn, "set role planvet_reader")
	for i := range 30 {
		run(t, conn, "select name from clubs where id = $1", i)
		run(t, conn, "select name from clubs where id between $1 and $2", i, i+5)
	}
	run(t, conn, "reset role")
	for want, sql := range map[monitor.Class]string{
		monitor.PrimaryKeyLookup: "select joined from players where id = 5",
		monitor.RangeScan:        "select joined from players where club_id = 5",
		monitor.Lookup:           "select joined from players where name = 'x'",
		monitor.FullScan:         "select joined, id from players", // no beginning of another
		monitor.Aggregate:        "select max(joined) from players where club_id = 5",
		monitor.Join:             "select p.joined from players p join clubs c on c.id = p.club_id where c.id = 3",
		monitor.Write:            "update players set name = 'y' where id = 3",
		monitor.Utility:          "set work_mem = '4MB'",
	} {
		run(t, conn, sql)
		s := open(t, conn)
		verb := strings.SplitN(sql, "=", 2)[0]
		if q := find(t, read(t, s).Report(options(t, s, "total", 0)), verb); q.Class != want {
			t.Errorf("%s: %s, want %s", sql, q.Class, want)
		}
	}
	s := open(t, conn)
	report := read(t, s).Report(options(t, s, "total", 0))
	if q := find(t, report, "select name from clubs where id ="); len(q.Flags) != 1 || q.Flags[0].Name != "slow-primary-key-lookup" {
		t.Errorf("a lookup of 12 ms: %+v", q)
	}
	if q := find(t, report, "select name from clubs where id between"); len(q.Flags) != 0 || q.Class != monitor.RangeScan {
		t.Errorf("a range scan of 12 ms: %+v", q)
	}
}
