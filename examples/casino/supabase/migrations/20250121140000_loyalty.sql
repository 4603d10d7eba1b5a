-- The ledger of points: rows are added, never changed.
create table public.loyalty_ledger (
  id bigint generated always as identity primary key,
  casino_id uuid not null,
  player_id uuid not null,
  slip_id uuid,
  points integer not null,
  reason text not null,
  idempotency_key text not null,
  created_at timestamptz not null default now(),
  unique (casino_id, idempotency_key),
  foreign key (casino_id, player_id) references public.players (casino_id, id) on delete cascade,
  foreign key (casino_id, slip_id) references public.rating_slips (casino_id, id)
);

create index loyalty_ledger_player_idx on public.loyalty_ledger (casino_id, player_id, created_at desc);

-- Most entries are made by hand and have no slip.
create index loyalty_ledger_slip_idx on public.loyalty_ledger (casino_id, slip_id) where slip_id is not null;
