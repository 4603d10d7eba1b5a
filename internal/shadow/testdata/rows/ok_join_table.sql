create table a (id int primary key);
create table b (id int primary key);
create table t (a_id int references a, b_id int references b, primary key (a_id, b_id));
