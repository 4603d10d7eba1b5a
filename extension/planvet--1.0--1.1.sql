\echo Use "alter extension planvet update" to load this file, or planvet companion upgrade. \quit

-- 1.1 keeps more of each statement, and tells of locks and connections.

create or replace function planvet.version() returns text
  language sql immutable parallel safe set search_path = pg_catalog, pg_temp
as $$ select '1.1'::text $$;

-- Null in snapshots that 1.0 took, and where the server's pg_stat_statements has no
-- such column (jit before 1.10).
alter table planvet.snapshot_statements
  add shared_dirtied bigint, add temp_read bigint, add temp_written bigint, -- blocks of 8 KiB
  add read_ms double precision, add write_ms double precision,              -- of shared blocks, with track_io_timing
  add plans bigint, add plan_ms double precision,                           -- with pg_stat_statements.track_planning
  add wal_bytes bigint, add jit_ms double precision;

create or replace function planvet.snapshot() returns bigint
  language plpgsql security definer
  set search_path = pg_catalog, pg_temp set lock_timeout = '2s'
as $$
declare
  home name := planvet.statements_schema();
  snap planvet.snapshots;
begin
  if home is null then
    raise exception 'pg_stat_statements is not in this database' using errcode = 'undefined_object',
      hint = 'Add it to shared_preload_libraries, restart, and run create extension pg_stat_statements in this database.';
  end if;
  lock table planvet.snapshots in share row exclusive mode;
  -- Whoever may call this cannot fill the disk by it.
  select * into snap from planvet.snapshots s where s.taken_at > clock_timestamp() - interval '1 s' order by s.id desc limit 1;
  if found then
    return snap.id;
  end if;
  select extversion, 0 into snap.extension, snap.hidden from pg_extension where extname = 'pg_stat_statements';
  if to_regclass(format('%I.pg_stat_statements_info', home)) is not null then
    execute format('select dealloc, stats_reset from %I.pg_stat_statements_info', home) into snap.evicted, snap.reset_at;
  end if;
  insert into planvet.snapshots (extension, reset_at, evicted, hidden)
    values (snap.extension, snap.reset_at, snap.evicted, 0) returning id into snap.id;
  -- As JSON, one query reads every version of the extension: 1.8 split total_time.
  execute format($q$
    with read as materialized (
      select to_jsonb(s) as r from %I.pg_stat_statements s
      where s.dbid = (select oid from pg_database where datname = current_database())
    ), texts as (
      insert into planvet.snapshot_texts (userid, queryid, query)
      select distinct on (1, 2) (r ->> 'userid')::oid, (r ->> 'queryid')::bigint, r ->> 'query'
      from read where r ->> 'queryid' is not null and r ->> 'query' is not null
      on conflict do nothing
    ), counters as (
      insert into planvet.snapshot_statements (snapshot_id, userid, queryid, toplevel, since, calls, rows, exec_ms, stddev_ms, shared_hit, shared_read,
        plans, plan_ms, shared_dirtied, temp_read, temp_written, read_ms, write_ms, wal_bytes, jit_ms)
      select $1, (r ->> 'userid')::oid, (r ->> 'queryid')::bigint, coalesce((r ->> 'toplevel')::boolean, true), (r ->> 'stats_since')::timestamptz,
        (r ->> 'calls')::bigint, (r ->> 'rows')::bigint,
        coalesce(r ->> 'total_exec_time', r ->> 'total_time')::double precision,
        coalesce(r ->> 'stddev_exec_time', r ->> 'stddev_time')::double precision,
        (r ->> 'shared_blks_hit')::bigint, (r ->> 'shared_blks_read')::bigint,
        (r ->> 'plans')::bigint, (r ->> 'total_plan_time')::double precision,
        (r ->> 'shared_blks_dirtied')::bigint, (r ->> 'temp_blks_read')::bigint, (r ->> 'temp_blks_written')::bigint,
        coalesce(r ->> 'shared_blk_read_time', r ->> 'blk_read_time')::double precision,
        coalesce(r ->> 'shared_blk_write_time', r ->> 'blk_write_time')::double precision,
        (r ->> 'wal_bytes')::numeric::bigint,
        (r ->> 'jit_generation_time')::double precision + (r ->> 'jit_inlining_time')::double precision
          + (r ->> 'jit_optimization_time')::double precision + (r ->> 'jit_emission_time')::double precision
          + coalesce((r ->> 'jit_deform_time')::double precision, 0)
      from read where r ->> 'queryid' is not null
      on conflict do nothing
    )
    select count(*) from read where r ->> 'queryid' is null
  $q$, home) into snap.hidden using snap.id;
  update planvet.snapshots set hidden = snap.hidden where id = snap.id and snap.hidden > 0;
  perform planvet.prune(r.keep) from planvet.retention r;
  return snap.id;
