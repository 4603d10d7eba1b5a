package main

// extensions are those of contrib whose operators and classes migrations use.
// Their types print without a schema, as in a database that has them in public.
const extensions = `
create extension pg_trgm; create extension btree_gin; create extension btree_gist;
create extension citext; create extension hstore; create extension ltree;
`

// queries print the version, then one row a fact; the first field tells which.
// Functions of internal types serve index methods and are never called.
const queries = `begin; set search_path = pg_catalog, public;` + extensions + `
select current_setting('server_version_num')::int / 10000;
select 'o', o.oprname, case when o.oprleft <> 0 then format_type(o.oprleft, null) else '' end,
       format_type(o.oprright, null), format_type(o.oprresult, null), p.proname,
       case when p.proleakproof then 'l' else '' end || case when p.proisstrict then 's' else '' end || p.provolatile::text,
       coalesce(c.oprname, ''), coalesce(n.oprname, ''),
       case when o.oprrest <> 0 then o.oprrest::text else '' end,
       case when o.oprcanmerge then 'm' else '' end || case when o.oprcanhash then 'h' else '' end,
       coalesce(e.extname, '')
from pg_operator o join pg_proc p on p.oid = o.oprcode
left join pg_operator c on c.oid = o.oprcom left join pg_operator n on n.oid = o.oprnegate
left join pg_depend d on d.classid = 'pg_operator'::regclass and d.objid = o.oid and d.deptype = 'e'
left join pg_extension e on e.oid = d.refobjid
where o.oprright <> 0 and o.oprresult <> 0;
select 'f', p.proname, (select coalesce(string_agg(format_type(a, null), ',' order by i), '')
         from unnest(p.proargtypes) with ordinality as x(a, i)),
       format_type(p.prorettype, null), p.prokind,
       case when p.proleakproof then 'l' else '' end || case when p.proisstrict then 's' else '' end || p.provolatile::text ||
       case when p.proretset then 'r' else '' end || case when p.provariadic <> 0 then 'm' else '' end,
       p.pronargdefaults, coalesce(e.extname, '')
from pg_proc p
left join pg_depend d on d.classid = 'pg_proc'::regclass and d.objid = p.oid and d.deptype = 'e'
left join pg_extension e on e.oid = d.refobjid
where p.pronamespace in ('pg_catalog'::regnamespace, 'public'::regnamespace)
  and not p.proargtypes::oid[] && array['internal'::regtype, 'cstring'::regtype, 'trigger'::regtype]::oid[]
  and p.prorettype not in ('internal'::regtype, 'cstring'::regtype, 'language_handler'::regtype,
      'index_am_handler'::regtype, 'table_am_handler'::regtype, 'fdw_handler'::regtype, 'tsm_handler'::regtype)
  and p.proname !~ '^(pg_stat_get|binary_upgrade|brin_|gist_|gin_|gbt_|spg_|hash_)';
select 'c', am.amname, c.opcname, f.opfname, format_type(c.opcintype, null),
       case when c.opcdefault then 'd' else '' end,
       case when c.opckeytype <> 0 then format_type(c.opckeytype, null) else '' end, coalesce(e.extname, '')
from pg_opclass c join pg_am am on am.oid = c.opcmethod join pg_opfamily f on f.oid = c.opcfamily
left join pg_depend d on d.classid = 'pg_opclass'::regclass and d.objid = c.oid and d.deptype = 'e'
left join pg_extension e on e.oid = d.refobjid;
select 'm', am.amname, f.opfname, a.amopstrategy, case a.amoppurpose when 'o' then 'o' else '' end, o.oprname,
       case when o.oprleft <> 0 then format_type(o.oprleft, null) else '' end, format_type(o.oprright, null)
from pg_amop a join pg_opfamily f on f.oid = a.amopfamily join pg_am am on am.oid = a.amopmethod
join pg_operator o on o.oid = a.amopopr;
select 'k', format_type(castsource, null), format_type(casttarget, null), castcontext, castmethod from pg_cast;
rollback;
`
