package confirm_test

import (
	"context"
	"strings"
	"testing"

	"github.com/planvet/planvet/catalog"
	"github.com/planvet/planvet/internal/confirm"
	"github.com/planvet/planvet/internal/live"
	"github.com/planvet/planvet/internal/shadow"
	"github.com/planvet/planvet/internal/shadow/shadowtest"
	"github.com/planvet/planvet/rules"
)

const schema = `
create schema auth;
create function auth.jwt() returns jsonb language sql stable as
  $$ select coalesce(nullif(current_setting('request.jwt.claims', true), ''), '{}')::jsonb $$;
create function auth.uid() returns uuid language sql stable as
  $$ select nullif(coalesce(nullif(current_setting('request.jwt.claims', true), ''), '{}')::jsonb ->> 'sub', '')::uuid $$;
create table tenants (id uuid primary key, name text not null);
create table customers (id bigint generated always as identity primary key, tenant_id uuid not null references tenants, email text not null unique);
create index on customers (tenant_id);
create table orders (
  id bigint generated always as identity primary key,
  tenant_id uuid not null references tenants,
  owner uuid not null,
  customer_id bigint not null references customers on delete cascade,
  status text not null check (status in ('open', 'paid', 'void')),
  reference text not null,
  created_at timestamptz not null default now()
);
create index orders_tenant_created on orders (tenant_id, created_at);
create table notes (id bigint generated always as identity primary key, owner uuid not null, team uuid not null, body text not null, order_id bigint references orders);
create index on notes (order_id);
create index notes_team on notes (team);
alter table notes enable row level security;
create policy mine on notes for select using (owner = auth.uid());
create table docs (id bigint generated always as identity primary key, owner uuid not null, team uuid not null, body text not null);
create index docs_team on docs (team);
alter table docs enable row level security;
create policy by_team on docs for select using (team = (select auth.uid()));
create policy by_claim on docs as restrictive for select using (true);
create table logs (id bigint generated always as identity primary key, tenant text not null, region bigint not null);
alter table logs enable row level security;
create policy by_setting on logs using (tenant = current_setting('app.tenant'));
create table vague (id bigint generated always as identity primary key, a text not null);
alter table vague enable row level security;
create type job_state as enum ('new', 'done');
create table jobs (id bigint generated always as identity primary key, state job_state not null, at timestamptz);
create table files (id bigint generated always as identity primary key, bucket text not null, path text not null);
alter table files enable row level security;
create policy own_folder on files for select using (bucket = 'pictures' and auth.uid()::text = split_part(path, '/', 1));
create table seats (id bigint generated always as identity primary key, person uuid not null, room bigint not null);
create index on seats (person);
alter table seats enable row level security;
create policy leave on seats for delete using (person = auth.uid());
create policy clear on seats for all using (room = 1);
create policy odd on vague using (length(current_setting('app.mystery')) > 0);
`

// ask confirms one probe on a filled database; all cases share it.
func ask(t *testing.T, e *env, f rules.Finding) rules.Verdict {
	t.Helper()
	fs, err := confirm.Confirm(context.Background(), e.cat, []rules.Finding{f}, e.opts)
	if err != nil {
		t.Fatal(err)
	}
	return fs[0].Verdict
}

type env struct {
	cat  *catalog.Catalog
	opts confirm.Options
	url  string
}

func newEnv(t *testing.T, ddl string) *env {
	t.Helper()
	ctx := context.Background()
	url := shadowtest.URL(t)
	s, err := live.Connect(ctx, url, live.Options{Writable: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close(ctx) })
	if _, err := s.Conn().Exec(ctx, "select 1"); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Conn().PgConn().Exec(ctx, ddl).ReadAll(); err != nil {
		t.Fatal(err)
	}
	cat, err := s.LoadCatalog(ctx)
	if err != nil {
		t.Fatal(err)
	}
	return &env{cat: cat, url: url, opts: confirm.Options{
		Server: s,
		MakeRows: func(ctx context.Context, tables []catalog.Name) (map[catalog.Name]int64, map[catalog.Name]string, error) {
			wanted := map[catalog.Name]int64{}
			for _, n := range tables {
				wanted[n] = 20_000
			}
			reports, err := shadow.MakeRows(ctx, s.Conn(), cat, wanted)
			rows, problems := map[catalog.Name]int64{}, map[catalog.Name]string{}
			for n, r := range reports {
				rows[n] = r.Rows
				if r.Problem != "" {
					problems[n] = r.Problem
				}
			}
			return rows, problems, err
		},
	}}
}

