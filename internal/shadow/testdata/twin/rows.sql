set session_replication_role = replica;
insert into app.tenants select i, 'tenant ' || i from generate_series(1, 500) i;
insert into app.members select 1 + i % 500, i from generate_series(1, 20000) i;
insert into app."Orders" (tenant_id, state, total, code, note, created_at)
	select 1 + (499 * power((i * 7919 % 100000) / 100000.0, 2))::bigint, (case when i % 50 = 0 then 'new' when i % 7 = 0 then 'paid' else 'sent' end)::app.state,
		(i * 31 % 100000) / 100.0, md5(i::text), 'note ' || md5((i / 3)::text), timestamptz '2025-01-01' + i * interval '5 minutes' from generate_series(1, 100000) i;
insert into app.events select 1 + i % 500, date '2025-01-01' + (i / 500) % 360, case when i % 3 = 0 then 'click' else 'view ' || i end from generate_series(0, 99999) i on conflict do nothing;
insert into app.parents select i, 'parent' from generate_series(1, 1000) i;
insert into app.children select i, 'child', 'more' from generate_series(1, 30000) i;
