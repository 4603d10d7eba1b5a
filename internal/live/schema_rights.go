package live

import (
	"slices"
	"strings"
)

// writeRoles makes the roles that matter: those asked for, the session's own, those
// that own or have policies, and all that these are members of. What a role may see
// decides plans: without the right to select a column its statistics are not used
// with operators that are not leakproof.
func (d *schemaDump) writeRoles(asked []string) {
	roots := append(slices.Clone(asked), d.out.User)
	for _, o := range d.order {
		roots = append(roots, o.owner)
	}
	d.with(d.oids("pg_class", "rp"), `select distinct pg_catalog.pg_get_userbyid(r) from pg_catalog.pg_policy p, unnest(p.polroles) r
		where r <> 0 and p.polrelid = any($1::oid[]) order by 1`, func(v []string) { roots = append(roots, v[0]) })
	slices.Sort(roots)
	arg := array(slices.Compact(roots))
	const above = `with recursive up(oid) as (select oid from pg_catalog.pg_roles where rolname = any($1::text[])
		union select m.roleid from up join pg_catalog.pg_auth_members m on m.member = up.oid) `
	d.eachWith([]string{arg}, above+`select r.rolname, r.rolsuper::text, r.rolbypassrls::text, r.rolinherit::text
		from up join pg_catalog.pg_roles r using (oid) order by 1`, func(v []string) {
		d.roles[v[0]] = true
		if strings.HasPrefix(v[0], "pg_") {
			return
		}
		sql := "create role " + quote(v[0])
		for i, option := range []string{" superuser", " bypassrls"} {
			if v[1+i] == "true" {
				sql += option
			}
		}
		if v[3] != "true" {
			sql += " noinherit"
		}
		d.add("role "+v[0], sql)
	})
	inherit := "null::text"
	if d.s.Major() >= 16 {
		inherit = "m.inherit_option::text"
	}
	d.eachWith([]string{arg}, above+`select distinct g.rolname, r.rolname, coalesce(`+inherit+`, '')
		from up join pg_catalog.pg_auth_members m on m.member = up.oid
		join pg_catalog.pg_roles g on g.oid = m.roleid join pg_catalog.pg_roles r on r.oid = m.member order by 1, 2, 3`, func(v []string) {
		sql := "grant " + quote(v[0]) + " to " + quote(v[1])
		if v[2] != "" {
			sql += " with inherit " + v[2]
		}
		d.add("role "+v[1], sql)
	})
}

func (d *schemaDump) writeSchemas() {
	var names []string
	for _, o := range d.order {
		names = append(names, o.schema)
	}
	d.eachWith([]string{array(d.extensions)}, `select n.nspname from pg_catalog.pg_extension e join pg_catalog.pg_namespace n on n.oid = e.extnamespace
		where e.extname = any($1::text[]) and n.nspname <> 'pg_catalog'`, func(v []string) { names = append(names, v[0]) })
	// A path may name schemas in which only what an extension brings is found.
	names = append(names, d.out.SearchPath...)
	slices.Sort(names)
	for _, n := range slices.Compact(names) {
		if n != "pg_catalog" && n != "public" {
			d.add("schema "+n, "create schema if not exists "+quote(n))
		}
	}
}

// indexing are extensions whose operator classes an index that is proposed may use.
var indexing = []string{"pg_trgm", "btree_gin", "btree_gist"}

func (d *schemaDump) writeExtensions() {
	d.eachWith([]string{array(append(slices.Clone(indexing), d.extensions...))}, `select e.extname, n.nspname from pg_catalog.pg_extension e
		join pg_catalog.pg_namespace n on n.oid = e.extnamespace where e.extname = any($1::text[]) order by 1`, func(v []string) {
		in := ""
		if v[1] != "pg_catalog" {
			in = " schema " + quote(v[1])
			d.add("schema "+v[1], "create schema if not exists "+quote(v[1]))
		}
		d.add("extension "+v[0], "create extension if not exists "+quote(v[0])+in)
	})
}