end $$;

drop function planvet.statement_deltas(timestamptz, timestamptz);
create function planvet.statement_deltas(since timestamptz default null, until timestamptz default null)
  returns table (userid oid, username name, queryid bigint, toplevel boolean, query text,
    calls bigint, rows bigint, exec_ms double precision, mean_ms double precision, stddev_ms double precision,
    shared_hit bigint, shared_read bigint, shared_dirtied bigint, temp_read bigint, temp_written bigint,
    read_ms double precision, write_ms double precision, plans bigint, plan_ms double precision, wal_bytes bigint, jit_ms double precision)
  language sql stable set search_path = pg_catalog, pg_temp set jit = off
as $$
  with span as materialized (
    select d.first_id, d.last_id from planvet.delta_window(since, until) d
  ), steps as (
    select s.id, lag(s.id) over w as before_id, lag(s.taken_at) over w as before_at,
      s.reset_at > lag(s.reset_at) over w as reset, lag(s.hidden) over w > 0 as hidden_before
    from planvet.snapshots s, span d where s.id between d.first_id and d.last_id
    window w as (order by s.id)
  ), readings as (
    select n.snapshot_id, n.userid, n.queryid, n.toplevel, s.before_id, s.hidden_before and coalesce(n.since <= s.before_at, true) as hidden_before,
      -- A row that is new, whose counters went down or whose counting began later
      -- counts from zero: all that it has happened since the snapshot before.
      coalesce(lag(n.snapshot_id) over w = s.before_id and n.calls >= lag(n.calls) over w and n.exec_ms >= lag(n.exec_ms) over w
        and not coalesce(s.reset, false) and not coalesce(n.since > lag(n.since) over w, false), false) as goes_on,
      lag(n.snapshot_id) over w is not distinct from s.before_id as was_there
    from planvet.snapshot_statements n join steps s on s.id = n.snapshot_id
    where n.snapshot_id between (select first_id from span) and (select last_id from span)
    window w as (partition by n.userid, n.queryid, n.toplevel order by n.snapshot_id)
  ), runs as (
    -- In a run of readings that go on from each other the differences add up to its
    -- end less what was counted before it: nothing where it counts from zero, its
    -- first reading in the first snapshot, and where it may have been hidden before.
    select r.*,
      case when coalesce(lead(r.goes_on) over w, false) then 0 else 1 end
        - case when r.before_id is null or not r.was_there and r.hidden_before then 1 else 0 end as sign
    from readings r
    window w as (partition by r.userid, r.queryid, r.toplevel order by r.snapshot_id)
  ), sums as (
    select n.userid, n.queryid, n.toplevel,
      -- The deviation is the population's, by Welford: n·deviation² + sum²/n is the sum of squares.
      sum(e.sign * (n.calls * n.stddev_ms ^ 2 + coalesce(n.exec_ms ^ 2 / nullif(n.calls, 0), 0))) as squares,
      greatest(sum(e.sign * n.calls), 0)::bigint as calls,
      greatest(sum(e.sign * n.rows), 0)::bigint as rows,
      greatest(sum(e.sign * n.exec_ms), 0) as exec_ms,
      greatest(sum(e.sign * n.shared_hit), 0)::bigint as shared_hit,
      greatest(sum(e.sign * n.shared_read), 0)::bigint as shared_read,
      -- Null where one of the snapshots is from before 1.1, which did not keep them.
      case when count(n.shared_dirtied) = count(*) then greatest(sum(e.sign * n.shared_dirtied), 0)::bigint end as shared_dirtied,
      case when count(n.temp_read) = count(*) then greatest(sum(e.sign * n.temp_read), 0)::bigint end as temp_read,
      case when count(n.temp_written) = count(*) then greatest(sum(e.sign * n.temp_written), 0)::bigint end as temp_written,
      case when count(n.read_ms) = count(*) then greatest(sum(e.sign * n.read_ms), 0) end as read_ms,
      case when count(n.write_ms) = count(*) then greatest(sum(e.sign * n.write_ms), 0) end as write_ms,
      case when count(n.plans) = count(*) then greatest(sum(e.sign * n.plans), 0)::bigint end as plans,
      case when count(n.plan_ms) = count(*) then greatest(sum(e.sign * n.plan_ms), 0) end as plan_ms,
      case when count(n.wal_bytes) = count(*) then greatest(sum(e.sign * n.wal_bytes), 0)::bigint end as wal_bytes,
      case when count(n.jit_ms) = count(*) then greatest(sum(e.sign * n.jit_ms), 0) end as jit_ms
    from runs e
    join planvet.snapshot_statements n on n.snapshot_id = e.snapshot_id and n.userid = e.userid and n.queryid = e.queryid and n.toplevel = e.toplevel
    where e.sign <> 0
    group by n.userid, n.queryid, n.toplevel
  )
  select s.userid, pg_get_userbyid(s.userid), s.queryid, s.toplevel, coalesce(t.query, '<insufficient privilege>'),
    s.calls, s.rows, s.exec_ms, s.exec_ms / s.calls, sqrt(greatest(s.squares / s.calls - (s.exec_ms / s.calls) ^ 2, 0)),
    s.shared_hit, s.shared_read, s.shared_dirtied, s.temp_read, s.temp_written,
    s.read_ms, s.write_ms, s.plans, s.plan_ms, s.wal_bytes, s.jit_ms
  from sums s left join planvet.snapshot_texts t on t.userid = s.userid and t.queryid = s.queryid
  where s.calls > 0
  order by s.exec_ms desc, s.queryid, s.userid
