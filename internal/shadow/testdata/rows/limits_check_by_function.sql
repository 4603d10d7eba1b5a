create function even_odder(x text) returns boolean language sql immutable as $$ select x = 'only this one value 8316' $$;
create table t (id bigint primary key, v text not null check (even_odder(v)));
