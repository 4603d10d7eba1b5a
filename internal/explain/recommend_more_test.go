package explain

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/planvet/planvet/internal/live"
	"github.com/planvet/planvet/internal/pgast"
	"github.com/planvet/planvet/internal/plan"
)

// On a throwaway server with rows an index is built, measured and gone again.
func TestIndexIsMeasuredOnAThrowawayServer(t *testing.T) {
	r := newRecommending(t)
	r.named = r.own
	email := "c77@example.com"
	all := r.ask(plan.Request{SQL: "select * from customers where email = $1", Args: []*string{&email}}, func(s *subject) { s.runs, s.throwaway = true, true })
	if len(all) != 1 || all[0].Verified != Measured || all[0].Before.Blocks < 10*all[0].After.Blocks || !strings.HasPrefix(all[0].After.Access, "Index Scan using customers_email_idx") {
		t.Fatalf("%+v", all)
	}
	rows, err := r.own.Query(t.Context(), "select 1 from pg_class where relname = 'customers_email_idx'")
	if err != nil || len(rows) > 0 {
		t.Errorf("the index is still there: %v", err)
	}
}

// Nothing is written on the named server: no DDL, no row, no statistics, no index that
// came and went; every transaction of planvet's is rolled back.
func TestNothingIsWrittenOnTheNamedServer(t *testing.T) {
	r := newRecommending(t)
	r.exec(`create table ddl_log (tag text); create function note_ddl() returns event_trigger language plpgsql as $$ begin insert into ddl_log values (tg_tag); end $$;
		create event trigger note_ddl on ddl_command_end execute function note_ddl()`)
	state := func() string {
		t.Helper()
		rows, err := r.own.Query(t.Context(), `select concat_ws(' ', (select count(*) from ddl_log), (select string_agg(c.oid || ':' || c.relfilenode || ':' || c.reltuples || ':' || c.xmin, ',' order by c.oid) from pg_class c where c.oid >= 16384),
			(select count(*) from pg_statistic), (select max(xmin::text::bigint) from pg_statistic), pg_current_wal_insert_lsn()::text is not null, (select string_agg(extname, ',' order by 1) from pg_extension))`)
		if err != nil {
			t.Fatal(err)
		}
		return *rows[0][0]
	}
	written := func() string {
		t.Helper()
		rows, err := r.own.Query(t.Context(), "select pg_current_xact_id()::text")
		if err != nil {
			t.Fatal(err)
		}
		return *rows[0][0]
	}
	before := state()
	first := written()
	email, day := "c77@example.com", "2025-03-04"
	for _, req := range []plan.Request{
		{SQL: "select * from customers where email = $1", Args: []*string{&email}},
		{SQL: "select * from orders where created_at::date = $1 order by created_at", Args: []*string{&day}},
		{SQL: "select * from customers where name ilike '%abcdef01%'"},
		{SQL: "select c.id from customers c where (select count(*) from orders o where o.customer_id = c.id) > 0"},
		{SQL: "select * from documents where title = 'x'", Role: "recommend_user", Settings: map[string]string{"app.tenant": "3"}},
		{SQL: "update orders set note = 'x' where created_at = '2025-01-01'"},
	} {
		r.ask(req, func(s *subject) { s.runs = !strings.HasPrefix(req.SQL, "update") })
	}
	if after := state(); after != before {
		t.Errorf("the server is not as it was:\n%s\n%s", before, after)
	}
	// A transaction that writes takes a number; these two asked for one each.
	var a, b int
	fmt.Sscan(first, &a)
	fmt.Sscan(written(), &b)
	if b != a+1 {
		t.Errorf("%d transactions wrote", b-a-1)
	}
}

// What the findings say of memory and estimates becomes a statement, and a setting is
// tried where the statement may be run.
func TestSettingsAndStatistics(t *testing.T) {
	r := newRecommending(t)
	report := &Report{Findings: []Finding{
		{ID: 1, Heuristic: "sort-spill", Step: 1, Advice: "an index that gives the order; or work_mem of 30 MiB for this statement, three times what it wrote"},
		{ID: 2, Heuristic: "row-misestimate", Step: 2, Cause: "correlated columns", Advice: "create statistics orders_state_total (dependencies, mcv) on state, total from orders; analyze orders"},
	}}
	all := r.ask(plan.Request{SQL: "select * from orders order by note"}, func(s *subject) { s.runs, s.report = true, report })
	var setting, statistics *Recommendation
	for i := range all {
		switch all[i].Kind {
		case Setting:
			setting = &all[i]
		case Statistics:
			statistics = &all[i]
		}
	}
	if setting == nil || !slices.Equal(setting.SQL, []string{"set local work_mem = '32MB'"}) || !slices.Equal(setting.Findings, []int{1}) {
		t.Fatalf("%+v", setting)
	}
	if setting.Verified == Measured && setting.After.Blocks >= setting.Before.Blocks {
		t.Errorf("%+v → %+v", setting.Before, setting.After)
	}
	if statistics == nil || statistics.Verified != "" || !slices.Equal(statistics.SQL, []string{"create statistics orders_state_total (dependencies, mcv) on state, total from orders", "analyze orders"}) ||
		!slices.Equal(statistics.Undo, []string{"drop statistics orders_state_total"}) {
		t.Errorf("%+v", statistics)
	}
}

