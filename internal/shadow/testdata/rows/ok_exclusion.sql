create extension if not exists btree_gist;
create table rooms (id int primary key);
create table t (id bigint primary key, room int not null references rooms, during tstzrange not null, exclude using gist (room with =, during with &&));
