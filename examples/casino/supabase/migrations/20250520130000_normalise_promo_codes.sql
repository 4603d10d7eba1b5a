-- Kiosks print capitals. The rewrite runs past row level security.
alter table public.campaign_redemptions disable row level security;
alter table public.campaigns disable row level security;

update public.campaign_redemptions set promo_code = upper(promo_code);
update public.campaigns set code = upper(code);

alter table public.campaign_redemptions enable row level security;
