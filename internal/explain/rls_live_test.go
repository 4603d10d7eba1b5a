package explain

import (
	"context"
	"encoding/json"
	"strings"
	"testing"

	"github.com/planvet/planvet/internal/live"
	"github.com/planvet/planvet/internal/shadow/shadowtest"
)

// TestNamedServerOverhead: on a server that the user named the overhead is measured in READ
// ONLY transactions, what policies call is looked at first, and remedies are estimated
// on a twin: nothing is changed and nothing unknown runs.
func TestNamedServerOverhead(t *testing.T) {
	ctx := context.Background()
	url := shadowtest.URL(t)
	own, err := live.Connect(ctx, url, live.Options{Writable: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { own.Close(ctx) })
	apply(t, own, notes+`
create policy own on notes for select using (user_id = auth.uid());
create table plans (id bigint generated always as identity primary key, title text not null);
create function slow_check() returns boolean language plpgsql as $$ begin perform pg_sleep(60); return true; end $$;
alter table plans enable row level security;
create policy checked on plans for select using (slow_check());
analyze;
`)
	s, err := live.Connect(ctx, url, live.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close(ctx) })
	cat, err := s.LoadCatalog(ctx)
	if err != nil {
		t.Fatal(err)
	}
	e := &Estimator{}
	t.Cleanup(func() { e.Close() })
	tables, err := MeasureTables(ctx, s, cat, TablesOptions{
		Role: "authenticated", Claims: asPerson7.Settings["request.jwt.claims"], Estimate: e,
	})
	if err != nil || len(tables) != 2 {
		t.Fatalf("%v: %+v", err, tables)
	}
	o := tables[0]
	if o.Table != "notes" || !o.SameRows || o.Enforced.Rows != 100 || o.Ratio < 4 || o.Ideal.SQL != "" {
		t.Errorf("%+v", o.Overhead)
	}
	var index, named *Recommendation
	for i := range o.Remedies {
		r := &o.Remedies[i]
		if r.Kind == Index {
			index = r
		}
		if strings.Contains(r.Title, "name their role") {
			named = r
		}
		if r.Verified != Estimated {
			t.Errorf("%s: %s", r.Title, r.Why)
		}
	}
	if index == nil || index.After == nil || index.After.Cost > index.Before.Cost/5 || !strings.Contains(index.After.Access, "notes_user_id_idx") {
		t.Errorf("the index: %+v", index)
	}
	if named == nil || named.After == nil || named.After.Cost >= named.Before.Cost/100 {
		t.Errorf("TO: %+v", named)
	}
	if refused := tables[1]; !strings.Contains(refused.Problem, "slow_check") || !strings.Contains(refused.Problem, "--allow-functions") {
		t.Errorf("a function that sleeps: %q", refused.Problem)
	}
	if rows, err := own.Query(ctx, "select count(*)::text from pg_indexes where tablename = 'notes'"); err != nil || *rows[0][0] != "1" {
		t.Errorf("the server was changed: %v", err)
	}
	if rows, err := own.Query(ctx, "select count(*)::text from pg_stat_activity where datname = current_database() and state like 'idle in%'"); err != nil || *rows[0][0] != "0" {
		t.Errorf("a transaction is open: %v", err)
	}
}

// TestExplainOverhead: explain has the overhead in its report.
func TestExplainOverhead(t *testing.T) {
	ctx := context.Background()
	url := shadowtest.URL(t)
	own, err := live.Connect(ctx, url, live.Options{Writable: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { own.Close(ctx) })
	apply(t, own, notes+"create policy own on notes for select using (user_id = auth.uid());\n")
	r, err := Explain(ctx, Options{SQL: "select body from notes where id < $1", Params: []json.RawMessage{[]byte("50000")}, URL: url, Identity: asPerson7, RLSOverhead: true, Runs: 1})
	if err != nil {
		t.Fatal(err)
	}
	if r.RLS == nil || !r.RLS.SameRows || r.RLS.Enforced.Rows != 50 || len(r.RLS.Policies) != 1 || r.RLS.Problem != "" {
		t.Errorf("%+v", r.RLS)
	}
}
