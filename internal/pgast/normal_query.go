package pgast

import (
	"strings"
)

// scope is a query level: what FROM brings in, and the levels around it.
type scope struct {
	parent *scope
	level  int
	items  []scopeItem
	ctes   map[string][]string
	// blind is set where the query does not see the items of the level around it: a
	// CTE, and a subquery in FROM without LATERAL.
	blind bool
	// limit is one more than the number of items that can be seen, 0 for all: a
	// function in FROM sees those before it.
	limit int
}

func (s *scope) visible() []scopeItem {
	if s.limit > 0 {
		return s.items[:s.limit-1]
	}
	return s.items
}

// scopeItem is a relation in scope.
type scopeItem struct {
	// ref is the name in the source text, alias the unique one.
	ref, alias  string
	schema, rel string
	// cols are the columns of a subquery, CTE or function; nil when unknown.
	cols []string
	// self is the table that the expression belongs to; single a function with one
	// column, which goes by the item's name.
	self, single bool
}

// column qualifies a column, or strips it where it belongs to self.
func (n *normalizer) column(v *ColumnRef) Expr {
	out := &ColumnRef{Names: v.Names, Star: v.Star}
	if len(v.Names) == 0 {
		return out
	}
	col := v.Names[len(v.Names)-1]
	item := n.find(v)
	if item == nil {
		return out
	}
	switch {
	case v.Star:
		out.Names = []string{item.alias}
	case item.single:
		out.Names = []string{item.alias, item.alias}
	case item.self && n.scope.level == 0:
		out.Names = []string{col}
	default:
		out.Names = []string{item.alias, col}
	}
	return out
}

// find is the item in scope that a reference means: the innermost level that has
// it; a level with one relation of unknown columns is taken to have any.
func (n *normalizer) find(v *ColumnRef) *scopeItem {
	q := v.Names
	if !v.Star {
		q = q[:len(q)-1]
	}
	col := v.Names[len(v.Names)-1]
	blind := false
	for s := n.scope; s != nil; s = s.parent {
		skip := blind
		blind = s.blind
		if skip {
			continue
		}
		var unknown []*scopeItem
		items := s.visible()
		for i := range items {
			it := &items[i]
			if len(q) > 0 {
				if q[len(q)-1] == it.ref && (len(q) == 1 || q[len(q)-2] == it.schema || it.schema == "") {
					return it
				}
				continue
			}
			switch n.has(it, col) {
			case yes:
				return it
			case maybe:
				unknown = append(unknown, it)
			}
		}
		if len(q) == 0 && len(unknown) == 1 {
			return unknown[0]
		}
		if len(q) == 0 && len(unknown) > 1 {
			return nil
		}
	}
	return nil
}

type answer int

const (
	no answer = iota
	yes
	maybe
)

func (n *normalizer) has(it *scopeItem, col string) answer {
	if it.single && (col == it.ref || len(it.cols) == 1 && col == it.cols[0] || col == "value") {
		return yes
	}
	if it.cols != nil {
		for _, c := range it.cols {
			if c == col {
				return yes
			}
		}
		return no
	}
	if it.rel == "" || n.env == nil {
		return maybe
	}
	if n.env.ColumnType(it.schema, it.rel, col) != "" {
		return yes
	}
	if _, known := n.env.Relation(it.schema, it.rel); known && !it.self {
		return no
	}
	if it.self {
		return maybe
	}
	return maybe
}

func (n *normalizer) columnType(v *ColumnRef) string {
	if n.env == nil || v.Star || len(v.Names) == 0 {
		return ""
	}
	it := n.find(v)
	if it == nil || it.rel == "" {
		return ""
	}
	return n.base(n.typeText(n.env.ColumnType(it.schema, it.rel, v.Names[len(v.Names)-1])))
}

// base is the base type of a domain, any other type itself.
func (n *normalizer) base(typ string) string {
	d, ok := n.env.(DomainTyper)
	if !ok || typ == "" {
		return typ
	}
	q := qualified(strings.Split(typ, "."))
	if b := d.DomainBase(q.Schema, q.Name); b != "" {
		return n.typeText(b)
	}
	return typ
}

