package live

import (
	"slices"
	"strings"

	"github.com/planvet/planvet/catalog"
	"github.com/planvet/planvet/internal/pgast"
)

func (l *loader) relations() {
	var oid uint32
	var schema, name, kind, bound, query string
	var enabled, forced, invoker bool
	sql := `select c.oid, n.nspname, c.relname, c.relkind::text, c.relrowsecurity, c.relforcerowsecurity,
		coalesce(pg_catalog.pg_get_expr(c.relpartbound, c.oid), ''),
		case when c.relkind in ('v', 'm') then pg_catalog.pg_get_viewdef(c.oid) else '' end,
		coalesce((select o.option_value::boolean from pg_catalog.pg_options_to_table(c.reloptions) o where o.option_name = 'security_invoker'), false)
		from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
		where c.relkind in ('r', 'p', 'v', 'm', 'f') and ` + userSchema + ` and ` + notOfExtension("pg_class", "c.oid") + `
		order by 2, 3`
	kinds := map[string]catalog.Kind{
		"r": catalog.Table, "p": catalog.PartitionedTable, "v": catalog.View, "m": catalog.MaterializedView, "f": catalog.ForeignTable,
	}
	l.rows(sql, []any{&oid, &schema, &name, &kind, &enabled, &forced, &bound, &query, &invoker}, func() {
		r := &catalog.Relation{
			Name: catalog.Name{Schema: schema, Name: name}, Kind: kinds[kind], RLSEnabled: enabled, RLSForced: forced,
			PartitionBound: bound, SecurityInvoker: invoker,
			Query: strings.TrimSuffix(strings.TrimSpace(query), ";"),
		}
		l.rels[oid] = r
		l.cat.AddRelation(r)
	})
}

// columnList is what a query over pg_attribute a and pg_type t selects for a
// column.
const columnList = `a.attname, pg_catalog.format_type(a.atttypid, a.atttypmod), tn.nspname, t.typname,
	a.attnotnull, coalesce(pg_catalog.pg_get_expr(ad.adbin, ad.adrelid), ''), a.attgenerated::text, a.attidentity::text,
	coalesce((select co.collname::text from pg_catalog.pg_collation co where co.oid = a.attcollation and a.attcollation <> t.typcollation), '')
	from pg_catalog.pg_attribute a
	join pg_catalog.pg_class c on c.oid = a.attrelid
	join pg_catalog.pg_type t on t.oid = a.atttypid
	join pg_catalog.pg_namespace tn on tn.oid = t.typnamespace
	left join pg_catalog.pg_attrdef ad on ad.adrelid = a.attrelid and ad.adnum = a.attnum
	where a.attnum > 0 and not a.attisdropped`

// column receives a row of columnList.
type column struct {
	c                   catalog.Column
	typeSchema, typ     string
	generated, identity string
}

func (x *column) dest() []any {
	return []any{&x.c.Name, &x.c.Type, &x.typeSchema, &x.typ, &x.c.NotNull, &x.c.Default, &x.generated, &x.identity, &x.c.Collation}
}

func (x *column) build() *catalog.Column {
	c := x.c
	c.HasDefault = c.Default != ""
	c.Generated, c.Virtual = x.generated != "", x.generated == "v"
	c.Identity = map[string]string{"a": "always", "d": "by-default"}[x.identity]
	if x.typeSchema != "pg_catalog" {
		c.TypeName = catalog.Name{Schema: x.typeSchema, Name: x.typ}
		if strings.HasSuffix(c.Type, "[]") { // the element's; arrays are named after it
			c.TypeName.Name = strings.TrimPrefix(x.typ, "_")
		}
	}
	c.Type = printed(c.Type)
	return &c
}

// printed is a type as the catalog holds it: format_type under the default
// search_path, which hides the schema public.
func printed(t string) string { return strings.TrimPrefix(t, "public.") }

func (l *loader) columns() {
	var oid uint32
	var x column
	sql := `select a.attrelid, ` + columnList + ` and c.relkind in ('r', 'p', 'v', 'm', 'f') and ` + ofUser("c") + ` order by a.attrelid, a.attnum`
	l.rows(sql, append([]any{&oid}, x.dest()...), func() {
		if r := l.rels[oid]; r != nil {
			c := x.build()
			l.later(&c.Default, r.Name)
			r.Columns = append(r.Columns, c)
		}
	})
}

func (l *loader) composites() {
	var schema, name string
	var x column
	sql := `select n.nspname, c.relname, ` + strings.Replace(columnList, "where a.attnum",
		"join pg_catalog.pg_namespace n on n.oid = c.relnamespace where a.attnum", 1) + ` and c.relkind = 'c' and ` + userSchema +
		` and ` + notOfExtension("pg_type", "c.reltype") + ` order by 1, 2, a.attnum`
	l.rows(sql, append([]any{&schema, &name}, x.dest()...), func() {
		t := l.cat.Type(schema, name)
		if t == nil {
			t = &catalog.Type{Name: catalog.Name{Schema: schema, Name: name}, Kind: "composite"}
			l.cat.AddType(t)
		}
		t.Columns = append(t.Columns, x.build())
	})
}

