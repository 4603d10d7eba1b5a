package embedsql

import (
	"go/ast"
	"go/token"
	"maps"

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
	// turning is set while a loop is walked element by element.
	turning bool
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
		if w.turns(over) {
			w.eachTurn(s, over.items)
			return
		}
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

// maxTurns is the length up to which a list of structs is walked element by element.
const maxTurns = 24

// turns reports whether a list's elements hold texts that belong together: a table
// with its column. To mix them would make texts that never run.
func (w *walker) turns(over value) bool {
	if !over.list || over.open || w.turning || len(over.items) < 2 || len(over.items) > maxTurns {
		return false
	}
	for _, it := range over.items {
		n := 0
		for _, f := range it.fields {
			if len(f.texts) > 0 {
				n++
			}
		}
		if n >= 2 {
			return true
		}
	}
	return false
}

func (w *walker) eachTurn(s *ast.RangeStmt, items []value) {
	start, seen := w.env, w.seen
	var end env
	w.turning = true
	for _, it := range items {
		w.env, w.seen = start.clone(), maps.Clone(seen)
		w.set(s.Value, it)
		w.block(s.Body.List)
		if end == nil {
			end = w.env
			continue
		}
		w.merge(end)
		end = w.env
	}
	w.turning = false
	w.env = end
}
