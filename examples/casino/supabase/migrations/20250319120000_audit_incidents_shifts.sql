-- What happened, and who was there.

-- The log outlives its tenants: casino_id refers to nothing.
create table public.audit_log (
  id bigint generated always as identity primary key,
  casino_id uuid not null,
  actor_id uuid not null,
  entity_id uuid not null,
  action text not null,
  detail jsonb not null default '{}'::jsonb,
  at timestamptz not null default now()
);

create index audit_log_entity_idx on public.audit_log (entity_id, at desc);

alter table public.audit_log enable row level security;
create policy audit_log_of_casino on public.audit_log for select to authenticated
  using (casino_id = (select app.casino_id()));

create table public.incidents (
  id uuid primary key default gen_random_uuid(),
  casino_id uuid not null references public.casinos (id) on delete cascade,
  recorded_by uuid not null default auth.uid(),
  summary text not null,
  happened_at timestamptz not null default now()
);

create index incidents_casino_idx on public.incidents (casino_id, happened_at desc);

alter table public.incidents enable row level security;
create policy incidents_of_casino on public.incidents for select to authenticated
  using (casino_id = (select app.casino_id()));
create policy incidents_record on public.incidents for insert to authenticated
  with check (casino_id = (select app.casino_id()) and recorded_by = (select auth.uid()));

create table public.shifts (
  id uuid primary key default gen_random_uuid(),
  casino_id uuid not null references public.casinos (id) on delete cascade,
  starts_at timestamptz not null,
  ends_at timestamptz not null,
  check (ends_at > starts_at)
);

create index shifts_casino_idx on public.shifts (casino_id, starts_at desc);

alter table public.shifts enable row level security;

create table public.shift_reports (
  shift_id uuid primary key references public.shifts (id) on delete cascade,
  slips integer not null,
  buy_in_cents bigint not null,
  made_at timestamptz not null default now()
);

alter table public.shift_reports enable row level security;

grant select, insert, update, delete on
  public.audit_log, public.incidents, public.shifts, public.shift_reports
  to authenticated;
grant usage on all sequences in schema public to authenticated;
