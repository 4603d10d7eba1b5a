package nplusone

import (
	"go/ast"
	"go/types"
	"strings"

	"github.com/planvet/planvet/analyzers/embedsql"
	"github.com/planvet/planvet/analyzers/program"
)

type runs int

const (
	runsNot runs = iota
	runsOnce
	runsEach
)

// checker is the state of one check.
type checker struct {
	o           Options
	r           *embedsql.Result
	prog        *program.Program
	scanned     map[*program.Func][]site
	loops       map[ast.Node]*loop
	inlined     map[*program.Func]bool
	literalVars map[types.Object]bool
	params      map[paramKey]runs
	summaries   map[*program.Func]*event
	busy        map[*program.Func]bool
	taints      map[taintKey]*taint
}

type paramKey struct {
	f *program.Func
	i int
}

func newChecker(r *embedsql.Result, o Options) *checker {
	c := &checker{
		o: o, r: r, prog: r.Program(), scanned: map[*program.Func][]site{}, loops: map[ast.Node]*loop{},
		inlined: map[*program.Func]bool{}, literalVars: map[types.Object]bool{}, params: map[paramKey]runs{},
		summaries: map[*program.Func]*event{}, busy: map[*program.Func]bool{}, taints: map[taintKey]*taint{},
	}
	c.indexLiterals()
	for _, f := range c.prog.Funcs { // which literals run in place must be known first
		if f.Lit == nil {
			c.sites(f)
		}
	}
	return c
}

// keeps are words of functions of other people's that keep a literal for later.
var keeps = []string{
	"handle", "register", "on", "add", "schedule", "afterfunc", "cleanup", "set", "new", "with", "subscribe", "listen",
	"route", "get", "post", "put", "patch", "delete", "use", "append", "cron", "every", "defer", "watch", "middleware",
}

// runsLiteral tells what a call does with a literal that is its i-th argument.
func (c *checker) runsLiteral(pkg *program.Package, call *ast.CallExpr, i int) runs {
	callees := c.prog.Callees(pkg, call)
	for _, callee := range callees {
		if callee.Func != nil {
			if i >= len(callee.Func.Params) {
				i = len(callee.Func.Params) - 1
			}
			if how := c.runsParam(callee.Func, i, 0); how != runsNot {
				return how
			}
		}
	}
	if len(callees) > 0 && callees[0].Func != nil {
		return runsNot
	}
	name := strings.ToLower(calledName(call))
	switch {
	case name == "foreachrow", name == "foreach", name == "each", name == "collectrows":
		return runsEach
	case strings.Contains(name, "tx"), strings.Contains(name, "transaction"), name == "do", name == "go", name == "run", strings.HasPrefix(name, "retry"):
		return runsOnce
	case name == "append":
		return runsNot
	}
	for _, k := range keeps {
		if rest, ok := strings.CutPrefix(name, k); ok && (rest == "" || len(k) > 3 || k == "add" || k == "set" || k == "new") {
			return runsNot
		}
	}
	return runsOnce
}

// runsParam tells what a function does with a parameter that is a function: call it,
// call it in a loop over data, hand it on, or keep it.
func (c *checker) runsParam(f *program.Func, i, depth int) runs {
	if i < 0 || i >= len(f.Params) || f.Params[i] == nil || depth > 4 {
		return runsNot
	}
	k := paramKey{f, i}
	if how, ok := c.params[k]; ok {
		return how
	}
	c.params[k] = runsNot
	p := f.Params[i]
	how := runsNot
	var visit func(n ast.Node, looped bool)
	visit = func(n ast.Node, looped bool) {
		ast.Inspect(n, func(m ast.Node) bool {
			switch m := m.(type) {
			case *ast.RangeStmt:
				if m != n {
					visit(m.X, looped)
					l := c.rangeLoop(f, m)
					visit(m.Body, looped || l.kind != quiet)
					return false
				}
			case *ast.ForStmt:
				l := c.forLoop(f, m)
				visit(m.Body, looped || l.kind != quiet)
				return false
			case *ast.CallExpr:
				if id, ok := ast.Unparen(m.Fun).(*ast.Ident); ok && f.Pkg.Info.ObjectOf(id) == p {
					how = max(how, runsOnce)
					if looped {
						how = runsEach
					}
				}
				for n, a := range m.Args {
					id, ok := ast.Unparen(a).(*ast.Ident)
					if !ok || f.Pkg.Info.ObjectOf(id) != p {
						continue
					}
					for _, callee := range c.prog.Callees(f.Pkg, m) {
						got := runsOnce
						if callee.Func != nil {
							got = c.runsParam(callee.Func, n, depth+1)
						}
						how = max(how, got)
					}
				}
			}
			return true
		})
	}
	visit(f.Body(), false)
	c.params[k] = how
	return how
}
