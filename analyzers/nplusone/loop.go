package nplusone

import (
	"go/ast"
	"go/constant"
	"go/token"
	"go/types"
	"regexp"
	"strings"

	"github.com/planvet/planvet/analyzers/program"
)

type kind int

const (
	// quiet loops turn a bounded number of times, wait, or take many elements a turn.
	quiet kind = iota
	// weak loops may turn once for each element: possible at most.
	weak
	// strong loops turn once for each element of data.
	strong
)

// loop is a loop of a function.
type loop struct {
	node ast.Node
	kind kind
	// over says what it goes through, for messages: "element of jobs".
	over  string
	label string
	// vars are the objects that each turn gives a new value.
	vars []types.Object
	// continues is set when the body has a continue of its own.
	continues bool
	// service is set for a loop that waits for work: on a channel, in a select.
	service bool
}

// maxConst is the number of turns up to which a bound that is constant is small.
const maxConst = 16

func (c *checker) rangeLoop(f *program.Func, st *ast.RangeStmt) *loop {
	if l, ok := c.loops[st]; ok {
		return l
	}
	info := f.Pkg.Info
	l := &loop{node: st, over: "element of " + short(st.X), continues: hasContinue(st.Body)}
	c.loops[st] = l
	for _, e := range []ast.Expr{st.Key, st.Value} {
		if id, ok := e.(*ast.Ident); ok && id.Name != "_" {
			if o := info.ObjectOf(id); o != nil {
				l.vars = append(l.vars, o)
			}
		}
	}
	t := info.TypeOf(st.X)
	if t == nil || t == types.Typ[types.Invalid] {
		l.kind = weak
		return l
	}
	if p, ok := t.Underlying().(*types.Pointer); ok {
		t = p.Elem()
	}
	l.kind = strong
	switch u := t.Underlying().(type) {
	case *types.Slice:
		if isChunk(u.Elem()) {
			l.kind = quiet
		}
	case *types.Array:
		if u.Len() <= maxConst || isChunk(u.Elem()) {
			l.kind = quiet
		}
	case *types.Map:
		l.over = "entry of " + short(st.X)
		if isChunk(u.Elem()) && isChunk(u.Key()) {
			l.kind = quiet
		}
	case *types.Basic:
		l.kind = quiet
		if tv := info.Types[st.X]; u.Info()&types.IsInteger != 0 && tv.Value == nil {
			if indexed(info, st.Body, l.vars) {
				l.kind, l.over = weak, "number below "+short(st.X)
			}
		}
	case *types.Chan:
		l.kind, l.service = quiet, true
	case *types.Signature:
		l.kind = weak
		if u.Params().Len() == 1 {
			if y, ok := u.Params().At(0).Type().Underlying().(*types.Signature); ok {
				for v := range y.Params().Variables() {
					if isChunk(v.Type()) {
						l.kind = quiet
					}
				}
			}
		}
	}
	if c.constantList(f, st.X) || retries.MatchString(short(st.X)) {
		l.kind = quiet
	}
	if l.kind == strong && paces(st.Body) {
		l.kind = weak
	}
	return l
}

// isChunk reports whether an element is a list itself: its turn takes many.
func isChunk(t types.Type) bool {
	s, ok := t.Underlying().(*types.Slice)
	if !ok {
		return false
	}
	b, ok := s.Elem().Underlying().(*types.Basic)
	return !ok || b.Kind() != types.Byte
}

// constantList reports whether an expression is a literal list, or a variable that
// holds one and is not appended to.
func (c *checker) constantList(f *program.Func, e ast.Expr) bool {
	switch e := ast.Unparen(e).(type) {
	case *ast.CompositeLit:
		return true
	case *ast.UnaryExpr:
		return c.constantList(f, e.X)
	case *ast.SelectorExpr:
		if o, ok := f.Pkg.Info.Uses[e.Sel].(*types.Var); ok && !o.IsField() {
			return c.literalVars[o]
		}
	case *ast.Ident:
		return c.literalVars[f.Pkg.Info.ObjectOf(e)]
	}
	return false
}