// query normalises a subquery or a view's query.
//
// Names come before contents: PostgreSQL makes the aliases of a level unique before
// it prints what is inside it, CTEs included.
func (n *normalizer) query(s Stmt, exists, blind bool) Stmt {
	v, ok := s.(*Select)
	if !ok || v == nil {
		return s
	}
	outer := n.scope
	n.scope = &scope{parent: outer, level: outer.level + 1, blind: blind}
	defer func() { n.scope = outer }()
	out := &Select{SetOp: v.SetOp, All: v.All, Distinct: v.Distinct, GroupDistinct: v.GroupDistinct, WithTies: v.WithTies, Locking: v.Locking}
	n.declare(v.With)
	var named []string
	for _, f := range v.From {
		named = n.collect(f, named)
	}
	out.With = n.with(v.With)
	if v.SetOp != "" {
		out.Left, _ = n.query(v.Left, false, false).(*Select)
		out.Right, _ = n.query(v.Right, false, false).(*Select)
		dropNames(out.Right)
		out.OrderBy = v.OrderBy // by output name or number, which the arms decide
		out.Limit, out.Offset = n.expr(v.Limit, true), n.expr(v.Offset, true)
		return out
	}
	for _, row := range v.Values {
		out.Values = append(out.Values, n.exprs(row, true))
	}
	for _, f := range v.From {
		out.From = append(out.From, n.from(f, &named))
	}
	out.Targets = n.targets(v.Targets)
	if exists && plainExists(v) {
		out.Targets = []Target{{Expr: &Const{Kind: ConstInt, Text: "1"}}}
	}
	out.DistinctOn = n.outputs(v.DistinctOn, v, true)
	out.Where = n.expr(v.Where, false)
	out.GroupBy = n.outputs(v.GroupBy, v, false)
	out.Having = n.expr(v.Having, false)
	for _, w := range v.Windows {
		out.Windows = append(out.Windows, NamedWindow{Name: w.Name, Window: n.window(w.Window)})
	}
	for _, o := range v.OrderBy {
		o.Expr = n.output(o.Expr, v, true)
		out.OrderBy = append(out.OrderBy, o)
	}
	out.Limit, out.Offset = n.expr(v.Limit, true), n.expr(v.Offset, true)
	return out
}

// plainExists reports whether a query has rows whatever its select list is.
func plainExists(v *Select) bool {
	return v.SetOp == "" && v.Values == nil && !v.Distinct && v.DistinctOn == nil && v.GroupBy == nil && v.Having == nil &&
		len(v.Targets) > 0 && !aggregates(v.Targets)
}

func aggregates(ts []Target) bool {
	found := false
	for _, t := range ts {
		Walk(t.Expr, func(x Node) bool {
			switch x := x.(type) {
			case *FuncCall:
				switch last(x.Name) {
				case "count", "sum", "min", "max", "avg", "bool_or", "bool_and", "every", "array_agg", "string_agg", "unnest", "generate_series":
					found = true
				}
			case *SubLink:
				return false
			}
			return !found
		})
	}
	return found
}

// declare brings the names of CTEs into scope.
func (n *normalizer) declare(v *With) {
	if v == nil {
		return
	}
	n.scope.ctes = map[string][]string{}
	for _, c := range v.CTEs {
		cols := c.Columns
		if s, ok := c.Query.(*Select); ok && cols == nil {
			cols = n.outputNames(s)
		}
		n.scope.ctes[c.Name] = cols
	}
}

func (n *normalizer) with(v *With) *With {
	if v == nil {
		return nil
	}
	out := &With{Recursive: v.Recursive}
	all := n.scope.ctes
	if !v.Recursive { // a CTE sees those before it, not itself
		n.scope.ctes = map[string][]string{}
	}
	for _, c := range v.CTEs {
		out.CTEs = append(out.CTEs, CTE{Name: c.Name, Columns: c.Columns, Query: n.query(c.Query, false, true),
			Materialized: c.Materialized, Extra: c.Extra})
		n.scope.ctes[c.Name] = all[c.Name]
	}
	return out
}

func (n *normalizer) cte(name string) (cols []string, ok bool) {
	for s := n.scope; s != nil; s = s.parent {
		if cols, ok := s.ctes[name]; ok {
			return cols, true
		}
	}
	return nil, false
}
