package live

import (
	"fmt"
	"strings"

	"github.com/planvet/planvet/catalog"
)

// writeObjects makes types, functions, sequences, tables and views, each after what
// it needs. A cycle, as a function over a table's row has it that a default of the
// table calls, is none here: defaults come later.
func (d *schemaDump) writeObjects() {
	defs := d.definitions()
	var write func(o *object)
	write = func(o *object) {
		if o.done {
			return
		}
		o.done = true
		for _, n := range o.needs {
			if x := d.objects[n]; x != nil {
				write(x)
			}
		}
		sql := defs[o.ref]
		if sql == "" {
			return
		}
		if o.class == "pg_class" && o.kind != "S" {
			d.out.Relations = append(d.out.Relations, catalog.Name{Schema: o.schema, Name: o.name})
		}
		d.add(o.what(), sql)
	}
	for _, o := range d.order {
		write(o)
	}
}

// what names an object as a reader does.
func (o *object) what() string {
	kind := map[string]string{"pg_type": "type", "pg_proc": "function", "pg_collation": "collation", "pg_ts_config": "text search configuration"}[o.class]
	if o.class == "pg_class" {
		kind = map[string]string{"S": "sequence", "v": "view"}[o.kind]
		if kind == "" {
			kind = "table"
		}
	}
	return kind + " " + o.schema + "." + o.name
}

// definitions are the statements that make the objects; those that are made as
// something else say so.
func (d *schemaDump) definitions() map[ref]string {
	out := map[ref]string{}
	d.types(out)
	d.tables(out)
	d.with(d.oids("pg_class", "v"), `select c.oid::text, pg_catalog.pg_get_viewdef(c.oid),
			coalesce((select string_agg(o.option_name || ' = ' || o.option_value, ', ') from pg_catalog.pg_options_to_table(c.reloptions) o where o.option_name like 'security%'), ''),
			(select string_agg(pg_catalog.quote_ident(a.attname), ', ' order by a.attnum) from pg_catalog.pg_attribute a where a.attrelid = c.oid and a.attnum > 0)
		from pg_catalog.pg_class c where c.oid = any($1::oid[])`, func(v []string) {
		with := ""
		if v[2] != "" {
			with = " with (" + v[2] + ")"
		}
		out[ref{"pg_class", v[0]}] = "create view " + d.relation(v[0]).ident() + " (" + v[3] + ")" + with + " as " + strings.TrimSuffix(strings.TrimSpace(v[1]), ";")
	})
	d.with(d.oids("pg_class", "S"), `select c.oid::text from pg_catalog.pg_class c where c.oid = any($1::oid[])`, func(v []string) {
		out[ref{"pg_class", v[0]}] = "create sequence " + d.relation(v[0]).ident()
	})
	d.with(d.oids("pg_proc", "fpw"), `select p.oid::text, pg_catalog.pg_get_functiondef(p.oid) from pg_catalog.pg_proc p where p.oid = any($1::oid[])`, func(v []string) {
		out[ref{"pg_proc", v[0]}] = strings.TrimSpace(v[1])
	})
	d.with(d.oids("pg_proc", "a"), `select a.aggfnoid::oid::text, pg_catalog.pg_get_function_arguments(a.aggfnoid), a.aggtransfn::text, pg_catalog.format_type(a.aggtranstype, null),
			case when a.aggfinalfn <> 0 then a.aggfinalfn::text else '' end, coalesce(pg_catalog.quote_literal(a.agginitval), '')
		from pg_catalog.pg_aggregate a where a.aggkind = 'n' and a.aggfnoid = any($1::oid[])`, func(v []string) {
		self := ref{"pg_proc", v[0]}
		sql := fmt.Sprintf("create aggregate %s (%s) (sfunc = %s, stype = %s", d.objects[self].ident(), v[1], v[2], v[3])
		if v[4] != "" {
			sql += ", finalfunc = " + v[4]
		}
		if v[5] != "" {
			sql += ", initcond = " + v[5]
		}
		out[self] = sql + ")"
	})
	d.with(d.oids("pg_collation", "l"), `select c.oid::text, case c.collprovider when 'i' then 'icu' when 'b' then 'builtin' else 'libc' end,
			coalesce(to_jsonb(c) ->> 'colllocale', to_jsonb(c) ->> 'colliculocale', c.collcollate), c.collisdeterministic::text
		from pg_catalog.pg_collation c where c.oid = any($1::oid[])`, func(v []string) {
		self := ref{"pg_collation", v[0]}
		out[self] = fmt.Sprintf("create collation %s (provider = %s, locale = '%s', deterministic = %s)", d.objects[self].ident(), v[1], strings.ReplaceAll(v[2], "'", "''"), v[3])
	})
	// What a configuration makes of a text decides no plan.
	for _, oid := range d.oids("pg_ts_config", "t") {
		self := ref{"pg_ts_config", oid}
		out[self] = "create text search configuration " + d.objects[self].ident() + " (copy = pg_catalog.simple)"
	}
	return out
}

