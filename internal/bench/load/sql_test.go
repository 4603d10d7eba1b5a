package load

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/planvet/planvet/internal/bench/suite"
	"github.com/planvet/planvet/internal/shadow/shadowtest"
)

func benchDB(t *testing.T, ctx context.Context, url, cases string, o Options) (*Report, error) {
	t.Helper()
	t.Setenv("LOAD_TEST_DB", url)
	f, err := suite.Parse("suites.yaml", []byte("version: 1\nsuites:\n  db:\n    url: ${LOAD_TEST_DB}\n    cases:\n"+cases))
	if err != nil {
		t.Fatal(err)
	}
	if f.DB, err = f.DB.Expand(); err != nil {
		t.Fatal(err)
	}
	o.Suites, o.CorrelationID = []string{"db"}, "pr-123"
	return Bench(ctx, f, o)
}

// live.md row 33: what takes 50 ms in the server is measured as that.
func TestSleep(t *testing.T) {
	r, err := benchDB(t, t.Context(), shadowtest.URL(t), "      - {name: sleep, sql: 'select pg_sleep(0.05)'}\n      - {name: simple, protocol: simple, sql: 'select pg_sleep($1)', params: [0.05]}\n", Options{Iterations: 60})
	if err != nil || !r.Valid() {
		t.Fatalf("%+v, %v", r, err)
	}
	for _, c := range r.Results.Suites[0].Cases {
		if c.Load != "closed" || c.Clients != 1 || c.Requests != 60 || c.Latency.P50.Value < 50 || c.Latency.P50.Value > 60 || c.Latency.P95 == nil || c.Latency.P99 != nil {
			t.Errorf("%s: %+v %+v", c.Name, c, c.Latency.P50)
		}
	}
	if r.Results.Environment.Postgres == "" {
		t.Error("the server's version is not said")
	}
}

// A case runs as its role with its claims, its writes are undone, and the server knows it
// by the run and its name.
func TestStatements(t *testing.T) {
	conn := shadowtest.Connect(t, "create table visits (id bigint generated always as identity primary key, guest uuid, at timestamptz, n int, tags text[])",
		"create table seen (app text, role text, sub text, setting text)",
		"insert into visits (guest, at, n) values ('00000000-0000-0000-0000-000000000007', '2025-01-01', 3)",
		"do $$ begin if not exists (select from pg_roles where rolname = 'bench_host') then create role bench_host; end if; end $$",
		"grant select, insert on visits to bench_host", "alter table visits enable row level security",
		"create policy own on visits using (guest::text = current_setting('request.jwt.claims')::jsonb->>'sub') with check (true)",
		"create function check_session() returns int language plpgsql as $$ begin if current_setting('application_name') <> 'planvet/pr-123/who' or current_user <> 'bench_host' or current_setting('app.tenant') <> 'o''neil\\x' then raise 'got % % %', current_setting('application_name'), current_user, current_setting('app.tenant'); end if; return 1; end $$")
	url := conn.Config().ConnString()
	const me = "role: bench_host, claims: {sub: 00000000-0000-0000-0000-000000000007}"
	r, err := benchDB(t, t.Context(), url, `      - {name: own, sql: 'select * from visits where guest = $1 and at < $2 and n = $3', params: ['00000000-0000-0000-0000-000000000007', '2026-01-01', 3], rows: 1, `+me+`}
      - {name: own simple, protocol: simple, sql: 'select * from visits where guest = $1 and at < $2 and n = $3', params: ['00000000-0000-0000-0000-000000000007', '2026-01-01', 3], rows: 1, `+me+`}
      - {name: foreign, sql: select * from visits, rows: 0, role: bench_host, claims: {sub: other}}
      - {name: write, sql: 'insert into visits (guest, n, tags) values ($1, $2, $3)', params: [null, 4, '{a,b}'], rows: 1, `+me+`}
      - {name: who, sql: select check_session(), role: bench_host, settings: {app.tenant: 'o''neil\x'}}
      - {name: at a rate, sql: select 1, rate: 200, workers: 2}
`, Options{Iterations: 60})
	if err != nil {
		t.Fatal(err)
	}
	for i, c := range r.Results.Suites[0].Cases {
		if c.Errors.Count != 0 || c.Requests != 60 || r.Notes[i].Invalid != "" {
			t.Errorf("%s: %+v, %+v", c.Name, c.Errors, r.Notes[i])
		}
	}
	if c := r.Results.Suites[0].Cases[5]; c.Load != "open" {
		t.Errorf("got %+v", c)
	}
	var n int
	if err := conn.QueryRow(t.Context(), "select count(*) from visits").Scan(&n); err != nil || n != 1 {
		t.Errorf("%d visits after the run, %v", n, err)
	}
}