// indexLiterals finds variables that are a composite literal for good.
func (c *checker) indexLiterals() {
	for _, pkg := range c.prog.Packages {
		for _, file := range pkg.Files {
			ast.Inspect(file, func(n ast.Node) bool {
				set := func(l ast.Expr, r ast.Expr) {
					id, ok := ast.Unparen(l).(*ast.Ident)
					if !ok {
						if ix, isIx := ast.Unparen(l).(*ast.IndexExpr); isIx { // m[k] = v grows a map
							if id, ok := ix.X.(*ast.Ident); ok {
								if o := pkg.Info.ObjectOf(id); o != nil {
									if _, m := o.Type().Underlying().(*types.Map); m {
										c.literalVars[o] = false
									}
								}
							}
						}
						return
					}
					o := pkg.Info.ObjectOf(id)
					if o == nil {
						return
					}
					lit, isLit := ast.Unparen(r).(*ast.CompositeLit)
					_, twice := c.literalVars[o]
					// An empty literal is there to be filled.
					c.literalVars[o] = isLit && !twice && len(lit.Elts) > 0 && len(lit.Elts) <= maxConst*4
				}
				switch n := n.(type) {
				case *ast.AssignStmt:
					for i, l := range n.Lhs {
						if len(n.Lhs) == len(n.Rhs) {
							set(l, n.Rhs[i])
						} else {
							set(l, n.Rhs[0])
						}
					}
				case *ast.ValueSpec:
					for i, l := range n.Names {
						if len(n.Values) == len(n.Names) {
							set(l, n.Values[i])
						}
					}
				}
				return true
			})
		}
	}
}

// Entries and countries are elements, not tries.
var retries = regexp.MustCompile(`(?i:retr(y|ies)|attempt|backoff)|(^|[^A-Za-z])[tT]ries|[a-z]Tries`)

// forLoop classifies a for statement. One that counts to a bound that is data goes
// through elements; so does one that reads rows. Any other waits, retries or turns
// pages, as far as one can tell.
func (c *checker) forLoop(f *program.Func, st *ast.ForStmt) *loop {
	if l, ok := c.loops[st]; ok {
		return l
	}
	info := f.Pkg.Info
	l := &loop{node: st, over: "turn", continues: hasContinue(st.Body)}
	c.loops[st] = l
	if call, ok := ast.Unparen(st.Cond).(*ast.CallExpr); ok && st.Init == nil && st.Post == nil {
		c.cursorLoop(f, l, call)
		return l
	}
	l.service = st.Cond == nil && selects(st.Body)
	cond, ok := ast.Unparen(st.Cond).(*ast.BinaryExpr)
	if !ok || st.Post == nil || !isRelation(cond.Op) {
		return l
	}
	inc, ok := st.Post.(*ast.IncDecStmt)
	if !ok {
		return l // a step of its own is that of a chunk or a page
	}
	id, ok := inc.X.(*ast.Ident)
	if !ok {
		return l
	}
	bound := cond.Y
	if mentions(info, cond.Y, info.ObjectOf(id)) {
		bound = cond.X
	}
	if tv := info.Types[bound]; tv.Value != nil && tv.Value.Kind() == constant.Int {
		return l
	}
	text := short(bound) + " " + id.Name
	if retries.MatchString(text) || paces(st.Body) {
		return l
	}
	l.vars = append(l.vars, info.ObjectOf(id))
	if indexed(info, st.Body, l.vars) {
		l.kind, l.over = weak, "number up to "+short(bound)
	}
	if call, ok := ast.Unparen(bound).(*ast.CallExpr); ok && len(call.Args) == 1 && calledName(call) == "len" {
		l.kind, l.over = strong, "element of "+short(call.Args[0])
		if c.constantList(f, call.Args[0]) {
			l.kind = quiet
		}
		if t := info.TypeOf(call.Args[0]); t != nil {
			if s, ok := t.Underlying().(*types.Slice); ok && isChunk(s.Elem()) {
				l.kind = quiet
			}
		}
	}
	return l
}

// indexed reports whether a counter picks elements: a counter that does not counts
// workers, versions or tries.
func indexed(info *types.Info, body *ast.BlockStmt, vars []types.Object) bool {
	found := false
	ast.Inspect(body, func(n ast.Node) bool {
		if ix, ok := n.(*ast.IndexExpr); ok {
			for _, v := range vars {
				found = found || mentions(info, ix.Index, v)
			}
		}
		return !found
	})
	return found
}

