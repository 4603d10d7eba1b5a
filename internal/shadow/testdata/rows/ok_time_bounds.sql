create table t (
  id bigint primary key,
  day date not null check (day between '1990-01-01' and '1999-12-31'),
  at timestamptz not null check (at >= '2100-01-01 00:00:00+00'),
  stamp timestamp not null check (stamp < '2001-01-01'),
  usual date not null check (usual > '1970-01-01')
);
