\echo Use "create extension planvet" to load this file, or planvet companion install. \quit

-- Objects are written with their schema, and every function has a search_path of its
-- own: what somebody plants in another schema is never called.

create schema planvet;
comment on schema planvet is 'what planvet reads of this database';

create function planvet.version() returns text
  language sql immutable parallel safe set search_path = pg_catalog, pg_temp
as $$ select '1.0'::text $$;
comment on function planvet.version() is 'the version of these objects';

-- Snapshots of pg_stat_statements, of this database's statements.

create table planvet.snapshots (
  id         bigint generated always as identity primary key,
  taken_at   timestamptz not null default clock_timestamp(),
  started_at timestamptz not null default pg_postmaster_start_time(),
  extension  text not null,  -- the version of pg_stat_statements
  reset_at   timestamptz,    -- of its counters; null before 1.9, which does not tell
  evicted    bigint,         -- rows thrown out for room since; null before 1.9
  hidden     integer not null -- rows that the owner of these tables may not see
);
comment on table planvet.snapshots is 'when pg_stat_statements was read';

create table planvet.snapshot_statements (
  snapshot_id bigint not null references planvet.snapshots on delete cascade,
  userid      oid not null,
  queryid     bigint not null,
  toplevel    boolean not null, -- true before 1.9, which does not tell
  since       timestamptz,      -- when this row's counting began; null before 1.11
  calls       bigint not null,
  rows        bigint not null,
  exec_ms     double precision not null,
  stddev_ms   double precision not null,
  shared_hit  bigint not null,  -- blocks of 8 KiB
  shared_read bigint not null,
  primary key (snapshot_id, userid, queryid, toplevel)
);
comment on table planvet.snapshot_statements is 'the counters of a statement at a snapshot';

create table planvet.snapshot_texts (
  userid  oid not null,
  queryid bigint not null,
  query   text not null,
  primary key (userid, queryid)
);
comment on table planvet.snapshot_texts is 'texts of statements; a role sees its own, members of pg_read_all_stats see all';

-- The rule of pg_stat_statements itself: the texts of others are for those who may
-- read all statistics.
alter table planvet.snapshot_texts enable row level security;
create policy own_or_all on planvet.snapshot_texts for select
  using (pg_get_userbyid(userid) = current_user or pg_has_role('pg_read_all_stats', 'USAGE'));

create table planvet.retention (
  keep     interval not null default '14 days' check (keep > '0 s'),
  only_row boolean primary key default true check (only_row)
);
comment on table planvet.retention is 'how long snapshots are kept';
insert into planvet.retention default values;

create function planvet.prune(keep interval) returns bigint
  language plpgsql set search_path = pg_catalog, pg_temp
as $$
declare
  gone bigint;
begin
  if keep is null or keep < interval '0 s' then
    raise exception 'keep is %, and must be an interval that is not negative', coalesce(keep::text, 'null')
      using errcode = 'invalid_parameter_value';
  end if;
  delete from planvet.snapshots s where s.taken_at < clock_timestamp() - keep;
  get diagnostics gone = row_count;
  if gone > 0 then
    delete from planvet.snapshot_texts t where not exists (
      select from planvet.snapshot_statements s where s.userid = t.userid and s.queryid = t.queryid);
  end if;
  return gone;
end $$;
comment on function planvet.prune(interval) is 'drops snapshots that are older, and says how many; for the owner';

create index snapshot_statements_statement_idx on planvet.snapshot_statements (userid, queryid);

create function planvet.statements_schema() returns name
  language sql stable set search_path = pg_catalog, pg_temp
as $$
  select n.nspname from pg_extension e join pg_namespace n on n.oid = e.extnamespace
  where e.extname = 'pg_stat_statements'
$$;
comment on function planvet.statements_schema() is 'the schema of pg_stat_statements; null where it is not installed';

