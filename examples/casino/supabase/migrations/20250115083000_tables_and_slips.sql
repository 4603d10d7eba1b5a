-- Gaming tables, who deals at them, and the rating slips of players at them.
create table public.gaming_tables (
  id uuid primary key default gen_random_uuid(),
  casino_id uuid not null references public.casinos (id) on delete cascade,
  game_type text not null references public.game_types (code),
  pit text not null,
  number text not null,
  seats smallint not null default 7 check (seats between 1 and 14),
  status public.table_status not null default 'closed',
  unique (casino_id, id),
  unique (casino_id, number)
);

create index gaming_tables_game_type_idx on public.gaming_tables (game_type);

create table public.table_assignments (
  id uuid primary key default gen_random_uuid(),
  casino_id uuid not null,
  table_id uuid not null,
  staff_id uuid not null references public.staff (id) on delete cascade,
  started_at timestamptz not null default now(),
  ended_at timestamptz,
  foreign key (casino_id, table_id) references public.gaming_tables (casino_id, id) on delete cascade
);

create index table_assignments_table_idx on public.table_assignments (casino_id, table_id, started_at desc);
create index table_assignments_staff_idx on public.table_assignments (staff_id);
create unique index table_assignments_one_open_idx on public.table_assignments (casino_id, table_id)
  where ended_at is null;

create table public.rating_slips (
  id uuid primary key default gen_random_uuid(),
  casino_id uuid not null,
  visit_id uuid not null,
  table_id uuid not null,
  seat smallint not null check (seat between 1 and 14),
  status public.slip_status not null default 'open',
  buy_in_cents bigint not null default 0,
  average_bet_cents bigint not null default 0,
  device_serial text,
  opened_by uuid references public.staff (id) on delete set null,
  closed_by uuid references public.staff (id) on delete set null,
  opened_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  closed_at timestamptz,
  unique (casino_id, id),
  foreign key (casino_id, visit_id) references public.visits (casino_id, id) on delete cascade,
  foreign key (casino_id, table_id) references public.gaming_tables (casino_id, id)
);

create index rating_slips_visit_idx on public.rating_slips (casino_id, visit_id);
create index rating_slips_table_idx on public.rating_slips (casino_id, table_id, opened_at desc);
create index rating_slips_opened_by_idx on public.rating_slips (opened_by);
create index rating_slips_device_idx on public.rating_slips (device_serial);
create unique index rating_slips_one_per_seat_idx on public.rating_slips (casino_id, table_id, seat)
  where closed_at is null;

create table public.player_moves (
  id bigint generated always as identity primary key,
  casino_id uuid not null,
  slip_id uuid not null,
  from_table_id uuid not null,
  to_table_id uuid not null,
  moved_at timestamptz not null default now(),
  foreign key (casino_id, slip_id) references public.rating_slips (casino_id, id) on delete cascade,
  foreign key (casino_id, from_table_id) references public.gaming_tables (casino_id, id),
  foreign key (casino_id, to_table_id) references public.gaming_tables (casino_id, id)
);

create index player_moves_slip_idx on public.player_moves (slip_id, casino_id);
create index player_moves_from_idx on public.player_moves (casino_id, from_table_id, moved_at desc);
create index player_moves_to_idx on public.player_moves (casino_id, to_table_id, moved_at desc);
