-- Tenants, their staff, and the lookup tables that everything else names.
create schema if not exists app;

create type public.table_status as enum ('closed', 'open', 'maintenance');
create type public.slip_status as enum ('open', 'closed', 'void');

create table public.casinos (
  id uuid primary key default gen_random_uuid(),
  code text not null unique,
  name text not null,
  timezone text not null default 'UTC',
  created_at timestamptz not null default now()
);

create table public.staff (
  id uuid primary key default gen_random_uuid(),
  casino_id uuid not null references public.casinos (id) on delete cascade,
  user_id uuid not null unique references auth.users (id) on delete cascade,
  display_name text not null,
  rank smallint not null default 1 check (rank between 1 and 9),
  created_at timestamptz not null default now()
);

create index staff_casino_idx on public.staff (casino_id, display_name);

create table public.loyalty_tiers (
  code text primary key,
  name text not null,
  points_needed integer not null check (points_needed >= 0)
);

insert into public.loyalty_tiers (code, name, points_needed) values
  ('bronze', 'Bronze', 0),
  ('silver', 'Silver', 2500),
  ('gold', 'Gold', 10000),
  ('platinum', 'Platinum', 50000);

create table public.game_types (
  code text primary key,
  name text not null,
  decisions_per_hour integer not null check (decisions_per_hour > 0)
);

insert into public.game_types (code, name, decisions_per_hour) values
  ('blackjack', 'Blackjack', 70),
  ('baccarat', 'Baccarat', 72),
  ('roulette', 'Roulette', 38),
  ('craps', 'Craps', 48);

-- The tenant of a request: it stands in the signed part of the token.
create function app.casino_id() returns uuid
language sql stable
as $$
  select nullif(auth.jwt() -> 'app_metadata' ->> 'casino_id', '')::uuid
$$;

-- The rank of the caller. It reads staff past row level security, so that
-- policies of other tables can use it.
create function app.staff_rank() returns smallint
language sql stable security definer
set search_path = ''
as $$
  select coalesce(max(s.rank), 0::smallint)
  from public.staff s
  where s.user_id = auth.uid()
$$;

grant usage on schema app to authenticated;
grant execute on all functions in schema app to authenticated;
