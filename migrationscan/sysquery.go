package migrationscan

import (
	"fmt"
	"slices"

	"github.com/planvet/planvet/internal/pgast"
)

// Conditions and loops of DO blocks ask the system catalogs. They are answered
// from the replayed catalog, in a logic of true, false, NULL and unknown: what
// depends on rows of tables or on anything that is not modelled is unknown.
//
//  1. Each item of FROM is a list of rows; they are joined by nested loops.
//  2. An item that an equality with known things restricts comes early, and its
//     rows are looked up; after each item the plain conjuncts prune, the others
//     are tried at the end.
//  3. A row for which a conjunct stays unknown makes the answer unknown.

// unknown is a value that the replay cannot tell.
type unknown struct{}

// maxVisits bounds the rows that the queries of one DO block may look at.
const maxVisits = 500_000

// bound is a row under its alias; nil rows are not reached yet.
type bound struct {
	alias string
	row   sysRow
}

// asker evaluates one query level.
type asker struct {
	r     *replayer
	outer *asker
	rows  []bound
	ctes  map[string][]sysRow
	// vars are plpgsql variables by name, r.field for fields of records; params
	// names what $n stands for.
	vars   map[string]any
	params []pgast.PLVar
	visits *int
	// count is the number of rows, once they are counted.
	count *int64
	// block and at are the place in a DO block, for the values of its variables.
	block *block
	at    int
}

// answer is the rows of a query: the values of its select list by name.
type answer struct {
	rows  []map[string]any
	sure  bool
	names []string
	// seen are the rows of a SELECT DISTINCT.
	seen map[string]bool
}

func (a *asker) child() *asker {
	return &asker{r: a.r, outer: a, ctes: map[string][]sysRow{}, vars: a.vars, params: a.params, visits: a.visits, block: a.block, at: a.at}
}

// ask runs a select over system catalogs.
func (a *asker) ask(st pgast.Stmt) answer {
	s, ok := st.(*pgast.Select)
	if !ok || s.GroupBy != nil || s.Having != nil {
		return answer{}
	}
	q := a.child()
	if s.With != nil {
		for _, c := range s.With.CTEs {
			sub := q.ask(c.Query)
			if !sub.sure {
				return answer{}
			}
			q.ctes[c.Name] = renamed(sub, c.Columns)
		}
	}
	if s.Left != nil {
		left, right := q.ask(s.Left), q.ask(s.Right)
		return answer{rows: append(left.rows, right.rows...), sure: left.sure && right.sure && s.SetOp == "union", names: left.names}
	}
	if len(s.Values) > 0 {
		return q.values(s)
	}
	var sources []joinSource
	for _, it := range s.From {
		if sources, ok = q.sources(sources, it); !ok {
			return answer{}
		}
	}
	return q.join(s, sources)
}

func renamed(a answer, columns []string) []sysRow {
	var out []sysRow
	for _, m := range a.rows {
		for i := range min(len(columns), len(a.names)) {
			m[columns[i]] = m[a.names[i]]
		}
		out = append(out, record(m))
	}
	return out
}

func (a *asker) values(s *pgast.Select) answer {
	out := answer{sure: true}
	for i := range s.Values[0] {
		out.names = append(out.names, "column"+itoa(i+1))
	}
	for _, v := range s.Values {
		m := map[string]any{}
		for i, e := range v {
			m["column"+itoa(i+1)] = a.eval(e)
		}
		out.rows = append(out.rows, m)
	}
	return out
}

// joinSource is an item of FROM with its rows and the condition that it is joined by.
type joinSource struct {
	alias string
	table *sysTable
	on    pgast.Expr
	left  bool
}

func (a *asker) sources(out []joinSource, it pgast.FromItem) ([]joinSource, bool) {
	switch x := it.(type) {
	case *pgast.Table:
		t, ok := a.table(x)
		return append(out, joinSource{alias: x.RefName(), table: t}), ok
	case *pgast.Subquery:
		sub := a.ask(x.Query)
		return append(out, joinSource{alias: x.Alias, table: &sysTable{rows: renamed(sub, x.ColAliases)}}), sub.sure
	case *pgast.FuncTable:
		rows, ok := a.unnest(x)
		return append(out, joinSource{alias: x.Alias, table: &sysTable{rows: rows}}), ok
	case *pgast.Join:
		if x.Natural || len(x.Using) > 0 || x.Kind != pgast.JoinInner && x.Kind != pgast.JoinLeft && x.Kind != pgast.JoinCross {
			return out, false
		}
		out, ok := a.sources(out, x.Left)
		if !ok {
			return out, false
		}
		n := len(out)
		if out, ok = a.sources(out, x.Right); !ok || x.Kind == pgast.JoinLeft && len(out) != n+1 {
			return out, false
		}
		last := &out[len(out)-1]
		last.left = x.Kind == pgast.JoinLeft
		last.on = x.On
		return out, true
	}
	return out, false
}

