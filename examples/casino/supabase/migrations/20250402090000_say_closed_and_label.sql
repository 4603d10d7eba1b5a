-- One word for one thing: slips close, so do visits; tables are labelled BJ-12.
alter table public.visits rename column ended_at to closed_at;
alter index public.visits_one_open_idx rename to visits_one_open_per_player_idx;
alter table public.gaming_tables rename column number to label;