-- SECURITY DEFINER: it reads what its owner may read and writes tables that nobody
-- else may write. It takes nothing from its caller.
create function planvet.snapshot() returns bigint
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
      insert into planvet.snapshot_statements (snapshot_id, userid, queryid, toplevel, since, calls, rows, exec_ms, stddev_ms, shared_hit, shared_read)
      select $1, (r ->> 'userid')::oid, (r ->> 'queryid')::bigint, coalesce((r ->> 'toplevel')::boolean, true), (r ->> 'stats_since')::timestamptz,
        (r ->> 'calls')::bigint, (r ->> 'rows')::bigint,
        coalesce(r ->> 'total_exec_time', r ->> 'total_time')::double precision,
        coalesce(r ->> 'stddev_exec_time', r ->> 'stddev_time')::double precision,
        (r ->> 'shared_blks_hit')::bigint, (r ->> 'shared_blks_read')::bigint
      from read where r ->> 'queryid' is not null
      on conflict do nothing
    )
    select count(*) from read where r ->> 'queryid' is null
  $q$, home) into snap.hidden using snap.id;
  update planvet.snapshots set hidden = snap.hidden where id = snap.id and snap.hidden > 0;
  perform planvet.prune(r.keep) from planvet.retention r;
  return snap.id;
end $$;
comment on function planvet.snapshot() is 'remembers the counters of pg_stat_statements, drops what is older than planvet.retention, and returns the number of the snapshot; within a second of the last one it returns that';

create function planvet.delta_window(since timestamptz default null, until timestamptz default null)
  returns table (first_id bigint, last_id bigint, taken_from timestamptz, taken_to timestamptz,
    snapshots bigint, resets bigint, restarts bigint, evicted bigint)
  language sql stable rows 1 set search_path = pg_catalog, pg_temp
as $$
  with last as (
    select max(s.id) as id from planvet.snapshots s where until is null or s.taken_at <= until
  ), first as (
    select coalesce(
      (select max(s.id) from planvet.snapshots s, last where s.id < last.id and (since is null or s.taken_at <= since)),
      (select min(s.id) from planvet.snapshots s, last where s.id < last.id)) as id
  ), steps as (
    select s.*, lag(s.reset_at) over w as reset_before, lag(s.started_at) over w as started_before, lag(s.evicted) over w as evicted_before
    from planvet.snapshots s, first, last where s.id between first.id and last.id
    window w as (order by s.id)
  )
  select min(s.id), max(s.id), min(s.taken_at), max(s.taken_at), count(*),
    count(*) filter (where s.reset_at > s.reset_before),
    count(*) filter (where s.started_at > s.started_before),
    -- The count of evicted rows is reset with the counters.
    sum(case when s.reset_at > s.reset_before or s.evicted < s.evicted_before then s.evicted else s.evicted - s.evicted_before end)::bigint
  from steps s having count(*) > 1
$$;
comment on function planvet.delta_window(timestamptz, timestamptz) is 'the snapshots that statement_deltas compares with the same arguments, and what was reset, restarted and thrown out between them; no row where there are no two';

create function planvet.statement_deltas(since timestamptz default null, until timestamptz default null)
  returns table (userid oid, username name, queryid bigint, toplevel boolean, query text,
    calls bigint, rows bigint, exec_ms double precision, mean_ms double precision, stddev_ms double precision,
    shared_hit bigint, shared_read bigint)
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
      greatest(sum(e.sign * n.shared_read), 0)::bigint as shared_read
    from runs e
    join planvet.snapshot_statements n on n.snapshot_id = e.snapshot_id and n.userid = e.userid and n.queryid = e.queryid and n.toplevel = e.toplevel
    where e.sign <> 0
    group by n.userid, n.queryid, n.toplevel
  )
  select s.userid, pg_get_userbyid(s.userid), s.queryid, s.toplevel, coalesce(t.query, '<insufficient privilege>'),
    s.calls, s.rows, s.exec_ms, s.exec_ms / s.calls, sqrt(greatest(s.squares / s.calls - (s.exec_ms / s.calls) ^ 2, 0)),
    s.shared_hit, s.shared_read
  from sums s left join planvet.snapshot_texts t on t.userid = s.userid and t.queryid = s.queryid
  where s.calls > 0
  order by s.exec_ms desc, s.queryid, s.userid
