package nplusone

import (
	"go/ast"
	"go/token"
	"go/types"

	"github.com/planvet/planvet/analyzers/program"
)

// origins is a set of places that a value comes from: bit i for the i-th parameter
// of a function, the receiver after the last; item for what a loop varies.
type origins uint64

const item origins = 1 << 63

func paramBit(i int) origins {
	if i < 0 || i > 60 {
		return 0
	}
	return 1 << i
}

type taintKey struct {
	f *program.Func
	l *loop
}

// taint tells for the variables of a function what they come from. It does not
// look at the order of statements, and so rather sees a dependence than misses one.
type taint struct {
	info *types.Info
	of   map[types.Object]origins
	// f and loop are what steady looks at; f is nil where nothing is known to be.
	f    *program.Func
	loop *loop
	// writes and shared are written's answer.
	writes, shared map[types.Object]bool
}

// taintOf follows the parameters of f, and what loop l varies when it is not nil.
func (c *checker) taintOf(f *program.Func, l *loop) *taint {
	k := taintKey{f, l}
	if t, ok := c.taints[k]; ok {
		return t
	}
	t := &taint{info: f.Pkg.Info, of: map[types.Object]origins{}, f: f, loop: l}
	c.taints[k] = t
	for i, p := range f.Params {
		if p != nil {
			t.of[p] |= paramBit(i)
		}
	}
	if f.Recv != nil {
		t.of[f.Recv] |= paramBit(len(f.Params))
	}
	if l != nil {
		for _, v := range l.vars {
			if v != nil {
				t.of[v] |= item
			}
		}
	}
	for range 6 {
		if !t.pass(f.Body()) {
			break
		}
	}
	return t
}

// pass follows every assignment once and reports whether anything was new.
func (t *taint) pass(body ast.Node) (changed bool) {
	add := func(e ast.Expr, o origins) {
		obj := t.root(e)
		if obj == nil || o == 0 || t.of[obj]&o == o || isContext(obj.Type()) || isError(obj.Type()) {
			return
		}
		t.of[obj] |= o
		changed = true
	}
	ast.Inspect(body, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.AssignStmt:
			for i, l := range n.Lhs {
				r := n.Rhs[0]
				if len(n.Lhs) == len(n.Rhs) {
					r = n.Rhs[i]
				}
				add(l, t.expr(r))
			}
		case *ast.ValueSpec:
			for i, l := range n.Names {
				if len(n.Values) == len(n.Names) {
					add(l, t.expr(n.Values[i]))
				} else if len(n.Values) == 1 {
					add(l, t.expr(n.Values[0]))
				}
			}
		case *ast.RangeStmt:
			o := t.expr(n.X)
			if n.Key != nil {
				add(n.Key, o)
			}
			if n.Value != nil {
				add(n.Value, o)
			}
		case *ast.CallExpr:
			// What a call is given an address of, it fills from its other arguments.
			var o origins
			for _, a := range n.Args {
				o |= t.expr(a)
			}
			if sel, ok := ast.Unparen(n.Fun).(*ast.SelectorExpr); ok {
				o |= t.expr(sel.X)
			}
			for _, a := range n.Args {
				if u, ok := ast.Unparen(a).(*ast.UnaryExpr); ok && u.Op == token.AND {
					add(u.X, o)
				}
			}
		}
		return true
	})
	return changed
}

// root is the variable that an expression is part of.
func (t *taint) root(e ast.Expr) types.Object {
	for {
		switch x := ast.Unparen(e).(type) {
		case *ast.Ident:
			return t.info.ObjectOf(x)
		case *ast.SelectorExpr:
			e = x.X
		case *ast.IndexExpr:
			e = x.X
		case *ast.StarExpr:
			e = x.X
		case *ast.UnaryExpr:
			e = x.X
		default:
			return nil
		}
	}
}

// expr is what an expression comes from.
func (t *taint) expr(e ast.Expr) origins {
	var o origins
	if e == nil {
		return 0
	}
	ast.Inspect(e, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncLit:
			return false
		case *ast.SelectorExpr:
			o |= t.expr(n.X)
			return false
		case *ast.KeyValueExpr:
			o |= t.expr(n.Value)
			return false
		case *ast.Ident:
			if obj := t.info.ObjectOf(n); obj != nil {
				o |= t.of[obj]
			}
		}
		return true
	})
	return o
}

func isContext(t types.Type) bool {
	p, n := program.TypeName(t)
	return p == "context" && n == "Context"
}

func isError(t types.Type) bool { return t != nil && t.String() == "error" }