$$;
comment on function planvet.statement_deltas(timestamptz, timestamptz) is 'what statements did from the last snapshot at or before since to the last one at or before until; without arguments between the last two. Times are milliseconds, blocks are of 8 KiB';

-- Who does what. A role without pg_read_all_stats sees neither since when others wait
-- nor in which state they are.

-- SECURITY DEFINER: it takes nothing from its caller, and gives no texts of statements
-- and no addresses.
create function planvet.activity()
  returns table (pid integer, database name, username name, application_name text, backend_type text, state text,
    wait_event_type text, wait_event text, xact_start timestamptz, query_start timestamptz, state_change timestamptz)
  language sql stable security definer set search_path = pg_catalog, pg_temp
as $$
  select a.pid, a.datname, a.usename, a.application_name, a.backend_type, a.state,
    a.wait_event_type, a.wait_event, a.xact_start, a.query_start, a.state_change
  from pg_stat_activity a
$$;
comment on function planvet.activity() is 'pg_stat_activity without texts and addresses, as the owner of planvet sees it';

create function planvet.lock_tree()
  returns table (root integer, depth integer, pid integer, blocked_by integer[], database name, username name, application_name text,
    state text, lock_type text, lock_mode text, relation text, waiting interval, waiting_since text, transaction_age interval, query text)
  language sql volatile set search_path = pg_catalog, pg_temp
