-- idx_scan was 0 for a week: the table readers were off for maintenance.
drop index if exists public.rating_slips_device_idx;
