-- Marketing campaigns. Redemptions come from the kiosks by the printed code,
-- which may be of a campaign that is long gone: hence no foreign key.
create table public.campaigns (
  id uuid primary key default gen_random_uuid(),
  casino_id uuid not null references public.casinos (id) on delete cascade,
  code text not null unique,
  name text not null,
  starts_on date not null,
  ends_on date not null,
  check (ends_on >= starts_on)
);

create index campaigns_casino_idx on public.campaigns (casino_id, starts_on);

alter table public.campaigns enable row level security;
create policy campaigns_of_casino on public.campaigns for all to authenticated
  using (casino_id = (select app.casino_id()))
  with check (casino_id = (select app.casino_id()));

create table public.campaign_redemptions (
  id bigint generated always as identity primary key,
  casino_id uuid not null,
  player_id uuid not null,
  promo_code text not null,
  value_cents bigint not null,
  redeemed_at timestamptz not null default now(),
  foreign key (casino_id, player_id) references public.players (casino_id, id) on delete cascade
);

create index campaign_redemptions_player_idx on public.campaign_redemptions (casino_id, player_id);
create index campaign_redemptions_time_idx on public.campaign_redemptions (redeemed_at);

alter table public.campaign_redemptions enable row level security;
create policy campaign_redemptions_of_casino on public.campaign_redemptions for all to authenticated
  using (casino_id = (select app.casino_id()))
  with check (casino_id = (select app.casino_id()));

grant select, insert, update, delete on public.campaigns, public.campaign_redemptions to authenticated;
grant usage on all sequences in schema public to authenticated;
