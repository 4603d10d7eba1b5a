package nplusone

import (
	"go/ast"
	"go/constant"
	"go/token"
	"go/types"
)

// flushes reports whether a branch inside of a loop sends what the turns before have
// gathered: it stands under len(list) >= n, or empties a list, where the list is older
// than the loop. Its queries run once a chunk.
func flushes(info *types.Info, loop ast.Node, st *ast.IfStmt) bool {
	older := func(e ast.Expr) bool {
		for {
			sel, ok := ast.Unparen(e).(*ast.SelectorExpr)
			if !ok {
				break
			}
			e = sel.X
		}
		id, ok := ast.Unparen(e).(*ast.Ident)
		if !ok {
			return false
		}
		v, ok := info.ObjectOf(id).(*types.Var)
		return ok && (v.Pos() < loop.Pos() || v.Pos() >= loop.End())
	}
	gathered := func(e ast.Expr) bool {
		switch under(info.TypeOf(e)).(type) {
		case *types.Slice, *types.Map:
			return older(e)
		}
		return false
	}
	full := false
	ast.Inspect(st.Cond, func(n ast.Node) bool {
		b, ok := n.(*ast.BinaryExpr)
		if !ok || b.Op != token.GEQ && b.Op != token.GTR && b.Op != token.EQL {
			return true
		}
		c, ok := ast.Unparen(b.X).(*ast.CallExpr)
		full = full || ok && calledName(c) == "len" && len(c.Args) == 1 && gathered(c.Args[0]) && many(info.Types[b.Y].Value)
		return true
	})
	if full {
		return true
	}
	for _, s := range st.Body.List {
		switch s := s.(type) {
		case *ast.AssignStmt:
			for i, l := range s.Lhs {
				if s.Tok == token.ASSIGN && len(s.Lhs) == len(s.Rhs) && gathered(l) && isEmpty(info, s.Rhs[i]) {
					return true
				}
			}
		case *ast.ExprStmt:
			if c, ok := s.X.(*ast.CallExpr); ok && calledName(c) == "clear" && len(c.Args) == 1 && gathered(c.Args[0]) {
				return true
			}
		}
	}
	return false
}

// many reports whether a length is compared with more than one: with a size that is
// set elsewhere, or a constant.
func many(v constant.Value) bool {
	if v == nil {
		return true
	}
	n, ok := constant.Int64Val(constant.ToInt(v))
	return ok && n > 1
}

// isEmpty recognises nil, list[:0], []T{}, make([]T, 0).
func isEmpty(info *types.Info, e ast.Expr) bool {
	switch e := ast.Unparen(e).(type) {
	case *ast.Ident:
		return info.Types[e].IsNil()
	case *ast.CompositeLit:
		return len(e.Elts) == 0
	case *ast.SliceExpr:
		v := info.Types[e.High].Value
		return e.Low == nil && v != nil && constant.Sign(v) == 0
	case *ast.CallExpr:
		return calledName(e) == "make"
	}
	return false
}
