create table heads (id bigint primary key, current bigint);
create table t (id bigint primary key, head bigint not null references heads);
alter table heads add foreign key (current) references t;
