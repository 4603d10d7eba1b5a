-- Players, and the visits that they pay. Foreign keys carry casino_id, so that
-- no row can point into another tenant.
create table public.players (
  id uuid primary key default gen_random_uuid(),
  casino_id uuid not null references public.casinos (id) on delete cascade,
  card_number text not null,
  first_name text not null,
  last_name text not null,
  email text,
  tier text not null default 'bronze' references public.loyalty_tiers (code),
  preferences jsonb not null default '{}'::jsonb,
  -- What the search box compares with: a prefix is a range of this column.
  search_name text collate "C" generated always as (lower(last_name || ' ' || first_name)) stored,
  created_at timestamptz not null default now(),
  unique (casino_id, id),
  unique (casino_id, card_number)
);

create index players_search_idx on public.players (casino_id, search_name);
create index players_tier_idx on public.players (tier);
create index players_preferences_idx on public.players using gin (preferences);

create table public.visits (
  id uuid primary key default gen_random_uuid(),
  casino_id uuid not null,
  player_id uuid not null,
  opened_by uuid references public.staff (id) on delete set null,
  opened_at timestamptz not null default now(),
  ended_at timestamptz,
  unique (casino_id, id),
  foreign key (casino_id, player_id) references public.players (casino_id, id) on delete cascade
);

create index visits_player_idx on public.visits (casino_id, player_id, opened_at desc);
create index visits_opened_by_idx on public.visits (opened_by);
create unique index visits_one_open_idx on public.visits (casino_id, player_id) where ended_at is null;
