-- The first policy on visits called app.casino_id() bare.
alter policy visits_of_casino on public.visits
  using (casino_id = (select app.casino_id()))
  with check (casino_id = (select app.casino_id()));

create policy shifts_of_casino on public.shifts for all to authenticated
  using (casino_id = (select app.casino_id()))
  with check (casino_id = (select app.casino_id()));
