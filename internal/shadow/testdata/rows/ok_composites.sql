-- Composite types, alone and in an array.
create type part as (path text, size bigint, hash text);
create table t (id int primary key, parts part[] not null, first part not null, other part, tags text[]);
