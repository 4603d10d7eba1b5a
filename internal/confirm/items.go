package confirm

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/planvet/planvet/internal/params"
	"github.com/planvet/planvet/internal/pgast"
	"github.com/planvet/planvet/rules"
)

// items are different values for the parameters that the loop varies, one row an
// item with a value for each of p.ItemParams, and the values of all parameters.
func (a *asker) items(p *rules.Probe, q *question) (items [][]*string, args []*string, err error) {
	stmt, err := pgast.Parse(p.SQL)
	if err != nil {
		return nil, nil, err
	}
	if s, ok := stmt.(*pgast.Insert); ok {
		return a.insertItems(p, q, s)
	}
	return a.keyItems(p, q, stmt)
}

// keyItems are values of the columns that the parameters are compared with; each
// item's values to be set are those of the row of another. The parameters that do not
// vary get the values that most items have, and items that answer with them come
// first, so that answers are compared and not silence.
func (a *asker) keyItems(p *rules.Probe, q *question, stmt pgast.Stmt) (items [][]*string, args []*string, err error) {
	s := params.NewScope(a.cat, stmt, focus(p))
	found := params.Comparisons(stmt, s)
	var keys, list []string
	alias := ""
	for i, n := range p.ItemParams {
		c, ok := found[n]
		if !ok || c.Alias == "" || alias != "" && c.Alias != alias {
			return nil, nil, fmt.Errorf("which column the item is compared with is not known")
		}
		alias = c.Alias
		as := fmt.Sprintf("k%d", i+1)
		if c.Op == "set" {
			list = append(list, fmt.Sprintf("min((%s)::text) as %s", c.Expr, as))
			continue
		}
		keys, list = append(keys, "("+c.Expr+")::text"), append(list, fmt.Sprintf("(%s)::text as %s", c.Expr, as))
	}
	if len(keys) == 0 {
		return nil, nil, fmt.Errorf("which column the item is compared with is not known")
	}
	args = slices.Clone(q.sets[typical].args)
	from := ident(s.ByAlias[alias].Name) + " as " + quote(alias)
	there := strings.Join(keys, " is not null and ") + " is not null"
	hit := "true"
	var others []string
	var params []int
	for _, n := range slices.Sorted(maps.Keys(found)) {
		if c := found[n]; !slices.Contains(p.ItemParams, n) && c.Alias == alias && c.Op == "=" && !c.Derived && !slices.Contains(others, "("+c.Expr+")::text") {
			params, others = append(params, n), append(others, "("+c.Expr+")::text")
		}
	}
	if len(others) > 0 {
		rows, err := a.visible(q, fmt.Sprintf("select %[1]s from %[2]s where %[3]s group by %[1]s order by count(distinct (%[4]s)) desc, %[1]s limit 1",
			strings.Join(others, ", "), from, there, strings.Join(keys, ", ")), nil, 1)
		if err != nil {
			return nil, nil, err
		}
		for i, n := range params {
			if len(rows) == 1 && rows[0][i] != nil {
				args[n-1] = rows[0][i]
			}
		}
	}
	var given []*string
	for i, n := range params {
		given = append(given, args[n-1])
		hit += fmt.Sprintf(" and %s = $%d", others[i], i+1)
	}
	columns, by := make([]string, len(list)), make([]string, 0, len(keys))
	for i, n := range p.ItemParams {
		columns[i] = fmt.Sprintf("k%d", i+1)
		if found[n].Op != "set" {
			by = append(by, columns[i])
		}
	}
	sql := fmt.Sprintf("select %[1]s from (select %[2]s, bool_or(%[3]s) as hit from %[4]s where %[5]s group by %[6]s) q order by hit desc nulls last, md5(concat_ws('|', %[7]s)), %[7]s limit %[8]d",
		strings.Join(columns, ", "), strings.Join(list, ", "), hit, from, there, strings.Join(keys, ", "), strings.Join(by, ", "), most)
	rows, err := a.visible(q, sql, given, most)
	if err != nil {
		return nil, nil, err
	}
	for k := range rows {
		item := slices.Clone(rows[k])
		for i, n := range p.ItemParams {
			if found[n].Op == "set" {
				item[i] = rows[(k+1)%len(rows)][i]
			}
		}
		items = append(items, item)
	}
	return items, args, nil
}

// insertItems are the values of rows that are there, which satisfy the table's
// constraints, and makes room for them: the rows go, until the transaction is rolled
// back. With ON CONFLICT every second one stays, so that both of its arms are seen.
func (a *asker) insertItems(p *rules.Probe, q *question, s *pgast.Insert) (items [][]*string, args []*string, err error) {
	columns := map[int]string{}
	if s.Source == nil || len(s.Source.Values) != 1 {
		return nil, nil, fmt.Errorf("the statement inserts no row of values")
	}
	for i, x := range s.Source.Values[0] {
		if c, ok := x.(*pgast.Cast); ok {
			x = c.Arg
		}
		if n, ok := x.(*pgast.Param); ok && i < len(s.Columns) {
			columns[n.Number] = quote(s.Columns[i])
		}
	}
	var mine, rest, list []string
	var others []int
	for i, n := range p.ItemParams {
		if columns[n] == "" {
			return nil, nil, fmt.Errorf("which column $%d is for is not known", n)
		}
		mine, list = append(mine, columns[n]+"::text"), append(list, fmt.Sprintf("%s::text as k%d", columns[n], i+1))
	}
	for _, n := range slices.Sorted(maps.Keys(columns)) {
		if !slices.Contains(p.ItemParams, n) {
			others, rest = append(others, n), append(rest, fmt.Sprintf("%s::text as o%d", columns[n], n))
		}
	}
	rel := a.cat.Relation(p.Schema, p.Table)
	if rel == nil || !rel.IsTable() {
		return nil, nil, fmt.Errorf("the statement inserts into no table of the catalog")
	}
	key := strings.Join(mine, ", ")
	sql := fmt.Sprintf("select * from (select distinct on (%[1]s) %[2]s from %[3]s where %[4]s is not null order by %[1]s) q order by md5(q::text), q::text limit %[5]d",
		key, strings.Join(append(list, rest...), ", "), ident(rel.Name), strings.Join(mine, " is not null and "), most)
	rows, err := a.visible(q, sql, nil, most)
	if err != nil {
		return nil, nil, err
	}
	args = slices.Clone(q.sets[typical].args)
	var gone []string
	for k, r := range rows {
		items = append(items, r[:len(mine)])
		if k == 0 {
			for i, n := range others {
				args[n-1] = r[len(mine)+i]
			}
		}
		if s.OnConflict == nil || k%2 == 0 {
			texts := make([]string, len(mine))
			for i := range texts {
				texts[i] = literal(*r[i])
			}
			gone = append(gone, "("+strings.Join(texts, ", ")+")")
		}
	}
	if len(gone) == 0 {
		return items, args, nil
	}
	// As a replica's: no trigger runs, and no key refuses.
	return items, args, a.o.Server.Exec(a.ctx, fmt.Sprintf("set local session_replication_role = replica; delete from %s where (%s) in (%s); set local session_replication_role = origin",
		ident(rel.Name), key, strings.Join(gone, ", ")))
}

// arrayOfAny is an array's text; nil is NULL.
func arrayOfAny(values []*string) string {
	quoted := make([]string, len(values))
	for i, v := range values {
		if quoted[i] = "NULL"; v != nil {
			quoted[i] = strings.Trim(params.ArrayOf(*v), "{}")
		}
	}
	return "{" + strings.Join(quoted, ",") + "}"
}
