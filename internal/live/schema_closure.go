package live

import (
	"regexp"
	"strings"
)

// roots notes the wanted relations and what the texts name.
func (d *schemaDump) roots(p Part) {
	var schemas, names []string
	for _, r := range p.Relations {
		schemas, names = append(schemas, r.Schema), append(names, r.Name)
	}
	w := wanted{rels: [2][]string{schemas, names}}
	for _, text := range p.Texts {
		w.text(text, d.out.SearchPath)
	}
	d.identify(d.lookUp(w))
}

// close finds what is needed by what is there, level by level.
func (d *schemaDump) close() {
	for from := 0; from < len(d.order) && d.err == nil; {
		front := d.order[from:]
		from = len(d.order)
		d.identify(append(d.depends(front), d.bodies(front)...))
	}
	// Edges may lead to an index, an array type, a constraint: resolved by identify
	// they are edges to what these belong to.
}

// edgesSQL lists what objects, and the parts of them that the schema makes too,
// refer to. The parts of a materialized view's query are not among them: it is made
// as a table. 16384 is the first oid that is not the system's.
const edgesSQL = `
with front as (select f.c::pg_catalog.regclass::oid as c, f.o from unnest($1::text[], $2::oid[]) f(c, o)),
sub as (
	select c, o, c as sc, o as so, false as later from front
	union all select c, o, 'pg_catalog.pg_attrdef'::regclass, d.oid, a.attgenerated = '' from front
		join pg_catalog.pg_attrdef d on c = 'pg_catalog.pg_class'::regclass and d.adrelid = o join pg_catalog.pg_attribute a on a.attrelid = o and a.attnum = d.adnum
	union all select c, o, 'pg_catalog.pg_constraint'::regclass, k.oid, k.contypid = 0 from front join pg_catalog.pg_constraint k
		on c = 'pg_catalog.pg_class'::regclass and k.conrelid = o and k.contype in ('c', 'p', 'u', 'x') or c = 'pg_catalog.pg_type'::regclass and k.contypid = o
	union all select c, o, 'pg_catalog.pg_rewrite'::regclass, r.oid, false from front
		join pg_catalog.pg_class v on c = 'pg_catalog.pg_class'::regclass and v.oid = o and v.relkind = 'v'
		join pg_catalog.pg_rewrite r on r.ev_class = o and r.rulename = '_RETURN'
	union all select c, o, 'pg_catalog.pg_policy'::regclass, p.oid, true from front join pg_catalog.pg_policy p on c = 'pg_catalog.pg_class'::regclass and p.polrelid = o
	union all select c, o, 'pg_catalog.pg_class'::regclass, x.indexrelid, true from front join pg_catalog.pg_index x on c = 'pg_catalog.pg_class'::regclass and x.indrelid = o
	union all select c, o, 'pg_catalog.pg_statistic_ext'::regclass, e.oid, true from front join pg_catalog.pg_statistic_ext e on c = 'pg_catalog.pg_class'::regclass and e.stxrelid = o
	union all select c, o, 'pg_catalog.pg_class'::regclass, t.typrelid, false from front join pg_catalog.pg_type t on c = 'pg_catalog.pg_type'::regclass and t.oid = o and t.typrelid <> 0
)
select s.c::regclass::text, s.o::text, d.refclassid::regclass::text, d.refobjid::text, s.later::text
from sub s join pg_catalog.pg_depend d on d.classid = s.sc and d.objid = s.so
where d.refobjid >= 16384 and d.deptype <> 'x' and not (d.refclassid = s.c and d.refobjid = s.o)
	and not exists (select 1 from pg_catalog.pg_class q where s.c = 'pg_catalog.pg_class'::regclass and q.oid = s.o and q.relkind = 'S')
union
select 'pg_class', i.inhparent::text, 'pg_class', i.inhrelid::text, 'true' from front join pg_catalog.pg_inherits i on c = 'pg_catalog.pg_class'::regclass and i.inhparent = o
order by 1, 2, 3, 4, 5`

// edge is a reference from one object to another.
type edge struct {
	from, to ref
	// later is set where a part of the object refers that is made after all objects.
	later bool
}

