package live

import "strings"

// made are the oids of relations of some kinds that have been made.
func (d *schemaDump) made(kinds string) []string {
	have := map[string]bool{}
	for _, r := range d.out.Relations {
		have[r.Schema+"."+r.Name] = true
	}
	var out []string
	for _, oid := range d.oids("pg_class", kinds) {
		if r := d.relation(oid); have[r.schema+"."+r.name] {
			out = append(out, oid)
		}
	}
	return out
}

// each part of a table is written for the relation that a query names first.
func (d *schemaDump) parts(kinds, sql string, write func(r *object, v []string)) {
	d.with(d.made(kinds), sql, func(v []string) { write(d.relation(v[0]), v[1:]) })
}

func (d *schemaDump) writeDefaults() {
	d.parts("rpm", `select e.adrelid::text, pg_catalog.quote_ident(a.attname), pg_catalog.pg_get_expr(e.adbin, e.adrelid)
		from pg_catalog.pg_attrdef e join pg_catalog.pg_attribute a on a.attrelid = e.adrelid and a.attnum = e.adnum
		where e.adrelid = any($1::oid[]) and a.attgenerated = '' order by e.adrelid, e.adnum`, func(r *object, v []string) {
		d.add("default of "+r.name+"."+v[0], "alter table only "+r.ident()+" alter column "+v[0]+" set default "+v[1])
	})
}

// writeAttached puts partitions and children of inheritance in their places.
func (d *schemaDump) writeAttached() {
	d.parts("rp", `select i.inhrelid::text, i.inhparent::text, coalesce(pg_catalog.pg_get_expr(c.relpartbound, c.oid), '')
		from pg_catalog.pg_inherits i join pg_catalog.pg_class c on c.oid = i.inhrelid
		where i.inhrelid = any($1::oid[]) order by i.inhrelid, i.inhseqno`, func(r *object, v []string) {
		parent := d.relation(v[0])
		switch {
		case parent == nil || !parent.done:
		case v[1] != "":
			d.add("partition "+r.schema+"."+r.name, "alter table "+parent.ident()+" attach partition "+r.ident()+" "+v[1])
		default:
			d.add("table "+r.schema+"."+r.name, "alter table "+r.ident()+" inherit "+parent.ident())
		}
	})
}

// writeConstraints adds those that are the table's own. A parent's CHECK reaches its
// children, a UNIQUE does not: each has its own, which is attached with its index.
func (d *schemaDump) writeConstraints() {
	d.parts("rpm", `select k.conrelid::text, pg_catalog.quote_ident(k.conname), k.contype::text, pg_catalog.pg_get_constraintdef(k.oid), (k.coninhcount > 0)::text
		from pg_catalog.pg_constraint k where k.contype in ('c', 'u', 'x') and k.conrelid = any($1::oid[]) order by k.oid`, func(r *object, v []string) {
		only := "only "
		if v[1] == "c" {
			if only = ""; v[3] == "true" {
				return
			}
		}
		d.add("constraint "+v[0]+" on "+r.name, "alter table "+only+r.ident()+" add constraint "+v[0]+" "+v[2])
	})
}

