package confirm

import (
	"strings"

	"github.com/planvet/planvet/catalog"
	"github.com/planvet/planvet/internal/pgast"
	"github.com/planvet/planvet/rules"
)

// scope is what the names of a statement mean. It is flat: the probe only needs
// to know which table a column belongs to, and where two blocks disagree the
// flagged table wins.
type scope struct {
	cat *catalog.Catalog
	// byAlias are the relations by the names that refer to them.
	byAlias map[string]*catalog.Relation
	order   []string
	// flagged is the alias of the finding's relation.
	flagged string
}

func newScope(cat *catalog.Catalog, stmt pgast.Stmt, p *rules.Probe) *scope {
	s := &scope{cat: cat, byAlias: map[string]*catalog.Relation{}}
	pgast.Walk(stmt, func(n pgast.Node) bool {
		t, ok := n.(*pgast.Table)
		if !ok {
			return true
		}
		r := cat.Resolve(t.Schema, t.Name, nil)
		if r == nil {
			return true
		}
		alias := t.RefName()
		hit := r.Schema == p.Schema && r.Name.Name == p.Table
		if _, twice := s.byAlias[alias]; !twice || hit {
			s.byAlias[alias] = r
			s.order = append(s.order, alias)
		}
		if hit && (s.flagged == "" || alias == p.Alias) {
			s.flagged = alias
		}
		return true
	})
	return s
}

// column finds the relation that a reference means, "" when it is none of the
// statement's tables.
func (s *scope) column(c *pgast.ColumnRef) (alias, column string) {
	if c.Star || len(c.Names) == 0 {
		return "", ""
	}
	column = c.Names[len(c.Names)-1]
	if len(c.Names) > 1 {
		alias = c.Names[len(c.Names)-2]
		if r := s.byAlias[alias]; r != nil && r.Column(column) != nil {
			return alias, column
		}
		return "", ""
	}
	if r := s.byAlias[s.flagged]; r != nil && r.Column(column) != nil {
		return s.flagged, column
	}
	for _, a := range s.order {
		if s.byAlias[a].Column(column) != nil {
			return a, column
		}
	}
	return "", ""
}

// subject is the one relation that an expression's columns belong to; "" when it
// has none, or several.
func (s *scope) subject(e pgast.Expr) (alias string, columns []string) {
	one := true
	pgast.Walk(e, func(n pgast.Node) bool {
		switch n := n.(type) {
		case *pgast.SubLink:
			one = false
			return false
		case *pgast.ColumnRef:
			a, c := s.column(n)
			if a == "" || alias != "" && a != alias {
				one = false
				return false
			}
			alias, columns = a, append(columns, c)
		}
		return true
	})
	if !one {
		return "", nil
	}
	return alias, columns
}

// compared is a comparison of a table's expression with parameters.
type compared struct {
	alias string
	// expr is the table's side as SQL; columns are those in it.
	expr    string
	columns []string
	// op is the operator with the table's side on the left, "any" for = ANY ($n),
	// "like", "limit", "offset".
	op string
	// param is n of $n. infix is set where the statement adds the % itself, derived
	// where it computes with the parameter: now() - $1.
	param   int
	infix   bool
	derived bool
	// cast is the type that the statement casts the parameter to: one that it compares
	// with a text as well is a text to the server.
	cast string
}

