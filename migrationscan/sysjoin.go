package migrationscan

import (
	"slices"
	"strings"

	"github.com/planvet/planvet/internal/pgast"
)

// sysTable is a system catalog's rows with lookups by the text of a column. It is
// kept until the catalog changes.
type sysTable struct {
	rows  []sysRow
	index map[string]map[string][]sysRow
}

// sysTable reads a system catalog.
func (r *replayer) sysTable(name string) (*sysTable, bool) {
	if t, ok := r.system[name]; ok {
		return t, true
	}
	load := sysRelations[name]
	if load == nil {
		return nil, false
	}
	rows := load(r)
	if kinds := viewKinds[name]; kinds != "" {
		rows = slices.DeleteFunc(rows, func(row sysRow) bool {
			k, _ := row("kind")
			return !strings.Contains(kinds, k.(string))
		})
	}
	t := &sysTable{rows: rows}
	if r.system == nil {
		r.system = map[string]*sysTable{}
	}
	r.system[name] = t
	return t, true
}

// lookup finds the rows whose column has a text; ok is false where some row does
// not say.
func (t *sysTable) lookup(column, value string) (rows []sysRow, ok bool) {
	x, built := t.index[column]
	if !built {
		x = map[string][]sysRow{}
		for _, row := range t.rows {
			v, known := row(column)
			s, text := v.(string)
			if !known || !text && v != nil {
				x = nil
				break
			}
			if text {
				x[s] = append(x[s], row)
			}
		}
		if t.index == nil {
			t.index = map[string]map[string][]sysRow{}
		}
		t.index[column] = x
	}
	return x[value], x != nil
}

// join is the plan of a query's nested loops.
type join struct {
	sources []joinSource
	// conds are all conjuncts, simple those that are worth trying after each item.
	conds, simple []pgast.Expr
	equals        []equality
}

// equality is column = expression.
type equality struct {
	alias, column string
	value         pgast.Expr
}

// newJoin orders the items: one that an equality ties to what is known before it
// comes first. Outer joins keep the order as written.
func newJoin(sources []joinSource, conds []pgast.Expr) *join {
	j := &join{conds: conds}
	aliases := map[string]bool{}
	for _, s := range sources {
		aliases[s.alias] = true
	}
	for _, c := range conds {
		if plain(c) {
			j.simple = append(j.simple, c)
		}
		j.addEquality(c, sources)
	}
	if slices.ContainsFunc(sources, func(s joinSource) bool { return s.left }) {
		j.sources = sources
		return j
	}
	rest, known := slices.Clone(sources), map[string]bool{}
	for len(rest) > 0 {
		next := max(0, slices.IndexFunc(rest, func(s joinSource) bool { return j.tied(s, aliases, known) }))
		j.sources = append(j.sources, rest[next])
		known[rest[next].alias] = true
		rest = slices.Delete(rest, next, next+1)
	}
	return j
}

// plain reports whether a conjunct is cheap: no call and no subquery.
func plain(e pgast.Expr) bool {
	cheap := true
	pgast.Walk(e, func(n pgast.Node) bool {
		switch n.(type) {
		case *pgast.FuncCall, *pgast.SubLink:
			cheap = false
		}
		return cheap
	})
	return cheap
}

func (j *join) addEquality(c pgast.Expr, sources []joinSource) {
	o, ok := c.(*pgast.Op)
	if !ok || o.Kind != pgast.OpPlain || o.Name != "=" {
		return
	}
	for _, side := range [][2]pgast.Expr{{o.Left, o.Right}, {o.Right, o.Left}} {
		col, ok := side[0].(*pgast.ColumnRef)
		if !ok || col.Star {
			continue
		}
		alias := ""
		switch {
		case len(col.Names) > 1:
			alias = col.Names[len(col.Names)-2]
		case len(sources) == 1:
			alias = sources[0].alias
		}
		j.equals = append(j.equals, equality{alias, col.Names[len(col.Names)-1], side[1]})
	}
}

// tied reports whether an equality restricts an item by what is known.
func (j *join) tied(s joinSource, aliases, known map[string]bool) bool {
	return slices.ContainsFunc(j.equals, func(e equality) bool {
		if e.alias != s.alias {
			return false
		}
		ok := true
		pgast.Walk(e.value, func(n pgast.Node) bool {
			if c, is := n.(*pgast.ColumnRef); is {
				q := ""
				if len(c.Names) > 1 {
					q = c.Names[len(c.Names)-2]
				}
				ok = ok && (known[q] || q != "" && !aliases[q])
			}
			return ok
		})
		return ok
	})
}

// candidates are the rows of an item that an equality leaves.
func (a *asker) candidates(j *join, s joinSource) []sysRow {
	for _, e := range j.equals {
		if e.alias != s.alias || s.left {
			continue
		}
		if v, ok := a.eval(e.value).(string); ok {
			if rows, ok := s.table.lookup(e.column, v); ok {
				return rows
			}
		}
	}
	return s.table.rows
}