// writeIndexes adds the valid indexes in the order of their making, which decides
// between equals, and attaches those of partitions.
func (d *schemaDump) writeIndexes() {
	d.parts("rpm", `select x.indrelid::text, pg_catalog.quote_ident(i.relname), pg_catalog.pg_get_indexdef(x.indexrelid)
		from pg_catalog.pg_index x join pg_catalog.pg_class i on i.oid = x.indexrelid
		where x.indrelid = any($1::oid[]) and (x.indisvalid or i.relkind = 'I') and not exists (select 1 from pg_catalog.pg_constraint k where k.conindid = x.indexrelid and k.contype in ('p', 'u', 'x'))
		order by x.indexrelid`, func(r *object, v []string) { d.add("index "+v[0], v[1]) })
	d.parts("rpm", `select x.indrelid::text, pn.nspname, p.relname, n.nspname, c.relname, px.indisprimary::text
		from pg_catalog.pg_index x join pg_catalog.pg_class c on c.oid = x.indexrelid join pg_catalog.pg_namespace n on n.oid = c.relnamespace
		join pg_catalog.pg_inherits i on i.inhrelid = c.oid
		join pg_catalog.pg_class p on p.oid = i.inhparent join pg_catalog.pg_namespace pn on pn.oid = p.relnamespace join pg_catalog.pg_index px on px.indexrelid = p.oid
		where x.indrelid = any($1::oid[]) and x.indisvalid order by c.oid`, func(r *object, v []string) {
		if v[4] != "true" { // a primary key found its partitions' when they were attached
			d.add("index "+v[3], "alter index "+quote(v[0])+"."+quote(v[1])+" attach partition "+quote(v[2])+"."+quote(v[3]))
		}
	})
}

// writeForeignKeys adds those between tables that are there: the planner estimates
// joins along them.
func (d *schemaDump) writeForeignKeys() {
	d.parts("rp", `select k.conrelid::text, pg_catalog.quote_ident(k.conname), pg_catalog.pg_get_constraintdef(k.oid), k.confrelid::text
		from pg_catalog.pg_constraint k where k.contype = 'f' and k.conparentid = 0 and k.conrelid = any($1::oid[]) order by k.oid`, func(r *object, v []string) {
		if p := d.relation(v[2]); p != nil && p.done {
			d.add("constraint "+v[0]+" on "+r.name, "alter table "+r.ident()+" add constraint "+v[0]+" "+v[1])
		}
	})
}

func (d *schemaDump) writeStatistics() {
	d.parts("rpm", `select e.stxrelid::text, pg_catalog.quote_ident(e.stxname), pg_catalog.pg_get_statisticsobjdef(e.oid)
		from pg_catalog.pg_statistic_ext e where e.stxrelid = any($1::oid[]) order by e.oid`, func(r *object, v []string) {
		d.add("statistics "+v[0], v[1])
		d.leftOut("the data of statistics object %s cannot be carried over: %s is estimated from its columns alone", v[0], r.name)
	})
}

func (d *schemaDump) writePolicies() {
	d.parts("rp", `select c.oid::text, c.relforcerowsecurity::text from pg_catalog.pg_class c where c.oid = any($1::oid[]) and c.relrowsecurity`, func(r *object, v []string) {
		sql := "alter table " + r.ident() + " enable row level security"
		if v[0] == "true" {
			sql += ", force row level security"
		}
		d.add("row security of "+r.name, sql)
	})
	commands := map[string]string{"*": "all", "r": "select", "a": "insert", "w": "update", "d": "delete"}
	d.parts("rp", `select p.polrelid::text, pg_catalog.quote_ident(p.polname), p.polpermissive::text, p.polcmd::text,
			array_to_string(array(select case when r = 0 then 'public' else pg_catalog.quote_ident(pg_catalog.pg_get_userbyid(r)) end from unnest(p.polroles) r order by 1), ', '),
			coalesce(pg_catalog.pg_get_expr(p.polqual, p.polrelid), ''), coalesce(pg_catalog.pg_get_expr(p.polwithcheck, p.polrelid), '')
		from pg_catalog.pg_policy p where p.polrelid = any($1::oid[]) order by p.oid`, func(r *object, v []string) {
		var b strings.Builder
		b.WriteString("create policy " + v[0] + " on " + r.ident())
		if v[1] != "true" {
			b.WriteString(" as restrictive")
		}
		b.WriteString(" for " + commands[v[2]] + " to " + v[3])
		if v[4] != "" {
			b.WriteString(" using (" + v[4] + ")")
		}
		if v[5] != "" {
			b.WriteString(" with check (" + v[5] + ")")
		}
		d.add("policy "+v[0]+" on "+r.name, b.String())
	})
}
