-- CHECKs over two columns that values made for each alone meet in part, or not at all.
create table people (id bigint primary key, name text);
create table t (
  id bigint primary key,
  fan bigint not null references people, idol bigint not null references people, check (fan <> idol),
  until timestamptz not null, since timestamptz not null, check (since < until),
  opens timestamptz not null, closes timestamptz not null, check (closes > opens + interval '36 hours'),
  first_day date not null, last_day date not null, check (last_day >= first_day + 14), check (last_day <= first_day + interval '60 days'),
  lowest int not null, highest int not null, check (highest >= lowest + 10),
  weight int not null, other_weight int not null, check (weight % 2 = other_weight % 2)
);
