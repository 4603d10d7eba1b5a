package confirm

import (
	"strings"

	"github.com/planvet/planvet/catalog"
	"github.com/planvet/planvet/internal/params"
	"github.com/planvet/planvet/internal/pgast"
	"github.com/planvet/planvet/internal/plan"
	"github.com/planvet/planvet/rules"
)

// drawn are two sets of values for a statement's parameters on a named server, from
// its statistics: a frequent value of the columns that they are compared with, and
// one from the middle. It returns nil where a parameter is compared with no column
// that has statistics. The values are data: they go into plans and nowhere else.
func (a *asker) drawn(p *rules.Probe, sql, alias string, types []string) [][]*string {
	stmt, err := pgast.Parse(sql)
	if err != nil || len(types) == 0 {
		return nil
	}
	s := params.NewScope(a.cat, stmt, params.Focus{Schema: p.Schema, Table: p.Table, Alias: alias})
	found := params.Comparisons(stmt, s)
	sets := [][]*string{make([]*string, len(types)), make([]*string, len(types))}
	for i, typ := range types {
		c, ok := found[i+1]
		switch {
		case !ok || c.Derived:
			return nil
		case c.Op == "limit":
			sets[0][i], sets[1][i] = ptr("20"), ptr("20")
			continue
		case c.Op == "offset":
			sets[0][i], sets[1][i] = ptr("0"), ptr("0")
			continue
		case len(c.Columns) != 1 || !strings.HasSuffix(c.Expr, c.Columns[0]) && !strings.HasSuffix(c.Expr, quote(c.Columns[0])):
			return nil
		}
		often, middle := a.common(s.ByAlias[c.Alias].Name, c.Columns[0])
		if often == nil {
			return nil
		}
		sets[0][i], sets[1][i] = ptr(c.Shape(*often, typ)), ptr(c.Shape(*middle, typ))
	}
	return sets
}

// common are a frequent value of a column and one of the middle; nil without
// statistics, or without the right to see them.
func (a *asker) common(rel catalog.Name, column string) (often, middle *string) {
	rows, err := a.o.Server.Query(a.ctx, `select (most_common_vals::text::text[])[1],
		(histogram_bounds::text::text[])[(array_length(histogram_bounds::text::text[], 1) + 1) / 2]
		from pg_catalog.pg_stats where schemaname = $1 and tablename = $2 and attname = $3 order by inherited desc limit 1`,
		ptr(rel.Schema), ptr(rel.Name), ptr(column))
	if err != nil || len(rows) == 0 {
		return nil, nil
	}
	often, middle = rows[0][0], rows[0][1]
	if often == nil {
		often = middle
	}
	if middle == nil {
		middle = often
	}
	return often, middle
}

// everyPlan judges the plan for every value and those for drawn ones.
func (a *asker) everyPlan(q *question, sets [][]*string, defs plan.Indexes) (out structural, err error) {
	generic := q.request(typical)
	generic.Generic = true
	all := []plan.Request{generic}
	for _, args := range sets {
		r := q.request(typical)
		r.Args = args
		all = append(all, r)
	}
	return a.judged(q, all, defs)
}
