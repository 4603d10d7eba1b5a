-- what PostgreSQL 17 and 18 added; see docs/purego.md
update orders set total = total + 1 where id = 1 returning with (new as n) old.total, n.total;
delete from orders where id = 1 returning with (old as was, new as became) was.id, became.total;
insert into orders (id) values (1) on conflict (id) do update set total = 1 returning with (old as o) o.id is null;
merge into orders o using staged s on o.id = s.id
  when matched then update set total = s.total
  when not matched by source and o.total < 10 then delete
  when not matched by target then insert (id, total) values (s.id, s.total)
  returning merge_action(), o.id;
select t.id, j.price from orders t, json_table(t.doc, '$.items[*]' passing t.id as x columns (n for ordinality, price numeric path '$.price' default 0 on empty, nested path '$.tags[*]' columns (tag text path '$'))) as j where j.price > 10;
select json_value(doc, '$.a' returning int default t.b on error) from t where json_exists(doc, '$.x' passing t.c as y) and json_query(doc, '$.z' with wrapper) is not null;
select json_scalar(a), json_serialize(b returning bytea), json(c with unique keys) from t;
select a at local from t;
create table t (a int, b int generated always as (a * 2) virtual, c int generated always as (a * 3));
create table r (a int references t (a) not enforced, check (a > 0) not enforced, constraint a_nn not null a no inherit);
create table booking (room int, during daterange, constraint pk primary key (room, during without overlaps));
create table guest (room int, during daterange, foreign key (room, period during) references booking (room, period during));
alter table r alter constraint r_a_fkey not enforced;
alter table r alter constraint r_a_fkey enforced;
alter table r add constraint a_nn not null a not valid;
alter table r alter column a set expression as (b + 1);
vacuum (buffer_usage_limit '1MB') only t;