$$;
comment on function planvet.statement_deltas(timestamptz, timestamptz) is 'what statements did from the last snapshot at or before since to the last one at or before until; without arguments between the last two. Times are milliseconds, blocks are of 8 KiB';

-- What the catalog alone tells.

create view planvet.unindexed_foreign_keys as
  select n.nspname as schema_name, r.relname as table_name, c.conname as constraint_name, k.columns,
    pn.nspname as referenced_schema, p.relname as referenced_table,
    case c.confdeltype when 'a' then 'no action' when 'r' then 'restrict' when 'c' then 'cascade'
      when 'n' then 'set null' when 'd' then 'set default' end as on_delete,
    case when r.reltuples >= 0 then r.reltuples::bigint end as estimated_rows,
    format('create index %son %I.%I (%s)', case when r.relkind = 'p' then '' else 'concurrently ' end, n.nspname, r.relname,
      (select string_agg(quote_ident(col), ', ' order by ord) from unnest(k.columns) with ordinality as u (col, ord))) as suggestion
  from pg_constraint c
  join pg_class r on r.oid = c.conrelid
  join pg_namespace n on n.oid = r.relnamespace
  join pg_class p on p.oid = c.confrelid
  join pg_namespace pn on pn.oid = p.relnamespace
  cross join lateral (
    select array_agg(a.attname order by u.ord) as columns
    from unnest(c.conkey) with ordinality as u (num, ord)
    join pg_attribute a on a.attrelid = c.conrelid and a.attnum = u.num
  ) k
  where c.contype = 'f' and c.conparentid = 0
    and n.nspname not in ('pg_catalog', 'information_schema', 'planvet')
    -- The server compares every column of the key with a value: an index that leads
    -- with one of them serves, whatever the order.
    and not exists (
      select from pg_index i join pg_class x on x.oid = i.indexrelid join pg_am am on am.oid = x.relam
      where i.indrelid = c.conrelid and i.indisvalid and i.indislive
        and case when am.amname in ('gin', 'brin') then (i.indkey::smallint[]) && c.conkey else i.indkey[0] = any (c.conkey) end
        and (i.indpred is null or exists (
          select from unnest(k.columns) as u (col)
          where pg_get_expr(i.indpred, i.indrelid) = format('(%I IS NOT NULL)', col)))
    );
comment on view planvet.unindexed_foreign_keys is 'foreign keys without an index: each delete on the referenced table reads all of the referencing one';

-- bare_calls takes a policy's expression as the server prints it. Parentheses are
-- taken away from inside out; a group that is a select without FROM is evaluated
-- once, with all that stands in it, and goes. What is left of calls is made for each row.
create function planvet.bare_calls(expression text) returns text[]
  language plpgsql immutable set search_path = pg_catalog, pg_temp
as $$
declare
  rest text := regexp_replace(expression, '''([^'']|'''')*''', '''''', 'g');
  part text;
begin
  loop
    part := substring(rest from '\([^()]*\)');
    exit when part is null;
    if part ~ '^\( SELECT ' and part !~ ' FROM ' then
      rest := replace(rest, part, ' ');
    else
      rest := replace(rest, part, chr(1) || replace(btrim(part, '()'), ' FROM ', ' from ') || chr(2));
    end if;
  end loop;
  return array(select distinct m[1] || '()' from regexp_matches(rest,
    '(?:^|[^\w.])(auth\.\w+|(?:pg_catalog\.)?current_setting)' || chr(1), 'g') as m order by 1);
end $$;
comment on function planvet.bare_calls(text) is 'the calls of auth.*() and current_setting() that a policy makes for each row; (select auth.uid()) is made once';

-- The server writes names with or without their schema by the search_path: here it is
-- always with it, but for PostgreSQL's own.
create function planvet.expression(tree pg_node_tree, relation oid) returns text
  language sql stable set search_path = pg_catalog, pg_temp
