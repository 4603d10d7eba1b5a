package shadow

import (
	"context"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/planvet/planvet/internal/pgast"
)

// sieve is what made rows are held against before they are inserted: conditions
// over several columns that values made column by column meet in part of the rows,
// and unique keys that ON CONFLICT cannot watch.
type sieve struct {
	// checks are conditions over the table's columns.
	checks []string
	// keys are all unique keys, where one of them is deferrable; nil elsewhere.
	keys []uniqueKey
}

// uniqueKey is a unique index: expressions over the table's columns.
type uniqueKey struct {
	exprs     []string
	predicate string
}

// sieve reads a table's CHECKs and unique keys from the server, whose names resolve
// as this session resolves them.
func (m *Maker) sieve(ctx context.Context, g *generator) (s sieve, err error) {
	table := literal(ident(g.rel.Name)) + "::regclass"
	rows, err := m.conn.Query(ctx, "select pg_get_expr(conbin, conrelid) from pg_constraint where contype = 'c' and conrelid = "+table+" order by conname")
	if err != nil {
		return s, err
	}
	checks, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return s, err
	}
	for _, c := range checks {
		if g.knows(c) {
			s.checks = append(s.checks, c)
		}
	}
	rows, err = m.conn.Query(ctx, `select array(select pg_get_indexdef(indexrelid, k, false) from generate_series(1, indnkeyatts) k), coalesce(pg_get_expr(indpred, indrelid), '')
		from pg_index where indisunique and indrelid = `+table+` and exists (
			select 1 from pg_index where indisunique and not indimmediate and indrelid = `+table+`) order by indexrelid`)
	if err != nil {
		return s, err
	}
	var key uniqueKey
	_, err = pgx.ForEachRow(rows, []any{&key.exprs, &key.predicate}, func() error {
		if g.knows(append([]string{key.predicate}, key.exprs...)...) {
			s.keys = append(s.keys, key)
		}
		key = uniqueKey{}
		return nil
	})
	return s, err
}

// knows reports whether all columns of some expressions have their values from the
// generator, or none.
func (g *generator) knows(exprs ...string) bool {
	known := true
	for _, text := range exprs {
		if text == "" {
			continue
		}
		e, err := pgast.ParseExpr(text)
		if err != nil {
			return false
		}
		pgast.Walk(e, func(n pgast.Node) bool {
			if ref, ok := n.(*pgast.ColumnRef); ok && !ref.Star {
				name := ref.Names[len(ref.Names)-1]
				c := g.rel.Column(name)
				known = known && c != nil && (g.column(name) != nil || !c.HasDefault && !c.Generated)
			}
			return true
		})
	}
	return known
}

// empty are the columns that nothing fills, as a select list.
func (g *generator) empty() string {
	out := ""
	for _, c := range g.rel.Columns {
		if g.column(c.Name) == nil && !c.HasDefault && !c.Generated {
			out += ", null::" + c.Type + " as " + quote(c.Name)
		}
	}
	return out
}

// number names the row's number among a table's columns.
const number = `"planvet i"`

// through puts the rows of a select, which has the number among its columns, through
// the sieve. What is in the table already counts where fresh is not set.
func (g *generator) through(rows string, fresh bool) string {
	if g.sifted && len(g.sieve.checks) > 0 {
		var conds []string
		for _, c := range g.sieve.checks {
			conds = append(conds, "("+c+") is not false")
		}
		rows = "select * from (" + rows + ") q where " + strings.Join(conds, " and ")
	}
	if len(g.sieve.keys) == 0 {
		return rows
	}
	var ranks, conds []string
	for i, k := range g.sieve.keys {
		list := strings.Join(k.exprs, ", ")
		by, free := list, []string{}
		for _, e := range k.exprs {
			free = append(free, "("+e+") is null")
		}
		if k.predicate != "" {
			by, free = by+", ("+k.predicate+") is true", append(free, "("+k.predicate+") is not true")
		}
		ranks = append(ranks, fmt.Sprintf(`row_number() over (partition by %s order by %s) as "planvet %d"`, by, number, i))
		first := fmt.Sprintf(`"planvet %d" = 1`, i)
		if !fresh {
			where := ""
			if k.predicate != "" {
				where = " where " + k.predicate
			}
			first += fmt.Sprintf(" and ((%s) in (select %s from %s%s)) is not true", list, list, ident(g.rel.Name), where)
		}
		conds = append(conds, "("+strings.Join(append(free, first), " or ")+")")
	}
	return fmt.Sprintf("select * from (select *, %s from (%s) q) q where %s", strings.Join(ranks, ", "), rows, strings.Join(conds, " and "))
}
