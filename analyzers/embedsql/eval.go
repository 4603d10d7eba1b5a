package embedsql

import (
	"go/ast"
	"go/constant"
	"go/token"
	"go/types"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/planvet/planvet/analyzers/program"
)

// env holds what is known of local variables.
type env map[types.Object]value

func (e env) clone() env {
	out := make(env, len(e))
	for k, v := range e {
		out[k] = v
	}
	return out
}

// eval gives the possible values of an expression.
func (w *walker) eval(e ast.Expr) value {
	v := w.evalSyntax(e)
	if !v.known() || len(v.texts) == 1 && len(v.texts[0].pieces) == 1 && v.texts[0].pieces[0].kind == pieceHole {
		if tv, ok := w.pkg.Info.Types[e]; ok && tv.Value != nil {
			switch tv.Value.Kind() {
			case constant.String:
				return literal(piece{kind: pieceText, text: constant.StringVal(tv.Value), at: e.Pos(), pkg: w.pkg})
			case constant.Int:
				return plain(tv.Value.ExactString())
			}
		}
	}
	return v
}

func (w *walker) evalSyntax(e ast.Expr) value {
	switch e := e.(type) {
	case *ast.ParenExpr:
		return w.eval(e.X)
	case *ast.BasicLit:
		return w.basicLit(e)
	case *ast.Ident:
		return w.ident(e)
	case *ast.BinaryExpr:
		if e.Op == token.ADD && w.isText(e) {
			return concat(w.eval(e.X), w.eval(e.Y))
		}
	case *ast.CallExpr:
		return w.callResult(e, 0)
	case *ast.CompositeLit:
		return w.composite(e)
	case *ast.UnaryExpr:
		if e.Op == token.AND {
			return w.eval(e.X)
		}
	case *ast.StarExpr:
		return w.eval(e.X)
	case *ast.SelectorExpr:
		return w.selector(e)
	case *ast.IndexExpr:
		return w.index(e)
	case *ast.SliceExpr:
		return w.slice(e)
	case *ast.TypeAssertExpr:
		return w.eval(e.X)
	case *ast.FuncLit:
		return value{lit: w.x.prog.LitFunc(e)}
	}
	return w.unknown(e)
}

// isText reports whether an expression is a string, or may be one for all that
// the types tell.
func (w *walker) isText(e ast.Expr) bool {
	t := w.pkg.Info.TypeOf(e)
	return t == nil || t == types.Typ[types.Invalid] || isString(t)
}

// unknown is a hole whose kind follows the type.
func (w *walker) unknown(e ast.Expr) value {
	t := w.pkg.Info.TypeOf(e)
	if t == nil {
		return hole(holeAny, "an expression that is not followed")
	}
	if b, ok := t.Underlying().(*types.Basic); ok && b.Info()&types.IsInteger != 0 {
		return hole(holeNumber, "a number")
	}
	if !isString(t) {
		return value{}
	}
	return hole(holeAny, "the value of "+types.ExprString(e))
}

// basicLit splits a literal at its escapes, so that all else stands in the file
// byte for byte.
func (w *walker) basicLit(l *ast.BasicLit) value {
	if l.Kind != token.STRING {
		if l.Kind == token.INT {
			return plain(l.Value)
		}
		return value{}
	}
	if strings.HasPrefix(l.Value, "`") {
		return literal(piece{
			kind: pieceText, text: strings.ReplaceAll(l.Value[1:len(l.Value)-1], "\r", ""),
			at: l.Pos() + 1, pkg: w.pkg, exact: !strings.Contains(l.Value, "\r"),
		})
	}
	var ps []piece
	raw := l.Value[1 : len(l.Value)-1]
	for off := 0; off < len(raw); {
		n := strings.IndexByte(raw[off:], '\\')
		if n < 0 {
			n = len(raw) - off
		}
		if n > 0 {
			ps = append(ps, piece{kind: pieceText, text: raw[off : off+n], at: l.Pos() + 1 + token.Pos(off), pkg: w.pkg, exact: true})
			off += n
			continue
		}
		r, multi, tail, err := strconv.UnquoteChar(raw[off:], '"')
		if err != nil {
			return value{}
		}
		s := string(r)
		if !multi && r >= utf8.RuneSelf && r < 256 { // \xff is a byte
			s = string([]byte{byte(r)})
		}
		ps = append(ps, piece{kind: pieceText, text: s, at: l.Pos() + 1 + token.Pos(off), pkg: w.pkg})
		off = len(raw) - len(tail)
	}
	if len(ps) == 0 {
		ps = []piece{{kind: pieceText, at: l.Pos() + 1, pkg: w.pkg, exact: true}}
	}
	return value{texts: []text{{pieces: ps}}}
}

func (w *walker) ident(id *ast.Ident) value {
	o := w.pkg.Info.ObjectOf(id)
	if o == nil {
		return hole(holeAny, "the value of "+id.Name)
	}
	if v, ok := w.env[o]; ok {
		return v.with(byVariable)
	}
	for f := w.fn; f != nil; f = f.Outer {
		if i := f.ParamIndex(o); i >= 0 && i < len(f.Params) {
			return literal(piece{kind: pieceParam, param: i, fn: f})
		}
	}
	if v, ok := w.x.global(o); ok {
		return v
	}
	if f := w.x.prog.BoundLit(o); f != nil {
		return value{lit: f}
	}
	return w.unknown(id)
}

