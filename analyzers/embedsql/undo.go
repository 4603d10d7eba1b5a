package embedsql

import (
	"go/ast"
	"go/types"
	"regexp"
	"strings"

	"github.com/planvet/planvet/analyzers/program"
)

// A migration in Go has a function that goes up and one that goes back. What the
// latter runs is no part of the schema. It is told by
//
//  1. the parameter that it is handed to: down of AddMigration(up, down)
//  2. where that has no telling name, its place: the second of two functions handed
//     to what registers migrations
//  3. the field that it is put in: Rollback of {Migrate: …, Rollback: …}
//  4. its own name: Down0007, rollback
var (
	undoWord   = regexp.MustCompile(`^(?i:downs?|rollback|undo|revert)(?:$|[^a-z])|[a-z0-9_](?:Down|Rollback|_down|_rollback)(?:$|[0-9_])`)
	registers  = regexp.MustCompile(`(?i)migration|register`)
	migrations = regexp.MustCompile(`(?i)migrat|goose`)
)

// undoes reports whether a function is the way back of a migration.
func (x *extraction) undoes(f *program.Func) bool {
	x.indexUndo()
	for ; f != nil; f = f.Outer {
		if f.Lit != nil && x.undo[f.Lit] || f.Obj != nil && x.undo[f.Obj] {
			return true
		}
		if f.Decl != nil && undoWord.MatchString(f.Decl.Name.Name) {
			return true
		}
	}
	return false
}

func (x *extraction) indexUndo() {
	if x.undo != nil {
		return
	}
	x.undo = map[any]bool{}
	for _, pkg := range x.prog.Packages {
		mark := func(e ast.Expr) {
			ast.Inspect(e, func(n ast.Node) bool {
				switch n := n.(type) {
				case *ast.FuncLit:
					x.undo[n] = true
					return false
				case *ast.CallExpr:
					return false
				case *ast.Ident:
					if o, ok := pkg.Info.Uses[n].(*types.Func); ok {
						x.undo[o] = true
					}
				}
				return true
			})
		}
		for _, file := range pkg.Files {
			ast.Inspect(file, func(n ast.Node) bool {
				switch n := n.(type) {
				case *ast.CallExpr:
					for i, a := range n.Args {
						if undoArgument(pkg, n, i) {
							mark(a)
						}
					}
				case *ast.KeyValueExpr:
					if id, ok := n.Key.(*ast.Ident); ok && undoWord.MatchString(id.Name) {
						mark(n.Value)
					}
				}
				return true
			})
		}
	}
}

// undoArgument reports whether argument i of a call is the way back.
func undoArgument(pkg *Package, call *ast.CallExpr, i int) bool {
	o := program.Target(pkg.Info, call)
	if o != nil {
		if sig, ok := o.Type().(*types.Signature); ok && i < sig.Params().Len() && !(sig.Variadic() && i == sig.Params().Len()-1) {
			if name := sig.Params().At(i).Name(); name != "" {
				return undoWord.MatchString(name)
			}
		}
	}
	if i == 0 || i != len(call.Args)-1 || !isFunc(pkg, call.Args[i]) || !isFunc(pkg, call.Args[i-1]) {
		return false
	}
	name, path := "", ""
	switch f := ast.Unparen(call.Fun).(type) {
	case *ast.Ident:
		name, path = f.Name, pkg.Path
	case *ast.SelectorExpr:
		name, path = f.Sel.Name, types.ExprString(f.X)
	}
	if o != nil && o.Pkg() != nil {
		path += o.Pkg().Path()
	}
	return registers.MatchString(name) && migrations.MatchString(path+"."+name)
}

func isFunc(pkg *Package, e ast.Expr) bool {
	if _, ok := ast.Unparen(e).(*ast.FuncLit); ok {
		return true
	}
	t := pkg.Info.TypeOf(e)
	if t == nil {
		id, ok := e.(*ast.Ident)
		return ok && strings.HasPrefix(strings.ToLower(id.Name), "down")
	}
	_, ok := t.Underlying().(*types.Signature)
	return ok
}