// writeOwners gives objects their owners: a view reads as its owner, and policies do
// not hold for a table's.
func (d *schemaDump) writeOwners() {
	for _, o := range d.order {
		switch {
		case !o.done || !d.roles[o.owner] || strings.HasPrefix(o.owner, "pg_"):
		case o.class == "pg_class" && strings.Contains("rpmv", o.kind) && d.out.Has(o.relationName()):
			kind := "table "
			if o.kind == "v" {
				kind = "view "
			}
			d.add("owner of "+o.name, "alter "+kind+o.ident()+" owner to "+quote(o.owner))
		}
	}
	d.with(d.oids("pg_proc", "fp"), `select p.oid::pg_catalog.regprocedure::text, pg_catalog.pg_get_userbyid(p.proowner) from pg_catalog.pg_proc p
		where p.prosecdef and p.oid = any($1::oid[]) order by 1`, func(v []string) {
		d.add("owner of "+v[0], "alter routine "+v[0]+" owner to "+quote(v[1]))
	})
}

// writeGrants gives the roles their rights on tables, columns, schemas and functions,
// and takes from everybody what everybody does not have.
func (d *schemaDump) writeGrants() {
	roles := array(sortedKeys(d.roles))
	to := func(grantee string) string {
		if grantee == "" {
			return "public"
		}
		return quote(grantee)
	}
	const grantee = `coalesce((select r.rolname from pg_catalog.pg_roles r where r.oid = g.grantee), '')`
	const mine = `(g.grantee = 0 or exists (select 1 from pg_catalog.pg_roles r where r.oid = g.grantee and r.rolname = any($2::text[])))
		and g.privilege_type in ('SELECT', 'INSERT', 'UPDATE', 'DELETE', 'USAGE', 'EXECUTE')`
	var schemas []string
	for _, o := range d.order {
		schemas = append(schemas, o.schema)
	}
	schemas = append(schemas, d.out.SearchPath...)
	d.eachWith([]string{array(schemas)}, `select n.nspname from pg_catalog.pg_namespace n where n.nspname = any($1::text[]) and n.nspacl is not null and `+own+` order by 1`, func(v []string) {
		d.add("rights on schema "+v[0], "revoke all on schema "+quote(v[0])+" from public")
	})
	d.eachWith([]string{array(schemas), roles}, `select n.nspname, `+grantee+` from pg_catalog.pg_namespace n, pg_catalog.aclexplode(n.nspacl) g
		where n.nspname = any($1::text[]) and g.privilege_type = 'USAGE' and `+own+` and `+mine+` order by 1, 2`, func(v []string) {
		d.add("rights on schema "+v[0], "grant usage on schema "+quote(v[0])+" to "+to(v[1]))
	})
	d.eachWith([]string{"{" + strings.Join(d.made("rpmv"), ",") + "}", roles}, `select c.oid::text, string_agg(distinct g.privilege_type, ', '), `+grantee+`, ''
			from pg_catalog.pg_class c, pg_catalog.aclexplode(c.relacl) g where c.oid = any($1::oid[]) and `+mine+` group by c.oid, g.grantee
		union all select c.oid::text, g.privilege_type, `+grantee+`, string_agg(distinct pg_catalog.quote_ident(a.attname), ', ')
			from pg_catalog.pg_class c join pg_catalog.pg_attribute a on a.attrelid = c.oid and a.attnum > 0, pg_catalog.aclexplode(a.attacl) g
			where c.oid = any($1::oid[]) and `+mine+` group by c.oid, g.grantee, g.privilege_type order by 1, 3, 2, 4`, func(v []string) {
		r, columns := d.relation(v[0]), ""
		if v[3] != "" {
			columns = " (" + v[3] + ")"
		}
		d.add("rights on "+r.name, "grant "+strings.ToLower(v[1])+columns+" on "+r.ident()+" to "+to(v[2]))
	})
	procs := "{" + strings.Join(d.oids("pg_proc", "fpaw"), ",") + "}"
	d.eachWith([]string{procs}, `select p.oid::pg_catalog.regprocedure::text from pg_catalog.pg_proc p where p.oid = any($1::oid[]) and p.proacl is not null order by 1`, func(v []string) {
		d.add("rights on "+v[0], "revoke all on routine "+v[0]+" from public")
	})
	d.eachWith([]string{procs, roles}, `select p.oid::pg_catalog.regprocedure::text, `+grantee+` from pg_catalog.pg_proc p, pg_catalog.aclexplode(p.proacl) g
		where p.oid = any($1::oid[]) and `+mine+` order by 1, 2`, func(v []string) {
		d.add("rights on "+v[0], "grant execute on routine "+v[0]+" to "+to(v[1]))
	})
}
