create table t (id bigint, region text not null, primary key (id, region)) partition by list (region);
create table t_eu partition of t for values in ('de', 'fr');
create table t_us partition of t for values in ('us');
