create schema app;
create type app.status as enum ('open', 'closed', 'void');
create domain app.email as text check (value like '%@%');
create type app.pair as (a integer, b text);
create table app.tenants (
  id uuid primary key default gen_random_uuid(),
  name character varying(40) not null unique,
  settings jsonb not null default '{}'::jsonb
);
create table app.orders (
  id bigint generated always as identity primary key,
  tenant_id uuid not null references app.tenants on delete cascade,
  status app.status not null default 'open',
  marks app.status[],
  mail app.email,
  note text collate "C",
  total numeric(12,2) check (total >= 0),
  doubled numeric generated always as (total * 2) stored,
  during tstzrange,
  created_at timestamptz not null default now(),
  constraint one_each unique (tenant_id, note)
);
create index orders_open on app.orders (tenant_id, created_at desc) where status = 'open';
create index orders_lower on app.orders (lower(note) text_pattern_ops, (total + 1)) include (status);
create index orders_note_any on app.orders using hash (note);
create index orders_marks on app.orders using gin (marks);
create index orders_c on app.orders (mail collate "C" nulls first);
create table app.events (id bigint, at date not null, kind text) partition by range (at);
create table app.events_2025 partition of app.events for values from ('2025-01-01') to ('2026-01-01');
create table app.events_rest partition of app.events default;
create index on app.events (kind);
create index events_only on only app.events (id);
create view app.open_orders as select id, tenant_id from app.orders where status = 'open';
create role planvet_test_reader;
alter table app.orders enable row level security;
alter table app.orders force row level security;
create policy mine on app.orders for select to public using (tenant_id = current_setting('app.tenant')::uuid);
create policy write on app.orders as restrictive for update to planvet_test_reader using (true) with check (total > 0);
create function app.total_of(tenant uuid, out sum numeric, out n bigint) language sql stable security definer set search_path = '' as
$$ select sum(total), count(*) from app.orders where tenant_id = tenant $$;
create function app.touch() returns trigger language plpgsql as $$ begin return new; end $$;
create trigger touched before update on app.orders for each row execute function app.touch();
