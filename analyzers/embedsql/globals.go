package embedsql

import (
	"go/ast"
	"go/constant"
	"go/types"

	"github.com/planvet/planvet/analyzers/program"
)

// declared is a package's constant or variable.
type declared struct {
	pkg   *Package
	spec  *ast.ValueSpec
	doc   *ast.CommentGroup
	i     int
	known bool
	busy  bool
	val   value
}

// fieldInit is an expression that a field is set to.
type fieldInit struct {
	pkg  *Package
	expr ast.Expr
}

func globalKey(o types.Object) string {
	if o.Pkg() == nil {
		return o.Name()
	}
	return o.Pkg().Path() + "." + o.Name()
}

func (x *extraction) indexGlobals() {
	for _, pkg := range x.prog.Packages {
		for _, f := range pkg.Files {
			if x.prog.Skipped(pkg, f) {
				continue
			}
			for _, d := range f.Decls {
				g, ok := d.(*ast.GenDecl)
				if !ok {
					continue
				}
				for _, s := range g.Specs {
					vs, ok := s.(*ast.ValueSpec)
					if !ok {
						continue
					}
					doc := vs.Doc
					if doc == nil && len(g.Specs) == 1 {
						doc = g.Doc
					}
					for i, n := range vs.Names {
						x.globals[pkg.Path+"."+n.Name] = &declared{pkg: pkg, spec: vs, doc: doc, i: i}
					}
				}
			}
		}
	}
}

// global is the value of a package's constant or variable: its initial one.
func (x *extraction) global(o types.Object) (value, bool) {
	switch o.(type) {
	case *types.Const, *types.Var:
	default:
		return value{}, false
	}
	if o.Pkg() == nil || o.Parent() != nil && o.Parent() != o.Pkg().Scope() {
		if c, ok := o.(*types.Const); ok && c.Val().Kind() == constant.String {
			return plain(constant.StringVal(c.Val())), true
		}
		return value{}, false
	}
	d := x.globals[globalKey(o)]
	if d == nil {
		if c, ok := o.(*types.Const); ok && c.Val().Kind() == constant.String {
			return plain(constant.StringVal(c.Val())), true
		}
		return value{}, false
	}
	if d.known {
		return d.val, true
	}
	if d.busy {
		return value{}, false
	}
	d.busy = true
	w := &walker{x: x, fn: nil, pkg: d.pkg, env: env{}}
	switch {
	case d.i < len(d.spec.Values) && len(d.spec.Values) == len(d.spec.Names):
		d.val = w.eval(d.spec.Values[d.i])
	case len(d.spec.Values) == 1:
		if c, ok := ast.Unparen(d.spec.Values[0]).(*ast.CallExpr); ok {
			d.val = w.callResult(c, d.i)
		}
	default:
		if v, ok := x.embedded(d); ok {
			d.val = v
		} else if c, ok := o.(*types.Const); ok && c.Val().Kind() == constant.String {
			d.val = plain(constant.StringVal(c.Val()))
		} else if isString(o.Type()) {
			d.val = hole(holeAny, "the variable "+o.Name())
		}
	}
	d.known, d.busy = true, false
	return d.val, d.val.known()
}

// fieldValue is what the code sets a field to anywhere, when it is text.
func (x *extraction) fieldValue(f *types.Var) value {
	if !holdsText(f.Type()) {
		return value{}
	}
	if v, ok := x.fields[f]; ok {
		return v
	}
	x.fields[f] = value{}
	x.indexFields()
	var out value
	for _, in := range x.inits[f] {
		w := &walker{x: x, pkg: in.pkg, env: env{}}
		v := w.eval(in.expr)
		if !v.known() || !allConstant(v) || v.list {
			out = value{} // one unknown makes the others a guess
			break
		}
		out = either(out, v)
	}
	if len(out.texts) > 8 {
		out = value{}
	}
	x.fields[f] = out
	return out
}

func (x *extraction) indexFields() {
	if x.inits != nil {
		return
	}
	x.inits = map[*types.Var][]fieldInit{}
	for _, pkg := range x.prog.Packages {
		for _, file := range pkg.Files {
			if x.prog.Skipped(pkg, file) {
				continue
			}
			ast.Inspect(file, func(n ast.Node) bool {
				switch n := n.(type) {
				case *ast.CompositeLit:
					x.literalFields(pkg, n)
				case *ast.AssignStmt:
					for i, l := range n.Lhs {
						sel, ok := l.(*ast.SelectorExpr)
						if !ok {
							continue
						}
						if v, ok := pkg.Info.Uses[sel.Sel].(*types.Var); ok && v.IsField() && holdsText(v.Type()) {
							e := ast.Expr(sel)
							if i < len(n.Rhs) && len(n.Lhs) == len(n.Rhs) {
								e = n.Rhs[i]
							}
							x.inits[v.Origin()] = append(x.inits[v.Origin()], fieldInit{pkg, e})
						}
					}
				}
				return true
			})
		}
	}
}

func (x *extraction) literalFields(pkg *Package, l *ast.CompositeLit) {
	t := pkg.Info.TypeOf(l)
	if t == nil {
		return
	}
	if p, ok := t.Underlying().(*types.Pointer); ok {
		t = p.Elem()
	}
	s, ok := t.Underlying().(*types.Struct)
	if !ok {
		return
	}
	for i, e := range l.Elts {
		var f *types.Var
		if kv, ok := e.(*ast.KeyValueExpr); ok {
			if id, ok := kv.Key.(*ast.Ident); ok {
				f, _ = pkg.Info.Uses[id].(*types.Var)
			}
			e = kv.Value
		} else if i < s.NumFields() {
			f = s.Field(i)
		}
		if f != nil && holdsText(f.Type()) {
			x.inits[f.Origin()] = append(x.inits[f.Origin()], fieldInit{pkg, e})
		}
	}
}

// substitute puts a call's arguments in the place of a function's parameters.
func (w *walker) substitute(v value, f *program.Func, call *ast.CallExpr) value {
	var cache = map[int]value{}
	return replaceParams(v, f, func(i int) value {
		if a, ok := cache[i]; ok {
			return a
		}
		a := value{}
		if i < len(call.Args) && !(f.Variadic && i >= len(f.Params)-1) {
			a = w.eval(call.Args[i])
		}
		cache[i] = a
		return a
	})
}

// replaceParams puts values in the place of f's parameters. Those of other
// functions stay.
func replaceParams(v value, f *program.Func, arg func(int) value) value {
	if len(v.texts) == 0 {
		return v
	}
	out := v
	out.texts = nil
	for _, t := range v.texts {
		alts := value{texts: []text{{how: t.how}}}
		single := len(t.pieces) == 1
		for _, p := range t.pieces {
			if p.kind != pieceParam || p.fn != f {
				alts = join2(alts, p)
				continue
			}
			a := arg(p.param)
			if len(a.texts) == 0 {
				a = hole(holeAny, "an argument that is not followed")
			}
			if p.why == "format" {
				a = reformat(a)
			}
			if single {
				alts = a.with(t.how)
			} else {
				alts = concat(alts, a)
			}
		}
		room := maxItems - len(out.texts)
		if len(alts.texts) > room {
			alts.texts = alts.texts[:room]
		}
		out.texts = append(out.texts, alts.texts...)
	}
	return out
}

// reformat makes holes of the verbs of a format that is known by now.
func reformat(v value) value {
	out := value{}
	for _, t := range v.texts {
		out.texts = append(out.texts, formatted(t, nil).texts...)
	}
	return out
}
