package live

import "slices"

// extensionOf is the name of the extension that an object x of a catalog is a member
// of, and "" for none.
func extensionOf(class string) string {
	return `coalesce((select e.extname::text from pg_catalog.pg_depend d join pg_catalog.pg_extension e on e.oid = d.refobjid
		where d.classid = 'pg_catalog.` + class + `'::pg_catalog.regclass and d.objid = x.oid and d.deptype = 'e' and d.refclassid = 'pg_catalog.pg_extension'::pg_catalog.regclass), '')`
}

// identify adds the objects that edges lead to. What belongs to another object (an
// index, an array, a constraint) is that object.
func (d *schemaDump) identify(edges []edge) {
	at := map[ref]ref{}
	byClass := map[string][]string{}
	for _, e := range edges {
		if _, ok := at[e.to]; !ok {
			at[e.to] = ref{}
			byClass[e.to.class] = append(byClass[e.to.class], e.to.oid)
		}
	}
	multirange := "0"
	if d.s.Major() >= 14 {
		multirange = "coalesce((select r.rngtypid from pg_catalog.pg_range r where r.rngmultitypid = x.oid), 0)"
	}
	// A type leads to a table, an element or a range; they are looked up next.
	again := map[string][]string{}
	follow := func(from, to ref) {
		at[from] = to
		if _, ok := at[to]; !ok {
			at[to] = ref{}
			again[to.class] = append(again[to.class], to.oid)
		}
	}
	for len(byClass) > 0 && d.err == nil {
		again = map[string][]string{}
		for _, c := range sortedKeys(byClass) {
			oids := byClass[c]
			switch c {
			case "pg_class":
				d.with(oids, `select x.oid::text, x.relkind::text, n.nspname, x.relname, pg_catalog.pg_get_userbyid(x.relowner), `+extensionOf("pg_class")+`,
					coalesce((select i.indrelid from pg_catalog.pg_index i where i.indexrelid = x.oid), 0)::text, x.reltype::text
					from pg_catalog.pg_class x join pg_catalog.pg_namespace n on n.oid = x.relnamespace where x.oid = any($1::oid[]) order by x.oid`, func(v []string) {
					self := ref{c, v[0]}
					switch {
					case v[6] != "0":
						follow(self, ref{c, v[6]})
					case v[1] == "c":
						follow(self, ref{"pg_type", v[7]})
					default:
						at[self] = d.object(self, v[1:6])
					}
				})
			case "pg_type":
				d.with(oids, `select x.oid::text, x.typtype::text, n.nspname, x.typname, pg_catalog.pg_get_userbyid(x.typowner), `+extensionOf("pg_type")+`,
					coalesce((select e.oid from pg_catalog.pg_type e where e.typarray = x.oid), `+multirange+`)::text,
					coalesce((select c.oid from pg_catalog.pg_class c where c.oid = x.typrelid and c.relkind <> 'c'), 0)::text
					from pg_catalog.pg_type x join pg_catalog.pg_namespace n on n.oid = x.typnamespace where x.oid = any($1::oid[]) order by x.oid`, func(v []string) {
					self := ref{c, v[0]}
					switch {
					case v[6] != "0":
						follow(self, ref{c, v[6]})
					case v[7] != "0":
						follow(self, ref{"pg_class", v[7]})
					default:
						at[self] = d.object(self, v[1:6])
					}
				})
			case "pg_proc":
				d.with(oids, `select x.oid::text, x.prokind::text, n.nspname, x.proname, pg_catalog.pg_get_userbyid(x.proowner), `+extensionOf("pg_proc")+`
					from pg_catalog.pg_proc x join pg_catalog.pg_namespace n on n.oid = x.pronamespace where x.oid = any($1::oid[]) order by x.oid`, func(v []string) {
					at[ref{c, v[0]}] = d.object(ref{c, v[0]}, v[1:])
				})
			case "pg_constraint":
				d.with(oids, `select x.oid::text, x.conrelid::text, x.contypid::text from pg_catalog.pg_constraint x where x.oid = any($1::oid[]) order by x.oid`, func(v []string) {
					if v[1] != "0" {
						follow(ref{c, v[0]}, ref{"pg_class", v[1]})
					} else {
						follow(ref{c, v[0]}, ref{"pg_type", v[2]})
					}
				})
			case "pg_collation":
				d.with(oids, `select x.oid::text, 'l', n.nspname, x.collname, pg_catalog.pg_get_userbyid(x.collowner), `+extensionOf(c)+`
					from pg_catalog.pg_collation x join pg_catalog.pg_namespace n on n.oid = x.collnamespace where x.oid = any($1::oid[]) order by x.oid`, func(v []string) {
					at[ref{c, v[0]}] = d.object(ref{c, v[0]}, v[1:])
				})
			case "pg_ts_config":
				d.with(oids, `select x.oid::text, 't', n.nspname, x.cfgname, pg_catalog.pg_get_userbyid(x.cfgowner), `+extensionOf(c)+`
					from pg_catalog.pg_ts_config x join pg_catalog.pg_namespace n on n.oid = x.cfgnamespace where x.oid = any($1::oid[]) order by x.oid`, func(v []string) {
					at[ref{c, v[0]}] = d.object(ref{c, v[0]}, v[1:])
				})
			case "pg_extension":
				d.with(oids, `select x.extname from pg_catalog.pg_extension x where x.oid = any($1::oid[]) order by 1`, func(v []string) { d.extension(v[0]) })
			case "pg_namespace", "pg_authid", "pg_language":
				// Schemas and roles are made for what is in them and for whom it is.
			default:
				d.with(oids, `select pg_catalog.pg_describe_object('pg_catalog.`+c+`'::pg_catalog.regclass, x.oid, 0), `+extensionOf(c)+`
					from pg_catalog.`+c+` x where x.oid = any($1::oid[]) order by 1`, func(v []string) {
					if v[1] != "" {
						d.extension(v[1])
					} else {
						d.leftOut("%s is not made anew: what uses it is planned otherwise or not at all", v[0])
					}
				})
			}
		}
		byClass = again
	}
	d.link(edges, at)
}

// link notes for each object what must be there before it.
func (d *schemaDump) link(edges []edge, at map[ref]ref) {
	for _, e := range edges {
		to := e.to
		for range 4 { // an array of a table's row type
			if next := at[to]; next != (ref{}) && next != to {
				to = next
			}
		}
		from, target := d.objects[e.from], d.objects[to]
		if from != nil && target != nil && from != target && !e.later && !slices.Contains(from.needs, to) {
			from.needs = append(from.needs, to)
		}
	}
}

// object adds an object, described by kind, schema, name, owner and extension; a
// member of an extension comes with it.
func (d *schemaDump) object(self ref, v []string) ref {
	if v[4] != "" {
		d.extension(v[4])
		return ref{}
	}
	if v[1] == "pg_catalog" || v[1] == "information_schema" {
		return ref{}
	}
	if d.objects[self] == nil {
		o := &object{ref: self, kind: v[0], schema: v[1], name: v[2], owner: v[3]}
		d.objects[self] = o
		d.order = append(d.order, o)
	}
	return self
}

func (d *schemaDump) extension(name string) {
	if !slices.Contains(d.extensions, name) && name != "plpgsql" {
		d.extensions = append(d.extensions, name)
	}
}

func sortedKeys[V any](m map[string]V) []string {
	out := make([]string, 0, len(m))
	for k := range m {
		out = append(out, k)
	}
	slices.Sort(out)
	return out
}
