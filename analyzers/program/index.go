package program

import (
	"go/ast"
	"go/token"
	"go/types"
	"slices"
	"strconv"
	"strings"
)

// Func is a function, a method or a function literal with a body.
type Func struct {
	// Key names it across packages: types.Func's full name; for a literal, its
	// enclosing function's key and its ordinal in there.
	Key string
	// Name is how a reader calls it: Store.Get, Get, and the enclosing function's
	// name for a literal.
	Name string
	Pkg  *Package
	File *ast.File
	Decl *ast.FuncDecl
	Lit  *ast.FuncLit
	// Outer is the function that a literal stands in.
	Outer *Func
	Obj   *types.Func
	// Params are the parameters in order, nil for unnamed ones; Recv the receiver.
	Params []types.Object
	Recv   types.Object
	// Variadic is set when the last parameter is.
	Variadic bool
	// Calls are the calls in the body, without those in nested literals.
	Calls []*ast.CallExpr
}

// Body is the function's body.
func (f *Func) Body() *ast.BlockStmt {
	if f.Lit != nil {
		return f.Lit.Body
	}
	return f.Decl.Body
}

// Pos is where the function begins.
func (f *Func) Pos() token.Pos {
	if f.Lit != nil {
		return f.Lit.Pos()
	}
	return f.Decl.Pos()
}

// ParamIndex is the number of the parameter that o is; -1 when it is none, and
// len(Params) for the receiver.
func (f *Func) ParamIndex(o types.Object) int {
	if o == nil {
		return -1
	}
	if o == f.Recv {
		return len(f.Params)
	}
	return slices.Index(f.Params, o)
}

// Top is the declared function around a literal, or the function itself.
func (f *Func) Top() *Func {
	for f.Outer != nil {
		f = f.Outer
	}
	return f
}

// Site is a call and the function that it stands in.
type Site struct {
	In   *Func
	Call *ast.CallExpr
}

// Program indexes packages.
type Program struct {
	Packages []*Package
	// Funcs are all functions, by package, file and place.
	Funcs []*Func
	byKey map[string]*Func
	lits  map[*ast.FuncLit]*Func
	own   map[string]bool
	// bound are local variables that hold one literal and nothing else.
	bound   map[types.Object]*ast.FuncLit
	methods map[string][]*types.Named
	sets    map[*types.Named]*types.MethodSet
	callers map[string][]Site
	impls   map[implKey][]*Func
	keys    map[*types.Func]string
	// waits are what functions wait for outside, "" for nothing.
	waits map[*Func]string
	skip  func(file string) bool
}

type implKey struct {
	method string
	of     *types.Interface
}

// New indexes packages. Files for which skip returns true are left out; nil skips
// none.
func New(pkgs []*Package, skip func(file string) bool) *Program {
	p := &Program{
		Packages: pkgs, byKey: map[string]*Func{}, lits: map[*ast.FuncLit]*Func{}, own: map[string]bool{},
		bound: map[types.Object]*ast.FuncLit{}, methods: map[string][]*types.Named{},
		sets:  map[*types.Named]*types.MethodSet{},
		impls: map[implKey][]*Func{}, keys: map[*types.Func]string{}, waits: map[*Func]string{}, skip: skip,
	}
	for _, pkg := range pkgs {
		p.own[pkg.Path] = true
	}
	for _, pkg := range pkgs {
		p.indexTypes(pkg)
		for _, f := range pkg.Files {
			if !p.Skipped(pkg, f) {
				p.indexFile(pkg, f)
			}
		}
	}
	return p
}

// Skipped reports whether a file is left out.
func (p *Program) Skipped(pkg *Package, f *ast.File) bool {
	return p.skip != nil && p.skip(pkg.Fset.Position(f.FileStart).Filename)
}

// Own reports whether a package is among those indexed.
func (p *Program) Own(path string) bool { return p.own[path] }

// Lookup finds a function by its key.
func (p *Program) Lookup(key string) *Func { return p.byKey[key] }

// LitFunc is the function of a literal.
func (p *Program) LitFunc(l *ast.FuncLit) *Func { return p.lits[l] }

// BoundLit is the literal that a local variable holds, nil when there is none or
// more than one.
func (p *Program) BoundLit(o types.Object) *Func {
	if l := p.bound[o]; l != nil {
		return p.lits[l]
	}
	return nil
}

// Key is the key of a function's object.
func (p *Program) Key(o *types.Func) string {
	if k, ok := p.keys[o]; ok {
		return k
	}
	k := o.Origin().FullName()
	p.keys[o] = k
	return k
}

