\echo Use "alter extension planvet update" to load this file, or planvet companion upgrade. \quit

-- 1.2 gives the counters of all statements as they are now.

create or replace function planvet.version() returns text
  language sql immutable parallel safe set search_path = pg_catalog, pg_temp
as $$ select '1.2'::text $$;

-- SECURITY DEFINER: it takes nothing from its caller, and gives no texts.
create function planvet.statement_counters() returns setof jsonb
  language plpgsql stable security definer rows 1000 set search_path = pg_catalog, pg_temp
as $$
declare
  home name := planvet.statements_schema();
begin
  if home is null then
    raise exception 'pg_stat_statements is not in this database' using errcode = 'undefined_object',
      hint = 'Add it to shared_preload_libraries, restart, and run create extension pg_stat_statements in this database.';
  end if;
  return query execute format('select to_jsonb(s) - ''query'' from %I.pg_stat_statements s
    where s.queryid is not null and s.query not like ''%%/* planvet */%%'' and s.dbid = (select oid from pg_database where datname = current_database())', home);
end $$;
comment on function planvet.statement_counters() is 'the rows of pg_stat_statements of this database without texts and without planvet''s own statements, as the owner of planvet sees them; a JSON object each, since columns differ by version';

select planvet.set_readers(planvet.readers());
