package sqllint_test

import (
	"fmt"
	"slices"
	"strings"
)

// use is a table or a view under an alias.
type use struct {
	randomTable
	alias string
}

func (u use) from() string { return u.name + " " + u.alias }

func (u use) ref(c column) string { return u.alias + "." + c.name }

func (g *generator) use() use {
	t := oneOf(g, g.tables)
	if len(g.views) > 0 && g.chance(15) && !g.viewed { // a second one would have the same aliases inside
		t, g.viewed = oneOf(g, g.views), true
	}
	return g.as(t)
}

func (g *generator) as(t randomTable) use {
	g.names++
	return use{t, fmt.Sprintf("x%d", g.names)}
}

// predicate is a condition on one of the uses.
func (g *generator) predicate(us ...use) string {
	u := oneOf(g, us)
	c := oneOf(g, u.cols)
	return g.fill(oneOf(g, c.preds), u.ref(c), c.kind)
}

// condition is one to three predicates.
func (g *generator) condition(us ...use) string {
	ps := []string{g.predicate(us...)}
	for range g.IntN(3) {
		ps = append(ps, g.predicate(us...))
	}
	if len(ps) > 1 && g.chance(20) {
		ps = []string{"(" + strings.Join(ps[:2], " or ") + ")", ps[len(ps)-1]}
	}
	if g.chance(8) {
		ps[0] = "not (" + ps[0] + ")"
	}
	return strings.Join(ps, " and ")
}

// pair is an equality of columns of one type, true where there are none.
func (g *generator) pair(a, b use) string {
	var all []string
	for _, x := range a.cols {
		for _, y := range b.cols {
			if x.kind == y.kind && x.typ != "boolean" {
				all = append(all, a.ref(x)+" = "+b.ref(y))
			}
		}
	}
	if len(all) == 0 {
		return "true"
	}
	return oneOf(g, all)
}

func (g *generator) order(u use) string {
	var keys []string
	for range 1 + g.IntN(2) {
		c := oneOf(g, u.cols)
		if slices.Contains([]string{"jsonb", "integer[]", "text[]"}, c.typ) {
			continue
		}
		keys = append(keys, u.ref(c)+oneOf(g, []string{"", "", " desc", " desc nulls last", " nulls first"}))
	}
	if len(keys) == 0 {
		keys = []string{u.ref(u.cols[0])}
	}
	return " order by " + strings.Join(keys, ", ") + " limit 10"
}

// statement makes one statement and some sets of values for its parameters.
func (g *generator) statement() (sql string, sets [][]*string) {
	g.args, g.names, g.viewed = nil, 0, false
	sql = oneOf(g, forms)(g)
	for i := range 10 {
		var set []*string
		for j, values := range g.args {
			set = append(set, &values[(i+i/5*j)%len(values)])
		}
		sets = append(sets, set)
		if len(g.args) == 0 {
			break
		}
	}
	return sql, sets
}

// view is a view's query and sets its columns; it has no parameters.
func (g *generator) view(v *randomTable) string {
	u := g.as(oneOf(g, g.tables))
	u.alias = v.name + "a"
	v.cols = u.cols
	var names []string
	for _, c := range u.cols {
		names = append(names, u.ref(c))
	}
	list := strings.Join(names, ", ")
	c := oneOf(g, u.cols)
	switch g.IntN(4) {
	case 0:
		return "select " + list + " from " + u.from()
	case 1:
		return "select " + list + " from " + u.from() + " where " + g.fill(oneOf(g, c.wheres), u.ref(c), c.kind)
	case 2:
		w := use{oneOf(g, g.tables), v.name + "b"}
		return "select " + list + " from " + u.from() + " join " + w.from() + " on " + g.pair(u, w)
	}
	if slices.ContainsFunc(u.cols, func(c column) bool { return strings.HasPrefix(c.typ, "json") }) {
		return "select " + list + " from " + u.from()
	}
	return "select " + list + " from " + u.from() + " group by " + list
}

