package embedsql

import (
	"go/ast"
	"go/token"
	"go/types"
	"reflect"

	"github.com/planvet/planvet/analyzers/program"
	"github.com/planvet/planvet/rules"
	"github.com/planvet/planvet/sqllint"
)

// Query is what a call sends to the server.
type Query struct {
	// Statements are the texts that it may be; none when they are unknown here: it
	// is a parameter, or built at run time.
	Statements []*sqllint.Statement
	// Call is the driver's method.
	Call string
	// Arg is the number of the argument with the text, -1 when there is none; what
	// follows it, or for -1 what follows a context, are the values of $1 and on.
	Arg int
	// Named is set where one argument holds the values of all placeholders.
	Named bool
	// Builder names the library that builds the text.
	Builder string
}

// Program is the code that was read.
func (r *Result) Program() *program.Program { return r.x.prog }

// Place is a position relative to the root.
func (r *Result) Place(pkg *Package, pos token.Pos) rules.Location { return r.x.place(pkg, pos) }

// CallPlace is the place of a call: of its method's name.
func (r *Result) CallPlace(s program.Site) rules.Location { return r.x.callPlace(s) }

// QueryOf tells what a call of a driver sends; nil when it sends nothing: it is no
// driver's, only prepares or queues, or runs what is no query.
func (r *Result) QueryOf(in *program.Func, call *ast.CallExpr) *Query {
	x := r.x
	s := x.sinks[call]
	if s == nil || !s.trips || s.noTypes || x.noQuery[call] || x.otherDialect(in) {
		return nil
	}
	q := &Query{Statements: x.byCall[call], Call: s.call, Arg: s.arg, Named: s.named, Builder: s.builder}
	if p := x.usesName[call]; p != nil {
		q.Statements = append(q.Statements, x.byCall[p]...)
	}
	if len(q.Statements) == 0 && s.arg < 0 && s.builder == "" {
		if w := x.walks[in.Top()]; w != nil && w.prepared[call] != nil {
			if x.noQuery[w.prepared[call]] {
				return nil // each call of a COPY adds a row to what the driver holds
			}
			q.Statements = x.byCall[w.prepared[call]]
		} else if st := x.namedStatement(in.Pkg, call); st != nil {
			q.Statements = []*sqllint.Statement{st}
		}
	}
	if len(q.Statements) == 0 && !s.sure && !x.handsParam(in, call, s) {
		return nil // the shape of a driver's method, and no SQL
	}
	return q
}

// handsParam reports whether a call's text is a parameter of its function.
func (x *extraction) handsParam(in *program.Func, call *ast.CallExpr, s *sink) bool {
	w := x.walks[in.Top()]
	if w == nil || s.arg < 0 {
		return false
	}
	for _, t := range w.args[call][s.arg].texts {
		if t.owner() != nil {
			return true
		}
	}
	return false
}

// At are the statements whose text a call supplies to a function that hands it on.
func (r *Result) At(call *ast.CallExpr) []*sqllint.Statement { return r.x.byCall[call] }

// Imported is what is known of a function in another package.
func (r *Result) Imported(key string) *Summary { return r.x.imported(key) }

// OnPool reports whether a statement runs on a pool of connections, where no code
// around it can have set a role.
func (r *Result) OnPool(s *sqllint.Statement) bool {
	site, ok := r.x.sites[s]
	return ok && r.x.onPool(site)
}

// OtherDialectIn reports whether a function's file speaks to another database only.
func (r *Result) OtherDialectIn(f *program.Func) bool { return r.x.otherDialect(f) }

// Wrappers are the summaries of this code's functions that hand a text on.
func (r *Result) Wrappers() map[string]*Summary { return r.x.wrappers }

// namedStatement follows a prepared statement in a struct's field to the query that
// the field's tag names: `query:"get-user"`.
func (x *extraction) namedStatement(pkg *Package, call *ast.CallExpr) *sqllint.Statement {
	if x.o.Named == nil {
		return nil
	}
	sel, ok := ast.Unparen(call.Fun).(*ast.SelectorExpr)
	if !ok {
		return nil
	}
	field, ok := ast.Unparen(sel.X).(*ast.SelectorExpr)
	if !ok {
		return nil
	}
	v, _ := pkg.Info.Uses[field.Sel].(*types.Var)
	if v == nil || !v.IsField() {
		return nil
	}
	if name := tagOf(pkg.Info.TypeOf(field.X), v.Name()); name != "" {
		return x.o.Named(name)
	}
	return nil
}

// tagOf is the query tag of a struct's field.
func tagOf(t types.Type, field string) string {
	if t == nil {
		return ""
	}
	if p, ok := t.Underlying().(*types.Pointer); ok {
		t = p.Elem()
	}
	s, ok := t.Underlying().(*types.Struct)
	if !ok {
		return ""
	}
	for i := range s.NumFields() {
		if s.Field(i).Name() == field {
			return reflect.StructTag(s.Tag(i)).Get("query")
		}
	}
	return ""
}