as $$ select pg_get_expr(tree, relation) $$;
comment on function planvet.expression(pg_node_tree, oid) is 'an expression of the catalog as SQL, whatever the search_path';

create view planvet.policy_report as
  select n.nspname as schema_name, r.relname as table_name, r.relrowsecurity as enabled, r.relforcerowsecurity as forced,
    p.polname as policy_name, p.polpermissive as permissive,
    case p.polcmd when 'r' then 'select' when 'a' then 'insert' when 'w' then 'update' when 'd' then 'delete' when '*' then 'all' end as command,
    case when p.polroles is null then null else array(
      select case when u.id = 0 then 'public'::name else pg_get_userbyid(u.id) end
      from unnest(p.polroles) as u (id) order by 1) end as roles,
    planvet.expression(p.polqual, p.polrelid) as using_expression,
    planvet.expression(p.polwithcheck, p.polrelid) as check_expression,
    case when p.oid is not null then array(
      select distinct b from unnest(planvet.bare_calls(planvet.expression(p.polqual, p.polrelid)) || planvet.bare_calls(planvet.expression(p.polwithcheck, p.polrelid))) as u (b)
      order by 1) end as bare_calls,
    -- The server itself keeps which columns an expression needs. WITH CHECK reads no
    -- row of the table, so a policy without USING needs no index.
    case when p.polqual is not null then array(
      select a.attname from pg_depend d join pg_attribute a on a.attrelid = d.refobjid and a.attnum = d.refobjsubid
      where d.classid = 'pg_policy'::regclass and d.objid = p.oid
        and d.refclassid = 'pg_class'::regclass and d.refobjid = p.polrelid and d.refobjsubid > 0
        and not exists (select from pg_index i where i.indrelid = r.oid and i.indisvalid and i.indislive and i.indpred is null and i.indkey[0] = a.attnum)
      order by 1) end as columns_without_index
  from pg_class r
  join pg_namespace n on n.oid = r.relnamespace
  left join pg_policy p on p.polrelid = r.oid
  where r.relkind in ('r', 'p') and (r.relrowsecurity or p.oid is not null)
    and n.nspname not in ('pg_catalog', 'information_schema', 'planvet');
comment on view planvet.policy_report is 'tables under row level security, or with policies: a row a policy, or one without where there is none';

-- explain_as plans one statement as a role and undoes all that it set.
--
--  1. SECURITY INVOKER: it can do nothing that its caller cannot. SET ROLE asks the
--     session's user, so the caller's own membership is asked first.
--  2. EXPLAIN without ANALYZE, opened as a cursor: the server refuses a cursor of several
--     statements before it runs the first, and what EXPLAIN takes is no COPY and no DDL.
--  3. Planning runs functions that claim to be stable or immutable. So it is read-only, all of it is
--     rolled back by an exception of its own, and a timeout is demanded: a function
--     cannot set statement_timeout for the statement that it is part of.
--  4. The search_path comes last. What follows until it is undone calls no function
--     and no operator by name.
create function planvet.explain_as(role name, claims jsonb, sql text,
    search_path text default '"$user", public', timeout interval default '5 s')
  returns json
  language plpgsql volatile security invoker set search_path = pg_catalog, pg_temp
as $$
declare
  version  constant integer := current_setting('server_version_num')::integer;
  in_force constant interval := current_setting('statement_timeout')::interval;
  lock_ms  bigint;
  command  text;
  reader   refcursor;
  plan     json;
  planned  boolean := false;