var forms = []func(*generator) string{
	single, single, single, single,
	func(g *generator) string { // joins
		a, b := g.use(), g.use()
		kind := oneOf(g, []string{" join ", " join ", " left join ", " right join ", " full join "})
		return "select 1 from " + a.from() + kind + b.from() + " on " + g.pair(a, b) + " where " + g.condition(a, b)
	},
	func(g *generator) string {
		a, b, c := g.use(), g.use(), g.use()
		kind := oneOf(g, []string{" join ", " left join "})
		return "select 1 from " + a.from() + " join " + b.from() + " on " + g.pair(a, b) + kind + c.from() + " on " + g.pair(oneOf(g, []use{a, b}), c) +
			" and " + g.predicate(c) + " where " + g.condition(a, b)
	},
	func(g *generator) string { // semi and anti joins
		a, b := g.use(), g.use()
		not := oneOf(g, []string{"", "", "not "})
		if g.chance(50) {
			return "select 1 from " + a.from() + " where " + not + "exists (select 1 from " + b.from() + " where " + g.pair(a, b) + " and " + g.condition(b) +
				") and " + g.predicate(a)
		}
		return "select 1 from " + a.from() + " where " + a.ref(a.cols[0]) + " " + not + "in (select " + b.ref(b.cols[0]) + " from " + b.from() + " where " +
			g.condition(b) + ")"
	},
	func(g *generator) string { // scalar subqueries
		a, b := g.use(), g.use()
		return "select (select max(" + b.ref(b.cols[0]) + ") from " + b.from() + " where " + g.pair(a, b) + ") from " + a.from() + " where " + g.condition(a)
	},
	func(g *generator) string {
		a, b := g.use(), g.use()
		return "select 1 from " + a.from() + " where " + a.ref(a.cols[0]) + " = (select " + b.ref(b.cols[0]) + " from " + b.from() + " where " + g.condition(b) +
			" limit 1)"
	},
	func(g *generator) string { // CTEs
		a := g.use()
		how := oneOf(g, []string{"", "", " materialized", " not materialized"})
		w := use{randomTable{"w", a.cols}, "w"}
		sql := "with w as" + how + " (select * from " + a.from() + oneOf(g, []string{"", " where " + g.predicate(a)}) + ") select 1 from w"
		if how != " not materialized" && g.chance(25) {
			sql += " join w w2 on w.id = w2.id"
		}
		return sql + " where " + g.condition(w)
	},
	func(g *generator) string { // derived tables
		a := g.use()
		s := use{a.randomTable, "s"}
		q := "select " + a.alias + ".* from " + a.from()
		switch g.IntN(6) {
		case 0:
			q += " where " + g.predicate(a)
		case 1:
			q = "select " + a.ref(a.cols[0]) + ", count(*) n from " + a.from() + " group by 1"
			s.cols = s.cols[:1]
		case 2:
			q = "select distinct on (id) * from " + a.from()
			s.cols = s.cols[:1]
		case 3:
			q += " where " + g.predicate(a) + g.order(a)
		case 4:
			b := g.as(oneOf(g, g.tables)) // a view twice would have the same aliases inside
			a, s.cols = b, b.cols
			b.alias += "b"
			q = "select " + a.alias + ".* from " + a.from()
			q += " union all select " + b.alias + ".* from " + b.from() + " where " + g.predicate(b)
		case 5:
			q = "select " + a.alias + ".*, row_number() over (partition by id) n from " + a.from()
		}
		return "select 1 from (" + q + ") s where " + g.condition(s)
	},
	func(g *generator) string { // order and limit, min and max
		a := g.use()
		if g.chance(25) {
			return "select " + oneOf(g, []string{"min", "max"}) + "(" + a.ref(a.cols[0]) + ") from " + a.from() + oneOf(g, []string{"", " where " + g.predicate(a)})
		}
		if g.chance(30) {
			return "select 1 from " + a.from() + g.order(a)
		}
		return "select 1 from " + a.from() + " where " + g.condition(a) + g.order(a)
	},
	func(g *generator) string { // lateral
		a, b := g.use(), g.use()
		return "select 1 from " + a.from() + ", lateral (select * from " + b.from() + " where " + g.pair(a, b) + g.order(b) + ") l where " + g.condition(a)
	},
	func(g *generator) string { // writes
		a, b := g.as(oneOf(g, g.tables)), g.use()
		switch g.IntN(5) {
		case 0:
			return "update " + a.from() + " set id = " + a.alias + ".id where " + g.condition(a)
		case 1:
			return "delete from " + a.from() + " where " + g.condition(a)
		case 2:
			return "update " + a.from() + " set id = " + a.alias + ".id from " + b.from() + " where " + g.pair(a, b) + " and " + g.condition(a, b)
		case 3:
			return "delete from " + a.from() + " using " + b.from() + " where " + g.pair(a, b) + " and " + g.condition(b)
		}
		return "insert into " + a.name + " select " + a.alias + ".* from " + a.from() + " where " + g.condition(a)
	},
}

func single(g *generator) string {
	a := g.use()
	sql := "select 1 from " + a.from() + " where " + g.condition(a)
	if c := oneOf(g, a.cols); g.chance(10) {
		sql += " and " + g.fill("({n} is null or {c} = {n})", a.ref(c), c.kind)
	}
	return sql
}