func (a *asker) table(t *pgast.Table) (*sysTable, bool) {
	if t.Schema == "" {
		for l := a; l != nil; l = l.outer {
			if rows, ok := l.ctes[t.Name]; ok {
				return &sysTable{rows: rows}, true
			}
		}
	}
	if informationSchema[t.Name] != (t.Schema == "information_schema") || t.Schema != "" && !systemSchema(t.Schema) {
		return nil, false
	}
	return a.r.sysTable(t.Name)
}

// unnest is unnest(ARRAY[…]) with known values.
func (a *asker) unnest(x *pgast.FuncTable) ([]sysRow, bool) {
	if len(x.Calls) != 1 {
		return nil, false
	}
	f, ok := x.Calls[0].(*pgast.FuncCall)
	if !ok || f.Name[len(f.Name)-1] != "unnest" || len(f.Args) != 1 {
		return nil, false
	}
	list, ok := a.eval(f.Args[0]).([]any)
	name := x.Alias
	if len(x.ColAliases) > 0 {
		name = x.ColAliases[0]
	}
	var out []sysRow
	for _, v := range list {
		out = append(out, record(map[string]any{name: v}))
	}
	return out, ok
}

// join runs the nested loops.
func (a *asker) join(s *pgast.Select, sources []joinSource) answer {
	out := answer{sure: true}
	for _, t := range s.Targets {
		name := t.Name
		if name == "" {
			name = columnName(t.Expr)
		}
		out.names = append(out.names, name)
	}
	conds := pgast.Flatten(s.Where, pgast.And)
	for _, src := range sources {
		if src.on != nil && !src.left {
			conds = append(conds, pgast.Flatten(src.on, pgast.And)...)
		}
	}
	j := newJoin(sources, conds)
	for _, src := range j.sources {
		a.rows = append(a.rows, bound{alias: src.alias})
	}
	a.loop(s, j, 0, &out)
	if counts(s) && out.sure {
		n := int64(len(out.rows))
		a.count, out.rows = &n, nil
		a.emit(s, nil, &out)
	}
	return out
}

// counts reports whether a select list aggregates by count().
func counts(s *pgast.Select) bool {
	found := false
	for _, t := range s.Targets {
		pgast.Walk(t.Expr, func(n pgast.Node) bool {
			if f, ok := n.(*pgast.FuncCall); ok && f.Name[len(f.Name)-1] == "count" && f.Over == nil {
				found = true
			}
			_, sub := n.(*pgast.SubLink)
			return !sub
		})
	}
	return found
}

func (a *asker) loop(s *pgast.Select, j *join, depth int, out *answer) {
	if depth == len(j.sources) {
		a.emit(s, j.conds, out)
		return
	}
	src := j.sources[depth]
	matched := false
	for _, row := range a.candidates(j, src) {
		if *a.visits++; *a.visits > maxVisits {
			out.sure = false
			break
		}
		a.rows[depth].row = row
		if src.left && a.eval(src.on) != true {
			continue
		}
		matched = true
		if !slices.ContainsFunc(j.simple, func(c pgast.Expr) bool { v := a.eval(c); return v == false || v == nil }) {
			a.loop(s, j, depth+1, out)
		}
	}
	if src.left && !matched {
		a.rows[depth].row = func(string) (any, bool) { return nil, true }
		a.loop(s, j, depth+1, out)
	}
	a.rows[depth].row = nil
}

func (a *asker) emit(s *pgast.Select, conds []pgast.Expr, out *answer) {
	for _, c := range conds {
		switch a.eval(c) {
		case true:
		case false, nil:
			return
		default:
			out.sure = false
			return
		}
	}
	m := map[string]any{}
	key := ""
	for i, t := range s.Targets {
		v := a.eval(t.Expr)
		m[out.names[i]] = v
		key += fmt.Sprintf("%v\x00", v)
	}
	if s.Distinct {
		if out.seen == nil {
			out.seen = map[string]bool{}
		}
		if out.seen[key] {
			return
		}
		out.seen[key] = true
	}
	out.rows = append(out.rows, m)
}
