-- ON CONFLICT takes no deferrable key, nor any other one beside it.
create table albums (id bigint primary key, number int not null unique deferrable, title text not null);
create table t (
  id bigint primary key deferrable initially deferred,
  album bigint not null references albums, place int not null check (place between 1 and 200),
  unique (album, place) deferrable,
  code text not null unique,
  main boolean not null
);
create unique index on t (album) where main;
