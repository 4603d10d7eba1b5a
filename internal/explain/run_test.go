package explain

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/planvet/planvet/internal/shadow/shadowtest"
)

// store is a database whose columns have common values, histograms and none.
const store = `
	create type state as enum ('open', 'paid', 'closed');
	create table customers (id bigint generated always as identity primary key, ref uuid not null default gen_random_uuid(),
		email text not null, country text not null, created_at timestamptz not null, tags text[] not null, doc jsonb not null);
	insert into customers (email, country, created_at, tags, doc)
		select 'secret' || g || '@example.org', case when g % 100 = 0 then 'CH' else 'DE' end, timestamptz '2024-01-01' + g * interval '5 minutes',
			array['t' || g % 10], jsonb_build_object('k', g % 100) from generate_series(1, 20000) g;
	create table orders (id bigint generated always as identity primary key, customer_id bigint not null, state state not null, total numeric not null, note text);
	insert into orders (customer_id, state, total)
		select 1 + (g::bigint * 7919) % 20000, case when g % 1000 = 0 then 'open' else 'closed' end::state, g % 1000 from generate_series(1, 60000) g;
	create index on customers (country);
	create index on orders (state);
	analyze;
`

// questioned is a server with a schema, and the connection of its owner.
func questioned(t *testing.T, schema string) (string, *pgx.Conn) {
	t.Helper()
	u := shadowtest.URL(t)
	conn, err := pgx.Connect(context.Background(), u)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close(context.Background()) })
	if _, err := conn.PgConn().Exec(context.Background(), schema).ReadAll(); err != nil {
		t.Fatal(err)
	}
	return u, conn
}