func (w *walker) composite(l *ast.CompositeLit) value {
	t := w.pkg.Info.TypeOf(l)
	if t != nil {
		t = types.Unalias(t)
		if p, ok := t.Underlying().(*types.Pointer); ok { // &T elided in a list of pointers
			t = p.Elem()
		}
		switch u := t.Underlying().(type) {
		case *types.Struct:
			return w.structLit(l, u)
		case *types.Basic:
			return value{}
		}
		if path, name := program.TypeName(t); path == "strings" && name == "Builder" || path == "bytes" && name == "Buffer" {
			return plain("").with(byBuilder)
		}
	}
	out := value{list: true}
	if e := forPostgres(w.pkg.Info, l); e != nil {
		out.items, out.keys = []value{w.eval(e)}, []string{""}
		return out
	}
	for _, e := range l.Elts {
		key := ""
		if kv, ok := e.(*ast.KeyValueExpr); ok {
			if k := w.eval(kv.Key); len(k.texts) == 1 {
				key, _ = k.texts[0].constant()
			}
			e = kv.Value
		}
		out.items = append(out.items, w.eval(e))
		out.keys = append(out.keys, key)
	}
	return out
}

func (w *walker) structLit(l *ast.CompositeLit, s *types.Struct) value {
	out := value{fields: map[string]value{}}
	for i, e := range l.Elts {
		name := ""
		if kv, ok := e.(*ast.KeyValueExpr); ok {
			if id, ok := kv.Key.(*ast.Ident); ok {
				name = id.Name
			}
			e = kv.Value
		} else if i < s.NumFields() {
			name = s.Field(i).Name()
		}
		if v := w.eval(e); v.known() {
			out.fields[name] = v
		}
	}
	return out
}

func (w *walker) selector(e *ast.SelectorExpr) value {
	if id, ok := e.X.(*ast.Ident); ok {
		if _, isPkg := w.pkg.Info.Uses[id].(*types.PkgName); isPkg {
			if o := w.pkg.Info.Uses[e.Sel]; o != nil {
				if v, ok := w.x.global(o); ok {
					return v
				}
			}
			return w.unknown(e)
		}
	}
	base := value{}
	switch ast.Unparen(e.X).(type) {
	case *ast.Ident, *ast.SelectorExpr, *ast.IndexExpr:
		base = w.eval(e.X)
	}
	if v, ok := base.fields[e.Sel.Name]; ok {
		return v
	}
	if o, ok := w.pkg.Info.Uses[e.Sel].(*types.Var); ok && o.IsField() {
		if v := w.x.fieldValue(o); v.known() {
			return v.with(byVariable)
		}
	}
	return w.unknown(e)
}

func (w *walker) index(e *ast.IndexExpr) value {
	base := w.eval(e.X)
	if !base.list {
		return w.unknown(e)
	}
	key := ""
	if k := w.eval(e.Index); len(k.texts) == 1 {
		key, _ = k.texts[0].constant()
	}
	if key != "" {
		for i, k := range base.keys {
			if k == key {
				return base.items[i]
			}
		}
		if n, err := strconv.Atoi(key); err == nil && n < len(base.items) && base.keys[n] == "" {
			return base.items[n]
		}
	}
	if v := base.element(); v.known() && len(v.texts) <= maxTexts {
		return v.with(byVariable)
	}
	return w.unknown(e)
}

// slice understands q[:len(q)-n], which takes a separator off, and slices of lists.
func (w *walker) slice(e *ast.SliceExpr) value {
	base := w.eval(e.X)
	if base.list {
		base.open = true
		return base
	}
	cut, ok := e.High.(*ast.BinaryExpr)
	if e.Low != nil || !ok || cut.Op != token.SUB {
		return w.unknown(e)
	}
	n := w.eval(cut.Y)
	if len(n.texts) != 1 {
		return w.unknown(e)
	}
	s, _ := n.texts[0].constant()
	drop, err := strconv.Atoi(s)
	if err != nil {
		return w.unknown(e)
	}
	out := value{}
	for _, t := range base.texts {
		ps := append([]piece(nil), t.pieces...)
		for k := drop; k > 0 && len(ps) > 0; {
			last := &ps[len(ps)-1]
			if last.kind != pieceText {
				break
			}
			c := min(k, len(last.text))
			last.text = last.text[:len(last.text)-c]
			if k -= c; last.text == "" {
				ps = ps[:len(ps)-1]
			}
		}
		out.texts = append(out.texts, text{ps, t.how})
	}
	return out
}

// texts1 is the one constant text of an expression.
func (w *walker) texts1(e ast.Expr) (string, bool) {
	if v := w.eval(e); len(v.texts) == 1 {
		return v.texts[0].constant()
	}
	return "", false
}
