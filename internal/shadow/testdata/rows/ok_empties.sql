-- Rows that must leave some columns empty, here and in a parent of which only the keys matter.
create table files (id bigint primary key);
create table owners (
  id bigint primary key, person text, company text, file_id bigint references files,
  check (person is not null or company is not null), check (num_nonnulls(person, file_id) >= 1)
);
create table t (
  id bigint primary key,
  a bigint references owners, b bigint references files, check (num_nonnulls(a, b) = 1),
  c int, d text, check (num_nulls(c, d) = 1),
  e int, f date, check ((e is null) <> (f is null)),
  g int, h int, i int, check ((g is not null)::int + (h is not null)::int + (i is not null)::int = 1),
  kind text not null check (kind in ('card', 'bank')), card text, account text,
  check (kind = 'card' and card is not null and account is null or kind = 'bank' and account is not null and card is null),
  j int, k int, check (case when j is null then 0 else 1 end + case when k is null then 0 else 1 end = 1)
);
