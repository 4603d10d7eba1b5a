package nplusone

import (
	"go/ast"
	"go/token"
	"go/types"
	"slices"
)

// moves marks a value that is not known to be the same in each turn, though it does
// not come from the element: a counter, uuid.New().
const moves origins = 1 << 62

// argument is what an argument of a query, or of a function that sends one, comes
// from.
func (t *taint) argument(e ast.Expr) origins {
	if t.steady(e) {
		return t.expr(e)
	}
	return t.expr(e) | moves
}

// steady reports whether an expression surely has the same value in each turn: a
// constant, a variable that is set once and outside the loop, or a field of one that
// no call can reach. Where the whole function is a turn the variable is a parameter.
func (t *taint) steady(e ast.Expr) bool {
	if t.info.Types[e].Value != nil {
		return true
	}
	if t.f == nil {
		return false
	}
	field := false
	for e = ast.Unparen(e); ; field = true {
		sel, ok := e.(*ast.SelectorExpr)
		if !ok {
			break
		}
		if s := t.info.Selections[sel]; s == nil || s.Kind() != types.FieldVal {
			return false
		}
		e = ast.Unparen(sel.X)
	}
	id, ok := e.(*ast.Ident)
	if !ok {
		return false
	}
	v, ok := t.info.ObjectOf(id).(*types.Var)
	if !ok {
		return false
	}
	if w := t.written(); w[v] || field && t.shared[v] {
		return false
	}
	if t.loop == nil {
		return slices.Contains(t.f.Params, types.Object(v))
	}
	in := func(n ast.Node) bool { return n.Pos() <= v.Pos() && v.Pos() < n.End() }
	return !in(t.loop.node) && (in(t.f.Body()) || slices.Contains(t.f.Params, types.Object(v)))
}

// written are the variables of the function that are set again after their
// definition, or whose address is taken. shared are then those that calls are handed,
// or are methods of: their fields may change.
func (t *taint) written() map[types.Object]bool {
	if t.writes != nil {
		return t.writes
	}
	t.writes, t.shared = map[types.Object]bool{}, map[types.Object]bool{}
	note := func(e ast.Expr) {
		if o := t.root(e); o != nil {
			t.writes[o] = true
		}
	}
	ast.Inspect(t.f.Body(), func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.AssignStmt:
			for _, l := range n.Lhs {
				if id, ok := l.(*ast.Ident); !ok || t.info.Defs[id] == nil {
					note(l)
				}
			}
		case *ast.IncDecStmt:
			note(n.X)
		case *ast.RangeStmt:
			for _, e := range []ast.Expr{n.Key, n.Value} {
				if e != nil && n.Tok == token.ASSIGN {
					note(e)
				}
			}
		case *ast.CallExpr:
			all := n.Args
			if sel, ok := ast.Unparen(n.Fun).(*ast.SelectorExpr); ok {
				all = append(slices.Clone(all), sel.X)
			}
			for _, a := range all {
				if _, plain := under(t.info.TypeOf(a)).(*types.Basic); !plain {
					t.shared[t.root(a)] = true
				}
			}
		case *ast.UnaryExpr:
			if n.Op == token.AND {
				note(n.X)
			}
		}
		return true
	})
	return t.writes
}

func under(t types.Type) types.Type {
	if t == nil {
		return nil
	}
	return t.Underlying()
}