as $$
  with recursive waits as materialized (
    -- As JSON: waitstart is there from 14 on, and null for a moment after the wait began.
    select distinct on (l.pid) l.pid, l.locktype, l.mode, (to_jsonb(l) ->> 'waitstart')::timestamptz as since,
      case when l.database = (select d.oid from pg_database d where d.datname = current_database()) then l.relation::regclass::text end as relation
    from pg_locks l where not l.granted order by l.pid
  ), blocked as materialized (
    select w.*, array(select distinct b from unnest(pg_blocking_pids(w.pid)) as u (b) order by b) as blockers from waits w
  ), edges as (
    -- One parent each, though a queue of n waiters has n² edges: who holds and does
    -- not wait itself before who only stands ahead in the queue.
    select b.pid, coalesce(
      (select min(u.p) from unnest(b.blockers) as u (p) where u.p not in (select o.pid from blocked o where o.blockers <> '{}')),
      (select min(u.p) from unnest(b.blockers) as u (p))) as parent
    from blocked b where b.blockers <> '{}'
  ), tree as (
    select e.parent as root, e.parent as pid, 0 as depth, array[e.parent] as path
    from edges e where e.parent not in (select o.pid from edges o)
    union
    -- Who waits in a circle has no root until the server finds the deadlock.
    select least(e.pid, e.parent), least(e.pid, e.parent), 0, array[least(e.pid, e.parent)]
    from edges e join edges o on o.pid = e.parent and o.parent = e.pid
    union all
    select t.root, e.pid, t.depth + 1, t.path || e.pid
    from tree t join edges e on e.parent = t.pid and e.pid <> all (t.path)
  )
  select t.root, t.depth, t.pid, coalesce(b.blockers, '{}'), a.database, a.username, a.application_name,
    a.state, b.locktype, b.mode, b.relation,
    case when b.pid is not null then clock_timestamp() - coalesce(b.since, a.query_start) end,
    case when b.pid is null then null when b.since is not null then 'lock' when a.query_start is not null then 'statement' end,
    clock_timestamp() - a.xact_start, s.query
  from tree t
  left join blocked b on b.pid = t.pid
  left join planvet.activity() a on a.pid = t.pid
  left join pg_stat_activity s on s.pid = t.pid
  order by t.root, t.path
$$;
comment on function planvet.lock_tree() is 'who blocks whom: depth 0 holds, the others wait. waiting_since says what the wait is measured from: the lock, or before 14 the statement, which is earlier. Texts are those that the caller may see';

create function planvet.pool_state()
  returns table (database name, username name, application_name text, state text, wait_event_type text,
    connections bigint, longest_in_state interval, oldest_transaction interval)
  language sql volatile set search_path = pg_catalog, pg_temp
as $$
  select a.database, a.username, a.application_name, coalesce(a.state, 'not visible'), a.wait_event_type,
    count(*), clock_timestamp() - min(a.state_change), clock_timestamp() - min(a.xact_start)
  from planvet.activity() a
  where a.backend_type = 'client backend' or a.backend_type is null
  group by 1, 2, 3, 4, 5
  order by 6 desc, 1, 2, 3, 4, 5
$$;
comment on function planvet.pool_state() is 'connections of clients by database, role, application, state and wait';

create function planvet.connection_headroom()
  returns table (max_connections integer, reserved integer, used bigint, free bigint,
    active bigint, idle bigint, idle_in_transaction bigint, longest_idle_in_transaction interval)
  language sql volatile set search_path = pg_catalog, pg_temp
as $$
  select m.most, m.reserved, c.used, greatest(m.most - m.reserved - c.used, 0), c.active, c.idle, c.idle_in_transaction, c.longest
  from (
    select current_setting('max_connections')::integer as most,
      -- reserved_connections is there from 16 on.
      current_setting('superuser_reserved_connections')::integer + coalesce(current_setting('reserved_connections', true)::integer, 0) as reserved
  ) m, (
    select count(*) as used, count(*) filter (where a.state = 'active') as active, count(*) filter (where a.state = 'idle') as idle,
      count(*) filter (where a.state like 'idle in transaction%') as idle_in_transaction,
      max(clock_timestamp() - a.state_change) filter (where a.state like 'idle in transaction%') as longest
    from planvet.activity() a where a.backend_type = 'client backend' or a.backend_type is null
  ) c
$$;
comment on function planvet.connection_headroom() is 'how many connections an ordinary role can still open, and how many stand idle in a transaction';

select planvet.set_readers(planvet.readers());
