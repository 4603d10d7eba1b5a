package live

import (
	"slices"

	"github.com/planvet/planvet/catalog"
)

// indexKeys selects the keys of an index x, each an array of column, expression,
// operator class and collation where they are not the default, and the option
// bits; the columns of INCLUDE come last.
const indexKeys = `array(select json_build_array(
		coalesce((select a.attname::text from pg_catalog.pg_attribute a where a.attrelid = x.indrelid and a.attnum = k.num and k.num <> 0), ''),
		case when k.num = 0 then pg_catalog.pg_get_indexdef(x.indexrelid, k.pos::int, false) else '' end,
		coalesce((select o.opcname::text from pg_catalog.pg_opclass o where o.oid = (x.indclass::oid[])[k.pos - 1] and not o.opcdefault), ''),
		coalesce((select co.collname::text from pg_catalog.pg_collation co where co.oid = (x.indcollation::oid[])[k.pos - 1] and co.collname <> 'default'
			and co.oid <> case when k.num = 0 then
				(select t.typcollation from pg_catalog.pg_attribute ia join pg_catalog.pg_type t on t.oid = ia.atttypid
					where ia.attrelid = x.indexrelid and ia.attnum = k.pos)
			else (select a.attcollation from pg_catalog.pg_attribute a where a.attrelid = x.indrelid and a.attnum = k.num) end), ''),
		coalesce(((x.indoption::int2[])[k.pos - 1] & 1), 0)::text, coalesce(((x.indoption::int2[])[k.pos - 1] & 2), 0)::text)::text
	from unnest(x.indkey::int2[]) with ordinality k(num, pos) order by k.pos)`

func (l *loader) indexes() {
	distinct := "false"
	if l.major >= 15 {
		distinct = "x.indnullsnotdistinct"
	}
	sql := `select x.indrelid, i.relname, am.amname, i.relkind = 'I', x.indisunique, x.indisvalid, x.indnkeyatts, ` + indexKeys + `,
		coalesce(pg_catalog.pg_get_expr(x.indpred, x.indrelid), ''),
		exists (select 1 from pg_catalog.pg_constraint k where k.conindid = x.indexrelid and k.contype in ('p', 'u', 'x')), ` + distinct + `
		from pg_catalog.pg_index x join pg_catalog.pg_class i on i.oid = x.indexrelid
		join pg_catalog.pg_am am on am.oid = i.relam where ` + ofUser("i") + ` order by 1, 2`
	var oid uint32
	var x catalog.Index
	var partitioned bool
	var nkeys int
	var keys []string
	dest := []any{&oid, &x.Name, &x.Method, &partitioned, &x.Unique, &x.Valid, &nkeys, &keys, &x.Predicate, &x.Constraint, &x.NullsNotDistinct}
	l.rows(sql, dest, func() {
		r := l.rels[oid]
		if r == nil {
			return
		}
		y := x
		// An index made ON ONLY a partitioned table stays invalid until every
		// partition has one attached.
		y.ParentOnly = partitioned && !x.Valid
		y.Keys, y.Include = nil, nil
		for i, text := range keys {
			k := indexKey(text)
			if i >= nkeys {
				y.Include = append(y.Include, k.Column)
				continue
			}
			y.Keys = append(y.Keys, k)
		}
		y.Keys = slices.Clip(y.Keys)
		for i := range y.Keys {
			l.later(&y.Keys[i].Expr, r.Name)
		}
		l.later(&y.Predicate, r.Name)
		r.Indexes = append(r.Indexes, &y)
	})
}
