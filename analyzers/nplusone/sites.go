package nplusone

import (
	"go/ast"
	"go/token"
	"go/types"
	"regexp"
	"strings"

	"github.com/planvet/planvet/analyzers/program"
)

// site is a call with what stands around it, in the function that is looked at.
type site struct {
	call *ast.CallExpr
	// in is the function or the literal that the call stands in; a literal is one
	// that runs where it stands.
	in    *program.Func
	loops []around
	// cond is set when a branch stands between the function's start and the call.
	cond bool
}

// around is a loop around a call, outermost first.
type around struct {
	loop *loop
	// cond: a branch stands between loop and call. once: control leaves the loop
	// after the call, whatever happens.
	cond, once bool
}

// scanner lists the sites of one function.
type scanner struct {
	c     *checker
	root  *program.Func
	sites []site
}

// ctx is what stands around a statement. Its slices are copied before a change.
type ctx struct {
	in    *program.Func
	loops []around
	cond  bool
	// floor is the first loop of the function literal that control is in: a return
	// leaves no loop below it.
	floor int
	// breaks is set inside of a switch or select, where break leaves no loop.
	breaks bool
	// rare is set on an error path.
	rare bool
	// spawned is set in what a goroutine of its own runs.
	spawned bool
	// flush is set where a branch sends what the turns before have gathered.
	flush bool
}

func (x ctx) branch() ctx {
	x.cond = true
	ls := make([]around, len(x.loops))
	for i, l := range x.loops {
		l.cond = true
		ls[i] = l
	}
	x.loops = ls
	return x
}

func (x ctx) leaving(from int) ctx {
	ls := append([]around(nil), x.loops...)
	for i := from; i < len(ls); i++ {
		if ls[i].loop.continues {
			ls[i].cond = true
		} else {
			ls[i].once = true
		}
	}
	x.loops = ls
	return x
}

func (x ctx) enter(l *loop) ctx {
	x.loops = append(x.loops[:len(x.loops):len(x.loops)], around{loop: l})
	x.breaks, x.flush = false, false
	return x
}

func (c *checker) sites(f *program.Func) []site {
	if s, ok := c.scanned[f]; ok {
		return s
	}
	s := &scanner{c: c, root: f}
	s.list(f.Body().List, ctx{in: f})
	c.scanned[f] = s.sites
	return s.sites
}

func (s *scanner) list(list []ast.Stmt, x ctx) {
	// From the end: what a statement is followed by decides whether it runs once.
	exits := make([]ctx, len(list))
	cur := x
	for i := len(list) - 1; i >= 0; i-- {
		cur = s.after(list[i], cur)
		exits[i] = cur
	}
	guarded := false
	for i, st := range list {
		y := exits[i]
		if guarded {
			y = y.branch()
		}
		s.stmt(st, y)
		guarded = guarded || isGuard(st)
	}
}

// after is the context of what stands before and in a statement that leaves.
func (s *scanner) after(st ast.Stmt, x ctx) ctx {
	switch st := st.(type) {
	case *ast.ReturnStmt:
		return x.leaving(x.floor)
	case *ast.BranchStmt:
		if st.Tok == token.GOTO {
			return x
		}
		if st.Tok == token.BREAK && st.Label == nil && !x.breaks && len(x.loops) > 0 {
			return x.leaving(max(len(x.loops)-1, x.floor))
		}
		if st.Tok == token.BREAK && st.Label != nil {
			for i := len(x.loops) - 1; i >= x.floor; i-- {
				if x.loops[i].loop.label == st.Label.Name {
					return x.leaving(i)
				}
			}
		}
	case *ast.ExprStmt:
		if c, ok := st.X.(*ast.CallExpr); ok {
			switch calledName(c) {
			case "panic", "Fatal", "Fatalf", "Exit":
				return x.leaving(x.floor)
			}
		}
	}
	return x
}