func (d *schemaDump) depends(front []*object) []edge {
	var classes, oids []string
	for _, o := range front {
		classes, oids = append(classes, "pg_catalog."+o.class), append(oids, o.oid)
	}
	if len(oids) == 0 {
		return nil
	}
	var out []edge
	d.eachWith([]string{array(classes), array(oids)}, edgesSQL, func(v []string) {
		out = append(out, edge{from: ref{class(v[0]), v[1]}, to: ref{class(v[2]), v[3]}, later: v[4] == "true"})
	})
	return out
}

// class is a system catalog's name as regclass prints it, without its schema.
func class(text string) string { return strings.TrimPrefix(text, "pg_catalog.") }

// bodies finds what functions name in bodies that are text.
func (d *schemaDump) bodies(front []*object) []edge {
	var oids []string
	for _, o := range front {
		if o.class == "pg_proc" {
			oids = append(oids, o.oid)
		}
	}
	var w wanted
	d.with(oids, `select p.prosrc, coalesce((select substr(c, 13) from unnest(p.proconfig) c where c like 'search_path=%'), '')
		from pg_catalog.pg_proc p join pg_catalog.pg_language l on l.oid = p.prolang
		where p.oid = any($1::oid[]) and l.lanname not in ('c', 'internal') and p.prosrc <> ''`, func(v []string) {
		path := d.out.SearchPath
		if v[1] != "" {
			path = nil
			for _, name := range strings.Split(v[1], ",") {
				path = append(path, strings.Trim(strings.TrimSpace(name), `"`))
			}
		}
		w.text(v[0], path)
	})
	return d.lookUp(w)
}

// wanted are names to look up, each a list of schemas and one of names.
type wanted struct{ rels, funcs [2][]string }

// nameRE finds names in SQL, qualified or not, and whether they are called. It looks
// into strings too: dynamic SQL is in them.
var nameRE = regexp.MustCompile(`((?:"(?:[^"]|"")+"|[\pL_][\pL\d_$]*)(?:\s*\.\s*(?:"(?:[^"]|"")+"|[\pL_][\pL\d_$]*))*)(\s*\()?`)

var partRE = regexp.MustCompile(`"(?:[^"]|"")+"|[\pL_][\pL\d_$]*`)

// text adds the names of a statement or a body. An unqualified one is looked for in
// all schemas of the path.
func (w *wanted) text(text string, path []string) {
	for _, m := range nameRE.FindAllStringSubmatch(text, -1) {
		parts := partRE.FindAllString(m[1], -1)
		for i, p := range parts {
			if strings.HasPrefix(p, `"`) {
				parts[i] = strings.ReplaceAll(p[1:len(p)-1], `""`, `"`)
			} else {
				parts[i] = strings.ToLower(p)
			}
		}
		note := func(schema, name string) {
			w.rels[0], w.rels[1] = append(w.rels[0], schema), append(w.rels[1], name)
			if m[2] != "" {
				w.funcs[0], w.funcs[1] = append(w.funcs[0], schema), append(w.funcs[1], name)
			}
		}
		for _, schema := range path {
			note(schema, parts[0])
		}
		if len(parts) > 1 {
			note(parts[0], parts[1])
		}
	}
}

// lookUp turns names into references from nothing.
func (d *schemaDump) lookUp(w wanted) []edge {
	var out []edge
	found := func(class string) func(v []string) {
		return func(v []string) { out = append(out, edge{to: ref{class, v[0]}, later: true}) }
	}
	ask := func(names [2][]string, class, sql string) {
		if len(names[0]) > 0 {
			d.eachWith([]string{array(names[0]), array(names[1])}, sql+` and `+own+` and (n.nspname, x.name) in (select * from unnest($1::text[], $2::text[])) order by 1`, found(class))
		}
	}
	ask(w.rels, "pg_class", `select x.oid::text from (select oid, relnamespace, relname as name from pg_catalog.pg_class where relkind in ('r', 'p', 'v', 'm', 'f')) x
		join pg_catalog.pg_namespace n on n.oid = x.relnamespace where true`)
	ask(w.rels, "pg_type", `select x.oid::text from (select oid, typnamespace, typname as name from pg_catalog.pg_type where typtype in ('e', 'd', 'r')) x
		join pg_catalog.pg_namespace n on n.oid = x.typnamespace where true`)
	ask(w.funcs, "pg_proc", `select x.oid::text from (select oid, pronamespace, proname as name from pg_catalog.pg_proc) x
		join pg_catalog.pg_namespace n on n.oid = x.pronamespace where true`)
	return out
}