// comparisons finds what each parameter of a statement is compared with.
func comparisons(stmt pgast.Stmt, s *scope) map[int]compared {
	out := map[int]compared{}
	note := func(table, other pgast.Expr, op string) {
		alias, columns := s.subject(table)
		n, infix := paramOf(other)
		if alias == "" || n == 0 {
			return
		}
		if have, ok := out[n]; ok && have.alias == s.flagged {
			return
		}
		out[n] = compared{alias: alias, expr: pgast.Format(table), columns: columns, op: op, param: n, infix: infix, derived: computes(other)}
	}
	pgast.Walk(stmt, func(n pgast.Node) bool {
		switch n := n.(type) {
		case *pgast.Op:
			comparison(n, note)
		case *pgast.Select:
			if k, _ := paramOf(n.Limit); k > 0 {
				out[k] = compared{op: "limit", param: k}
			}
			if k, _ := paramOf(n.Offset); k > 0 {
				out[k] = compared{op: "offset", param: k}
			}
		case *pgast.Update:
			for _, t := range n.Set {
				if k, _ := paramOf(t.Expr); k > 0 && n.Table != nil {
					if _, ok := out[k]; !ok {
						out[k] = compared{alias: n.Table.RefName(), expr: quote(t.Name), columns: []string{t.Name}, op: "set", param: k}
					}
				}
			}
		}
		return true
	})
	pgast.Walk(stmt, func(n pgast.Node) bool {
		c, ok := n.(*pgast.Cast)
		if !ok || c.Type.ArrayDims > 0 || len(c.Type.Names) == 0 {
			return true
		}
		if p, ok := c.Arg.(*pgast.Param); ok {
			have := out[p.Number]
			have.cast = typeName(c.Type.Names[len(c.Type.Names)-1])
			out[p.Number] = have
		}
		return true
	})
	return out
}

// comparison hands the two sides of an operator to note, the table's side first.
func comparison(n *pgast.Op, note func(table, other pgast.Expr, op string)) {
	if n.Left == nil {
		return
	}
	switch n.Kind {
	case pgast.OpPlain, pgast.OpNotDistinct:
		note(n.Left, n.Right, n.Name)
		note(n.Right, n.Left, mirrored(n.Name))
	case pgast.OpLike, pgast.OpILike, pgast.OpSimilar:
		note(n.Left, n.Right, "like")
	case pgast.OpAny:
		if n.Name == "=" {
			note(n.Left, n.Right, "any")
			note(n.Right, n.Left, "member")
		}
	case pgast.OpIn, pgast.OpBetween:
		l, ok := n.Right.(*pgast.List)
		for i := 0; ok && i < len(l.Items); i++ {
			op := "="
			if n.Kind == pgast.OpBetween {
				op = []string{">=", "<="}[min(i, 1)]
			}
			note(n.Left, l.Items[i], op)
		}
	}
}

func mirrored(op string) string {
	switch op {
	case "<":
		return ">"
	case ">":
		return "<"
	case "<=":
		return ">="
	case ">=":
		return "<="
	}
	return op
}

// paramOf is the one parameter of an expression without columns, 0 for none or
// several. infix is set when it stands between text: '%' || $1 || '%'.
func paramOf(e pgast.Expr) (n int, infix bool) {
	switch x := e.(type) {
	case nil:
		return 0, false
	case *pgast.Param:
		return x.Number, false
	case *pgast.Cast:
		return paramOf(x.Arg)
	}
	one := true
	pgast.Walk(e, func(m pgast.Node) bool {
		switch m := m.(type) {
		case *pgast.Param:
			one = one && (n == 0 || n == m.Number)
			n = m.Number
		case *pgast.ColumnRef, *pgast.SubLink:
			one = false
		case *pgast.Op:
			infix = infix || m.Name == "||"
		case *pgast.FuncCall:
			if len(m.Name) > 0 && strings.HasPrefix(m.Name[len(m.Name)-1], "concat") {
				infix = true
			}
		}
		return true
	})
	if !one {
		return 0, false
	}
	return n, infix
}

// computes reports whether an expression does arithmetic.
func computes(e pgast.Expr) bool {
	found := false
	pgast.Walk(e, func(n pgast.Node) bool {
		op, ok := n.(*pgast.Op)
		found = found || ok && op.Kind == pgast.OpPlain && op.Name != "||"
		return true
	})
	return found
}

// ordered reports whether a statement needs an order: ORDER BY with LIMIT, min or
// max, at any level.
func ordered(stmt pgast.Stmt) bool {
	found := false
	pgast.Walk(stmt, func(n pgast.Node) bool {
		switch n := n.(type) {
		case *pgast.Select:
			found = found || n.Limit != nil && len(n.OrderBy) > 0
		case *pgast.FuncCall:
			last := n.Name[len(n.Name)-1]
			found = found || last == "min" || last == "max"
		}
		return true
	})
	return found
}
