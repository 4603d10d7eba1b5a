package extension_test

import (
	"context"
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/planvet/planvet/extension"
	"github.com/planvet/planvet/internal/live"
	"github.com/planvet/planvet/internal/monitor"
	"github.com/planvet/planvet/internal/plan"
	"github.com/planvet/planvet/internal/shadow/shadowtest"
)

// installed is a fresh database with the objects of the newest version.
func installed(t *testing.T, setup ...string) *pgx.Conn {
	t.Helper()
	conn := shadowtest.Connect(t)
	run(t, conn, setup...)
	install(t, conn)
	return conn
}

// install runs the scripts as create extension and the companion do.
func install(t *testing.T, conn *pgx.Conn) {
	t.Helper()
	steps, err := extension.Path("", extension.Version())
	if err != nil {
		t.Fatal(err)
	}
	run(t, conn, "begin; set local search_path = pg_catalog, pg_temp")
	for _, s := range steps {
		run(t, conn, s.SQL)
	}
	run(t, conn, "commit")
}

// role makes a login role of the cluster, which tests share, and returns a connection
// of it to conn's database.
func role(t *testing.T, conn *pgx.Conn, name string) *pgx.Conn {
	t.Helper()
	run(t, conn, fmt.Sprintf("do $$ begin create role %s login; exception when duplicate_object then null; end $$", name))
	return open(t, strings.Replace(conn.Config().ConnString(), "postgres@", name+"@", 1))
}

// snapshot takes one, a minute after the last.
func snapshot(t *testing.T, conn *pgx.Conn) {
	t.Helper()
	run(t, conn, "update planvet.snapshots set taken_at = taken_at - interval '1 minute'", "select planvet.snapshot()")
}

// next takes a snapshot where the moment of the last one matters.
func next(t *testing.T, conn *pgx.Conn) {
	t.Helper()
	run(t, conn, "select pg_sleep(1.1)", "select planvet.snapshot()")
}

