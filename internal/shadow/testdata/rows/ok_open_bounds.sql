-- Bounds that are not allowed themselves, a column below another, words of a pattern.
create table t (
  id int primary key,
  share numeric not null check (share > 0 and share < 1),
  weight numeric(3, 2) not null check (weight > 0 and weight <= 1),
  score double precision not null check (0 < score and score < 0.5),
  level int not null check (level > 3 and level < 5),
  step_min bigint not null, step_max bigint not null, check (step_min < step_max),
  price_to numeric not null, price_from numeric not null, check (price_to >= price_from),
  version text not null check (version ~ '^(legacy|standard)$'),
  small int not null, large int not null, check (small < large), check (small <= 5)
);
