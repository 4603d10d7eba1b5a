package embedsql

import (
	"go/ast"
	"go/token"
	"go/types"

	"github.com/planvet/planvet/analyzers/program"
	"github.com/planvet/planvet/internal/pgast"
)

// Which role a statement runs as, where the code alone decides it:
//
//  1. After SET ROLE or set_config('role', …) the rest of a function runs as it.
//  2. A function that calls its parameter there gives the role to the literals and
//     functions that are handed to it, also when it hands the parameter on.
//  3. A function has the role that all of its callers have at their calls.
//  4. A statement on a pool is none of it: a pool takes another connection.
const (
	noRole    = ""
	mixedRole = "?"
)

// roleSet is the role that a statement takes, "?" when its name is a parameter.
func roleSet(s pgast.Stmt) (string, bool) {
	switch s := s.(type) {
	case *pgast.Set:
		if s.Name != "role" && s.Name != "session_authorization" {
			return "", false
		}
		if s.Reset || len(s.Values) != 1 || s.Values[0] == "none" {
			return noRole, true
		}
		return s.Values[0], true
	case *pgast.Select:
		for _, t := range s.Targets {
			f, ok := t.Expr.(*pgast.FuncCall)
			if !ok || len(f.Args) < 2 || f.Name[len(f.Name)-1] != "set_config" {
				continue
			}
			name, ok := f.Args[0].(*pgast.Const)
			if !ok || name.Text != "role" {
				continue
			}
			if v, ok := f.Args[1].(*pgast.Const); ok {
				return v.Text, true
			}
			return mixedRole, true
		}
	}
	return "", false
}

type roleFinder struct {
	x       *extraction
	entry   map[*program.Func]string
	busy    map[*program.Func]bool
	helpers map[helperKey]string
	// handed are the calls that hand a literal or a function to another.
	handed map[*program.Func][]handing
}

type helperKey struct {
	f *program.Func
	i int
}

type handing struct {
	site program.Site
	i    int
}

func (x *extraction) roles() {
	if len(x.setsRole) == 0 {
		return
	}
	r := &roleFinder{
		x: x, entry: map[*program.Func]string{}, busy: map[*program.Func]bool{},
		helpers: map[helperKey]string{}, handed: map[*program.Func][]handing{},
	}
	r.index()
	for _, s := range x.res.Statements {
		site := x.sites[s]
		if x.onPool(site) {
			continue
		}
		if role := r.at(site.In, site.Call.Pos(), nil); role != noRole && role != mixedRole {
			s.Role, s.RoleKnown = role, true
		}
	}
}

// index finds the functions that are handed to others as arguments.
func (r *roleFinder) index() {
	for _, f := range r.x.prog.Funcs {
		for _, c := range f.Calls {
			for i, a := range c.Args {
				var g *program.Func
				switch a := ast.Unparen(a).(type) {
				case *ast.FuncLit:
					g = r.x.prog.LitFunc(a)
				case *ast.Ident:
					if o, ok := f.Pkg.Info.Uses[a].(*types.Func); ok {
						g = r.x.prog.Lookup(r.x.prog.Key(o))
					} else {
						g = r.x.prog.BoundLit(f.Pkg.Info.ObjectOf(a))
					}
				case *ast.SelectorExpr:
					if o, ok := f.Pkg.Info.Uses[a.Sel].(*types.Func); ok {
						g = r.x.prog.Lookup(r.x.prog.Key(o))
					}
				}
				if g != nil {
					r.handed[g] = append(r.handed[g], handing{program.Site{In: f, Call: c}, i})
				}
			}
		}
	}
}

// at is the role at a place of f. Within stop, what its callers set is left out.
func (r *roleFinder) at(f *program.Func, pos token.Pos, stop *program.Func) string {
	role, set := noRole, false
	for _, c := range f.Calls {
		if c.Pos() >= pos {
			continue
		}
		if s, ok := r.x.setsRole[c]; ok {
			role, set = s, true
		}
	}
	if set {
		return role
	}
	if f == stop {
		return noRole
	}
	return r.entryOf(f, stop)
}

// entryOf is the role with which a function begins.
func (r *roleFinder) entryOf(f, stop *program.Func) string {
	if stop == nil {
		if role, ok := r.entry[f]; ok {
			return role
		}
	}
	if r.busy[f] {
		return mixedRole
	}
	r.busy[f] = true
	role, n := noRole, 0
	add := func(s string) {
		if n > 0 && s != role {
			s = mixedRole
		}
		role = s
		n++
	}
	for _, h := range r.handed[f] {
		given := noRole
		for _, c := range r.x.prog.Callees(h.site.In.Pkg, h.site.Call) {
			if c.Func != nil {
				given = r.helper(c.Func, h.i, 0)
			}
		}
		if given == noRole {
			given = r.at(h.site.In, h.site.Call.Pos(), stop)
		}
		add(given)
	}
	if f.Lit != nil {
		if n == 0 && f.Outer != nil {
			add(r.at(f.Outer, f.Lit.Pos(), stop))
		}
	} else if stop == nil {
		for _, c := range r.x.callers(f) {
			add(r.at(c.In, c.Call.Pos(), nil))
		}
	}
	delete(r.busy, f)
	if stop == nil {
		r.entry[f] = role
	}
	return role
}

// helper is the role in which f calls its i-th parameter.
func (r *roleFinder) helper(f *program.Func, i, depth int) string {
	k := helperKey{f, i}
	if role, ok := r.helpers[k]; ok || depth > 4 {
		return role
	}
	r.helpers[k] = noRole
	if i >= len(f.Params) || f.Params[i] == nil {
		return noRole
	}
	p := f.Params[i]
	role := noRole
	for _, g := range r.x.prog.Funcs {
		if g.Top() != f.Top() {
			continue
		}
		for _, c := range g.Calls {
			if id, ok := ast.Unparen(c.Fun).(*ast.Ident); ok && g.Pkg.Info.ObjectOf(id) == p {
				if s := r.at(g, c.Pos(), f); s != noRole {
					role = s
				}
			}
			for n, a := range c.Args {
				id, ok := ast.Unparen(a).(*ast.Ident)
				if !ok || g.Pkg.Info.ObjectOf(id) != p {
					continue
				}
				s := r.at(g, c.Pos(), f)
				for _, callee := range r.x.prog.Callees(g.Pkg, c) {
					if callee.Func != nil && s == noRole {
						s = r.helper(callee.Func, n, depth+1)
					}
				}
				if s != noRole {
					role = s
				}
			}
		}
	}
	r.helpers[k] = role
	return role
}

// onPool reports whether a call runs on a pool of connections.
func (x *extraction) onPool(site program.Site) bool {
	sel, ok := ast.Unparen(site.Call.Fun).(*ast.SelectorExpr)
	if !ok || x.sinks[site.Call] == nil {
		return false
	}
	_, name := program.TypeName(site.In.Pkg.Info.TypeOf(sel.X))
	return name == "Pool" || name == "DB"
}
