package embedsql

import (
	"go/ast"
	"go/types"
	"strings"

	"github.com/planvet/planvet/analyzers/program"
)

// callResult is the i-th result of a call.
func (w *walker) callResult(call *ast.CallExpr, i int) value {
	if tv, ok := w.pkg.Info.Types[call.Fun]; ok && tv.IsType() && len(call.Args) == 1 {
		return w.eval(call.Args[0]) // a conversion
	}
	if id, ok := ast.Unparen(call.Fun).(*ast.Ident); ok {
		switch id.Name {
		case "append":
			return w.appended(call)
		case "make", "new":
			return w.fresh(call)
		case "string":
			if len(call.Args) == 1 {
				return w.eval(call.Args[0])
			}
		}
	}
	if s := w.x.sinkOf(w.pkg, call); s != nil && strings.Contains(s.call, "Prepare") {
		return value{prepared: call}
	}
	if v, ok := w.library(call, i); ok {
		return v
	}
	if i == 0 && len(call.Args) == 1 {
		if e := forPostgres(w.pkg.Info, call.Args[0]); e != nil {
			return w.eval(e) // the function chooses by the engine at hand
		}
	}
	var out value
	for n, c := range w.x.prog.Callees(w.pkg, call) {
		if c.Func == nil || n >= 4 {
			return w.unknownCall(call, i)
		}
		r := w.x.returns(c.Func, i)
		if !r.known() {
			return w.unknownCall(call, i)
		}
		out = either(out, w.substitute(r, c.Func, call))
	}
	if !out.known() {
		return w.unknownCall(call, i)
	}
	return out
}

func (w *walker) unknownCall(call *ast.CallExpr, i int) value {
	t := w.pkg.Info.TypeOf(call)
	if tup, ok := t.(*types.Tuple); ok {
		if i >= tup.Len() {
			return value{}
		}
		t = tup.At(i).Type()
	}
	if t == nil || !isString(t) {
		if t != nil {
			if b, ok := t.Underlying().(*types.Basic); ok && b.Info()&types.IsInteger != 0 {
				return hole(holeNumber, "a number")
			}
			return value{}
		}
	}
	return hole(holeAny, "the result of "+calledName(call))
}

// library knows the functions of other packages that make strings.
func (w *walker) library(call *ast.CallExpr, i int) (value, bool) {
	name, path := calledName(call), ""
	o := program.Target(w.pkg.Info, call)
	if o != nil && o.Pkg() != nil {
		path = o.Pkg().Path()
	}
	arg := func(n int) value {
		if n < 0 || n >= len(call.Args) {
			return value{}
		}
		return w.eval(call.Args[n])
	}
	switch path {
	case "fmt":
		switch name {
		case "Sprintf":
			return w.sprintf(call.Args), true
		case "Sprint":
			out := plain("")
			for n := range call.Args {
				out = concat(out, arg(n))
			}
			return out, true
		}
	case "strings":
		switch name {
		case "Join":
			return w.join(arg(0), arg(1)), true
		case "TrimSpace", "Trim", "TrimSuffix", "TrimPrefix", "TrimRight", "TrimLeft", "ToLower", "ToUpper", "Clone":
			return arg(0), true
		case "Replace", "ReplaceAll":
			return w.replaced(arg(0), call), true
		}
		if recv := builderOf(w, call); recv != nil && name == "String" {
			return w.eval(recv), true
		}
		if o != nil && name == "Replace" {
			return arg(0).with(guessed), true
		}
	case "bytes":
		if recv := builderOf(w, call); recv != nil && (name == "String" || name == "Bytes") {
			return w.eval(recv), true
		}
	case "strconv":
		if name == "Itoa" || strings.HasPrefix(name, "Format") {
			if s, ok := w.texts1(call.Args[0]); ok && name == "Itoa" {
				return plain(s), true
			}
			return hole(holeNumber, "a number"), true
		}
	case "embed", "io/fs":
		if name == "ReadFile" {
			return w.readEmbedded(call), true
		}
	case "os":
		return value{}, false
	}
	switch name {
	case "TableName":
		if v, ok := w.popTable(call); ok {
			return v, true
		}
	case "Rebind":
		return arg(len(call.Args) - 1), true
	case "In", "Named":
		if strings.HasSuffix(path, "/sqlx") {
			if i > 0 {
				return value{}, true
			}
			return arg(0), true
		}
	case "ToSql", "ToSQL", "MustSql":
		if i == 0 && path != "" && !w.x.prog.Own(path) {
			return hole(holeAny, "what is built by "+path[strings.LastIndexByte(path, '/')+1:]), true
		}
	case "CopyIn", "CopyInSchema":
		if i == 0 && strings.HasSuffix(path, "/pq") {
			return concat(concat(plain("copy "), hole(holeName, "a table")), plain(" from stdin")), true
		}
	case "QuoteIdentifier", "Sanitize", "SanitizeIdentifier":
		return hole(holeName, "a quoted name"), true
	}
	return value{}, false
}

