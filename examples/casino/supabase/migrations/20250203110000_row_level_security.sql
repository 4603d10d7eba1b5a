-- Each tenant sees its own rows.
grant select, insert, update, delete on all tables in schema public to authenticated;
grant usage on all sequences in schema public to authenticated;

alter table public.casinos enable row level security;
create policy casinos_own on public.casinos for select to authenticated
  using (id = (select app.casino_id()));

alter table public.staff enable row level security;
create policy staff_of_casino on public.staff for all to authenticated
  using (casino_id = (select app.casino_id()))
  with check (casino_id = (select app.casino_id()));

alter table public.loyalty_tiers enable row level security;
create policy loyalty_tiers_read on public.loyalty_tiers for select to authenticated using (true);

alter table public.game_types enable row level security;
create policy game_types_read on public.game_types for select to authenticated using (true);

alter table public.players enable row level security;
create policy players_of_casino on public.players for all to authenticated
  using (casino_id = (select app.casino_id()))
  with check (casino_id = (select app.casino_id()));

alter table public.visits enable row level security;
create policy visits_of_casino on public.visits for all to authenticated
  using (casino_id = app.casino_id())
  with check (casino_id = app.casino_id());

alter table public.gaming_tables enable row level security;
create policy gaming_tables_of_casino on public.gaming_tables for all to authenticated
  using (casino_id = (select app.casino_id()))
  with check (casino_id = (select app.casino_id()));

alter table public.table_assignments enable row level security;
create policy table_assignments_of_casino on public.table_assignments for all to authenticated
  using (casino_id = (select app.casino_id()))
  with check (casino_id = (select app.casino_id()));

alter table public.rating_slips enable row level security;
create policy rating_slips_of_casino on public.rating_slips for all to authenticated
  using (casino_id = (select app.casino_id()))
  with check (casino_id = (select app.casino_id()));

alter table public.player_moves enable row level security;
create policy player_moves_of_casino on public.player_moves for all to authenticated
  using (casino_id = (select app.casino_id()))
  with check (casino_id = (select app.casino_id()));

alter table public.loyalty_ledger enable row level security;
create policy loyalty_ledger_read on public.loyalty_ledger for select to authenticated
  using (casino_id = (select app.casino_id()));
create policy loyalty_ledger_add on public.loyalty_ledger for insert to authenticated
  with check (casino_id = (select app.casino_id()));
