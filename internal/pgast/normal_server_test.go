package pgast_test

import (
	"context"
	"strings"
	"testing"

	"github.com/planvet/planvet/internal/pgast"
	"github.com/planvet/planvet/internal/shadow/shadowtest"
)

const normalSchema = `
create schema auth; create schema storage; create schema app;
create function auth.uid() returns uuid language sql stable as $$ select nullif(current_setting('request.jwt.claim.sub', true), '')::uuid $$;
create function auth.jwt() returns jsonb language sql stable as $$ select current_setting('request.jwt.claims', true)::jsonb $$;
create function auth.role() returns text language sql stable as $$ select 'x'::text $$;
create function storage.foldername(name text) returns text[] language sql as $$ select array[name] $$;
create type role_t as enum ('admin', 'member');
create type app.level as enum ('low', 'high');
create domain email as text check (value ~ '@');
create function has_role(u uuid, r role_t) returns boolean language sql stable as $$ select true $$;
create function app.current_tenant() returns uuid language sql stable as $$ select null::uuid $$;
create function my_orgs() returns setof uuid language sql stable as $$ select null::uuid $$;
create table orgs (id uuid primary key, name varchar(40), slug text, owner_id uuid, created_at timestamptz);
create table members (org_id uuid, user_id uuid, role role_t, active boolean, level app.level, expires_at timestamptz);
create table docs (id bigint primary key, org_id uuid, owner_id uuid, parent_id bigint, title varchar(200), body text, status varchar,
	kind char(4), tags text[], meta jsonb, price numeric(10,2), qty int, big bigint, small smallint, ratio double precision, public boolean,
	role role_t, level app.level, mail email, created_at timestamptz, starts timestamp, day date, deleted_at timestamptz, ip inet, path text, span interval,
	vtags varchar[]);
create table app.tenants (id uuid, org_id uuid);
create sequence doc_seq;
`

// The texts that a server prints and those that were written have one normal form.
func TestNormalEqualsServer(t *testing.T) {
	c := shadowtest.Connect(t)
	ctx := context.Background()
	if !exec1(t, c, normalSchema) {
		return
	}
	env := loadEnv(t, c)
	compared := 0
	major := shadowtest.Server(t).Major()
	for _, x := range pgast.NormalExprs {
		if major < 14 && strings.HasPrefix(x, "extract(") {
			continue // 13 makes date_part() of it, which later versions have beside it
		}
		if !exec1(t, c, `set search_path = public; drop policy if exists p on docs; create policy p on docs using (`+x+`)`) {
			continue
		}
		var server string
		err := c.QueryRow(ctx, `select pg_get_expr(polqual, polrelid) from pg_policy, set_config('search_path', '', false)`).Scan(&server)
		if err != nil {
			t.Fatal(err)
		}
		compared++
		self := pgast.Name{Name: "docs"}
		want, err := pgast.ParseExpr(server)
		if err != nil {
			t.Errorf("%s: %v", server, err)
			continue
		}
		got, err := pgast.ParseExpr(x)
		if err != nil {
			t.Errorf("%s: %v", x, err)
			continue
		}
		a, b := pgast.Normal(got, env, self), pgast.Normal(want, env, self)
		if a != b {
			t.Errorf("written  %s\nprinted  %s\nnormal w %s\nnormal p %s", x, server, a, b)
			continue
		}
		again, err := pgast.ParseExpr(a)
		if err != nil {
			t.Errorf("%s: its normal form %s: %v", x, a, err)
			continue
		}
		if two := pgast.Normal(again, env, self); two != a {
			t.Errorf("not its own normal form:\n%s\n%s", a, two)
		}
	}
	if compared < 60 {
		t.Errorf("only %d expressions were compared", compared)
	}
}