func TestVerdicts(t *testing.T) {
	e := newEnv(t, schema)
	orders := func(sql string, columns []string, apply ...string) *rules.Probe {
		return &rules.Probe{Kind: rules.ProbeStatement, SQL: sql, Schema: "public", Table: "orders", Alias: "orders", Columns: columns, Apply: apply}
	}
	policy := func(table, name string, roles []string, apply ...string) *rules.Probe {
		return &rules.Probe{Kind: rules.ProbePolicy, Schema: "public", Table: table, Policy: name, Roles: roles, Command: "select", Apply: apply}
	}
	for _, c := range []struct {
		name   string
		probe  *rules.Probe
		want   rules.Status
		reason string
	}{
		{"statement confirmed", orders("select * from orders where customer_id = $1", []string{"customer_id"}, "create index concurrently on orders (customer_id)"), rules.Confirmed, ""},
		{"statement refuted, a path exists", orders("select * from orders where tenant_id = $1", []string{"tenant_id"}, "create index on orders (tenant_id)"), rules.Refuted, "access path"},
		{"statement refuted, the fix is unused", orders("select * from orders where lower(reference) = $1", []string{"reference"}, "create index on orders (reference)"), rules.Refuted, "does not use"},
		{"statement inconclusive, untypable", orders("select $1 is null, * from orders", nil, "create index on orders (status)"), rules.Inconclusive, "does not take"},
		{"statement inconclusive, constants that no row has", orders("select * from orders where reference = 'abc'", []string{"reference"}, "create index on orders (reference)"), rules.Inconclusive, "no made row has"},
		{"statement inconclusive, no fix", orders("select * from orders where customer_id = $1", []string{"customer_id"}), rules.Inconclusive, "no fix"},
		{"later key is no path", orders("select * from orders where created_at between $1 and $2", []string{"created_at"}, "create index on orders (created_at)"), rules.Confirmed, ""},
		{"update", orders("update orders set status = 'void' where reference = $1", []string{"reference"}, "create index on orders (reference)"), rules.Confirmed, ""},
		{"delete", orders("delete from orders where reference = any($1)", []string{"reference"}, "create index on orders (reference)"), rules.Confirmed, ""},
		{"never comes to the scan", orders("with gone as (delete from jobs where id = $1 and state = 'new' and state = 'done' returning id) update orders set status = 'void' where (select id from gone) > 0 and reference = $2",
			[]string{"reference"}, "create index on orders (reference)"), rules.Inconclusive, "never comes to its scan of orders"},
		{"a writing CTE that nothing reads", orders("with gone as (delete from jobs where id = $1 returning id), up as (update orders set status = 'void' where (select id from gone) > 0 and reference = $2) select id from gone",
			[]string{"reference"}, "create index on orders (reference)"), rules.Confirmed, ""},
		{"probed from rows that are all read", &rules.Probe{
			Kind: rules.ProbeStatement, Schema: "public", Table: "orders", Alias: "o", Columns: []string{"reference"},
			SQL:   "select n.body from notes n cross join lateral (select 1 from orders o where o.id = n.order_id and o.reference = $1 offset 0) x",
			Alone: "select 1 from public.orders o where o.reference = $1",
			Apply: []string{"create index on orders (reference)"},
		}, rules.Refuted, "less than a tenth"},
		{"join", orders("select * from customers c join orders on orders.customer_id = c.id where c.email = $1", []string{"customer_id"}, "create index on orders (customer_id)"), rules.Confirmed, ""},
		{"order", &rules.Probe{
			Kind: rules.ProbeStatement, SQL: "select * from orders order by created_at desc limit 20", Schema: "public", Table: "orders", Alias: "orders",
			Columns: []string{"created_at"}, Apply: []string{"create index on orders (created_at)"}, NeedsOrder: true,
		}, rules.Confirmed, ""},
		{"order refuted", &rules.Probe{
			Kind: rules.ProbeStatement, SQL: "select * from orders order by id desc limit $1", Schema: "public", Table: "orders", Alias: "orders",
			Columns: []string{"id"}, Apply: []string{"create index on orders (id)"}, NeedsOrder: true,
		}, rules.Refuted, "gives the order"},
		{"policy confirmed", policy("notes", "mine", []string{"public"}, "create index on notes (owner)"), rules.Confirmed, ""},
		{"policy refuted", policy("docs", "by_team", []string{"public"}, "create index on docs (team, id)"), rules.Refuted, "access path"},
		{"initplan of a text", policy("files", "own_folder", []string{"public"},
			"alter policy own_folder on files using (bucket = 'pictures' and (select auth.uid()::text) = split_part(path, '/', 1))"), rules.Confirmed, ""},
		{"initplan beside another policy", &rules.Probe{
			Kind: rules.ProbePolicy, Schema: "public", Table: "seats", Policy: "leave", Roles: []string{"public"}, Command: "delete",
			Apply: []string{"alter policy leave on seats using (person = (select auth.uid()))"},
		}, rules.Confirmed, ""},
		{"policy inconclusive", policy("vague", "odd", []string{"public"}, "create index on vague (a)"), rules.Inconclusive, "--set app.mystery"},
		{"policy by a setting", policy("logs", "by_setting", []string{"public"}, "create index on logs (tenant)"), rules.Confirmed, ""},
		{"initplan confirmed", policy("notes", "mine", []string{"public"}, "alter policy mine on public.notes using (owner = (select auth.uid()))"), rules.Confirmed, ""},
		{"initplan refuted", policy("docs", "by_team", []string{"public"}, "alter policy by_team on docs using (team = (select auth.uid()))"), rules.Refuted, "index serves"},
		{"foreign key confirmed", &rules.Probe{
			Kind: rules.ProbeForeignKey, Schema: "public", Table: "orders", Columns: []string{"customer_id"}, RefSchema: "public", RefTable: "customers",
			RefColumns: []string{"id"}, Apply: []string{"create index on orders (customer_id)"},
		}, rules.Confirmed, ""},
		{"foreign key refuted", &rules.Probe{
			Kind: rules.ProbeForeignKey, Schema: "public", Table: "orders", Columns: []string{"tenant_id"}, RefSchema: "public", RefTable: "tenants",
			RefColumns: []string{"id"}, Apply: []string{"create index on orders (tenant_id)"},
		}, rules.Refuted, "access path"},
		{"foreign key inconclusive", &rules.Probe{Kind: rules.ProbeForeignKey, Schema: "public", Table: "orders"}, rules.Inconclusive, "does not say"},
		{"per item confirmed", &rules.Probe{
			Kind: rules.ProbePerItem, SQL: "select id, email from customers where id = $1", SetSQL: "select id, email from customers where id = any($1)",
			ItemParams: []int{1}, Schema: "public", Table: "customers",
		}, rules.Confirmed, ""},
		{"per item write confirmed", &rules.Probe{
			Kind: rules.ProbePerItem, SQL: "update orders set status = $2 where id = $1", SetSQL: "update orders set status = $2 where id = any($1)",
			ItemParams: []int{1}, Schema: "public", Table: "orders",
		}, rules.Confirmed, ""},
		{"per item confirmed, another key beside", &rules.Probe{
			Kind: rules.ProbePerItem, SQL: "delete from docs where id = $1 and team = $2", SetSQL: "delete from docs where id = any($1) and team = $2",
			ItemParams: []int{1}, Schema: "public", Table: "docs",
		}, rules.Confirmed, ""},
		{"per item confirmed, existence", &rules.Probe{
			Kind: rules.ProbePerItem, SQL: "select true from orders where tenant_id = $1 and reference = $2 limit 1",
			SetSQL:     "select distinct on (reference) true from orders where tenant_id = $1 and reference = any($2)",
			ItemParams: []int{2}, Schema: "public", Table: "orders",
		}, rules.Confirmed, ""},
		{"per item confirmed, a text that is cast to an enum", &rules.Probe{
			Kind: rules.ProbePerItem, SQL: "update jobs set state = case when $2 = 'new' and at is null then 'done' else $2::job_state end where id = $1",
			SetSQL:     "update jobs set state = case when $2 = 'new' and at is null then 'done' else $2::job_state end where id = any($1)",
			ItemParams: []int{1}, Schema: "public", Table: "jobs",
		}, rules.Confirmed, ""},
		{"per item inconclusive, other rows", &rules.Probe{
			Kind: rules.ProbePerItem, SQL: "select id from orders where customer_id = $1 limit 1", SetSQL: "select id from orders where customer_id = any($1) limit 1",
			ItemParams: []int{1}, Schema: "public", Table: "orders",
		}, rules.Inconclusive, "rows"},
		{"per item inconclusive, no set form", &rules.Probe{Kind: rules.ProbePerItem, SQL: "select 1", ItemParams: []int{1}}, rules.Inconclusive, "no set form"},
		{"fact confirmed", &rules.Probe{Kind: rules.ProbeFact, Facts: []rules.FactQuery{{Says: "notes has row level security", SQL: "select relrowsecurity from pg_class where oid = 'public.notes'::regclass"}}}, rules.Confirmed, ""},
		{"fact refuted", &rules.Probe{Kind: rules.ProbeFact, Facts: []rules.FactQuery{{Says: "orders has row level security", SQL: "select relrowsecurity from pg_class where oid = 'public.orders'::regclass"}}}, rules.Refuted, "not so"},
		{"fact inconclusive", &rules.Probe{Kind: rules.ProbeFact, Facts: []rules.FactQuery{{Says: "x", SQL: "select true from nowhere"}}}, rules.Inconclusive, "does not exist"},
	} {
		t.Run(c.name, func(t *testing.T) {
			v := ask(t, e, rules.Finding{Rule: "r", Probe: c.probe})
			if v.Status != c.want || !strings.Contains(v.Reason, c.reason) {
				t.Errorf("verdict is %+v\nbefore %+v\nafter %+v\nwant %s because %q", v, v.Before, v.After, c.want, c.reason)
			}
			if v.Status == rules.Confirmed && c.probe.Kind != rules.ProbeFact && (v.Level != rules.Measured || v.Before == nil || v.After == nil) {
				t.Errorf("confirmed without evidence: %+v", v)
			}
		})
	}
}
