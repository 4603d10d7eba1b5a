create table t (
  id bigint primary key,
  data jsonb not null check (jsonb_typeof(data) = 'object'),
  text json not null check (json_typeof(text) = 'object'),
  list jsonb check (list is null or jsonb_typeof(list) = 'array'),
  keyed jsonb not null check (jsonb_typeof(keyed) = 'object' and keyed ? 'name' and keyed ?& array['from', 'to']),
  nested jsonb not null check (jsonb_typeof(nested -> 'items') = 'array' and nested ? 'items')
);
