package program

import (
	"go/ast"
	"go/types"
	"slices"
	"strings"
)

// Callee is what a call may call.
type Callee struct {
	// Key names it; Func is nil when its body is not among the packages.
	Key  string
	Func *Func
	// Obj is its object, nil for a literal or where there are no types.
	Obj *types.Func
	// Of counts the candidates: 1 for a static call, the implementations for a call
	// through an interface.
	Of int
	// Interface is set for a call through an interface of ours.
	Interface bool
}

// Target is the function object that a call names, nil when it names none: a
// function value, a conversion, a builtin, or code without types.
func Target(info *types.Info, call *ast.CallExpr) *types.Func {
	fun := ast.Unparen(call.Fun)
	switch x := fun.(type) {
	case *ast.IndexExpr:
		fun = ast.Unparen(x.X)
	case *ast.IndexListExpr:
		fun = ast.Unparen(x.X)
	}
	var o types.Object
	switch x := fun.(type) {
	case *ast.Ident:
		o = info.Uses[x]
	case *ast.SelectorExpr:
		o = info.Uses[x.Sel]
	}
	f, _ := o.(*types.Func)
	return f
}

// Callees are what a call may call, in order of their keys.
func (p *Program) Callees(pkg *Package, call *ast.CallExpr) []Callee {
	if o := Target(pkg.Info, call); o != nil {
		if i := p.ownInterface(pkg, call, o); i != nil {
			impls := p.implementations(o, i)
			out := make([]Callee, 0, len(impls))
			for _, f := range impls {
				out = append(out, Callee{Key: f.Key, Func: f, Obj: f.Obj, Of: len(impls), Interface: true})
			}
			if len(out) > 0 {
				return out
			}
		}
		k := p.Key(o)
		return []Callee{{Key: k, Func: p.byKey[k], Obj: o, Of: 1}}
	}
	fun := ast.Unparen(call.Fun)
	switch x := fun.(type) {
	case *ast.FuncLit:
		if f := p.lits[x]; f != nil {
			return []Callee{{Key: f.Key, Func: f, Of: 1}}
		}
	case *ast.Ident:
		if f := p.BoundLit(pkg.Info.ObjectOf(x)); f != nil {
			return []Callee{{Key: f.Key, Func: f, Of: 1}}
		}
	}
	return nil
}

// ownInterface returns the interface that a call of o goes through: the one of the
// operand, which may be wider than the one that declares o. It is nil when o is no
// interface's method, or that of an interface of other people's.
func (p *Program) ownInterface(pkg *Package, call *ast.CallExpr, o *types.Func) *types.Interface {
	if o.Pkg() == nil {
		return nil
	}
	sig, _ := o.Type().(*types.Signature)
	if sig == nil || sig.Recv() == nil || !types.IsInterface(sig.Recv().Type()) {
		return nil
	}
	if sel, ok := ast.Unparen(call.Fun).(*ast.SelectorExpr); ok {
		if t := pkg.Info.TypeOf(sel.X); t != nil && types.IsInterface(t) {
			path, _ := TypeName(t)
			if path == "" || p.own[path] {
				i, _ := t.Underlying().(*types.Interface)
				return i
			}
			return nil
		}
	}
	if !p.own[o.Pkg().Path()] {
		return nil
	}
	i, _ := sig.Recv().Type().Underlying().(*types.Interface)
	return i
}

// implementations are the methods that a call of an interface's method may reach.
// Modules are loaded apart, so that one type can have two identities: an interface
// is matched by the names of its methods where the types do not tell.
func (p *Program) implementations(o *types.Func, i *types.Interface) []*Func {
	id := implKey{o.Name(), i}
	if fs, ok := p.impls[id]; ok {
		return fs
	}
	var out []*Func
	for _, named := range p.methods[o.Name()] {
		ptr := types.NewPointer(named)
		if ms := p.sets[named]; !hasNames(ms, i) {
			continue
		}
		m, _, _ := types.LookupFieldOrMethod(ptr, true, o.Pkg(), o.Name())
		fn, ok := m.(*types.Func)
		if !ok {
			continue
		}
		if f := p.byKey[p.Key(fn)]; f != nil && !slices.Contains(out, f) {
			out = append(out, f)
		}
	}
	slices.SortFunc(out, func(a, b *Func) int { return strings.Compare(a.Key, b.Key) })
	p.impls[id] = out
	return out
}

// hasNames reports whether a type has methods of all names of an interface with as
// many parameters and results. Two types that differ in this alone are rare, and one
// that cannot be told from another is taken for a candidate.
func hasNames(ms *types.MethodSet, i *types.Interface) bool {
	for m := range i.Methods() {
		s := ms.Lookup(m.Pkg(), m.Name())
		if s == nil {
			return false
		}
		a, _ := m.Type().(*types.Signature)
		b, _ := s.Obj().Type().(*types.Signature)
		if a == nil || b == nil || a.Params().Len() != b.Params().Len() || a.Results().Len() != b.Results().Len() {
			return false
		}
		for n := range a.Params().Len() {
			if !alike(a.Params().At(n).Type(), b.Params().At(n).Type()) {
				return false
			}
		}
	}
	return true
}

// alike compares types by their names, since one package can be loaded twice.
func alike(a, b types.Type) bool {
	if types.Identical(a, b) {
		return true
	}
	p, n := TypeName(a)
	q, m := TypeName(b)
	return n != "" && n == m && p == q
}

// Callers are the calls that may call the function of a key, in order.
func (p *Program) Callers(key string) []Site {
	if p.callers == nil {
		p.callers = map[string][]Site{}
		for _, f := range p.Funcs {
			for _, c := range f.Calls {
				for _, callee := range p.Callees(f.Pkg, c) {
					p.callers[callee.Key] = append(p.callers[callee.Key], Site{f, c})
				}
			}
		}
	}
	return p.callers[key]
}

// TypeName is the package and name of a type, its pointer taken off; empty when it
// has none.
func TypeName(t types.Type) (pkg, name string) {
	if t == nil {
		return "", ""
	}
	t = types.Unalias(t)
	if ptr, ok := t.(*types.Pointer); ok {
		t = types.Unalias(ptr.Elem())
	}
	named, ok := t.(*types.Named)
	if !ok {
		return "", ""
	}
	if named.Obj().Pkg() != nil {
		pkg = named.Obj().Pkg().Path()
	}
	return pkg, named.Obj().Name()
}
