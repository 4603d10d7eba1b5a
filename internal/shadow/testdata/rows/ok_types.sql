create extension if not exists citext;
create type mood as enum ('sad', 'ok', 'happy');
create domain email as text check (value ~ '^[^@]+@[^@]+$');
create domain posint as integer check (value > 0);
create table t (
  id bigint generated always as identity primary key,
  a smallint not null, b integer not null, c bigint not null, d numeric(5,2) not null, e real not null, f double precision not null,
  g text not null, h varchar(5) not null, i char(3) not null, j citext not null, k boolean not null, l uuid not null,
  m date not null, n timestamp not null, o timestamptz not null, p time not null, q interval not null, r jsonb not null, s json not null,
  u bytea not null, v inet not null, w text[] not null, x integer[] not null, y mood not null, z mood[] not null,
  aa tstzrange not null, bb int4range not null, cc tsvector not null, dd email not null, ee posint not null, ff macaddr not null,
  gg numeric generated always as (d * 2) stored, hh money not null, ii point not null, jj cidr not null, kk uuid[] not null, ll "char" not null
);