// isGuard reports whether a statement leaves when something is there already: what
// follows then runs for the rest only.
func isGuard(st ast.Stmt) bool {
	f, ok := st.(*ast.IfStmt)
	if !ok || len(f.Body.List) == 0 {
		return false
	}
	switch l := f.Body.List[len(f.Body.List)-1].(type) {
	case *ast.ReturnStmt:
	case *ast.BranchStmt:
		if l.Tok != token.CONTINUE && l.Tok != token.BREAK {
			return false
		}
	default:
		return false
	}
	guard := false
	look := func(n ast.Node) {
		ast.Inspect(n, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.IndexExpr:
				guard = true
			case *ast.Ident:
				l := strings.ToLower(n.Name)
				for _, w := range []string{"cache", "seen", "memo", "loaded", "visited", "exists", "already", "ok", "found"} {
					if l == w || w != "ok" && strings.Contains(l, w) {
						guard = true
					}
				}
			}
			return !guard
		})
	}
	if f.Init != nil {
		look(f.Init)
	}
	look(f.Cond)
	return guard
}

func (s *scanner) stmt(st ast.Stmt, x ctx) {
	switch st := st.(type) {
	case nil:
	case *ast.BlockStmt:
		s.list(st.List, x)
	case *ast.LabeledStmt:
		s.labeled(st, x)
	case *ast.IfStmt:
		s.ifStmt(st, x)
	case *ast.ForStmt:
		s.forStmt(st, x, "")
	case *ast.RangeStmt:
		s.rangeStmt(st, x, "")
	case *ast.SwitchStmt:
		s.stmt(st.Init, x)
		s.expr(st.Tag, x)
		s.clauses(st.Body, x)
	case *ast.TypeSwitchStmt:
		s.stmt(st.Init, x)
		s.stmt(st.Assign, x)
		s.clauses(st.Body, x)
	case *ast.SelectStmt:
		s.clauses(st.Body, x)
	case *ast.GoStmt:
		x.spawned = true
		s.call(st.Call, x)
	default:
		s.expr(st, x)
	}
}

func (s *scanner) labeled(st *ast.LabeledStmt, x ctx) {
	switch l := st.Stmt.(type) {
	case *ast.ForStmt:
		s.forStmt(l, x, st.Label.Name)
	case *ast.RangeStmt:
		s.rangeStmt(l, x, st.Label.Name)
	default:
		s.stmt(st.Stmt, x)
	}
}

func (s *scanner) ifStmt(st *ast.IfStmt, x ctx) {
	s.stmt(st.Init, x)
	s.expr(st.Cond, x)
	then, els := x.branch(), x.branch()
	switch errorTest(s.root.Pkg.Info, st.Cond) {
	case token.NEQ:
		then.rare = true
		els = x
	case token.EQL:
		then = x
		els.rare = true
	default:
		then.rare = then.rare || fails(s.root.Pkg.Info, st.Body)
	}
	if n := len(x.loops); n > 0 && x.loops[n-1].loop.node != nil && flushes(s.root.Pkg.Info, x.loops[n-1].loop.node, st) {
		then.flush = true
	}
	s.list(st.Body.List, then)
	s.stmt(st.Else, els)
}

// fails reports whether a block ends by returning an error that is made there: it is
// an error path, whatever led to it.
func fails(info *types.Info, b *ast.BlockStmt) bool {
	if len(b.List) == 0 {
		return false
	}
	r, ok := b.List[len(b.List)-1].(*ast.ReturnStmt)
	if !ok || len(r.Results) == 0 {
		return false
	}
	switch e := ast.Unparen(r.Results[len(r.Results)-1]).(type) {
	case *ast.CallExpr:
		o := program.Target(info, e)
		return o != nil && o.Pkg() != nil && (o.Pkg().Path() == "errors" && o.Name() == "New" || o.Pkg().Path() == "fmt" && o.Name() == "Errorf")
	case *ast.Ident:
		return strings.HasPrefix(e.Name, "Err") || strings.HasPrefix(e.Name, "err") && len(e.Name) > len("err") && e.Name[3] >= 'A' && e.Name[3] <= 'Z'
	case *ast.SelectorExpr:
		return strings.HasPrefix(e.Sel.Name, "Err")
	}
	return false
}