// TestDeltas compares with what planvet itself reads of the same moments, in both
// layouts.
func TestDeltas(t *testing.T) {
	for _, schema := range []string{"extensions", "public"} {
		t.Run(schema, func(t *testing.T) {
			conn := installed(t, "create schema if not exists "+schema, "create extension pg_stat_statements schema "+schema,
				"create table things as select i as id, 'note ' || i as note from generate_series(1, 5000) i")
			s, err := live.Connect(t.Context(), conn.Config().ConnString(), live.Options{})
			if err != nil {
				t.Fatal(err)
			}
			defer s.Close(context.Background())
			both := func() *live.Statements {
				snapshot(t, conn)
				all, err := s.Statements(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				return all
			}
			work := func(n int) {
				for i := range n {
					run(t, conn, fmt.Sprintf("select note from things where id > %d", i*1000),
						fmt.Sprintf("update things set note = 'other' where id = %d", i))
				}
			}
			work(2)
			a := both()
			work(5)
			both()
			work(3)
			b := both()
			want := map[int64]live.Statement{}
			for _, st := range monitor.Between(a, b).Statements {
				if strings.Contains(st.Query, "things") {
					want[st.QueryID] = st
				}
			}
			if len(want) != 2 {
				t.Fatalf("%d statements of the load, want 2", len(want))
			}
			// since the first of the three snapshots: the middle one is summed over.
			rows, err := conn.Query(t.Context(), `select queryid, toplevel, query, calls, rows, exec_ms, mean_ms, stddev_ms, shared_hit, shared_read, shared_dirtied, temp_read, plans, coalesce(wal_bytes, -1)
				from planvet.statement_deltas('-infinity') where query like '%things%where id%'`)
			if err != nil {
				t.Fatal(err)
			}
			n := 0
			var got live.Statement
			var mean float64
			_, err = pgx.ForEachRow(rows, []any{&got.QueryID, &got.TopLevel, &got.Query, &got.Calls, &got.Rows, &got.ExecMS, &mean, &got.StddevExecMS, &got.SharedHit, &got.SharedRead, &got.SharedDirtied, &got.TempRead, &got.Plans, &got.WALBytes}, func() error {
				w := want[got.QueryID]
				n++
				if got.Calls != 8 || got.Calls != w.Calls || got.Rows != w.Rows || got.Query != w.Query || got.TopLevel != w.TopLevel ||
					got.SharedHit != w.SharedHit || got.SharedRead != w.SharedRead || got.SharedDirtied != w.SharedDirtied ||
					got.TempRead != w.TempRead || got.Plans != w.Plans || got.WALBytes != w.WALBytes {
					t.Errorf("got  %+v\nwant %+v", got, w)
				}
				if math.Abs(got.ExecMS-w.ExecMS) > 1e-6 || math.Abs(mean*8-w.ExecMS) > 1e-6 || math.Abs(got.StddevExecMS-w.StddevExecMS) > 1e-6 {
					t.Errorf("times: got %v, mean %v, deviation %v; want %v, %v", got.ExecMS, mean, got.StddevExecMS, w.ExecMS, w.StddevExecMS)
				}
				return nil
			})
			if err != nil || n != 2 {
				t.Errorf("%d rows, error %v", n, err)
			}
			// Without arguments it is the last two.
			if got := ask(t, conn, "select string_agg(calls::text, ',') from planvet.statement_deltas() where query like '%things%where id%'"); got != "3,3" {
				t.Errorf("calls of the last interval: %s", got)
			}
			if got := ask(t, conn, "select snapshots, resets, restarts from planvet.delta_window('-infinity')"); got != "3|0|0" {
				t.Errorf("window: %s", got)
			}
		})
	}
}

// TestDeltasAddUp has snapshots with rows that come and go, counters that fall, resets
// and hidden rows, and compares with the sum over neighbouring snapshots, one by one.
func TestDeltasAddUp(t *testing.T) {
	conn := installed(t)
	run(t, conn, `select setseed(0.4);
		insert into planvet.snapshots (taken_at, extension, reset_at, hidden)
			select timestamptz '2026-01-01' + i * interval '1 h', '1.11', timestamptz '2025-01-01' + (i / 7) * interval '1 day', case when random() < 0.3 then 2 else 0 end
			from generate_series(1, 30) i;
		insert into planvet.snapshot_statements
			select s.id, 10, q, true, case when q % 3 = 0 then timestamptz '2026-01-01' + (s.id / 5) * interval '5 h 7 min' end,
				100 * (s.id % 11) + (random() * 120)::int, 7 * s.id, 10 * (s.id % 13) + random(), random(), 3 * s.id, s.id, case when q > 20 or s.id > 12 then s.id end
			from planvet.snapshots s, generate_series(1, 40) q where random() < 0.8`)
	const oracle = `select n.queryid, sum(n.calls - f * coalesce(o.calls, 0)) as calls, greatest(sum(n.rows - f * coalesce(o.rows, 0)), 0) as rows,
			round(sum(n.exec_ms - f * coalesce(o.exec_ms, 0))::numeric, 6) as exec_ms
		from (select *, lag(id) over w as b, lag(hidden) over w as bh, lag(taken_at) over w as bt, lag(reset_at) over w as br from planvet.snapshots where id between %d and %d window w as (order by id)) s
		join planvet.snapshot_statements n on n.snapshot_id = s.id
		left join planvet.snapshot_statements o on o.snapshot_id = s.b and o.queryid = n.queryid
		cross join lateral (select case when o.calls is null or n.calls < o.calls or n.exec_ms < o.exec_ms or s.reset_at > s.br or n.since > o.since then 0 else 1 end as f) x
		where s.b is not null and (o.calls is not null or s.bh = 0 or n.since > s.bt)
		group by n.queryid having sum(n.calls - f * coalesce(o.calls, 0)) > 0 order by 1`
	for _, span := range [][2]int{{1, 30}, {3, 4}, {5, 9}, {6, 8}, {12, 29}} {
		want := ask(t, conn, fmt.Sprintf(oracle, span[0], span[1]))
		got := ask(t, conn, fmt.Sprintf(`select queryid, calls, rows, round(exec_ms::numeric, 6)
			from planvet.statement_deltas(timestamptz '2026-01-01' + %d * interval '1 h', timestamptz '2026-01-01' + %d * interval '1 h') order by 1`, span[0], span[1]))
		if got != want || got == "" {
			t.Errorf("from %d to %d: got\n%s\nwant\n%s", span[0], span[1], got, want)
		}
	}
	// What one of the snapshots does not have is unknown, not nothing.
	if got := ask(t, conn, `select count(*) filter (where queryid <= 20 and shared_dirtied is not null), count(*) filter (where queryid > 20 and shared_dirtied is null)
		from planvet.statement_deltas(timestamptz '2026-01-01 02:00', timestamptz '2026-01-01 03:00')`); got != "0|0" {
		t.Errorf("known that are not, unknown that are: %s", got)
	}
}

// TestDeltasReadFew has many snapshots, of which two are compared: not all are read.
func TestDeltasReadFew(t *testing.T) {
	conn := installed(t, "create extension pg_stat_statements")
	run(t, conn, `insert into planvet.snapshots (taken_at, extension, hidden) select now() - (1500 - i) * interval '10 min', '1.10', 0 from generate_series(1, 1500) i;
		insert into planvet.snapshot_statements select s, 10, q, true, null, s, s, s, 0, s, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0
			from generate_series(1, 1500) s, generate_series(1, 200) q;
		analyze planvet.snapshots, planvet.snapshot_statements`)
	if got := ask(t, conn, "select count(*), sum(calls) from planvet.statement_deltas()"); got != "200|200" {
		t.Errorf("statements and calls: %s", got)
	}
	p, err := plan.Parse([]byte(ask(t, conn, "explain (analyze, buffers, format json) select * from planvet.statement_deltas()")))
	if err != nil {
		t.Fatal(err)
	}
	var all int64
	if err := conn.QueryRow(t.Context(), "select relpages from pg_class where relname = 'snapshot_statements'").Scan(&all); err != nil {
		t.Fatal(err)
	}
	if read := p.Blocks(); read > all/2 || read == 0 {
		t.Errorf("two of 1500 snapshots read %d blocks of %d", read, all)
	}
}

// TestResets has no negative and no invented figure after a reset, a restart and an
// eviction.
func TestResets(t *testing.T) {
	conn := installed(t, "create extension pg_stat_statements")
	calls := func() string {
		return ask(t, conn, "select coalesce(sum(calls), 0), coalesce(min(least(calls, rows, exec_ms, shared_hit, plan_ms)), 0) >= 0 from planvet.statement_deltas() where query like '%as planted%'")
	}
	work := func(n int) {
		for range n {
			run(t, conn, "select 1 as planted")
		}
	}
	if got := ask(t, conn, "select count(*) from planvet.delta_window()"); got != "0" {
		t.Errorf("without snapshots there are %s windows", got)
	}
	work(3)
	snapshot(t, conn)
	if got := ask(t, conn, "select count(*) from planvet.statement_deltas()"); got != "0" {
		t.Errorf("one snapshot has %s deltas: nobody knows since when they count", got)
	}
	work(4)
	run(t, conn, "select pg_stat_statements_reset()")
	work(2)
	snapshot(t, conn)
	if got := calls(); got != "2|t" {
		t.Errorf("after a reset: %s, want what was counted since", got)
	}
	if tells := ask(t, conn, "select reset_at is not null from planvet.snapshots limit 1"); tells == "t" {
		if got := ask(t, conn, "select resets from planvet.delta_window()"); got != "1" {
			t.Errorf("%s resets", got)
		}
		// More calls than before the reset: only reset_at tells.
		run(t, conn, "select pg_stat_statements_reset()")
		work(5)
		snapshot(t, conn)
		if got := calls(); got != "5|t" {
			t.Errorf("after a reset and more calls than before it: %s", got)
		}
	}
	run(t, conn, "update planvet.snapshots set started_at = started_at - interval '1 day' where id < (select max(id) from planvet.snapshots)")
	if got := ask(t, conn, "select restarts from planvet.delta_window()"); got != "1" {
		t.Errorf("%s restarts", got)
	}
	// A second snapshot within a second is the first.
	if got := ask(t, conn, "select planvet.snapshot() = max(id) from planvet.snapshots"); got != "t" {
		t.Error("two snapshots within a second are two")
	}
}

func TestEvictions(t *testing.T) {
	s := withFiles(t, "pg_stat_statements.max=100")
	url, err := s.NewDatabase(t.Context(), "evicted")
	if err != nil {
		t.Fatal(err)
	}
	conn := open(t, url)
	run(t, conn, "create extension pg_stat_statements", "create extension planvet")
	load := func() {
		for i := range 150 {
			run(t, conn, "select 1 as planted"+strings.Repeat(", 1", i))
		}
	}
	load()
	snapshot(t, conn)
	load()
	load()
	snapshot(t, conn)
	got := ask(t, conn, `select coalesce(sum(calls), 0) between 1 and 300, coalesce(max(calls), 0) <= 2, min(exec_ms) >= 0, min(rows) >= 0
		from planvet.statement_deltas() where query like '%as planted%'`)
	if got != "t|t|t|t" {
		t.Errorf("calls were made, were not invented, are not negative: %s", got)
	}
	evicted := ask(t, conn, "select evicted > 0 from planvet.delta_window()")
	if tells := s.Major() >= 14; tells && evicted != "t" || !tells && evicted != "" {
		t.Errorf("evicted: %q on %d", evicted, s.Major())
	}
}

// TestHiddenStatements has an owner who may not read all statistics: what it could not
// see before is not what happened since.
func TestHiddenStatements(t *testing.T) {
	conn := shadowtest.Connect(t, "create extension pg_stat_statements")
	own := role(t, conn, "planvet_ext_owner")
	run(t, conn, "grant create on database "+pgx.Identifier{conn.Config().Database}.Sanitize()+" to planvet_ext_owner")
	install(t, own)
	for range 7 {
		run(t, conn, "select 2 as planted")
	}
	snapshot(t, own)
	if got := ask(t, own, "select hidden > 0, (select count(*) from planvet.snapshot_texts where query like '%planted%') from planvet.snapshots"); got != "t|0" {
		t.Errorf("hidden rows, texts of others: %s", got)
	}
	run(t, conn, "grant pg_read_all_stats to planvet_ext_owner")
	defer run(t, conn, "revoke pg_read_all_stats from planvet_ext_owner")
	run(t, conn, "select 2 as planted")
	next(t, own)
	if got := ask(t, own, "select coalesce(sum(calls), 0) from planvet.statement_deltas() where query like '%as planted%'"); got != "0" {
		t.Errorf("%s calls: most are from before the first snapshot", got)
	}
	run(t, conn, "select 2 as planted")
	next(t, own)
	if got := ask(t, own, "select sum(calls) from planvet.statement_deltas() where query like '%as planted%'"); got != "1" {
		t.Errorf("%s calls since both are seen, want 1", got)
	}
	// The owner's snapshot serves a role that may read no statistics, without the texts.
	low := role(t, conn, "planvet_ext_low")
	run(t, own, "select planvet.set_readers(planvet.readers() || '{planvet_ext_low}')")
	if got := ask(t, low, "select string_agg(distinct query, ' ') from planvet.statement_deltas() where username = 'postgres'"); got != "<insufficient privilege>" {
		t.Errorf("a role without pg_read_all_stats reads %q", got)
	}
	run(t, low, "select 3 as planted_by_low")
	run(t, own, "update planvet.snapshots set taken_at = taken_at - interval '1 minute'")
	run(t, low, "select planvet.snapshot()")
	if got := ask(t, low, "select calls, query from planvet.statement_deltas() where username = 'planvet_ext_low' and query like '%planted%'"); got != "1|select $1 as planted_by_low" {
		t.Errorf("its own statement: %q", got)
	}
}

func TestRetention(t *testing.T) {
	conn := installed(t, "create extension pg_stat_statements")
	run(t, conn, "select 4 as planted")
	snapshot(t, conn)
	if got := ask(t, conn, "select planvet.prune('1 h'), count(*) from planvet.snapshots"); got != "0|1" {
		t.Errorf("nothing is an hour old: %s", got)
	}
	// The next snapshot drops what is older than planvet.retention.
	run(t, conn, "update planvet.snapshots set taken_at = taken_at - interval '15 days'", "select pg_stat_statements_reset()", "select planvet.snapshot()")
	if got := ask(t, conn, `select count(*), (select count(*) from planvet.snapshot_texts where query like '%planted%'),
		(select count(distinct snapshot_id) from planvet.snapshot_statements) from planvet.snapshots`); got != "1|0|1" {
		t.Errorf("snapshots, texts of what is gone, snapshots with statements: %s", got)
	}
	for _, keep := range []string{"null", "'-1 s'"} {
		if _, err := tryAsk(t, conn, "select planvet.prune("+keep+")"); live.Code(err) != "22023" {
			t.Errorf("prune(%s): %v", keep, err)
		}
	}
	if got := ask(t, conn, "select planvet.prune('0 s')"); got != "1" {
		t.Errorf("prune of all took %s", got)
	}
	if got := ask(t, conn, "select count(*) from planvet.snapshot_texts"); got != "0" {
		t.Errorf("%s texts are left", got)
	}
}

func TestWithoutStatements(t *testing.T) {
	conn := installed(t)
	_, err := tryAsk(t, conn, "select planvet.snapshot()")
	if live.Code(err) != "42704" || !strings.Contains(err.Error(), "pg_stat_statements is not in this database") {
		t.Errorf("without pg_stat_statements: %v", err)
	}
	if got := ask(t, conn, "select count(*), (select count(*) from planvet.lock_tree()) from planvet.statement_deltas()"); got != "0|0" {
		t.Errorf("got %s", got)
	}
}