// Checks, generated columns, defaults and indexes print through other functions.
func TestNormalEqualsServerElsewhere(t *testing.T) {
	c := shadowtest.Connect(t)
	if !exec1(t, c, normalSchema) {
		return
	}
	env := loadEnv(t, c)
	for _, x := range []struct{ make, text, read string }{
		{`alter table docs add constraint k check (%)`, `qty > 0 and status in ('a', 'b') or price between 0 and 9.99`, `select pg_get_expr(conbin, conrelid) from pg_constraint where conname = 'k'`},
		{`alter table docs add constraint k check (%)`, `char_length(title) > 0 and mail ~ '@' and kind in ('a', 'b')`, `select pg_get_expr(conbin, conrelid) from pg_constraint where conname = 'k'`},
		{`alter table docs add constraint k check (%)`, `cardinality(tags) < 10 and (meta ? 'x') is not true`, `select pg_get_expr(conbin, conrelid) from pg_constraint where conname = 'k'`},
		{`create index k on docs (%)`, `lower(title)`, `select pg_get_expr(indexprs, indrelid) from pg_index where indexrelid = 'public.k'::regclass`},
		{`create index k on docs ((%))`, `meta ->> 'a'`, `select pg_get_expr(indexprs, indrelid) from pg_index where indexrelid = 'public.k'::regclass`},
		{`create index k on docs ((%))`, `(meta ->> 'a')::int`, `select pg_get_expr(indexprs, indrelid) from pg_index where indexrelid = 'public.k'::regclass`},
		{`create index k on docs ((%))`, `coalesce(title, body)`, `select pg_get_expr(indexprs, indrelid) from pg_index where indexrelid = 'public.k'::regclass`},
		{`create index k on docs ((%))`, `date_trunc('day', created_at at time zone 'UTC')`, `select pg_get_expr(indexprs, indrelid) from pg_index where indexrelid = 'public.k'::regclass`},
		{`create index k on docs using gin (%)`, `to_tsvector('english', coalesce(title, '') || ' ' || coalesce(body, ''))`, `select pg_get_expr(indexprs, indrelid) from pg_index where indexrelid = 'public.k'::regclass`},
		{`create index k on docs (id) where %`, `deleted_at is null and status = 'a' and not public`, `select pg_get_expr(indpred, indrelid) from pg_index where indexrelid = 'public.k'::regclass`},
		{`create index k on docs (id) where %`, `status not in ('x', 'y') and role = 'admin'`, `select pg_get_expr(indpred, indrelid) from pg_index where indexrelid = 'public.k'::regclass`},
		{`alter table docs alter body set default %`, `'draft'`, readDefault("body")},
		{`alter table docs alter status set default %`, `'draft'`, readDefault("status")},
		{`alter table docs alter meta set default %`, `'{"b": 1, "a": []}'::jsonb`, readDefault("meta")},
		{`alter table docs alter tags set default %`, `array[]::text[]`, readDefault("tags")},
		{`alter table docs alter tags set default %`, `'{}'`, readDefault("tags")},
		{`alter table docs alter qty set default %`, `-1`, readDefault("qty")},
		{`alter table docs alter price set default %`, `0`, readDefault("price")},
		{`alter table docs alter big set default %`, `5000000000`, readDefault("big")},
		{`alter table docs alter id set default %`, `nextval('doc_seq')`, readDefault("id")},
		{`alter table docs alter created_at set default %`, `now() + interval '7 days'`, readDefault("created_at")},
		{`alter table docs alter starts set default %`, `timezone('utc', now())`, readDefault("starts")},
		{`alter table docs alter starts set default %`, `(now() at time zone 'utc')`, readDefault("starts")},
		{`alter table docs alter owner_id set default %`, `auth.uid()`, readDefault("owner_id")},
		{`alter table docs alter role set default %`, `'member'`, readDefault("role")},
		{`alter table docs alter public set default %`, `false`, readDefault("public")},
		{`alter table docs alter public set default %`, `'t'`, readDefault("public")},
		{`alter table docs alter created_at set default %`, `'1970-01-01 00:00:00'`, readDefault("created_at")},
		{`alter table docs alter span set default %`, `'90 minutes'`, readDefault("span")},
		{`alter table docs alter meta set default %`, `'{"b":1,"a":2}'`, readDefault("meta")},
		{`alter table docs alter mail set default %`, `'a@b'`, readDefault("mail")},
		{`alter table docs alter span set default %`, `'1 hour'::interval`, readDefault("span")},
	} {
		exec1(t, c, `set search_path = public; drop index if exists k; alter table docs drop constraint if exists k`)
		if !exec1(t, c, strings.Replace(x.make, "%", x.text, 1)) {
			continue
		}
		exec1(t, c, `set search_path = ''`)
		var server string
		if err := c.QueryRow(context.Background(), x.read).Scan(&server); err != nil {
			t.Fatal(err)
		}
		got, err1 := pgast.ParseExpr(x.text)
		want, err2 := pgast.ParseExpr(server)
		if err1 != nil || err2 != nil {
			t.Fatal(err1, err2)
		}
		self := pgast.Name{Schema: "public", Name: "docs"}
		a, b := pgast.Normal(got, env, self), pgast.Normal(want, env, self)
		if col := strings.Fields(x.make); col[len(col)-2] == "default" { // alter table docs alter COLUMN set default %
			typ := env.ColumnType("public", "docs", col[4])
			a, b = pgast.NormalDefault(got, env, self, typ), pgast.NormalDefault(want, env, self, typ)
		}
		if a != b {
			t.Errorf("written  %s\nprinted  %s\nnormal w %s\nnormal p %s", x.text, server, a, b)
		}
	}
}