begin
  if sql is null then
    raise exception 'there is no statement to plan' using errcode = 'null_value_not_allowed';
  end if;
  if role is not null and not pg_has_role(current_user, role, case when version >= 160000 then 'SET' else 'MEMBER' end) then
    raise exception 'permission denied to plan as role "%": % is not a member of it', role, quote_ident(current_user)
      using errcode = 'insufficient_privilege';
  end if;
  if in_force = interval '0 s' or in_force > timeout or timeout is null then
    raise exception 'statement_timeout is %, and explain_as wants one of at most %',
      case when in_force = interval '0 s' then 'off' else current_setting('statement_timeout') end, coalesce(timeout::text, 'a given interval')
      using errcode = 'object_not_in_prerequisite_state', hint = 'Planning can run functions. Set statement_timeout before the call; a function cannot set it for its own statement.';
  end if;
  if sql ~ '\$[0-9]' and version >= 160000 then
    command := 'explain (verbose, settings, format json, generic_plan) ' || sql;
  else
    command := 'explain (verbose, settings, format json) ' || sql;
  end if;
  lock_ms := (extract(epoch from in_force) * 1000)::bigint;
  begin
    perform set_config('transaction_read_only', 'on', true);
    perform set_config('lock_timeout', lock_ms::text, true);
    if claims is not null then
      perform set_config('request.jwt.claims', claims::text, true),
        set_config('request.jwt.claim.sub', coalesce(claims ->> 'sub', ''), true),
        set_config('request.jwt.claim.role', coalesce(claims ->> 'role', ''), true),
        set_config('request.jwt.claim.email', coalesce(claims ->> 'email', ''), true);
    end if;
    if role is not null then
      perform set_config('role', role, true);
    end if;
    perform set_config('search_path', coalesce(explain_as.search_path, ''), true);
    open reader no scroll for execute command;
    fetch reader into plan;
    close reader;
    planned := true;
    raise exception using errcode = 'PV000', message = 'planned';
  exception when sqlstate 'PV000' then
    if not planned then
      raise;
    end if;
  end;
  return plan;
end $$;
comment on function planvet.explain_as(name, jsonb, text, text, interval) is 'the plan of one statement as a role, with claims, under a search_path; a null role is the caller. Nothing is run but what planning runs, and all is rolled back';

-- Who may. Default privileges may have given others what they should not have, so
-- the list of readers is made true as a whole, for every object that there is.
create function planvet.readers() returns name[]
  language sql stable set search_path = pg_catalog, pg_temp
as $$
  select coalesce(array_agg(r.rolname order by r.rolname), '{}')
  from pg_proc p cross join lateral aclexplode(p.proacl) a join pg_roles r on r.oid = a.grantee
  where p.oid = 'planvet.version()'::regprocedure and a.grantee <> p.proowner
$$;
comment on function planvet.readers() is 'the roles that may read what this schema offers, beside its owner';

create function planvet.set_readers(readers name[]) returns void
  language plpgsql set search_path = pg_catalog, pg_temp
as $$
declare
  o record;
begin
  for o in
    with objects as (
      select case p.prokind when 'p' then 'procedure' else 'function' end || ' ' || p.oid::regprocedure as object,
        coalesce(p.proacl, acldefault('f', p.proowner)) as acl, p.proowner as owner,
        case when p.proname not in ('prune', 'set_readers') then 'execute' end as given
      from pg_proc p where p.pronamespace = 'planvet'::regnamespace
      union all
      select case c.relkind when 'S' then 'sequence' else 'table' end || ' ' || c.oid::regclass, c.relacl, c.relowner,
        case when c.relkind <> 'S' then 'select' end
      from pg_class c where c.relnamespace = 'planvet'::regnamespace and c.relkind in ('r', 'v', 'S')
      union all
      select 'schema planvet', n.nspacl, n.nspowner, 'usage' from pg_namespace n where n.nspname = 'planvet'
    )
    select 1 as step, format('revoke all on %s from %s', b.object, case when a.grantee = 0 then 'public' else a.grantee::regrole::text end) as command
    from objects b cross join lateral aclexplode(b.acl) a
    where a.grantee <> b.owner and (a.grantee = 0 or pg_get_userbyid(a.grantee) <> all (set_readers.readers))
    union
    select 2, format('grant %s on %s to %I', b.given, b.object, r.reader)
    from objects b, unnest(set_readers.readers) as r (reader) where b.given is not null
    order by 1, 2
  loop
    execute o.command;
  end loop;
end $$;
comment on function planvet.set_readers(name[]) is 'makes these roles, and no others, readers; for the owner';

select planvet.set_readers('{pg_monitor}');