func (p *Program) indexTypes(pkg *Package) {
	if pkg.Types == nil {
		return
	}
	scope := pkg.Types.Scope()
	for _, name := range scope.Names() {
		tn, ok := scope.Lookup(name).(*types.TypeName)
		if !ok || tn.IsAlias() || isDouble(pkg.Path, name) {
			continue
		}
		named, ok := tn.Type().(*types.Named)
		if !ok || types.IsInterface(named) {
			continue
		}
		ms := types.NewMethodSet(types.NewPointer(named))
		p.sets[named] = ms
		for m := range ms.Methods() {
			p.methods[m.Obj().Name()] = append(p.methods[m.Obj().Name()], named)
		}
	}
}

// isDouble reports whether a type stands in for another in tests.
func isDouble(path, name string) bool {
	last := strings.ToLower(path[strings.LastIndexByte(path, '/')+1:])
	name = strings.ToLower(name)
	return strings.Contains(last, "fake") || strings.Contains(last, "mock") ||
		strings.HasPrefix(name, "mock") || strings.HasPrefix(name, "fake") || strings.HasSuffix(name, "mock")
}

func (p *Program) indexFile(pkg *Package, file *ast.File) {
	for _, d := range file.Decls {
		switch d := d.(type) {
		case *ast.FuncDecl:
			if d.Body != nil {
				p.addDecl(pkg, file, d)
			}
		case *ast.GenDecl:
			n := 0
			p.addLits(pkg, file, d, nil, "var "+pkg.Path+"@"+strconv.Itoa(int(d.Pos()-file.FileStart)), "", &n)
		}
	}
}

func (p *Program) addDecl(pkg *Package, file *ast.File, d *ast.FuncDecl) {
	f := &Func{Pkg: pkg, File: file, Decl: d, Name: declName(d)}
	f.Obj, _ = pkg.Info.Defs[d.Name].(*types.Func)
	if f.Obj != nil {
		f.Key = p.Key(f.Obj)
	} else {
		f.Key = pkg.Path + "." + f.Name
	}
	if d.Recv != nil && len(d.Recv.List) > 0 && len(d.Recv.List[0].Names) > 0 {
		f.Recv = pkg.Info.Defs[d.Recv.List[0].Names[0]]
	}
	f.setParams(d.Type)
	if p.byKey[f.Key] == nil { // several init functions have one key
		p.byKey[f.Key] = f
	}
	p.Funcs = append(p.Funcs, f)
	n := 0
	p.addLits(pkg, file, d.Body, f, f.Key, f.Name, &n)
}

func (f *Func) setParams(t *ast.FuncType) {
	if t.Params == nil {
		return
	}
	for _, field := range t.Params.List {
		if len(field.Names) == 0 {
			f.Params = append(f.Params, nil)
		}
		for _, n := range field.Names {
			f.Params = append(f.Params, f.Pkg.Info.Defs[n])
		}
		_, f.Variadic = field.Type.(*ast.Ellipsis)
	}
}

// addLits indexes calls and literals below root; f is the function that they
// stand in, nil at package level.
func (p *Program) addLits(pkg *Package, file *ast.File, root ast.Node, f *Func, key, name string, n *int) {
	ast.Inspect(root, func(x ast.Node) bool {
		switch x := x.(type) {
		case *ast.CallExpr:
			if f != nil {
				f.Calls = append(f.Calls, x)
			}
		case *ast.FuncLit:
			*n++
			lit := &Func{
				Key: key + "$" + strconv.Itoa(*n), Name: name, Pkg: pkg, File: file, Lit: x, Outer: f,
			}
			lit.setParams(x.Type)
			p.lits[x] = lit
			p.Funcs = append(p.Funcs, lit)
			p.addLits(pkg, file, x.Body, lit, key, name, n)
			return false
		case *ast.AssignStmt:
			if len(x.Lhs) == len(x.Rhs) {
				for i, l := range x.Lhs {
					p.bind(pkg, l, x.Rhs[i])
				}
			}
		case *ast.ValueSpec:
			for i, l := range x.Names {
				if i < len(x.Values) && len(x.Names) == len(x.Values) {
					p.bind(pkg, l, x.Values[i])
				}
			}
		}
		return true
	})
}

func (p *Program) bind(pkg *Package, l, r ast.Expr) {
	id, ok := l.(*ast.Ident)
	if !ok {
		return
	}
	o := pkg.Info.ObjectOf(id)
	if o == nil {
		return
	}
	lit, ok := ast.Unparen(r).(*ast.FuncLit)
	if _, twice := p.bound[o]; twice {
		p.bound[o] = nil
	} else if ok {
		p.bound[o] = lit
	}
}

// declName is Func or Type.Method.
func declName(d *ast.FuncDecl) string {
	if d.Recv == nil || len(d.Recv.List) == 0 {
		return d.Name.Name
	}
	t := d.Recv.List[0].Type
	for {
		switch x := t.(type) {
		case *ast.StarExpr:
			t = x.X
			continue
		case *ast.IndexExpr:
			t = x.X
			continue
		case *ast.IndexListExpr:
			t = x.X
			continue
		case *ast.Ident:
			return x.Name + "." + d.Name.Name
		}
		return d.Name.Name
	}
}