func (d *schemaDump) types(out map[ref]string) {
	self := func(oid string) ref { return ref{"pg_type", oid} }
	d.with(d.oids("pg_type", "e"), `select e.enumtypid::text, string_agg(pg_catalog.quote_literal(e.enumlabel), ', ' order by e.enumsortorder)
		from pg_catalog.pg_enum e where e.enumtypid = any($1::oid[]) group by 1`, func(v []string) {
		out[self(v[0])] = "create type " + d.objects[self(v[0])].ident() + " as enum (" + v[1] + ")"
	})
	d.with(d.oids("pg_type", "d"), `select t.oid::text, pg_catalog.format_type(t.typbasetype, t.typtypmod), case when t.typnotnull then ' not null' else '' end,
			coalesce((select string_agg(' constraint ' || pg_catalog.quote_ident(k.conname) || ' ' || pg_catalog.pg_get_constraintdef(k.oid), '' order by k.conname)
				from pg_catalog.pg_constraint k where k.contypid = t.oid and k.contype = 'c'), ''),
			coalesce((select ' collate ' || t.typcollation::pg_catalog.regcollation::text from pg_catalog.pg_type b where b.oid = t.typbasetype and b.typcollation <> t.typcollation), '')
		from pg_catalog.pg_type t where t.oid = any($1::oid[])`, func(v []string) {
		out[self(v[0])] = "create domain " + d.objects[self(v[0])].ident() + " as " + v[1] + v[4] + v[2] + v[3]
	})
	multirange := "''"
	if d.s.Major() >= 14 {
		multirange = "', multirange_type_name = ' || r.rngmultitypid::pg_catalog.regtype::text"
	}
	d.with(d.oids("pg_type", "r"), `select r.rngtypid::text, pg_catalog.format_type(r.rngsubtype, null), `+multirange+`
		from pg_catalog.pg_range r where r.rngtypid = any($1::oid[])`, func(v []string) {
		out[self(v[0])] = "create type " + d.objects[self(v[0])].ident() + " as range (subtype = " + v[1] + v[2] + ")"
	})
	columns := map[string][]string{}
	composites := d.oids("pg_type", "c")
	d.with(composites, `select t.oid::text, pg_catalog.quote_ident(a.attname), pg_catalog.format_type(a.atttypid, a.atttypmod)
		from pg_catalog.pg_type t join pg_catalog.pg_attribute a on a.attrelid = t.typrelid and a.attnum > 0 and not a.attisdropped
		where t.oid = any($1::oid[]) order by t.oid, a.attnum`, func(v []string) { columns[v[0]] = append(columns[v[0]], v[1]+" "+v[2]) })
	for _, oid := range composites {
		out[self(oid)] = "create type " + d.objects[self(oid)].ident() + " as (" + strings.Join(columns[oid], ", ") + ")"
	}
	for _, oid := range d.oids("pg_type", "bp") {
		d.leftOut("type %s.%s is not made anew: its columns are missing", d.objects[self(oid)].schema, d.objects[self(oid)].name)
	}
}

// tables writes tables bare: columns, generated ones with their expressions, and
// primary keys, on which views may depend. A partition is made as a table of its own
// and attached later; a materialized view is a table to the planner, and so what its
// query reads need not be there.
func (d *schemaDump) tables(out map[ref]string) {
	oids := d.oids("pg_class", "rpm")
	columns := map[string][]string{}
	d.with(oids, `select a.attrelid::text, pg_catalog.quote_ident(a.attname) || ' ' || pg_catalog.format_type(a.atttypid, a.atttypmod)
			|| case when a.attcollation <> t.typcollation then ' collate ' || a.attcollation::pg_catalog.regcollation::text else '' end
			|| case when a.attgenerated <> '' then ' generated always as (' || pg_catalog.pg_get_expr(e.adbin, e.adrelid) || ')' || case a.attgenerated when 's' then ' stored' else ' virtual' end else '' end
			|| case when c.relispartition then '' when a.attidentity = 'a' then ' generated always as identity' when a.attidentity = 'd' then ' generated by default as identity' else '' end
			|| case when a.attnotnull then ' not null' else '' end
		from pg_catalog.pg_attribute a join pg_catalog.pg_class c on c.oid = a.attrelid join pg_catalog.pg_type t on t.oid = a.atttypid
		left join pg_catalog.pg_attrdef e on e.adrelid = a.attrelid and e.adnum = a.attnum
		where a.attrelid = any($1::oid[]) and a.attnum > 0 and not a.attisdropped order by a.attrelid, a.attnum`, func(v []string) { columns[v[0]] = append(columns[v[0]], v[1]) })
	d.with(oids, `select k.conrelid::text, 'constraint ' || pg_catalog.quote_ident(k.conname) || ' ' || pg_catalog.pg_get_constraintdef(k.oid)
		from pg_catalog.pg_constraint k where k.contype = 'p' and k.conrelid = any($1::oid[])`, func(v []string) { columns[v[0]] = append(columns[v[0]], v[1]) })
	d.with(oids, `select c.oid::text, case when c.relkind = 'p' then ' partition by ' || pg_catalog.pg_get_partkeydef(c.oid) else '' end,
			coalesce((select ' with (' || string_agg(o.option_name || ' = ' || o.option_value, ', ') || ')' from pg_catalog.pg_options_to_table(c.reloptions) o
				where o.option_name in ('fillfactor', 'parallel_workers')), ''), c.relpersistence::text
		from pg_catalog.pg_class c where c.oid = any($1::oid[])`, func(v []string) {
		r := d.relation(v[0])
		if v[3] == "t" {
			d.leftOut("table %s is a temporary one of a session", r.name)
			return
		}
		out[r.ref] = "create table " + r.ident() + " (" + strings.Join(columns[v[0]], ", ") + ")" + v[1] + v[2]
	})
	for _, oid := range d.oids("pg_class", "f") {
		d.leftOut("foreign table %s.%s is not made anew: what reads it cannot be planned", d.relation(oid).schema, d.relation(oid).name)
	}
}
