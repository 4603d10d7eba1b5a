package embedsql

import (
	"go/ast"
	"go/types"

	"github.com/planvet/planvet/analyzers/program"
)

func (w *walker) result(s *ast.ReturnStmt) {
	for _, r := range s.Results {
		w.visit(r)
	}
	var vals []value
	t := w.fn.Decl
	switch {
	case len(s.Results) == 0 && w.fn.Lit == nil && t.Type.Results != nil:
		for _, f := range t.Type.Results.List {
			for _, n := range f.Names {
				vals = append(vals, w.env[w.pkg.Info.Defs[n]])
			}
		}
	case len(s.Results) == 1:
		if tup, ok := w.pkg.Info.TypeOf(s.Results[0]).(*types.Tuple); ok {
			if c, ok := ast.Unparen(s.Results[0]).(*ast.CallExpr); ok {
				for i := range tup.Len() {
					vals = append(vals, w.callResult(c, i))
				}
			}
			break
		}
		fallthrough
	default:
		for _, r := range s.Results {
			vals = append(vals, w.eval(r))
		}
	}
	if w.fails(s) {
		for i, v := range vals {
			if len(v.texts) != 1 {
				continue
			}
			if c, ok := v.texts[0].constant(); ok && c == "" {
				vals[i] = value{} // nobody runs what came with an error
			}
		}
	}
	old := w.out.returns[w.fn]
	for i, v := range vals {
		if i < len(old) {
			old[i] = either(old[i], v)
		} else {
			old = append(old, v)
		}
	}
	w.out.returns[w.fn] = old
}

// fails reports whether a return gives an error: its last value is one, and not nil.
func (w *walker) fails(s *ast.ReturnStmt) bool {
	if len(s.Results) < 2 {
		return false
	}
	last := w.pkg.Info.Types[s.Results[len(s.Results)-1]]
	return last.Type != nil && !last.IsNil() && types.Implements(last.Type, errorType)
}

var errorType = types.Universe.Lookup("error").Type().Underlying().(*types.Interface)

// returns is the i-th result of a function, with its parameters as pieces.
func (x *extraction) returns(f *program.Func, i int) value {
	t := (*ast.FuncType)(nil)
	if f.Lit != nil {
		t = f.Lit.Type
	} else {
		t = f.Decl.Type
	}
	if t.Results == nil || !returnsText(f, t) {
		return value{}
	}
	w := x.walk(f)
	if w == nil {
		return value{}
	}
	if vs := w.returns[f]; i < len(vs) {
		return vs[i]
	}
	return value{}
}

// returnsText spares walking functions whose results hold no text.
func returnsText(f *program.Func, t *ast.FuncType) bool {
	for _, r := range t.Results.List {
		ty := f.Pkg.Info.TypeOf(r.Type)
		if ty == nil {
			return true
		}
		switch u := ty.Underlying().(type) {
		case *types.Basic:
			if u.Info()&types.IsString != 0 {
				return true
			}
		case *types.Slice:
			if b, ok := u.Elem().Underlying().(*types.Basic); ok && b.Info()&types.IsString != 0 {
				return true
			}
		case *types.Map:
			if b, ok := u.Elem().Underlying().(*types.Basic); ok && b.Info()&types.IsString != 0 {
				return true
			}
		}
		if _, n := program.TypeName(ty); n == "Stmt" || n == "Builder" || n == "Buffer" {
			return true
		}
	}
	return false
}