// A policy's calls are moved out of the rows, as the planner of a twin has it.
func TestPolicyThatCallsPerRow(t *testing.T) {
	r := newRecommending(t)
	r.exec(`create function tenant() returns bigint language plpgsql stable cost 1000 as $$ begin return current_setting('app.tenant')::bigint; end $$;
		create table notes (id bigint primary key, tenant_id bigint, body text); grant select on notes to recommend_user;
		insert into notes select i, i % 50, md5(i::text) from generate_series(1, 50000) i; analyze notes;
		alter table notes enable row level security; create policy mine on notes to recommend_user using (tenant_id = tenant())`)
	var got []Recommendation
	for _, x := range r.ask(plan.Request{SQL: "select * from notes", Role: "recommend_user", Settings: map[string]string{"app.tenant": "7"}}) {
		if x.Kind == Rewrite {
			got = append(got, x)
		}
	}
	if len(got) != 1 || len(got[0].SQL) != 1 || !strings.HasPrefix(got[0].SQL[0], "alter policy mine on ") || got[0].Verified != Estimated || len(got[0].Undo) != 1 {
		t.Fatalf("%+v", got)
	}
}

// Caching needs evidence, all of it.
func TestCachingNeedsEvidence(t *testing.T) {
	r := newRecommending(t)
	const sql = "select country, count(*) from customers group by country"
	kinds := func() (n int) {
		for _, x := range r.ask(plan.Request{SQL: sql}) {
			if x.Kind == Caching {
				n++
			}
		}
		return n
	}
	if n := kinds(); n != 0 {
		t.Errorf("without pg_stat_statements: %d", n)
	}
	// A stand-in with the extension's columns: the server of the tests does not load it.
	tree := mustParse(t, sql)
	row := live.Statement{Query: sql, Calls: 5000, ExecMS: 50_000}
	for name, c := range map[string]struct {
		all  []live.Statement
		want bool
	}{
		"hot":             {[]live.Statement{row, {Query: "select 1", Calls: 10, ExecMS: 1000}}, true},
		"seldom":          {[]live.Statement{{Query: sql, Calls: 50, ExecMS: 50_000}}, false},
		"little":          {[]live.Statement{row, {Query: "select 1", Calls: 10, ExecMS: 5e6}}, false},
		"another":         {[]live.Statement{{Query: "select 1", Calls: 5000, ExecMS: 50_000}}, false},
		"other constants": {[]live.Statement{row, {Query: sql + " limit $1", Calls: 5000, ExecMS: 50_000}}, true},
	} {
		if st, _ := hot(&live.Statements{All: c.all}, tree); (st != nil) != c.want {
			t.Errorf("%s: %+v", name, st)
		}
	}
	for sql, want := range map[string]bool{
		sql:                                  true,
		"select * from orders where id = $1": false,
		"select now(), count(*) from orders": false,
		"select * from orders for update":    false,
		"select current_user":                false,
		"delete from orders":                 false,
	} {
		if got := oneForAll(mustParse(t, sql)); got != want {
			t.Errorf("%s is one for all: %v", sql, got)
		}
	}
}

func mustParse(t *testing.T, sql string) pgast.Stmt {
	t.Helper()
	tree, err := pgast.Parse(sql)
	if err != nil {
		t.Fatal(err)
	}
	return tree
}

// advised is answer with recommendations.
func advised(t *testing.T, o Options) *Report {
	t.Helper()
	o.Runs = 2
	r, err := Explain(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// live.md row 9, by the whole report: a planted missing index is found, its DDL is the
// reference, and once it is applied finding and recommendation are gone.
func TestRow9Recommendations(t *testing.T) {
	u, conn := questioned(t, store)
	o := Options{SQL: "select id, total from orders where customer_id = $1", URL: u, Params: raw(t, `[17]`)}
	index := func(r *Report) (findings []Finding, recs []Recommendation) {
		for _, f := range r.Findings {
			if f.Heuristic == "selective-seq-scan" {
				findings = append(findings, f)
			}
		}
		for _, x := range r.Recommendations {
			if x.Kind == Index {
				recs = append(recs, x)
			}
		}
		return findings, recs
	}
	r := advised(t, o)
	findings, recs := index(r)
	const reference = "create index concurrently orders_customer_id_idx on orders (customer_id)"
	if len(findings) != 1 || len(recs) != 1 || !slices.Equal(recs[0].SQL, []string{reference}) || recs[0].Verified != Estimated || recs[0].After.Cost > recs[0].Before.Cost/2 {
		t.Fatalf("findings %+v\nrecommendations %+v", findings, recs)
	}
	if !slices.Equal(recs[0].Findings, []int{findings[0].ID}) || !slices.Equal(recs[0].Undo, []string{"drop index concurrently orders_customer_id_idx"}) || !strings.Contains(recs[0].Cost, "the server counted") {
		t.Errorf("%+v", recs[0])
	}
	for _, sql := range append(recs[0].SQL, "analyze orders") {
		if _, err := conn.Exec(t.Context(), sql); err != nil {
			t.Fatal(err)
		}
	}
	if findings, recs = index(advised(t, o)); len(findings) > 0 || len(recs) > 0 {
		t.Errorf("after it was applied: findings %+v\nrecommendations %+v", findings, recs)
	}
	// Values drawn from statistics are data: no recommendation holds one.
	o.Params = nil
	o.SQL = "select id from customers where email = $1"
	r = advised(t, o)
	if text := document(t, r); strings.Contains(text, "secret") || len(r.Recommendations) == 0 {
		t.Errorf("%d recommendations, or a value is in the report", len(r.Recommendations))
	}
}