func readDefault(col string) string {
	return `select pg_get_expr(adbin, adrelid) from pg_attrdef d join pg_attribute a on a.attrelid = adrelid and a.attnum = adnum
		where adrelid = 'public.docs'::regclass and attname = '` + col + `'`
}

// A view's query as written and as pg_get_viewdef prints it.
func TestNormalStmtEqualsServer(t *testing.T) {
	c := shadowtest.Connect(t)
	if !exec1(t, c, normalSchema) {
		return
	}
	env := loadEnv(t, c)
	for _, x := range []string{
		`select id, title from docs where public`,
		`select * from docs`,
		`select d.*, o.name as org from docs d join orgs o on o.id = d.org_id where d.status in ('a', 'b') and d.deleted_at is null`,
		`select o.id, count(*) as n, max(d.created_at) from orgs o left join docs d on d.org_id = o.id group by o.id having count(*) > 1 order by n desc, 1 limit 5`,
		`with recent as (select id, org_id from docs where created_at > now() - interval '1 day') select r.id, o.slug from recent r, orgs o where o.id = r.org_id`,
		`select id from docs union all select parent_id from docs where parent_id is not null`,
		`select lower(title), coalesce(status, 'x'), qty::bigint as q, case when public then 'p' else 'q' end as vis from docs`,
		`select distinct on (org_id) org_id, title from docs order by org_id, created_at desc`,
		`select d.id, (select count(*) from members m where m.org_id = d.org_id) as members from docs d`,
		`select x.id from (select id, owner_id from docs where qty > 1) x where x.owner_id = auth.uid()`,
		`select id, row_number() over (partition by org_id order by created_at desc) as rn, sum(qty) over w from docs window w as (order by id)`,
		`select d.id, t.tag from docs d, unnest(d.tags) as t(tag)`,
		`select d.id, l.name from docs d cross join lateral (select o.name from orgs o where o.id = d.org_id limit 1) l`,
		`select org_id, sum(price) filter (where public) as s, array_agg(id order by id desc) from docs group by 1`,
		`select docs.id, d2.id as parent from docs left join docs d2 on d2.id = docs.parent_id`,
		`select id from docs where id in (select id from docs)`,
		`with docs as (select id from docs) select id from docs`,
	} {
		if !exec1(t, c, `set search_path = public; drop view if exists v; create view v as `+x) {
			continue
		}
		exec1(t, c, `set search_path = ''`)
		var server string
		if err := c.QueryRow(context.Background(), `select pg_get_viewdef('public.v'::regclass)`).Scan(&server); err != nil {
			t.Fatal(err)
		}
		written, err1 := pgast.Parse(x)
		printed, err2 := pgast.Parse(server)
		if err1 != nil || err2 != nil {
			t.Fatal(err1, err2)
		}
		if a, b := pgast.NormalStmt(written, env), pgast.NormalStmt(printed, env); a != b {
			t.Errorf("written  %s\nprinted  %s\nnormal w %s\nnormal p %s", x, server, a, b)
		}
	}
}