// What fails has its SQLSTATE, or its class, and is no measurement.
func TestStatementErrors(t *testing.T) {
	conn := shadowtest.Connect(t, "create table t (id int primary key)", "insert into t values (1)")
	r, err := benchDB(t, t.Context(), conn.Config().ConnString(), `      - {name: twice, sql: insert into t values (1)}
      - {name: rows, sql: select * from t, rows: 2}
      - {name: slow, sql: select pg_sleep(10), timeout: 50ms}
`, Options{Iterations: 60})
	if err != nil {
		t.Fatal(err)
	}
	for i, class := range []string{"23505", ClassRows, ClassTimeout} {
		c := r.Results.Suites[0].Cases[i]
		if c.Errors.ByClass[class] != c.Errors.Count || c.Errors.Count < hopeless || r.Notes[i].Invalid == "" || c.Latency.P50 != nil {
			t.Errorf("%s: %+v", c.Name, c)
		}
	}
	idle(t, conn.Config().ConnString())
}

// idle waits until no statement of the run is on the server any more.
func idle(t *testing.T, url string) {
	t.Helper()
	c, err := pgx.Connect(context.Background(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close(context.Background())
	n := 0
	for range 100 {
		if err := c.QueryRow(context.Background(), "select count(*) from pg_stat_activity where application_name like 'planvet/%' and state = 'active'").Scan(&n); err != nil {
			t.Fatal(err)
		}
		if n == 0 {
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
	t.Errorf("%d statements are still running", n)
}

// Who interrupts a run leaves no statement on the server.
func TestStatementInterrupted(t *testing.T) {
	url := shadowtest.URL(t)
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
	defer cancel()
	r, err := benchDB(t, ctx, url, "      - {name: quick, sql: select pg_sleep(0.02), iterations: 10, clients: 2}\n      - {name: long, sql: 'select pg_sleep(least(30, 0.01 * nextval(''s'')))', iterations: 100000}\n", Options{})
	if err == nil {
		t.Fatalf("the sequence is not there, got %+v", r)
	}
	if !strings.Contains(err.Error(), `case long: relation "s" does not exist`) {
		t.Error(err)
	}
	ctx, cancel = context.WithTimeout(t.Context(), 2*time.Second)
	defer cancel()
	r, err = benchDB(t, ctx, url, "      - {name: quick, sql: select pg_sleep(0.01), iterations: 10, clients: 2}\n      - {name: long, sql: select pg_sleep(0.01), iterations: 100000}\n", Options{})
	if err != nil {
		t.Fatal(err)
	}
	cases := r.Results.Suites[0].Cases
	if !r.Partial || len(cases) != 2 || cases[0].Requests != 10 || cases[0].Clients != 2 || cases[1].Requests < 5 || cases[1].Errors.Count != 0 {
		t.Errorf("got %+v", cases)
	}
	idle(t, url)
}

// What would not be undone is not run.
func TestCheckStatement(t *testing.T) {
	for sql, ok := range map[string]bool{
		"select 1": true, " SELECT 1;": true, "(select 1)": true, "with x as (select 1) select * from x": true, "insert into t default values": true,
		"commit": false, "select 1; commit": false, "begin": false, "drop table t": false, "vacuum t": false, "do $$ begin commit; end $$": false, "": false, "end": false, "prepare transaction 'x'": false,
	} {
		if err := checkStatement(sql); (err == nil) != ok {
			t.Errorf("%q: %v", sql, err)
		}
	}
}

func TestApplicationName(t *testing.T) {
	if got := applicationName("pr-123", "visits of é"); got != "planvet/pr-123/visits of _" {
		t.Error(got)
	}
	if got := applicationName(strings.Repeat("x", 64), "y"); len(got) != 63 {
		t.Error(got)
	}
}
