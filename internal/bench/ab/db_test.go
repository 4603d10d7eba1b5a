package ab

import (
	"slices"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/planvet/planvet/internal/bench/gate"
	"github.com/planvet/planvet/internal/bench/suite"
	"github.com/planvet/planvet/internal/bench/verdict"
	"github.com/planvet/planvet/internal/bench/work"
	"github.com/planvet/planvet/internal/shadow/shadowtest"
)

const visits = `create table visits (id bigint generated always as identity primary key, guest int, note text default repeat('x', 100));
insert into visits (guest) select i % 500 from generate_series(1, 20000) i;
create index visits_guest_idx on visits (guest)`

// databases are two of the same content, and then changed.
func databases(t *testing.T, change string) [2]string {
	t.Helper()
	var urls [2]string
	for arm := range urls {
		urls[arm] = shadowtest.URL(t)
		conn, err := pgx.Connect(t.Context(), urls[arm])
		if err != nil {
			t.Fatal(err)
		}
		sql := []string{visits, "vacuum analyze visits"}
		if arm == B && change != "" {
			sql = append(sql, change)
		}
		for _, s := range sql {
			if _, err := conn.Exec(t.Context(), s); err != nil {
				t.Fatal(err)
			}
		}
		conn.Close(t.Context())
	}
	return urls
}

func gatedDB(t *testing.T, urls [2]string, o Options) *verdict.Report {
	t.Helper()
	f, err := suite.Parse("suites.yaml", []byte(`version: 1
suites:
  db:
    cases:
      - {name: of a guest, sql: 'select * from visits where guest = $1 order by id', params: [7]}
      - {name: new, sql: 'insert into visits (guest) values ($1)', params: [7], rows: 1}
`))
	if err != nil {
		t.Fatal(err)
	}
	at := func(arm int) string { return urls[arm] }
	cases, err := DB(f.DB, at, "pr-123")
	if err != nil {
		t.Fatal(err)
	}
	o.Gate, o.Facts = gate.Options{Threshold: 0.1, Seed: 1}, FactsAt(at)
	r, err := Run(t.Context(), cases, o)
	if err != nil {
		t.Fatal(err)
	}
	r.Decide(verdict.Policy{})
	for i := range r.Cases {
		c := &r.Cases[i]
		t.Logf("%s: %s %v %q, %d rounds, p95 %+v, %+v", c.Case, c.Verdict, c.Labels, c.Reasons, c.Rounds, c.P95, c.Causes)
	}
	return r
}

// live.md rows 59 and 62: an index that is dropped fails by plan and blocks, with one
// iteration, and the report names it and the node.
func TestIndexDropped(t *testing.T) {
	r := gatedDB(t, databases(t, "drop index visits_guest_idx"), Options{Iterations: 1})
	c := &r.Cases[0]
	if c.Verdict != gate.Fail || r.Exit != 1 || !slices.Contains(c.Labels, verdict.MoreWork) || !strings.HasPrefix(c.Reasons[0], "shared blocks ") || c.A.Requests > 2 {
		t.Errorf("%+v", c)
	}
	if len(c.Causes) != 2 || c.Causes[0].Kind != work.IndexGone || !strings.Contains(c.Causes[0].Text, "public.visits_guest_idx") || !strings.Contains(c.Causes[1].Text, "Seq Scan on visits") {
		t.Errorf("%+v", c.Causes)
	}
	if !slices.ContainsFunc(c.Work.Plan, func(l work.DiffLine) bool { return l.Op == "+" && strings.Contains(l.Text, "Seq Scan on visits") }) {
		t.Errorf("%+v", c.Work.Plan)
	}
	// An insert has one index less to write: that is no regression.
	if c := &r.Cases[1]; c.Verdict == gate.Fail || c.Verdict == gate.Invalid {
		t.Errorf("%+v", c)
	}
}

func TestSameDatabase(t *testing.T) {
	r := gatedDB(t, databases(t, ""), Options{})
	for i := range r.Cases {
		if c := &r.Cases[i]; c.Verdict == gate.Fail || c.Verdict == gate.Invalid || c.Work == nil || c.Work.Plan != nil || len(c.Causes) > 0 {
			t.Errorf("%+v", c)
		}
	}
}

// Data and settings that differ make no measurement; a setting that a migration gives to
// the database is the change's own, and is named.
func TestNotComparable(t *testing.T) {
	r := gatedDB(t, databases(t, "delete from visits where id % 10 = 0"), Options{})
	if c := &r.Cases[0]; r.Exit != 5 || c.Verdict != gate.Invalid || !strings.Contains(strings.Join(c.Reasons, "\n"), "table public.visits has 18000 rows and had 20000") || c.A.Requests != 0 {
		t.Errorf("%+v", c)
	}
	r = gatedDB(t, databases(t, "do $$ begin execute 'alter database ' || current_database() || ' set enable_indexscan = off'; execute 'alter database ' || current_database() || ' set enable_bitmapscan = off'; end $$"), Options{Iterations: 1})
	if c := &r.Cases[0]; r.Exit != 1 || !slices.ContainsFunc(c.Causes, func(k work.Cause) bool {
		return k.Kind == work.SettingChanged && strings.Contains(k.Text, "enable_bitmapscan is off")
	}) {
		t.Errorf("%+v", c)
	}
}
