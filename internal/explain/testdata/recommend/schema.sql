create extension pg_trgm;
create table customers (id bigint primary key, name text not null, email text not null, country text not null);
create table orders (id bigint primary key, customer_id bigint not null references customers, state text not null, total numeric(10, 2) not null,
	note text, deleted_at timestamptz, created_at timestamptz not null);
create index orders_customer_idx on orders (customer_id);
create table events (tenant_id bigint not null, at date not null, kind text not null, body text) partition by range (at);
create table events_1 partition of events for values from ('2025-01-01') to ('2025-07-01');
create table events_2 partition of events for values from ('2025-07-01') to ('2026-01-01');
create table documents (id bigint primary key, tenant_id bigint not null, title text not null, body text not null);
create index documents_tenant_idx on documents (tenant_id);
do $$ begin create role recommend_user; exception when duplicate_object then end $$;
grant select on all tables in schema public to recommend_user;
alter table documents enable row level security;
create policy tenant on documents to recommend_user using (tenant_id = (select current_setting('app.tenant')::bigint));
insert into customers select i, 'customer ' || md5(i::text), 'c' || i || '@example.com', (array['DE', 'DE', 'DE', 'FR', 'FR', 'IS'])[1 + i % 6] from generate_series(1, 50000) i;
insert into orders select i, 1 + i * 7919 % 2000, case when i % 100 = 0 then 'open' else 'done' end, i % 1000, 'note ' || md5(i::text),
	case when i % 20 > 0 then timestamptz '2025-01-01' + i * interval '1 minute' end, timestamptz '2025-01-01' + i * interval '1 minute' from generate_series(1, 200000) i;
insert into events select i % 300, date '2025-01-01' + (i % 360), 'kind ' || i % 7, md5(i::text) from generate_series(1, 100000) i;
insert into documents select i, 1 + i % 20, 'title ' || md5(i::text), md5(i::text) || md5((i + 1)::text) from generate_series(1, 100000) i;
