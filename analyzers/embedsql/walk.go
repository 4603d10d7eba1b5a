package embedsql

import (
	"go/ast"
	"go/token"
	"go/types"

	"github.com/planvet/planvet/analyzers/program"
)

// walked is what one function, with the literals in it, does with strings.
type walked struct {
	// args are the values of arguments, by call and number.
	args map[*ast.CallExpr]map[int]value
	// sinks are in the order of the walk.
	sinks []sinkCall
	loop  map[*ast.CallExpr]bool
	// prepared leads from a call on a prepared statement to the call that made it.
	prepared map[*ast.CallExpr]*ast.CallExpr
	// returns are the results of each function.
	returns map[*program.Func][]value
}

type sinkCall struct {
	in   *program.Func
	call *ast.CallExpr
	*sink
}

// walker goes through one function forward.
type walker struct {
	x     *extraction
	fn    *program.Func
	pkg   *Package
	env   env
	loops int
	out   *walked
	seen  map[*ast.FuncLit]bool
}

// walk reads a function and its literals, once. It is nil while the function is
// being walked already: a recursive one.
func (x *extraction) walk(f *program.Func) *walked {
	f = f.Top()
	if w, ok := x.walks[f]; ok {
		return w
	}
	x.walks[f] = nil
	w := &walker{
		x: x, fn: f, pkg: f.Pkg, env: env{}, seen: map[*ast.FuncLit]bool{},
		out: &walked{
			args: map[*ast.CallExpr]map[int]value{}, loop: map[*ast.CallExpr]bool{},
			prepared: map[*ast.CallExpr]*ast.CallExpr{}, returns: map[*program.Func][]value{},
		},
	}
	w.named(f)
	w.block(f.Body().List)
	x.walks[f] = w.out
	return w.out
}

// named enters named results as empty.
func (w *walker) named(f *program.Func) {
	t := (*ast.FuncType)(nil)
	if f.Lit != nil {
		t = f.Lit.Type
	} else {
		t = f.Decl.Type
	}
	if t.Results == nil {
		return
	}
	for _, field := range t.Results.List {
		for _, n := range field.Names {
			if o := w.pkg.Info.Defs[n]; o != nil {
				w.env[o] = zero(o.Type())
			}
		}
	}
}

// block walks statements and reports whether control does not leave at the end.
func (w *walker) block(list []ast.Stmt) bool {
	for _, s := range list {
		if w.stmt(s) {
			return true
		}
	}
	return false
}

func (w *walker) stmt(s ast.Stmt) (ends bool) {
	switch s := s.(type) {
	case *ast.ExprStmt:
		w.visit(s.X)
		return endsProcess(s.X)
	case *ast.AssignStmt:
		w.assign(s)
	case *ast.DeclStmt:
		w.declare(s)
	case *ast.ReturnStmt:
		w.result(s)
		return true
	case *ast.BranchStmt:
		return s.Tok != token.FALLTHROUGH
	case *ast.BlockStmt:
		return w.block(s.List)
	case *ast.LabeledStmt:
		return w.stmt(s.Stmt)
	case *ast.IfStmt:
		return w.ifStmt(s)
	case *ast.SwitchStmt:
		w.init(s.Init)
		w.visit(s.Tag)
		w.cases(s.Body, nil)
	case *ast.TypeSwitchStmt:
		w.init(s.Init)
		w.init(s.Assign)
		w.cases(s.Body, nil)
	case *ast.SelectStmt:
		w.cases(s.Body, nil)
	case *ast.ForStmt:
		w.init(s.Init)
		w.visit(s.Cond)
		w.loop(func() { w.block(s.Body.List); w.init(s.Post) })
	case *ast.RangeStmt:
		w.rangeStmt(s)
	case *ast.GoStmt:
		w.visit(s.Call)
	case *ast.DeferStmt:
		w.visit(s.Call)
	case *ast.SendStmt:
		w.visit(s.Chan)
		w.visit(s.Value)
	case *ast.IncDecStmt:
		w.visit(s.X)
	}
	return false
}

func (w *walker) init(s ast.Stmt) {
	if s != nil {
		w.stmt(s)
	}
}

func endsProcess(e ast.Expr) bool {
	c, ok := e.(*ast.CallExpr)
	if !ok {
		return false
	}
	switch calledName(c) {
	case "panic", "Fatal", "Fatalf", "Fatalln", "Exit":
		return true
	}
	return false
}

func (w *walker) ifStmt(s *ast.IfStmt) bool {
	w.init(s.Init)
	w.visit(s.Cond)
	before := w.env
	w.env = before.clone()
	endsThen := w.block(s.Body.List)
	then := w.env
	w.env = before.clone()
	endsElse := s.Else != nil && w.stmt(s.Else)
	switch {
	case endsThen && endsElse:
		return true
	case endsThen:
	case endsElse:
		w.env = then
	default:
		w.merge(then)
	}
	return false
}

// merge unites the environment with that of another path.
func (w *walker) merge(o env) {
	for k, v := range o {
		mine, ok := w.env[k]
		if !ok {
			w.env[k] = v
			continue
		}
		w.env[k] = either(mine, v)
	}
}

func (w *walker) cases(body *ast.BlockStmt, each func()) {
	before := w.env
	var out env
	complete := false
	for _, c := range body.List {
		w.env = before.clone()
		if each != nil {
			each()
		}
		var list []ast.Stmt
		switch c := c.(type) {
		case *ast.CaseClause:
			complete = complete || c.List == nil
			for _, e := range c.List {
				w.visit(e)
			}
			list = c.Body
		case *ast.CommClause:
			complete = true
			w.init(c.Comm)
			list = c.Body
		}
		if w.block(list) && !endsWithBreak(list) {
			continue
		}
		if out == nil {
			out = w.env
		} else {
			mine := w.env
			w.env = out
			w.merge(mine)
			out = w.env
		}
	}
	w.env = before
	switch {
	case out == nil:
	case complete:
		w.env = out
	default:
		w.env = before.clone()
		w.merge(out)
	}
}

func endsWithBreak(list []ast.Stmt) bool {
	if len(list) == 0 {
		return false
	}
	b, ok := list[len(list)-1].(*ast.BranchStmt)
	return ok && b.Tok == token.BREAK
}

// loop walks a body once: afterwards a variable has what it had before, or what
// one turn gave it. A list or text that a turn makes longer is open from then on.
func (w *walker) loop(body func()) {
	before := w.env
	w.env = before.clone()
	w.loops++
	body()
	w.loops--
	after := w.env
	w.env = before.clone()
	for k, v := range after {
		old, ok := before[k]
		if !ok {
			continue
		}
		if v.list && len(v.items) != len(old.items) {
			v.open = true
		}
		if len(v.texts) > 0 && len(old.texts) > 0 && v.texts[0].key() != old.texts[0].key() {
			v = v.with(guessed)
		}
		w.env[k] = either(old, v)
		if v.open {
			e := w.env[k]
			e.open = true
			w.env[k] = e
		}
	}
}

func (w *walker) rangeStmt(s *ast.RangeStmt) {
	w.visit(s.X)
	over := w.eval(s.X)
	w.loop(func() {
		if over.list {
			w.set(s.Value, over.element())
			var keys value
			for _, k := range over.keys {
				if k != "" {
					keys.texts = append(keys.texts, plain(k).texts...)
				}
			}
			if keys.known() {
				w.set(s.Key, keys)
			}
		}
		w.block(s.Body.List)
	})
}

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