// selects reports whether a body waits on several channels.
func selects(body *ast.BlockStmt) bool {
	for _, s := range body.List {
		if _, ok := s.(*ast.SelectStmt); ok {
			return true
		}
	}
	return false
}

func isRelation(t token.Token) bool {
	switch t {
	case token.LSS, token.LEQ, token.GTR, token.GEQ, token.NEQ:
		return true
	}
	return false
}

// cursorLoop classifies for x.Next().
func (c *checker) cursorLoop(f *program.Func, l *loop, call *ast.CallExpr) {
	sel, ok := ast.Unparen(call.Fun).(*ast.SelectorExpr)
	if !ok || sel.Sel.Name != "Next" && sel.Sel.Name != "Scan" && sel.Sel.Name != "NextRow" {
		return
	}
	if id, ok := ast.Unparen(sel.X).(*ast.Ident); ok {
		if o := f.Pkg.Info.ObjectOf(id); o != nil {
			l.vars = append(l.vars, o)
		}
	}
	_, name := program.TypeName(f.Pkg.Info.TypeOf(sel.X))
	l.kind, l.over = weak, "turn of "+short(sel.X)
	if strings.HasSuffix(name, "Rows") {
		l.kind, l.over = strong, "row of "+short(sel.X)
	}
}

// callbackLoop is the loop of a function that calls a literal for each element.
func (c *checker) callbackLoop(f *program.Func, call *ast.CallExpr, lit *ast.FuncLit) *loop {
	if l, ok := c.loops[lit]; ok {
		return l
	}
	l := &loop{node: call, kind: weak, over: "call of the function given to " + calledName(call)}
	c.loops[lit] = l
	if lf := c.prog.LitFunc(lit); lf != nil {
		for _, p := range lf.Params {
			if p != nil {
				l.vars = append(l.vars, p)
				if isChunk(p.Type()) {
					l.kind = quiet
				}
			}
		}
	}
	if calledName(call) == "ForEachRow" {
		l.kind, l.over = strong, "row"
		for _, a := range call.Args {
			ast.Inspect(a, func(n ast.Node) bool {
				if u, ok := n.(*ast.UnaryExpr); ok && u.Op == token.AND {
					if id, ok := u.X.(*ast.Ident); ok {
						l.vars = append(l.vars, f.Pkg.Info.ObjectOf(id))
					}
				}
				_, isLit := n.(*ast.FuncLit)
				return !isLit
			})
		}
	}
	return l
}

// hasContinue looks for a continue of this loop.
func hasContinue(b *ast.BlockStmt) bool {
	found := false
	var walk func(n ast.Node, nested bool)
	walk = func(n ast.Node, nested bool) {
		ast.Inspect(n, func(m ast.Node) bool {
			switch m := m.(type) {
			case *ast.FuncLit:
				return false
			case *ast.ForStmt:
				walk(m.Body, true)
				return false
			case *ast.RangeStmt:
				walk(m.Body, true)
				return false
			case *ast.BranchStmt:
				if m.Tok == token.CONTINUE && (!nested || m.Label != nil) {
					found = true
				}
			}
			return true
		})
	}
	walk(b, false)
	return found
}

// paces reports whether a body waits: a loop that sleeps retries or polls.
func paces(b *ast.BlockStmt) bool {
	found := false
	ast.Inspect(b, func(n ast.Node) bool {
		if _, ok := n.(*ast.FuncLit); ok {
			return false
		}
		if c, ok := n.(*ast.CallExpr); ok {
			switch calledName(c) {
			case "Sleep", "After", "NextBackOff", "NewTimer", "Tick":
				found = true
			}
		}
		return !found
	})
	return found
}

// short is an expression as messages show it.
func short(e ast.Expr) string {
	s := strings.Join(strings.Fields(types.ExprString(e)), " ")
	if len(s) > 50 {
		s = s[:47] + "…"
	}
	return s
}

func mentions(info *types.Info, e ast.Expr, o types.Object) bool {
	found := false
	ast.Inspect(e, func(n ast.Node) bool {
		if id, ok := n.(*ast.Ident); ok && o != nil && info.ObjectOf(id) == o {
			found = true
		}
		return !found
	})
	return found
}
