package embedsql

import (
	"go/ast"
	"go/token"
	"go/types"
)

func (w *walker) declare(s *ast.DeclStmt) {
	g, ok := s.Decl.(*ast.GenDecl)
	if !ok {
		return
	}
	for _, spec := range g.Specs {
		vs, ok := spec.(*ast.ValueSpec)
		if !ok {
			continue
		}
		for _, v := range vs.Values {
			w.visit(v)
		}
		for i, n := range vs.Names {
			switch {
			case len(vs.Values) == 0:
				if o := w.pkg.Info.Defs[n]; o != nil {
					w.env[o] = zero(o.Type())
				}
			case len(vs.Values) == len(vs.Names):
				w.set(n, w.eval(vs.Values[i]))
			default:
				w.setResult(n, vs.Values[0], i)
			}
		}
	}
}

func (w *walker) assign(s *ast.AssignStmt) {
	for _, r := range s.Rhs {
		w.visit(r)
	}
	for _, l := range s.Lhs {
		if _, ok := l.(*ast.Ident); !ok {
			w.visit(l)
		}
	}
	if s.Tok == token.ADD_ASSIGN && len(s.Lhs) == 1 {
		if w.isText(s.Lhs[0]) {
			w.set(s.Lhs[0], concat(w.eval(s.Lhs[0]), w.eval(s.Rhs[0])))
		}
		return
	}
	if len(s.Lhs) != len(s.Rhs) {
		if len(s.Rhs) == 1 {
			for i, l := range s.Lhs {
				w.setResult(l, s.Rhs[0], i)
			}
		}
		return
	}
	vals := make([]value, len(s.Rhs))
	for i, r := range s.Rhs {
		vals[i] = w.eval(r)
	}
	for i, l := range s.Lhs {
		w.set(l, vals[i])
	}
}

// setResult assigns the i-th result of a call, or the value of a map's element.
func (w *walker) setResult(l, r ast.Expr, i int) {
	switch r := ast.Unparen(r).(type) {
	case *ast.CallExpr:
		w.set(l, w.callResult(r, i))
	default:
		if i == 0 {
			w.set(l, w.eval(r))
		}
	}
}

// set assigns to a variable, or to a field or element of one.
func (w *walker) set(l ast.Expr, v value) {
	switch l := ast.Unparen(l).(type) {
	case *ast.Ident:
		if o := w.pkg.Info.ObjectOf(l); o != nil {
			if _, isVar := o.(*types.Var); isVar && o.Parent() != nil && w.pkg.Types != nil && o.Parent() == w.pkg.Types.Scope() {
				return // a package's variable: its initial value stands
			}
			w.env[o] = v
		}
	case *ast.SelectorExpr:
		id, ok := ast.Unparen(l.X).(*ast.Ident)
		if !ok {
			return
		}
		o := w.pkg.Info.ObjectOf(id)
		base, ok := w.env[o]
		if !ok || base.fields == nil {
			return
		}
		fs := map[string]value{}
		for k, f := range base.fields {
			fs[k] = f
		}
		fs[l.Sel.Name] = v
		base.fields = fs
		w.env[o] = base
	case *ast.IndexExpr:
		id, ok := ast.Unparen(l.X).(*ast.Ident)
		if !ok {
			return
		}
		o := w.pkg.Info.ObjectOf(id)
		if base, ok := w.env[o]; ok && base.list {
			key, _ := w.texts1(l.Index)
			base.items = append(base.items[:len(base.items):len(base.items)], v)
			base.keys = append(base.keys[:len(base.keys):len(base.keys)], key)
			w.env[o] = base
		}
	case *ast.StarExpr:
		w.set(l.X, v)
	}
}
