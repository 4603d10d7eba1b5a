package embedsql

import (
	"go/ast"
	"go/types"

	"github.com/planvet/planvet/analyzers/program"
)

// visit looks at the calls and literals of an expression, innermost first as they
// run.
func (w *walker) visit(e ast.Expr) {
	if e == nil {
		return
	}
	ast.Inspect(e, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncLit:
			w.literalBody(n)
			return false
		case *ast.CallExpr:
			w.visit(n.Fun)
			for _, a := range n.Args {
				w.visit(a)
			}
			w.call(n)
			return false
		}
		return true
	})
}

// literalBody walks a function literal where it stands: what it captures has the
// values of this place.
func (w *walker) literalBody(l *ast.FuncLit) {
	if w.seen[l] {
		return
	}
	w.seen[l] = true
	f := w.x.prog.LitFunc(l)
	if f == nil {
		return
	}
	fn, before, loops := w.fn, w.env, w.loops
	w.fn, w.env, w.loops = f, before.clone(), 0
	w.named(f)
	w.block(l.Body.List)
	w.fn, w.env, w.loops = fn, before, loops
}

// call records what a later step may ask of a call, and what it does to builders.
func (w *walker) call(c *ast.CallExpr) {
	w.builderEffect(c)
	if s := w.x.sinkOf(w.pkg, c); s != nil {
		if _, again := w.out.loop[c]; !again {
			w.out.sinks = append(w.out.sinks, sinkCall{w.fn, c, s})
		}
		w.out.loop[c] = w.loops > 0
		if s.arg >= 0 && s.arg < len(c.Args) {
			w.record(c, s.arg)
			if s.arg == 2 {
				w.record(c, 1) // the name that pgx prepares it under
			}
		}
		if sel, ok := ast.Unparen(c.Fun).(*ast.SelectorExpr); ok && s.arg < 0 {
			if p, ok := w.eval(sel.X).prepared.(*ast.CallExpr); ok {
				w.out.prepared[c] = p
			}
		}
		return
	}
	w.out.loop[c] = w.loops > 0
	o := program.Target(w.pkg.Info, c)
	if o == nil {
		if id, ok := ast.Unparen(c.Fun).(*ast.Ident); ok && w.x.prog.BoundLit(w.pkg.Info.ObjectOf(id)) != nil {
			for i, a := range c.Args {
				if w.isText(a) {
					w.record(c, i)
				}
			}
		}
		return
	}
	if o.Pkg() == nil || !w.x.prog.Own(o.Pkg().Path()) && w.x.imported(w.x.prog.Key(o)) == nil {
		return
	}
	sig, _ := o.Type().(*types.Signature)
	if sig == nil {
		return
	}
	for i := range c.Args {
		if i < sig.Params().Len() && holdsText(sig.Params().At(i).Type()) {
			w.record(c, i)
		}
	}
}

func holdsText(t types.Type) bool {
	switch u := t.Underlying().(type) {
	case *types.Basic:
		return u.Info()&types.IsString != 0
	case *types.Slice:
		b, ok := u.Elem().Underlying().(*types.Basic)
		return ok && b.Info()&types.IsString != 0
	case *types.Pointer:
		b, ok := u.Elem().Underlying().(*types.Basic)
		return ok && b.Info()&types.IsString != 0
	}
	return false
}

func (w *walker) record(c *ast.CallExpr, i int) {
	m := w.out.args[c]
	if m == nil {
		m = map[int]value{}
		w.out.args[c] = m
	}
	m[i] = either(m[i], w.eval(c.Args[i]))
}

// builderEffect follows writes to strings.Builder and bytes.Buffer. A builder or
// string whose address is handed out has a hole at its end from then on.
func (w *walker) builderEffect(c *ast.CallExpr) {
	name := calledName(c)
	if sel, ok := ast.Unparen(c.Fun).(*ast.SelectorExpr); ok && w.isBuilder(sel.X) {
		switch name {
		case "WriteString", "Write":
			w.write(sel.X, w.eval(c.Args[0]))
		case "WriteByte", "WriteRune":
			v := hole(holeAny, "a byte")
			if tv, ok := w.pkg.Info.Types[c.Args[0]]; ok && tv.Value != nil {
				if n, exact := int64Of(tv); exact {
					v = plain(string(rune(n)))
				}
			}
			w.write(sel.X, v)
		case "Reset", "Truncate":
			w.set(deref(sel.X), plain("").with(byBuilder))
		}
		return
	}
	if len(c.Args) == 0 {
		return
	}
	if w.isBuilder(c.Args[0]) {
		switch name {
		case "Fprintf":
			w.write(c.Args[0], w.sprintf(c.Args[1:]))
			return
		case "Fprint", "WriteString", "Fprintln":
			out := plain("")
			for _, a := range c.Args[1:] {
				out = concat(out, w.eval(a))
			}
			w.write(c.Args[0], out)
			return
		}
	}
	for _, a := range c.Args {
		u, isAddr := ast.Unparen(a).(*ast.UnaryExpr)
		if w.isBuilder(a) {
			w.write(a, hole(holeAny, "what "+name+" writes"))
		} else if isAddr {
			if id, ok := u.X.(*ast.Ident); ok && w.pkg.Info.TypeOf(id) != nil && isString(w.pkg.Info.TypeOf(id)) {
				w.set(id, hole(holeAny, "what "+name+" writes"))
			}
		}
	}
}

func deref(e ast.Expr) ast.Expr {
	if u, ok := ast.Unparen(e).(*ast.UnaryExpr); ok {
		return u.X
	}
	return e
}

func (w *walker) write(b ast.Expr, v value) {
	b = deref(b)
	old := w.eval(b)
	if len(old.texts) == 0 {
		old = plain("")
	}
	w.set(b, concat(old, v).with(byBuilder))
}
