create table t (
  id serial primary key,
  status text not null check (status in ('open', 'closed')),
  state varchar(10) check (state = any (array['a', 'b']::text[])),
  stars integer not null check (stars between 1 and 5),
  share numeric not null check (share >= 0 and share <= 1),
  code text not null check (length(code) = 6),
  title text not null check (char_length(title) between 40 and 60),
  starts_at timestamptz not null, ends_at timestamptz not null,
  mail text not null check (mail ~* '^[a-z0-9.]+@[a-z.]+$'),
  phone text not null check (phone ~ '^\+[1-9][0-9]{6,14}$'),
  meta jsonb not null check (jsonb_typeof(meta) = 'array'),
  low integer not null, high integer not null,
  one integer, other integer,
  check (ends_at > starts_at), check (num_nonnulls(one, other) = 1), check (status <> 'closed' or ends_at is not null)
);
