package params

import (
	"strings"

	"github.com/planvet/planvet/catalog"
	"github.com/planvet/planvet/internal/pgast"
)

// Scope is what the names of a statement mean. It is flat: who asks only needs to
// know which table a column belongs to, and where two blocks disagree the table in
// focus wins.
type Scope struct {
	cat *catalog.Catalog
	// ByAlias are the relations by the names that refer to them.
	ByAlias map[string]*catalog.Relation
	// Order are those names in the order of the text.
	Order []string
	// Flagged is the alias of the relation in focus.
	Flagged string
}

// Focus names the relation that wins where two blocks of a statement disagree: the
// one of a finding. The zero value prefers none.
type Focus struct{ Schema, Table, Alias string }

// NewScope reads a statement's relations out of a catalog.
func NewScope(cat *catalog.Catalog, stmt pgast.Stmt, f Focus) *Scope {
	s := &Scope{cat: cat, ByAlias: map[string]*catalog.Relation{}}
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
		hit := r.Schema == f.Schema && r.Name.Name == f.Table
		if _, twice := s.ByAlias[alias]; !twice || hit {
			s.ByAlias[alias] = r
			s.Order = append(s.Order, alias)
		}
		if hit && (s.Flagged == "" || alias == f.Alias) {
			s.Flagged = alias
		}
		return true
	})
	return s
}

// Column finds the relation that a reference means, "" when it is none of the
// statement's tables.
func (s *Scope) Column(c *pgast.ColumnRef) (alias, column string) {
	if c.Star || len(c.Names) == 0 {
		return "", ""
	}
	column = c.Names[len(c.Names)-1]
	if len(c.Names) > 1 {
		alias = c.Names[len(c.Names)-2]
		if r := s.ByAlias[alias]; r != nil && r.Column(column) != nil {
			return alias, column
		}
		return "", ""
	}
	if r := s.ByAlias[s.Flagged]; r != nil && r.Column(column) != nil {
		return s.Flagged, column
	}
	for _, a := range s.Order {
		if s.ByAlias[a].Column(column) != nil {
			return a, column
		}
	}
	return "", ""
}

// Subject is the one relation that an expression's columns belong to; "" when it
// has none, or several.
func (s *Scope) Subject(e pgast.Expr) (alias string, columns []string) {
	one := true
	pgast.Walk(e, func(n pgast.Node) bool {
		switch n := n.(type) {
		case *pgast.SubLink:
			one = false
			return false
		case *pgast.ColumnRef:
			a, c := s.Column(n)
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

// Compared is a comparison of a table's expression with parameters.
type Compared struct {
	Alias string
	// Expr is the table's side as SQL; Columns are those in it.
	Expr    string
	Columns []string
	// Op is the operator with the table's side on the left, "any" for = ANY ($n),
	// "like", "limit", "offset".
	Op string
	// Param is n of $n. Infix is set where the statement adds the % itself, Prefix
	// where it adds it behind alone: $1 || '%'. Derived is set where it computes with the
	// parameter: now() - $1.
	Param   int
	Infix   bool
	Prefix  bool
	Derived bool
	// Cast is the type that the statement casts the parameter to: one that it compares
	// with a text as well is a text to the server.
	Cast string
}

// Comparisons finds what each parameter of a statement is compared with.
func Comparisons(stmt pgast.Stmt, s *Scope) map[int]Compared {
	out := map[int]Compared{}
	note := func(table, other pgast.Expr, op string) {
		alias, columns := s.Subject(table)
		n, infix := paramOf(other)
		if alias == "" || n == 0 {
			return
		}
		if have, ok := out[n]; ok && have.Alias == s.Flagged {
			return
		}
		out[n] = Compared{Alias: alias, Expr: pgast.Format(table), Columns: columns, Op: op, Param: n, Infix: infix, Prefix: infix && begins(other), Derived: computes(other)}
	}
	pgast.Walk(stmt, func(n pgast.Node) bool {
		switch n := n.(type) {
		case *pgast.Op:
			comparison(n, note)
		case *pgast.Select:
			if k, _ := paramOf(n.Limit); k > 0 {
				out[k] = Compared{Op: "limit", Param: k}
			}
			if k, _ := paramOf(n.Offset); k > 0 {
				out[k] = Compared{Op: "offset", Param: k}
			}
		case *pgast.Update:
			for _, t := range n.Set {
				if k, _ := paramOf(t.Expr); k > 0 && n.Table != nil {
					if _, ok := out[k]; !ok {
						out[k] = Compared{Alias: n.Table.RefName(), Expr: quote(t.Name), Columns: []string{t.Name}, Op: "set", Param: k}
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
			have.Cast = TypeName(c.Type.Names[len(c.Type.Names)-1])
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

// begins reports whether a text that is put together begins with a parameter.
func begins(e pgast.Expr) bool {
	switch x := e.(type) {
	case *pgast.Param:
		return true
	case *pgast.Cast:
		return begins(x.Arg)
	case *pgast.Op:
		return x.Name == "||" && begins(x.Left)
	case *pgast.FuncCall:
		return len(x.Args) > 0 && x.Name[len(x.Name)-1] == "concat" && begins(x.Args[0])
	}
	return false
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

func quote(name string) string { return `"` + strings.ReplaceAll(name, `"`, `""`) + `"` }
