-- What hosts keep about their players, each kind with its own audience.
create table public.player_notes (
  id uuid primary key default gen_random_uuid(),
  casino_id uuid not null,
  player_id uuid not null,
  min_rank smallint not null default 1,
  body text not null,
  created_at timestamptz not null default now(),
  foreign key (casino_id, player_id) references public.players (casino_id, id) on delete cascade
);

create index player_notes_player_idx on public.player_notes (casino_id, player_id, created_at desc);

alter table public.player_notes enable row level security;
create policy player_notes_by_rank on public.player_notes for select to authenticated
  using (casino_id = (select app.casino_id()) and min_rank <= app.staff_rank());
create policy player_notes_add on public.player_notes for insert to authenticated
  with check (casino_id = (select app.casino_id()));

create table public.comps (
  id uuid primary key default gen_random_uuid(),
  casino_id uuid not null,
  player_id uuid not null,
  min_rank smallint not null default 1,
  kind text not null,
  value_cents bigint not null check (value_cents >= 0),
  created_at timestamptz not null default now(),
  foreign key (casino_id, player_id) references public.players (casino_id, id) on delete cascade
);

create index comps_player_idx on public.comps (casino_id, player_id, created_at desc);

alter table public.comps enable row level security;
create policy comps_by_rank on public.comps for select to authenticated
  using (casino_id = (select app.casino_id()) and min_rank <= (select app.staff_rank()));

create table public.player_hosts (
  casino_id uuid not null,
  staff_id uuid not null references public.staff (id) on delete cascade,
  player_id uuid not null,
  since date not null default current_date,
  primary key (staff_id, player_id),
  foreign key (casino_id, player_id) references public.players (casino_id, id) on delete cascade
);

create index player_hosts_player_idx on public.player_hosts (casino_id, player_id);

alter table public.player_hosts enable row level security;
create policy player_hosts_of_casino on public.player_hosts for all to authenticated
  using (casino_id = (select app.casino_id()))
  with check (casino_id = (select app.casino_id()));

-- Whether the caller is a host of one player.
create function app.hosts_player(player uuid) returns boolean
language sql stable security definer
set search_path = ''
as $$
  select exists (
    select 1
    from public.player_hosts h
    join public.staff s on s.id = h.staff_id
    where h.player_id = player and s.user_id = auth.uid()
  )
$$;

-- The players that the caller is a host of.
create function app.hosted_players() returns setof uuid
language sql stable security definer
set search_path = ''
as $$
  select h.player_id
  from public.player_hosts h
  join public.staff s on s.id = h.staff_id
  where s.user_id = auth.uid()
$$;

create table public.player_documents (
  id uuid primary key default gen_random_uuid(),
  casino_id uuid not null,
  player_id uuid not null,
  kind text not null,
  storage_path text not null,
  created_at timestamptz not null default now(),
  foreign key (casino_id, player_id) references public.players (casino_id, id) on delete cascade
);

create index player_documents_player_idx on public.player_documents (casino_id, player_id);

alter table public.player_documents enable row level security;
create policy player_documents_of_host on public.player_documents for select to authenticated
  using (casino_id = (select app.casino_id()) and app.hosts_player(player_id));

create table public.host_tasks (
  id uuid primary key default gen_random_uuid(),
  casino_id uuid not null,
  player_id uuid not null,
  title text not null,
  due_at timestamptz not null,
  foreign key (casino_id, player_id) references public.players (casino_id, id) on delete cascade
);

create index host_tasks_player_idx on public.host_tasks (casino_id, player_id);
create index host_tasks_due_idx on public.host_tasks (casino_id, due_at);

alter table public.host_tasks enable row level security;
create policy host_tasks_of_host on public.host_tasks for select to authenticated
  using (casino_id = (select app.casino_id()) and player_id in (select app.hosted_players()));

grant execute on all functions in schema app to authenticated;
grant select, insert, update, delete on
  public.player_notes, public.comps, public.player_hosts, public.player_documents, public.host_tasks
  to authenticated;