func raw(t *testing.T, array string) []json.RawMessage {
	t.Helper()
	out, err := ReadParams(array)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func answer(t *testing.T, o Options) *Report {
	t.Helper()
	if o.Runs == 0 {
		o.Runs = 2
	}
	o.NoAdvice = true // its tests are others
	r, err := Explain(context.Background(), o)
	if err != nil {
		t.Fatalf("%s: %v", o.SQL, err)
	}
	return r
}

// document is a report's JSON.
func document(t *testing.T, r *Report) string {
	t.Helper()
	b, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func planFor(r *Report, label string) *Plan {
	for i := range r.Plans {
		if r.Plans[i].Label == label {
			return &r.Plans[i]
		}
	}
	return nil
}

func flagged(r *Report, heuristic string) bool {
	return slices.ContainsFunc(r.Findings, func(f Finding) bool { return f.Heuristic == heuristic })
}

// live.md row 1: one statement that has a plan, and nothing else.
func TestRow1OneStatement(t *testing.T) {
	u, conn := questioned(t, store)
	for _, sql := range []string{
		"select 1; drop table orders", "", "-- nothing", "drop table orders", "vacuum orders", "explain select 1", "select 1 into t2",
		"copy orders to stdout", "begin", "do $$ begin drop table orders; end $$", "select 1 \\; drop table orders", "selec 1",
		"select 1\x00; drop table orders", "call p()", "prepare p as select 1", "set role postgres",
	} {
		_, err := Explain(context.Background(), Options{SQL: sql, URL: u, Runs: 1})
		var wrong *Usage
		if !errors.As(err, &wrong) {
			t.Errorf("%q: %v", sql, err)
		} else if strings.Contains(err.Error(), "\n") {
			t.Errorf("%q: an error of several lines: %v", sql, err)
		}
	}
	var n int
	if err := conn.QueryRow(context.Background(), "select count(*) from orders").Scan(&n); err != nil || n != 60000 {
		t.Fatalf("orders has %d rows: %v", n, err)
	}
}

// live.md row 2: values get their parameter's type; a bad one is named.
func TestRow2Parameters(t *testing.T) {
	u, _ := questioned(t, store)
	for _, c := range []struct{ sql, params, want string }{
		{"select * from customers where ref = $1", `["no uuid"]`, "$1::uuid"},
		{"select * from customers where ref = $1", `[{"a": 1}]`, "$1::uuid"},
		{"select * from customers where id = $1 and created_at > $2", `[1, "yesterdayish"]`, "$2::timestamp with time zone"},
		{"select * from orders where total = $1", `["many"]`, "$1::numeric"},
		{"select * from orders where state = $1", `["nowhere"]`, "$1::state"},
		{"select * from customers where id = any ($1)", `[[1, "x"]]`, "$1::bigint[]"},
		{"select * from customers where doc @> $1", `["{"]`, ""}, // a JSON text
		{"select * from customers where id = $1", `[1, 2]`, "--params has 2 values and the statement has 1 parameters"},
	} {
		_, err := Explain(context.Background(), Options{SQL: c.sql, URL: u, Params: raw(t, c.params), Runs: 1, NoAdvice: true})
		var wrong *Usage
		switch {
		case c.want == "":
			if err != nil {
				t.Errorf("%s %s: %v", c.sql, c.params, err)
			}
		case !errors.As(err, &wrong) || !strings.Contains(err.Error(), c.want):
			t.Errorf("%s %s: %v, want %s", c.sql, c.params, err, c.want)
		}
	}
	// What is given comes back from the server as it was meant.
	for _, c := range []struct{ sql, params string }{
		{"select id from customers where tags && $1", `[["t1", "a\"b\\c", null, "{}", "NULL", "x,y"]]`},
		{"select id from customers where id = any ($1) and tags = $2", `[[1, 2], "{t1}"]`},
		{"select id from customers where doc @> $1", `[{"k": 1, "z": [1, "a'b"]}]`},
		{"select id from customers where doc @> $1", `["{\"k\": 1}"]`},
		{"select id from customers where created_at = $1", `["2024-01-01T00:05:00+02:00"]`},
		{"select id from customers where id = $1", `[9007199254740993]`},
		{"select id from orders where total = $1", `[12345678901234567890.12345]`},
		{"select id from orders where note is not distinct from $1", `[null]`},
		{"select id from orders where state = any ($1)", `[["open", "paid"]]`},
		{"select array[[1,2],[3,4]] = $1::int[]", `[[[1,2],[3,4]]]`},
	} {
		r := answer(t, Options{SQL: c.sql, URL: u, Params: raw(t, c.params), Analyze: true})
		if r.Parameters[0].Source != "given" || r.Plans[0].Label != "given" || !r.Plans[0].Analyzed {
			t.Errorf("%s: %+v, plan %s", c.sql, r.Parameters[0], r.Plans[0].Label)
		}
	}
	rows := answer(t, Options{SQL: "select id from customers where created_at = $1", URL: u, Params: raw(t, `["2024-01-01T02:05:00+02:00"]`)})
	if rows.Plans[0].Root.Rows != 1 {
		t.Errorf("%v rows of the moment that one row has", rows.Plans[0].Root.Rows)
	}
}

// Values that were not given are drawn, and plans for them are compared; what comes
// from the server's statistics is in no text.
func TestDrawnValues(t *testing.T) {
	u, _ := questioned(t, store)
	const sql = "select * from orders o join customers c on c.id = o.customer_id where o.state = $1 and c.email = $2 and c.created_at between $3 and $4 and c.country = any ($5) limit $6"
	r := answer(t, Options{SQL: sql, URL: u})
	for i, want := range []struct{ column, source string }{
		{"orders.state", "statistics"}, {"customers.email", "statistics"}, {"customers.created_at", "statistics"},
		{"customers.created_at", "statistics"}, {"customers.country", "statistics"}, {"", "guessed"},
	} {
		if p := r.Parameters[i]; p.Column != want.column || p.Source != want.source {
			t.Errorf("$%d: %+v, want %+v", i+1, p, want)
		}
	}
	for _, label := range []string{"frequent", "rare", "absent", "generic"} {
		if planFor(r, label) == nil {
			t.Errorf("no plan for %s values", label)
		}
	}
	if doc := document(t, r); strings.Contains(doc, "secret") || strings.Contains(doc, "2024-0") || strings.Contains(doc, "DE") {
		t.Errorf("the report holds values of the table: %s", doc)
	}
	if doc := document(t, answer(t, Options{SQL: sql, URL: u, ShowValues: true})); !strings.Contains(doc, "secret") || !strings.Contains(doc, "2024-0") {
		t.Error("--show-values shows none")
	}
	// Also where an immutable function changed the value.
	for _, sql := range []string{
		"select * from customers where email = upper($1)", "select * from customers where email like '%' || $1 || '%'", "select * from customers where email ilike $1",
		"select * from customers where lower(email) = lower($1)", "select * from customers where email ~ $1 or email > $1",
		"select to_tsvector('english', email) @@ plainto_tsquery('english', $1) from customers", "select * from customers where upper(email) = any ($1)",
	} {
		if doc := document(t, answer(t, Options{SQL: sql, URL: u})); strings.Contains(strings.ToLower(doc), "ecret") {
			t.Errorf("%s: the report holds values of the table: %s", sql, doc)
		}
	}
}

// What a statement does with a value that was found is no error of the question.
func TestValuesThatFail(t *testing.T) {
	u, _ := questioned(t, store)
	r := answer(t, Options{SQL: "select 1 / (n - $1) from generate_series(1, 3) n", URL: u})
	if r.Timing != nil || !strings.Contains(r.NotRun, "division by zero") || len(r.Plans) == 0 {
		t.Errorf("run %v: %s", r.Timing != nil, r.NotRun)
	}
	r = answer(t, Options{SQL: "select length(email)::text::uuid from customers where email = $1", URL: u})
	if r.Timing != nil || !strings.Contains(r.NotRun, "SQLSTATE 22P02") {
		t.Errorf("run %v: %s", r.Timing != nil, r.NotRun)
	}
	for _, sql := range []string{"select * from customers where doc @? $1::jsonpath", "select * from customers where doc ? $1", "select * from customers where doc ->> 'k' = $1", "select * from customers where doc @> $1"} {
		if r := answer(t, Options{SQL: sql, URL: u}); r.Timing == nil {
			t.Errorf("%s: %s %v", sql, r.NotRun, r.Notes)
		}
	}
}

// One value in a thousand is open: the plans differ, and the report says so.
func TestParameterSensitive(t *testing.T) {
	u, _ := questioned(t, store)
	r := answer(t, Options{SQL: "select count(note) from orders where state = $1", URL: u})
	if !r.Sensitive || !strings.Contains(r.SensitiveWhy, "Seq Scan on orders") || !strings.Contains(r.SensitiveWhy, "orders_state_idx") {
		t.Errorf("sensitive %v: %s", r.Sensitive, r.SensitiveWhy)
	}
	if f, a := planFor(r, "frequent"), planFor(r, "rare"); f.Shape == a.Shape {
		t.Error("the shapes of a scan of the table and of the index are the same")
	}
	r = answer(t, Options{SQL: "select * from customers where id = $1", URL: u})
	if r.Sensitive {
		t.Errorf("a primary key is sensitive: %s", r.SensitiveWhy)
	}
}

// live.md row 3: the password of the URL is in nothing.
func TestRow3NoPassword(t *testing.T) {
	u, conn := questioned(t, store)
	const secret = "s3cr3t-pa55"
	if _, err := conn.Exec(context.Background(), "drop role if exists asker; create role asker login password '"+secret+"'; grant select on all tables in schema public to asker", pgx.QueryExecModeSimpleProtocol); err != nil {
		t.Fatal(err)
	}
	with := strings.Replace(u, "postgres@", "asker:"+secret+"@", 1)
	if with == u {
		t.Fatalf("no user in %s", u)
	}
	// It is no superuser, and may look at the functions that it calls all the same.
	r := answer(t, Options{SQL: "select count(note) from orders where id < $1", URL: with, Analyze: true})
	events, err := json.Marshal(r.Events())
	if err != nil {
		t.Fatal(err)
	}
	for _, o := range []Options{
		{SQL: "select * from nothere"}, {SQL: "select * from orders", Identity: Identity{Role: "postgres"}}, {SQL: "select pg_sleep(60)", Analyze: true},
		{SQL: "select 1", QueryID: 7}, {SQL: "select * from pg_authid"},
	} {
		o.URL, o.Runs, o.NoAdvice = with, 1, true
		if _, err := Explain(context.Background(), o); err != nil && strings.Contains(err.Error(), secret) {
			t.Errorf("%+v: %v", o, err)
		}
	}
	if strings.Contains(document(t, r), secret) || strings.Contains(string(events), secret) {
		t.Error("the password is in the report")
	}
}

// live.md row 4: with 200 partitions and no condition on the key, planning is most of
// it; both are medians of warm runs.
func TestRow4Planning(t *testing.T) {
	u, _ := questioned(t, `create table m (id int, d int, v text) partition by list (d);
		do $$ begin for i in 1..200 loop execute format('create table m%s partition of m for values in (%s)', i, i); execute format('create index on m%s (id)', i); end loop; end $$;
		analyze m`)
	r := answer(t, Options{SQL: "select * from m a join m b on b.id = a.id join m c on c.id = b.id where a.id = $1", URL: u, Params: raw(t, "[7]"), Runs: 5, Analyze: true})
	if r.Timing.Runs != 5 || len(r.Timing.Each) != 5 {
		t.Fatalf("%+v", r.Timing)
	}
	if r.Timing.Warm.PlanningMS <= r.Timing.Warm.ExecutionMS {
		t.Errorf("planning %.2f ms, execution %.2f ms", r.Timing.Warm.PlanningMS, r.Timing.Warm.ExecutionMS)
	}
	if r := answer(t, Options{SQL: "select * from m where id = $1 and d = $2", URL: u, Params: raw(t, "[7, 3]"), NoAnalyze: true}); r.Sensitive {
		t.Errorf("pruned partitions are no sensitivity: %s", r.SensitiveWhy)
	}
	if p := r.Plans[0]; p.PlanningMS > 5 && p.PlanningMS > p.ExecutionMS && !flagged(r, planningTime.Name) {
		t.Errorf("planning of %.2f ms, execution of %.2f, is not flagged: %+v", p.PlanningMS, p.ExecutionMS, r.Findings)
	}
}

// live.md row 8: blocks are totals, and a ratio is given where it says something.
func TestRow8Blocks(t *testing.T) {
	u, conn := questioned(t, store)
	var pages int64
	if err := conn.QueryRow(context.Background(), "select pg_relation_size('orders') / 8192").Scan(&pages); err != nil {
		t.Fatal(err)
	}
	r := answer(t, Options{SQL: "select count(note) from orders", URL: u, Analyze: true})
	p := r.Plans[0]
	if p.Blocks < pages || p.Blocks > pages+20 || p.HitRatio == nil || *p.HitRatio < 0.99 {
		t.Errorf("%d blocks of %d, ratio %v", p.Blocks, pages, p.HitRatio)
	}
	if got := r.Timing.Warm.Hit + r.Timing.Warm.Read; got != p.Blocks {
		t.Errorf("%d blocks of the warm run, %d of the plan", got, p.Blocks)
	}
	var sum int64
	var add func(*Step)
	add = func(s *Step) {
		sum += s.SelfBlocks
		for _, c := range s.Children {
			add(c)
		}
	}
	add(p.Root)
	if sum != p.Blocks {
		t.Errorf("the steps have %d blocks, the plan %d", sum, p.Blocks)
	}
	// A plan that finds all of its blocks cached is flagged for reading them.
	r = answer(t, Options{SQL: "select * from orders where customer_id = $1", URL: u, Params: raw(t, "[7]"), Analyze: true})
	if p := r.Plans[0]; p.HitRatio == nil || *p.HitRatio < 0.99 || !flagged(r, selectiveSeqScan.Name) {
		t.Errorf("ratio %v, findings %+v", p.HitRatio, r.Findings)
	}
	if r := answer(t, Options{SQL: "select * from orders where id = 1", URL: u, Analyze: true}); r.Plans[0].HitRatio != nil {
		t.Errorf("a ratio of %d blocks", r.Plans[0].Blocks)
	}
}

// A slow statement is run once.
func TestSlowRunsOnce(t *testing.T) {
	u, _ := questioned(t, `create function wait() returns int language plpgsql volatile as $$ begin perform pg_sleep(2.1); return 1; end $$`)
	begin := time.Now()
	r := answer(t, Options{SQL: "select wait()", URL: u, AllowFunctions: []string{"wait"}, Runs: 5})
	if r.Timing == nil || r.Timing.Runs != 0 || time.Since(begin) > 6*time.Second {
		t.Errorf("%+v after %s", r.Timing, time.Since(begin))
	}
}
