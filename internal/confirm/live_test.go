package confirm_test

import (
	"context"
	"net/url"
	"strings"
	"testing"

	"github.com/planvet/planvet/internal/confirm"
	"github.com/planvet/planvet/internal/live"
	"github.com/planvet/planvet/rules"
)

// On a server that the user names nothing is confirmed without HypoPG, a path that
// is there refutes, and nothing is written.
func TestNamedServer(t *testing.T) {
	e := newEnv(t, schema)
	ctx := context.Background()
	s, err := live.Connect(ctx, e.url, live.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close(ctx) })
	e.opts = confirm.Options{Server: s, Live: true, Settings: map[string]string{"app.tenant": "a"}}
	for _, c := range []struct {
		name   string
		probe  *rules.Probe
		want   rules.Status
		reason string
	}{
		{"statement without a path", &rules.Probe{
			Kind: rules.ProbeStatement, SQL: "select * from orders where customer_id = $1", Schema: "public", Table: "orders", Alias: "orders",
			Apply: []string{"create index on orders (customer_id)"},
		}, rules.Inconclusive, "needs HypoPG"},
		{"statement with a path", &rules.Probe{
			Kind: rules.ProbeStatement, SQL: "select * from orders where tenant_id = $1", Schema: "public", Table: "orders", Alias: "orders",
		}, rules.Refuted, "access path"},
		{"unknown role", &rules.Probe{
			Kind: rules.ProbeStatement, SQL: "select * from orders where tenant_id = $1", Role: "nobody_here", Schema: "public", Table: "orders", Alias: "orders",
		}, rules.Inconclusive, `role "nobody_here" does not exist`},
		{"foreign key", &rules.Probe{
			Kind: rules.ProbeForeignKey, Schema: "public", Table: "orders", Columns: []string{"tenant_id"}, RefSchema: "public", RefTable: "tenants", RefColumns: []string{"id"},
		}, rules.Refuted, "access path"},
		{"loop", &rules.Probe{Kind: rules.ProbePerItem, SQL: "select 1"}, rules.Inconclusive, "--confirm shadow"},
		{"fact", &rules.Probe{Kind: rules.ProbeFact, Facts: []rules.FactQuery{{Says: "x", SQL: "select true"}}}, rules.Confirmed, ""},
		{"fact that writes", &rules.Probe{Kind: rules.ProbeFact, Facts: []rules.FactQuery{{Says: "x", SQL: "create table made ()"}}}, rules.Inconclusive, "read-only"},
	} {
		t.Run(c.name, func(t *testing.T) {
			v := ask(t, e, rules.Finding{Rule: "r", Probe: c.probe})
			if v.Status != c.want || !strings.Contains(v.Reason, c.reason) {
				t.Errorf("verdict is %+v, want %s because %q", v, c.want, c.reason)
			}
		})
	}
}

const watched = `
create table jobs (id bigint generated always as identity primary key, state text not null, queue text not null, ref text not null);
create index on jobs (queue) where state = 'open';
create table steps (id bigint generated always as identity primary key, job_id bigint not null references jobs on delete cascade);
create table secrets (id bigint generated always as identity primary key, owner text not null);
alter table secrets enable row level security;
create policy mine on secrets using (owner = current_user);
insert into jobs (state, queue, ref) select case when i % 10 < 9 then 'open' else 'done' end, 'q' || i % 7, md5(i::text) from generate_series(1, 3000) i;
analyze;
do $$ begin create role viewer login; exception when duplicate_object then null; end $$;
grant select on jobs, steps to viewer;
`

// A role that may only read is enough, statements are planned with values of the
// statistics too, and nothing stays behind.
func TestNamedServerAsViewer(t *testing.T) {
	ctx := context.Background()
	e := newEnv(t, watched)
	u, err := url.Parse(e.url)
	if err != nil {
		t.Fatal(err)
	}
	u.User = url.User("viewer")
	s, err := live.Connect(ctx, u.String(), live.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close(ctx) })
	owner := e.opts.Server
	e.opts = confirm.Options{Server: s, Live: true}
	jobs := func(sql string) *rules.Probe {
		return &rules.Probe{Kind: rules.ProbeStatement, SQL: sql, Schema: "public", Table: "jobs", Alias: "jobs"}
	}
	state := func() string {
		rows, err := owner.Query(ctx, `select concat_ws(' ', (select count(*) from jobs), (select count(*) from pg_class), (select count(*) from pg_policy),
			(select sum(n_tup_ins + n_tup_upd + n_tup_del) from pg_stat_user_tables))`)
		if err != nil {
			t.Fatal(err)
		}
		return *rows[0][0]
	}
	before := state()
	for _, c := range []struct {
		name   string
		probe  *rules.Probe
		want   rules.Status
		reason string
	}{
		{"a partial index serves a frequent value", jobs("select * from jobs where queue = $1 and state = $2"), rules.Inconclusive, "for some values"},
		{"no value has a path", jobs("select * from jobs where ref = $1"), rules.Inconclusive, "needs HypoPG"},
		{"a value that is computed with", jobs("select * from jobs where id > $1 + 1 and ref = $2"), rules.Refuted, "access path"},
		{"the key's own statement locks nothing", &rules.Probe{
			Kind: rules.ProbeForeignKey, Schema: "public", Table: "steps", Columns: []string{"job_id"}, RefSchema: "public", RefTable: "jobs", RefColumns: []string{"id"},
		}, rules.Inconclusive, "needs HypoPG"},
		{"a policy for every role", &rules.Probe{Kind: rules.ProbePolicy, Schema: "public", Table: "secrets", Policy: "mine", Roles: []string{"public"}}, rules.Inconclusive, "--role"},
		{"a table that it may not read", &rules.Probe{Kind: rules.ProbeStatement, SQL: "select * from secrets where owner = $1", Schema: "public", Table: "secrets", Alias: "secrets"}, rules.Inconclusive, "permission denied"},
		{"a statement that writes", jobs("update jobs set state = 'done' where ref = $1"), rules.Inconclusive, "permission denied"},
	} {
		t.Run(c.name, func(t *testing.T) {
			v := ask(t, e, rules.Finding{Rule: "r", Probe: c.probe})
			if v.Status != c.want || !strings.Contains(v.Reason, c.reason) {
				t.Errorf("verdict is %+v, want %s because %q", v, c.want, c.reason)
			}
		})
	}
	if after := state(); after != before {
		t.Errorf("something was written: %s, before %s", after, before)
	}
}
