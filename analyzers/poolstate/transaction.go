package poolstate

import (
	"go/ast"
	"go/token"
	"go/types"
	"strings"

	"github.com/planvet/planvet/analyzers/program"
	"github.com/planvet/planvet/rules"
)

// waitDepth bounds the functions between a transaction and what it waits for.
const waitDepth = 3

// transactions reports the transactions of a function that wait for something outside:
//
//  1. In a list of statements, what stands between the one that begins a transaction and
//     the one that commits it, or rolls it back.
//  2. In a literal that takes a transaction, its whole body.
//
// Only calls that run whenever their list does are looked at; a defer, a goroutine, a
// branch and a loop are none.
func (c *checker) transactions(f *program.Func) {
	if f.Lit != nil {
		for _, p := range f.Params {
			if p != nil && isTx(p.Type()) {
				c.waitsIn(f, f.Lit.Body.List, f.Lit.Pos())
				return
			}
		}
	}
	ast.Inspect(f.Body(), func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncLit:
			return false // a function of its own
		case *ast.BlockStmt:
			c.list(f, n.List)
		case *ast.CaseClause:
			c.list(f, n.Body)
		case *ast.CommClause:
			c.list(f, n.Body)
		}
		return true
	})
}

// list looks at the transactions that begin and end in one list of statements.
func (c *checker) list(f *program.Func, list []ast.Stmt) {
	for i, s := range list {
		for _, call := range straight(s) {
			if !begins(f.Pkg.Info, call) {
				continue
			}
			for k := i + 1; k < len(list); k++ {
				if ends(f.Pkg.Info, list[k]) {
					c.waitsIn(f, list[i+1:k], call.Pos())
					break
				}
			}
		}
	}
}

func (c *checker) waitsIn(f *program.Func, list []ast.Stmt, begin token.Pos) {
	for _, s := range list {
		for _, call := range straight(s) {
			what, chain := c.waits(f, call, 0)
			if what == "" {
				continue
			}
			related := []rules.Related{{Location: c.r.Place(f.Pkg, begin), Message: "the transaction begins"}}
			message := what + " waits while a transaction is open; its server connection serves no other client until then"
			if len(chain) > 0 {
				message = what + ", called by " + strings.Join(chain, " → ") + ", waits while a transaction is open; its server connection serves no other client until then"
			}
			c.report(f, call, true, message, "wait before the transaction begins or after it is committed, and keep what was learned in a variable or a row", related...)
		}
	}
}

// waits names what a call surely waits for, and the functions down to it.
func (c *checker) waits(f *program.Func, call *ast.CallExpr, depth int) (what string, chain []string) {
	callees := c.prog.Callees(f.Pkg, call)
	if len(callees) != 1 || callees[0].Interface {
		return "", nil
	}
	g := callees[0].Func
	if g == nil {
		return program.Waits(callees[0].Obj), nil
	}
	if depth >= waitDepth {
		return "", nil
	}
	for _, s := range g.Body().List {
		for _, inner := range straight(s) {
			if what, chain := c.waits(g, inner, depth+1); what != "" {
				return what, append([]string{g.Name}, chain...)
			}
		}
		if leaves(g.Pkg.Info, s) {
			return "", nil
		}
	}
	return "", nil
}

// straight are the calls that run whenever a statement does.
func straight(s ast.Stmt) []*ast.CallExpr {
	var out []*ast.CallExpr
	var visit func(n ast.Node)
	visit = func(n ast.Node) {
		ast.Inspect(n, func(m ast.Node) bool {
			switch m := m.(type) {
			case *ast.FuncLit, *ast.GoStmt, *ast.DeferStmt:
				return false
			case *ast.IfStmt:
				if m.Init != nil {
					visit(m.Init)
				}
				visit(m.Cond)
				return false
			case *ast.ForStmt, *ast.SelectStmt, *ast.SwitchStmt, *ast.TypeSwitchStmt:
				return false
			case *ast.RangeStmt:
				visit(m.X)
				return false
			case *ast.BinaryExpr:
				if m.Op == token.LAND || m.Op == token.LOR {
					visit(m.X)
					return false
				}
			case *ast.CallExpr:
				out = append(out, m)
			}
			return true
		})
	}
	visit(s)
	return out
}

// leaves reports whether a statement may end its function but for an error: what follows
// does not run at each call then.
func leaves(info *types.Info, s ast.Stmt) bool {
	found := false
	ast.Inspect(s, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncLit:
			return false
		case *ast.IfStmt:
			if b, ok := n.Cond.(*ast.BinaryExpr); ok && b.Op == token.NEQ {
				if t := info.TypeOf(b.X); t != nil && t.String() == "error" {
					return false
				}
			}
		case *ast.ReturnStmt:
			found = true
		}
		return !found
	})
	return found
}

// begins reports whether a call begins a transaction: its name says so, and its first
// result can be committed and rolled back.
func begins(info *types.Info, call *ast.CallExpr) bool {
	o := program.Target(info, call)
	if o == nil || !strings.HasPrefix(strings.TrimPrefix(o.Name(), "Must"), "Begin") {
		return false
	}
	sig, _ := o.Type().(*types.Signature)
	return sig != nil && sig.Results().Len() > 0 && isTx(sig.Results().At(0).Type())
}

// ends reports whether a statement commits a transaction or rolls it back, whenever it
// runs.
func ends(info *types.Info, s ast.Stmt) bool {
	for _, call := range straight(s) {
		o := program.Target(info, call)
		if o == nil || o.Name() != "Commit" && o.Name() != "Rollback" {
			continue
		}
		if sig, _ := o.Type().(*types.Signature); sig != nil && sig.Recv() != nil && isTx(sig.Recv().Type()) {
			return true
		}
	}
	return false
}

// isTx reports whether a type can be committed and rolled back.
func isTx(t types.Type) bool {
	for _, name := range []string{"Commit", "Rollback"} {
		o, _, _ := types.LookupFieldOrMethod(t, true, nil, name)
		if _, ok := o.(*types.Func); !ok {
			return false
		}
	}
	return true
}
