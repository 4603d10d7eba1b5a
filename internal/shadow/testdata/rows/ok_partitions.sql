create table t (id bigint, at timestamptz not null, kind text not null, primary key (id, at)) partition by range (at);
create table t_1 partition of t for values from ('2025-01-01') to ('2025-02-01');
create table t_2 partition of t for values from ('2025-02-01') to ('2025-03-01');
