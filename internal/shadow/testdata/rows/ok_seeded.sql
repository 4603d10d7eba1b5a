create table kinds (kind text primary key);
insert into kinds values ('a'), ('b'), ('c');
create table t (id integer primary key, kind text not null references kinds, slug text unique);
insert into t values (1, 'a', 'first'), (2, 'b', 'second');
