set synchronous_commit = off;
set session_replication_role = replica;
insert into accounts select i, md5((i % 700)::text)::uuid, 'a' || i || '@example.com', case when i % 20 = 0 then 'enterprise' when i % 4 = 0 then 'team' else 'free' end,
	timestamptz '2024-01-01' + i * interval '30 minutes' from generate_series(1::bigint, 20000) i;
insert into products select i, 'sku-' || i, 'product ' || md5(i::text), (i * 7919 % 10000) / 100.0,
	array['t' || (i % 7), 't' || (i % 50), 't' || (i * i % 300)], jsonb_build_object('colour', i % 12, 'size', i % 5) from generate_series(1::bigint, 5000) i;
insert into customers select i, 1 + (20000 * power((i * 7919 % 200000) / 200000.0, 3))::bigint % 20000, 'name ' || md5((i / 3)::text),
	(array['DE', 'DE', 'DE', 'DE', 'FR', 'FR', 'US', 'US', 'US', 'CH', 'AT', 'JP', 'BR', 'IN', 'NZ', 'IS'])[1 + i * 31 % 16],
	case when i % 5 > 0 then date '1950-01-01' + (i * 13 % 20000)::int end, i % 25 > 0, timestamptz '2024-01-01' + i * interval '3 minutes' from generate_series(1::bigint, 200000) i;
insert into orders select i, 1 + (200000 * power((i * 104729 % 500000) / 500000.0, 2))::bigint % 200000,
	(case when i % 1000 = 0 then 'new' when i % 200 = 1 then 'paid' when i % 100 = 2 then 'packed' when i % 50 = 3 then 'returned' else 'sent' end)::order_state,
	(i * 31 % 90000) / 100.0, case when i % 30 = 0 then 'note ' || i end, timestamptz '2024-06-01' + i * interval '90 seconds' from generate_series(1::bigint, 500000) i;
insert into order_items select 1 + i / 3, (1 + i % 3)::int, 1 + (5000 * power((i * 7907 % 900000) / 900000.0, 2))::bigint % 5000, (1 + i % 9)::int from generate_series(0::bigint, 899999) i;