func (l *loader) partitions() {
	var child, parent uint32
	var partition bool
	sql := `select i.inhrelid, i.inhparent, c.relispartition from pg_catalog.pg_inherits i
		join pg_catalog.pg_class c on c.oid = i.inhrelid order by i.inhrelid, i.inhseqno`
	l.rows(sql, []any{&child, &parent, &partition}, func() {
		c, p := l.rels[child], l.rels[parent]
		switch {
		case c == nil || p == nil: // an index's
		case partition:
			c.PartitionOf = p.Name
		default:
			c.Inherits = append(c.Inherits, p.Name)
		}
	})
	var oid uint32
	var strategy, exprs string
	var columns []string
	sql = `select p.partrelid, p.partstrat::text, coalesce(pg_catalog.pg_get_expr(p.partexprs, p.partrelid), ''),
		array(select coalesce(a.attname::text, '') from unnest(p.partattrs::int2[]) with ordinality k(num, pos)
			left join pg_catalog.pg_attribute a on a.attrelid = p.partrelid and a.attnum = k.num and k.num <> 0 order by k.pos)
		from pg_catalog.pg_partitioned_table p order by 1`
	strategies := map[string]string{"r": "range", "l": "list", "h": "hash"}
	l.rows(sql, []any{&oid, &strategy, &exprs, &columns}, func() {
		if r := l.rels[oid]; r != nil {
			r.PartitionStrategy = strategies[strategy]
			r.PartitionKeys = l.partitionKeys(columns, exprs, r.Name)
		}
	})
}

// partitionKeys puts the expressions, which come as one list, where no column is.
func (l *loader) partitionKeys(columns []string, exprs string, self catalog.Name) []string {
	keys := slices.Clone(columns)
	if exprs == "" {
		return keys
	}
	e, err := pgast.ParseExpr("row(" + exprs + ")")
	row, ok := e.(*pgast.Row)
	if err != nil || !ok {
		return keys
	}
	args := row.Args
	for i := range keys {
		if keys[i] == "" && len(args) > 0 {
			keys[i], args = pgast.Format(args[0]), args[1:]
			l.later(&keys[i], self)
		}
	}
	return keys
}

// keyColumns names the columns of an int2vector or int2[] in its order.
func keyColumns(numbers, relation string) string {
	return `array(select a.attname::text from unnest(` + numbers + `::int2[]) with ordinality u(num, pos)
		join pg_catalog.pg_attribute a on a.attrelid = ` + relation + ` and a.attnum = u.num order by u.pos)`
}

func (l *loader) constraints() {
	var oid, ref uint32
	var kind, onDelete string
	var k catalog.Constraint
	sql := `select k.conrelid, k.confrelid, k.conname, k.contype::text, ` + keyColumns("k.conkey", "k.conrelid") + `, ` +
		keyColumns("k.confkey", "k.confrelid") + `, k.confdeltype::text,
		coalesce(pg_catalog.pg_get_expr(k.conbin, k.conrelid), ''), k.convalidated,
		coalesce(to_jsonb(k) ->> 'conenforced', 'true') = 'false'
		from pg_catalog.pg_constraint k join pg_catalog.pg_class c on c.oid = k.conrelid
		where k.contype in ('p', 'u', 'f', 'c', 'x') and ` + ofUser("c") + ` order by 1, 3`
	kinds := map[string]catalog.ConstraintKind{
		"p": catalog.PrimaryKey, "u": catalog.Unique, "f": catalog.ForeignKey, "c": catalog.Check, "x": catalog.Exclusion,
	}
	actions := map[string]string{"a": "no-action", "r": "restrict", "c": "cascade", "n": "set-null", "d": "set-default"}
	l.rows(sql, []any{&oid, &ref, &k.Name, &kind, &k.Columns, &k.RefColumns, &onDelete, &k.Expr, &k.Validated, &k.NotEnforced}, func() {
		r := l.rels[oid]
		if r == nil {
			return
		}
		c := k
		c.Kind, c.Columns, c.RefColumns = kinds[kind], slices.Clone(k.Columns), nil
		if c.Kind == catalog.ForeignKey {
			c.RefColumns, c.OnDelete = slices.Clone(k.RefColumns), actions[onDelete]
			if p := l.rels[ref]; p != nil {
				c.References = p.Name
			}
		}
		l.later(&c.Expr, r.Name)
		r.Constraints = append(r.Constraints, &c)
	})
}
