create schema app;
create schema auth;
create schema ext;
create extension pg_trgm schema ext;
create role twin_owner;
create role twin_member;
create role twin_user;
create role twin_reader login;
grant twin_member to twin_user;
grant usage on schema app, auth, ext to public;
create function auth.uid() returns bigint language sql stable as $$ select (nullif(current_setting('request.jwt.claims', true), '')::jsonb ->> 'sub')::bigint $$;
create type app.state as enum ('new', 'paid', 'sent');
create domain app.amount as numeric(12, 2) check (value >= 0);
create type app.address as (street text, city text);
create type app.span as range (subtype = int4);
create collation app.bytes (provider = libc, locale = 'C');
create sequence app.numbers;
create function app.label(n bigint) returns text language sql immutable as $$ select 'no. ' || n $$;
create table app.tenants (id bigint primary key, name text not null, secret text);
create table app.members (tenant_id bigint not null references app.tenants, user_id bigint not null, primary key (user_id, tenant_id));
create function app.my_tenants() returns setof bigint language plpgsql stable security definer as $$ begin return query select m.tenant_id from app.members m where m.user_id = auth.uid(); end $$;
create table app."Orders" (
	id bigint generated always as identity primary key,
	number bigint not null default nextval('app.numbers'),
	tenant_id bigint not null references app.tenants,
	state app.state not null default 'new',
	total app.amount,
	place app.address,
	valid app.span,
	code text collate app.bytes not null,
	note text,
	net numeric generated always as (total * 0.81) stored,
	created_at timestamptz not null,
	constraint positive check (number > 0)
) with (fillfactor = 90);
create function app.is_big(o app."Orders") returns boolean language sql immutable as $$ select o.total > 900 $$;
create index orders_tenant_idx on app."Orders" (tenant_id, created_at desc);
create index orders_code_idx on app."Orders" (code);
create index orders_label_idx on app."Orders" (app.label(number));
create index orders_big_idx on app."Orders" (created_at) where app.is_big("Orders");
create index orders_note_idx on app."Orders" using gin (note ext.gin_trgm_ops);
create unique index orders_number_key on app."Orders" (number) include (state);
create statistics app.orders_together (dependencies) on tenant_id, state from app."Orders";
create table app.events (tenant_id bigint not null, at date not null, kind text not null, primary key (tenant_id, at, kind)) partition by range (at);
create table app.events_1 partition of app.events for values from ('2025-01-01') to ('2025-07-01');
create table app.events_2 partition of app.events for values from ('2025-07-01') to ('2026-01-01') partition by list (kind);
create table app.events_2_click partition of app.events_2 for values in ('click');
create table app.events_2_rest partition of app.events_2 default;
create index events_kind_idx on app.events (kind);
create table app.parents (id bigint, note text);
create table app.children (more text) inherits (app.parents);
create view app.recent as select o.id, o.tenant_id, o.state, t.name from app."Orders" o join app.tenants t on t.id = o.tenant_id where o.created_at > '2025-06-01';
create view app.counted as select t.id, t.name, count(*) as events from app.tenants t join app.events e on e.tenant_id = t.id group by t.id;
create materialized view app.totals as select tenant_id, sum(total) as total from app."Orders" group by 1 with no data;
create unique index totals_key on app.totals (tenant_id);
alter table app."Orders" owner to twin_owner;
alter view app.recent owner to twin_owner;
grant select on app.tenants, app.members to twin_owner;
grant select, update, delete on app."Orders" to twin_user;
grant select on app.recent, app.events, app.counted, app.members to twin_member;
grant select (id, name) on app.tenants to twin_user;
revoke execute on function app.my_tenants() from public;
grant execute on function app.my_tenants() to twin_member;
alter table app."Orders" enable row level security;
alter table app.events enable row level security;
create policy mine on app."Orders" to twin_member using (tenant_id in (select app.my_tenants()));
create policy sent on app."Orders" as restrictive for select to twin_user using (state <> 'new');
create policy theirs on app.events using (tenant_id = auth.uid());
create table app.untouched (id bigint primary key);
alter table app.tenants add constraint elsewhere foreign key (id) references app.untouched not valid;
