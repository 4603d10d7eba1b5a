package pgast

import (
	"context"
	"strings"
	"testing"
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

// normalExprs are expressions over docs as policies, checks and predicates have them.
var normalExprs = []string{
	`true`, `false`, `public`, `not public`, `public = true`, `public is true`, `public is not false`, `deleted_at is null`, `(deleted_at) is not null`,
	`auth.uid() = owner_id`, `(auth.uid()) = docs.owner_id`, `(select auth.uid()) = owner_id`, `owner_id = (select auth.uid() as me)`,
	`auth.uid()::text = owner_id::text`, `auth.uid() is not null and auth.uid() = owner_id`,
	`auth.uid() = owner_id or public or (qty > 1 or qty < 0)`,
	`org_id in (select org_id from members where user_id = auth.uid())`,
	`org_id in (select m.org_id from members m where m.user_id = (select auth.uid()) and m.role = 'admin')`,
	`org_id not in (select org_id from public.members)`, `org_id = any (select my_orgs())`, `org_id in (select my_orgs())`,
	`org_id = any (array(select org_id from members where active))`, `not (org_id = any (array(select org_id from members)))`,
	`exists (select 1 from members where members.org_id = docs.org_id and user_id = auth.uid())`,
	`exists (select * from members m where m.org_id = docs.org_id and m.role in ('admin', 'member') and m.active)`,
	`exists (select from orgs o join members m on m.org_id = o.id where o.id = docs.org_id and m.user_id = auth.uid())`,
	`exists (select 1 from orgs o, members m where m.org_id = o.id and o.id = org_id)`,
	`exists (select 1 from docs d where d.id = docs.parent_id and d.owner_id = auth.uid())`,
	`exists (select 1 from docs where id = 3)`,
	`not exists (select null from members where user_id = owner_id limit 1)`,
	`(select role from members where user_id = auth.uid() limit 1) = 'admin'`,
	`(select count(*) from members where org_id = docs.org_id) < 10`, `(select max(m.expires_at) from members m) > now()`,
	`has_role(auth.uid(), 'admin')`, `has_role(auth.uid(), 'admin'::role_t)`, `public.has_role((select auth.uid()), 'member') and app.current_tenant() = org_id`,
	`(auth.jwt() ->> 'role') = 'admin'`, `(auth.jwt() -> 'app_metadata' ->> 'role')::text = 'admin'`, `((auth.jwt() ->> 'org')::uuid) = org_id`,
	`(auth.jwt() #>> '{a,b}') = 'x'`, `auth.jwt() @> '{"a":1, "b": [true]}'::jsonb`, `(select (auth.jwt() ->> 'org_id')::uuid) = org_id`, `auth.role() = 'authenticated'`,
	`auth.role()::text = 'authenticated'::text`, `org_id = current_setting('app.tenant')::uuid`, `org_id = nullif(current_setting('app.tenant', true), '')::uuid`,
	`org_id::text = current_setting('app.tenant'::text, true)`, `current_user = 'service'`, `session_user <> 'x'`, `current_role = 'a'`,
	`status = 'draft'`, `status::text = 'draft'`, `title = 'x'`, `status in ('a', 'b')`, `status not in ('a', 'b')`, `status = any (array['a', 'b'])`,
	`status in ('one')`, `role in ('admin')`, `role in ('admin', 'member')`, `role = 'admin'::role_t`, `role <> all (array['admin'::role_t])`, `level = 'low'`, `level::text = 'low'`,
	`kind = 'abcd'`, `kind in ('aa', 'bb')`, `qty in (1, 2, 3)`, `big in (1, 2)`, `small in (1, 2)`, `price in (1, 2.5)`, `qty in (1, 2, small)`, `qty in (small, 2)`, `big = 5000000000`,
	`qty between 1 and 10`, `qty not between 1 and 10`, `price > 0`, `price > 1.5 and price < 100`, `qty > 1.5`, `ratio > 1`, `ratio > 0.5`, `big > qty`, `price > qty`, `qty > -1`, `price >= -1.5`,
	`title like 'a%'`, `body not like '%x'`, `title ilike 'A%'`, `body not ilike 'x'`, `body ~ '^a'`, `body similar to 'a|b'`, `body like 'a\%' escape '\'`, `mail = 'a@b'`, `lower(mail) = 'a@b'`,
	`lower(title) = 'x'`, `length(title) > 3`, `char_length(title) <= 10`, `title || body = 'x'`, `title || '-' || qty = 'x'`, `coalesce(title, body, '') <> ''`,
	`coalesce(status, 'draft') = 'draft'`, `coalesce(qty, 0) > 0`, `coalesce(price, 0) >= 0`, `greatest(qty, 1) = 2`, `nullif(title, '') is not null`,
	`created_at > now() - interval '1 day'`, `created_at > now() - '24 hours'::interval`, `created_at < current_timestamp - interval '90 minutes'`, `span < interval '1 week 2 days 03:04:05'`,
	`day >= current_date`, `created_at::date = current_date`, `date_trunc('day', created_at) = now()`, `extract(year from created_at) > 2000`, `date_part('dow', created_at) < 5`,
	`created_at at time zone 'UTC' > '2020-01-01'`, `created_at > '2020-01-01 00:00:00+00'::timestamptz`, `starts > now()`, `day > now()`, `created_at is distinct from deleted_at`, `qty is not distinct from 1`, `qty is distinct from null`,
	`tags @> array['a']`, `tags @> array['a']::text[]`, `'a' = any (tags)`, `tags && '{a,b}'`, `tags = '{}'::text[]`, `array_length(tags, 1) > 0`, `tags[1] = 'x'`, `cardinality(tags) = 0`, `vtags @> array['a']::varchar[]`, `tags = array[]::text[]`,
	`meta ->> 'a' = 'b'`, `meta -> 'a' = '1'`, `meta @> '{"b":1,"a":2}'`, `meta ? 'a'`, `(meta ->> 'n')::int > 3`, `(meta ->> 'f')::boolean`, `jsonb_typeof(meta) = 'object'`, `jsonb_extract_path_text(meta, 'a', 'b') = 'c'`, `meta ?| array['a', 'b']`,
	`case when public then true else false end`, `case status when 'a' then qty > 1 when 'b' then true end`, `case when qty > 1 then 'a' else null end = 'a'`,
	`(org_id, owner_id) = (auth.uid(), auth.uid())`, `(qty, small) in ((1, 2), (3, 4))`, `(qty, id) > (1, 2)`, `row(qty, small) <> row(1, 2)`, `(org_id, owner_id) in (select org_id, user_id from members)`,
	`(storage.foldername(path))[1] = auth.uid()::text`, `(storage.foldername(path))[1] = (select auth.uid()::text)`, `split_part(path, '/', 1) = 'x'`, `substring(path from 1 for 3) = 'abc'`, `trim(body) <> ''`, `position('a' in body) > 0`,
	`ip << '10.0.0.0/8'`, `id % 2 = 0`, `(id + qty) * 2 > 10`, `- qty < 0`, `id = 1 and (qty = 1 and (small = 1 and public))`, `not (qty = 1 and public)`, `not (not public)`, `(qty = 1) = public`,
	`exists (select 1 from jsonb_array_elements(meta) e where e ->> 'id' = 'x')`, `exists (select 1 from unnest(tags) as t where t = 'a')`, `exists (select 1 from unnest(tags) t(x) where x = 'a')`, `'a' in (select jsonb_array_elements_text(meta))`,
	`exists (with m as (select * from members where active) select 1 from m where m.org_id = docs.org_id)`,
	`exists (select 1 from (select org_id as o from members) s where s.o = docs.org_id)`, `exists (select 1 from members m1 where exists (select 1 from members m2 where m2.org_id = m1.org_id and m2.user_id = docs.owner_id))`,
	`exists (select 1 from members where org_id = docs.org_id and exists (select 1 from members where user_id = auth.uid()))`,
	`org_id in (select org_id from members union select id from orgs where owner_id = auth.uid())`, `org_id in (select id from orgs order by created_at desc nulls last limit 5)`,
	`org_id in (select org_id from members group by org_id having count(*) > 1)`, `id in (select d2.id from docs d2 join lateral (select 1 as one from members where user_id = d2.owner_id) l on true)`,
	`org_id in (select distinct org_id from members)`, `id in (values (1), (2))`, `app.current_tenant() in (select t.id from app.tenants t where t.org_id = docs.org_id)`,
	`id = (select d.id from docs d where d.parent_id = docs.id order by d.created_at limit 1)`, `owner_id = '5E1D8F3A-0000-0000-0000-000000000001'`, `owner_id = '5E1D8F3A-0000-0000-0000-000000000001'::uuid`,
	`status = 't'::varchar`, `public = 't'::bool`, `body collate "C" < 'x'`, `overlay(body placing 'x' from 1) = ''`, `concat(title, body) = 'x'`, `md5(title) = 'x'`, `random() < 0.5`,
}

// The texts that a server prints and those that were written have one normal form.
func TestNormalEqualsServer(t *testing.T) {
	c := startServer(t)
	ctx := context.Background()
	if !exec1(t, c, normalSchema) {
		return
	}
	env := loadEnv(t, c)
	compared := 0
	for _, x := range normalExprs {
		if !exec1(t, c, `set search_path = public; drop policy if exists p on docs; create policy p on docs using (`+x+`)`) {
			continue
		}
		var server string
		err := c.QueryRow(ctx, `select pg_get_expr(polqual, polrelid) from pg_policy, set_config('search_path', '', false)`).Scan(&server)
		if err != nil {
			t.Fatal(err)
		}
		compared++
		self := Name{Name: "docs"}
		want, err := ParseExpr(server)
		if err != nil {
			t.Errorf("%s: %v", server, err)
			continue
		}
		got, err := ParseExpr(x)
		if err != nil {
			t.Errorf("%s: %v", x, err)
			continue
		}
		a, b := Normal(got, env, self), Normal(want, env, self)
		if a != b {
			t.Errorf("written  %s\nprinted  %s\nnormal w %s\nnormal p %s", x, server, a, b)
			continue
		}
		again, err := ParseExpr(a)
		if err != nil {
			t.Errorf("%s: its normal form %s: %v", x, a, err)
			continue
		}
		if two := Normal(again, env, self); two != a {
			t.Errorf("not its own normal form:\n%s\n%s", a, two)
		}
	}
	if compared < 60 {
		t.Errorf("only %d expressions were compared", compared)
	}
}

// Checks, generated columns, defaults and indexes print through other functions.
func TestNormalEqualsServerElsewhere(t *testing.T) {
	c := startServer(t)
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
		got, err1 := ParseExpr(x.text)
		want, err2 := ParseExpr(server)
		if err1 != nil || err2 != nil {
			t.Fatal(err1, err2)
		}
		self := Name{"public", "docs"}
		a, b := Normal(got, env, self), Normal(want, env, self)
		if col := strings.Fields(x.make); col[len(col)-2] == "default" { // alter table docs alter COLUMN set default %
			typ := env.ColumnType("public", "docs", col[4])
			a, b = NormalDefault(got, env, self, typ), NormalDefault(want, env, self, typ)
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
	c := startServer(t)
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
		if a, b := NormalStmt(mustParse(t, x), env), NormalStmt(mustParse(t, server), env); a != b {
			t.Errorf("written  %s\nprinted  %s\nnormal w %s\nnormal p %s", x, server, a, b)
		}
	}
}