// errorTest recognises err != nil and err == nil.
func errorTest(info *types.Info, e ast.Expr) token.Token {
	b, ok := ast.Unparen(e).(*ast.BinaryExpr)
	if !ok || b.Op != token.NEQ && b.Op != token.EQL {
		return token.ILLEGAL
	}
	id, ok := b.Y.(*ast.Ident)
	if !ok || id.Name != "nil" {
		return token.ILLEGAL
	}
	if t := info.TypeOf(b.X); t != nil && t.String() == "error" {
		return b.Op
	}
	return token.ILLEGAL
}

func (s *scanner) clauses(body *ast.BlockStmt, x ctx) {
	for _, c := range body.List {
		y := x.branch()
		y.breaks = true
		switch c := c.(type) {
		case *ast.CaseClause:
			for _, e := range c.List {
				s.expr(e, x)
			}
			s.list(c.Body, y)
		case *ast.CommClause:
			s.stmt(c.Comm, y)
			s.list(c.Body, y)
		}
	}
}

func (s *scanner) forStmt(st *ast.ForStmt, x ctx, label string) {
	s.stmt(st.Init, x)
	l := s.c.forLoop(s.root, st)
	l.label = label
	in := x.enter(l)
	if st.Cond != nil {
		poll := *l
		poll.kind = quiet // a query in the condition asks whether to go on
		s.expr(st.Cond, x.enter(&poll))
	}
	s.list(st.Body.List, in)
	s.stmt(st.Post, in)
}

func (s *scanner) rangeStmt(st *ast.RangeStmt, x ctx, label string) {
	s.expr(st.X, x)
	l := s.c.rangeLoop(s.root, st)
	l.label = label
	s.list(st.Body.List, x.enter(l))
}

// expr lists the calls of an expression or a simple statement. Literals that run
// where they stand belong to the function; the others are functions of their own.
func (s *scanner) expr(n ast.Node, x ctx) {
	if n == nil {
		return
	}
	ast.Inspect(n, func(m ast.Node) bool {
		switch m := m.(type) {
		case *ast.FuncLit:
			return false
		case *ast.BinaryExpr:
			if m.Op == token.LAND || m.Op == token.LOR {
				s.expr(m.X, x)
				s.expr(m.Y, x.branch())
				return false
			}
		case *ast.CallExpr:
			s.call(m, x)
			return false
		}
		return true
	})
}

func (s *scanner) call(call *ast.CallExpr, x ctx) {
	if lit, ok := ast.Unparen(call.Fun).(*ast.FuncLit); ok {
		s.inline(lit, x)
	} else {
		s.expr(call.Fun, x)
	}
	for i, a := range call.Args {
		lit, ok := ast.Unparen(a).(*ast.FuncLit)
		if !ok {
			s.expr(a, x)
			continue
		}
		switch how := s.c.runsLiteral(s.root.Pkg, call, i); how {
		case runsOnce:
			y := x
			y.spawned = x.spawned || calledName(call) == "Go"
			s.inline(lit, y)
		case runsEach:
			s.inline(lit, x.enter(s.c.callbackLoop(s.root, call, lit)))
		}
	}
	// What starts a worker for each element runs the worker's set-up, once each.
	worker := x.spawned && workers.MatchString(calledName(call))
	if !x.rare && !x.flush && !worker {
		s.sites = append(s.sites, site{call: call, in: x.in, loops: x.loops, cond: x.cond})
	}
}

var workers = regexp.MustCompile(`^([Ss]tart|[Rr]un|[Ss]erve|[Ll]isten|[Ww]atch|[Ll]oop|[Ww]orkers?)([A-Z_]|$)`)

func (s *scanner) inline(lit *ast.FuncLit, x ctx) {
	f := s.c.prog.LitFunc(lit)
	if f == nil {
		return
	}
	s.c.inlined[f] = true
	x.in = f
	x.floor = len(x.loops)
	x.breaks = false
	s.list(lit.Body.List, x)
}

func calledName(call *ast.CallExpr) string {
	switch f := ast.Unparen(call.Fun).(type) {
	case *ast.SelectorExpr:
		return f.Sel.Name
	case *ast.Ident:
		return f.Name
	}
	return ""
}
