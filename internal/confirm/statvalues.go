package confirm

import (
	"fmt"
	"slices"
	"strings"

	"github.com/planvet/planvet/catalog"
	"github.com/planvet/planvet/internal/params"
)

// column is what statistics say of a column's values, as texts; nil is unknown.
type column struct {
	typ string
	// values are those of the three sets: one that is neither frequent nor the rarest,
	// the most frequent, the rarest that is listed or one from the middle.
	values [nsets]*string
	// at are values by the share of rows below them.
	at map[string]*string
}

// shares are those that fillRanges asks for.
var shares = []string{"0.01", "0.2", "0.5", "0.51", "0.7", "0.8", "0.99"}

// columnsOf reads the statistics of a table's columns, once.
func (a *asker) columnsOf(rel catalog.Name) (map[string]column, error) {
	if known, ok := a.columns[rel]; ok {
		return known, nil
	}
	var at []string
	for _, s := range shares {
		at = append(at, fmt.Sprintf("h[1 + floor(%s * (array_length(h, 1) - 1))::int]", s))
	}
	rows, err := a.o.Server.Query(a.ctx, `select a.attname::text, format_type(a.atttypid, a.atttypmod),
		coalesce(h[(array_length(h, 1) + 1) / 2], m[(array_length(m, 1) + 1) / 2]), coalesce(m[1], h[(array_length(h, 1) + 1) / 2]),
		coalesce(h[(array_length(h, 1) + 1) / 2], m[array_length(m, 1)]), `+strings.Join(at, ", ")+`
		from pg_attribute a left join (
			select distinct on (attname) attname, most_common_vals::text::text[] as m, histogram_bounds::text::text[] as h
			from pg_stats where schemaname = $1 and tablename = $2 order by attname, inherited desc) s on s.attname = a.attname
		where a.attrelid = to_regclass($3) and a.attnum > 0 and not a.attisdropped`, ptr(rel.Schema), ptr(rel.Name), ptr(ident(rel)))
	if err != nil {
		return nil, err
	}
	out := map[string]column{}
	for _, r := range rows {
		c := column{typ: *r[1], values: [nsets]*string{typical: r[2], frequent: r[3], rare: r[4]}, at: map[string]*string{}}
		for i, s := range shares {
			c.at[s] = r[5+i]
		}
		out[*r[0]] = c
	}
	a.columns[rel] = out
	return out, nil
}

// invented is the row that a set of values would be of, by statistics alone: each
// column has its own value of the set, as if columns knew nothing of each other, which
// is what the planner thinks.
func (a *asker) invented(rel catalog.Name, alias string, exprs []string) ([][]*string, error) {
	columns, err := a.columnsOf(rel)
	if err != nil {
		return nil, err
	}
	names := make([]string, 0, len(columns))
	for n := range columns {
		names = append(names, n)
	}
	slices.Sort(names)
	var sets []string
	for k := range nsets {
		list := []string{fmt.Sprintf("%d as planvet_set", k)}
		for _, n := range names {
			value := "null"
			if v := columns[n].values[k]; v != nil {
				value = literal(*v)
			}
			list = append(list, fmt.Sprintf("%s::%s as %s", value, columns[n].typ, quote(n)))
		}
		sets = append(sets, "select "+strings.Join(list, ", "))
	}
	texts := make([]string, len(exprs))
	for i, e := range exprs {
		texts[i] = "(" + e + ")::text"
	}
	sql := fmt.Sprintf("select %s from (%s) as %s order by planvet_set", strings.Join(texts, ", "), strings.Join(sets, " union all "), quote(alias))
	if rows, ok := a.samples[sql]; ok {
		return rows, nil
	}
	rows, err := a.o.Server.Query(a.ctx, sql)
	if err != nil {
		return nil, err
	}
	a.samples[sql] = rows
	return rows, nil
}

// shareOf is the value of a column below which a share of the rows lies; nil where
// the expression is no column, or has no histogram.
func (a *asker) shareOf(rel catalog.Name, c params.Compared, share string) *string {
	columns, err := a.columnsOf(rel)
	if err != nil || len(c.Columns) != 1 {
		return nil
	}
	name := c.Columns[0]
	if last := c.Expr[strings.LastIndexByte(c.Expr, '.')+1:]; last != name && last != quote(name) {
		return nil
	}
	return columns[name].at[share]
}

// listed reports whether statistics list a value of which a condition on one column
// is true, and doubts where they cannot tell.
func (a *asker) listed(rel catalog.Name, alias, name, condition string) bool {
	columns, err := a.columnsOf(rel)
	if err != nil {
		return false
	}
	rows, err := a.o.Server.Query(a.ctx, fmt.Sprintf(`select exists (select 1 from (select v::%s as %s from (
		select unnest(most_common_vals::text::text[]) as v from pg_stats where schemaname = $1 and tablename = $2 and attname = $3) m) as %s where %s)`,
		columns[name].typ, quote(name), quote(alias), condition), ptr(rel.Schema), ptr(rel.Name), ptr(name))
	return err == nil && len(rows) == 1 && *rows[0][0] == "t"
}