// popTable is (&pop.Model{Value: T{}}).TableName(): what T's own method says.
func (w *walker) popTable(call *ast.CallExpr) (value, bool) {
	sel, ok := ast.Unparen(call.Fun).(*ast.SelectorExpr)
	if !ok {
		return value{}, false
	}
	e := ast.Unparen(sel.X)
	if u, ok := e.(*ast.UnaryExpr); ok {
		e = ast.Unparen(u.X)
	}
	lit, ok := e.(*ast.CompositeLit)
	if !ok {
		return value{}, false
	}
	if path, _ := program.TypeName(w.pkg.Info.TypeOf(lit)); !under(path, []string{"github.com/gobuffalo/pop"}) {
		return value{}, false
	}
	for _, el := range lit.Elts {
		kv, ok := el.(*ast.KeyValueExpr)
		if !ok {
			continue
		}
		t := w.pkg.Info.TypeOf(kv.Value)
		if t == nil {
			continue
		}
		m, _, _ := types.LookupFieldOrMethod(t, true, w.pkg.Types, "TableName")
		fn, ok := m.(*types.Func)
		if !ok {
			continue
		}
		if f := w.x.prog.Lookup(w.x.prog.Key(fn)); f != nil {
			if v := w.x.returns(f, 0); v.known() {
				return v, true
			}
		}
	}
	return value{}, false
}

// builderOf is the operand of a method of strings.Builder or bytes.Buffer.
func builderOf(w *walker, call *ast.CallExpr) ast.Expr {
	sel, ok := ast.Unparen(call.Fun).(*ast.SelectorExpr)
	if !ok || !w.isBuilder(sel.X) {
		return nil
	}
	return sel.X
}

func (w *walker) isBuilder(e ast.Expr) bool {
	if u, ok := ast.Unparen(e).(*ast.UnaryExpr); ok {
		e = u.X
	}
	path, name := program.TypeName(w.pkg.Info.TypeOf(e))
	return path == "strings" && name == "Builder" || path == "bytes" && name == "Buffer"
}

func (w *walker) appended(call *ast.CallExpr) value {
	if len(call.Args) == 0 {
		return value{}
	}
	base := w.eval(call.Args[0])
	if len(call.Args) > 1 && w.isBytes(call.Args[0]) {
		return concat(base, w.eval(call.Args[1])).with(byBuilder)
	}
	out := value{list: true, open: base.open || !base.list && !isNil(call.Args[0])}
	out.items = append(out.items, base.items...)
	out.keys = append(out.keys, base.keys...)
	for n, a := range call.Args[1:] {
		v := w.eval(a)
		if call.Ellipsis.IsValid() && n == len(call.Args)-2 {
			out.items = append(out.items, v.items...)
			out.keys = append(out.keys, v.keys...)
			out.open = out.open || v.open || !v.list
			continue
		}
		out.items = append(out.items, v)
		out.keys = append(out.keys, "")
	}
	if len(out.items) > maxItems {
		out.items, out.keys, out.open = out.items[:maxItems], out.keys[:maxItems], true
	}
	return out
}

func (w *walker) isBytes(e ast.Expr) bool {
	t := w.pkg.Info.TypeOf(e)
	if t == nil {
		return false
	}
	s, ok := t.Underlying().(*types.Slice)
	if !ok {
		return false
	}
	b, ok := s.Elem().Underlying().(*types.Basic)
	return ok && b.Kind() == types.Byte
}

func isNil(e ast.Expr) bool {
	id, ok := ast.Unparen(e).(*ast.Ident)
	return ok && id.Name == "nil"
}

// fresh is the value of make(T) and new(T).
func (w *walker) fresh(call *ast.CallExpr) value {
	if len(call.Args) == 0 {
		return value{}
	}
	return zero(w.pkg.Info.TypeOf(call))
}

// zero is the value of a variable without an initial one.
func zero(t types.Type) value {
	if t == nil {
		return value{}
	}
	if path, name := program.TypeName(t); path == "strings" && name == "Builder" || path == "bytes" && name == "Buffer" {
		return plain("").with(byBuilder)
	}
	switch u := t.Underlying().(type) {
	case *types.Basic:
		if u.Info()&types.IsString != 0 {
			return plain("")
		}
	case *types.Slice, *types.Map:
		return value{list: true}
	case *types.Struct:
		return value{fields: map[string]value{}}
	}
	return value{}
}

// join is strings.Join.
func (w *walker) join(list, sep value) value {
	if list.list && !list.open && len(sep.texts) == 1 {
		out := plain("")
		for i, it := range list.items {
			if i > 0 {
				out = concat(out, sep)
			}
			out = concat(out, it)
		}
		return out
	}
	kind := holeAny
	if len(sep.texts) == 1 {
		if s, _ := sep.texts[0].constant(); strings.EqualFold(strings.TrimSpace(s), "and") || strings.EqualFold(strings.TrimSpace(s), "or") {
			kind = holeConditions
		}
	}
	return hole(kind, "a list that is built at run time")
}

// replaced is strings.Replace and ReplaceAll with an old text that is constant.
func (w *walker) replaced(v value, call *ast.CallExpr) value {
	if len(call.Args) < 3 {
		return v.with(guessed)
	}
	old, ok := w.texts1(call.Args[1])
	with := w.eval(call.Args[2])
	if !ok || old == "" || len(with.texts) != 1 {
		return v.with(guessed)
	}
	out := value{}
	for _, t := range v.texts {
		var ps []piece
		for _, p := range t.pieces {
			if p.kind != pieceText {
				ps = append(ps, p)
				continue
			}
			for {
				n := strings.Index(p.text, old)
				if n < 0 {
					break
				}
				ps = append(ps, p.cut(0, n))
				ps = append(ps, with.texts[0].pieces...)
				p = p.cut(n+len(old), len(p.text))
			}
			ps = append(ps, p)
		}
		out.texts = append(out.texts, text{ps, t.how})
	}
	return out
}
