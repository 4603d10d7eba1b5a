package pgast

import (
	"errors"
	"strconv"
	"strings"
)

// maxExecutes bounds the statements that one EXECUTE in a loop over literals gives.
const maxExecutes = 1000

// execute adds what EXECUTE expr [INTO …] [USING …] runs, where the expression is
// made of literals and of variables whose values are known.
func (p *plScanner) execute(first, from, to int) {
	end := min(p.until(from, "into", "using"), to)
	s, e := p.span(from, end)
	if s == e {
		return
	}
	out := p.stmt(first)
	out.Execute = true
	expr, err := ParseExpr(p.src[s:e])
	if err != nil {
		out.Dynamic, out.Text = true, p.src[s:e]
		if pe := (*Error)(nil); errors.As(err, &pe) {
			out.Err = &Error{Offset: s + pe.Offset, Msg: pe.Msg}
		}
		p.body.Stmts = append(p.body.Stmts, out)
		return
	}
	texts, ok := p.eachText(expr)
	if !ok {
		out.Dynamic, out.Text, out.Offset = true, p.src[s:e], s
		p.body.Stmts = append(p.body.Stmts, out)
		return
	}
	literal := p.literalPos(from, end, texts)
	for _, text := range texts {
		for _, q := range ParseFile(text) {
			x := out
			x.Text, x.Stmt, x.Err = q.Text, q.Stmt, q.Err
			if literal >= 0 {
				x.Offset = literal + q.Start
			}
			if x.Err != nil {
				x.Err = &Error{Offset: max(literal+x.Err.Offset, s), Msg: x.Err.Msg}
			}
			p.body.Stmts = append(p.body.Stmts, x)
		}
	}
}

// eachText is texts with every variable having one value at a time, so that one that
// stands twice in an expression is the same in both places.
func (p *plScanner) eachText(e Expr) ([]string, bool) {
	many := ""
	Walk(e, func(n Node) bool {
		if c, ok := n.(*ColumnRef); ok && many == "" {
			if name := strings.Join(c.Names, "."); len(p.values[name]) > 1 {
				many = name
			}
		}
		return many == ""
	})
	if many == "" {
		return p.texts(e)
	}
	values := p.values[many]
	defer func() { p.values[many] = values }()
	var out []string
	for _, v := range values {
		p.values[many] = []string{v}
		t, ok := p.eachText(e)
		if out = append(out, t...); !ok || len(out) > maxExecutes {
			return nil, false
		}
	}
	return out, true
}

// literalPos is where the text of a lone literal begins in the body, -1 otherwise.
func (p *plScanner) literalPos(from, end int, texts []string) int {
	if end != from+1 || len(texts) != 1 {
		return -1
	}
	start := p.toks[from].start
	switch p.toks[from].kind {
	case tokDollar:
		start += strings.IndexByte(p.src[start+1:], '$') + 2
	case tokString:
		start += strings.IndexByte(p.src[start:], '\'') + 1
	default:
		return -1
	}
	if !strings.HasPrefix(p.src[start:], texts[0]) {
		return -1
	}
	return start
}

// texts are the values that an expression of literals and known variables has: one
// for a scalar, one an element for an array.
func (p *plScanner) texts(e Expr) ([]string, bool) {
	switch v := e.(type) {
	case *Const:
		if v.Kind == ConstNull {
			return nil, false
		}
		return []string{v.Text}, true
	case *Cast:
		return p.texts(v.Arg)
	case *ColumnRef:
		t, ok := p.values[strings.Join(v.Names, ".")]
		return t, ok && !v.Star
	case *Array:
		var out []string
		for _, x := range v.Elems {
			t, ok := p.texts(x)
			if !ok || len(t) != 1 {
				return nil, false
			}
			out = append(out, t[0])
		}
		return out, len(out) > 0
	case *Op:
		if v.Kind == OpPlain && v.Name == "||" && v.Left != nil {
			l, ok1 := p.texts(v.Left)
			r, ok2 := p.texts(v.Right)
			if ok1 && ok2 {
				return product([][]string{l, r}, func(x []string) (string, bool) { return x[0] + x[1], true })
			}
		}
	case *FuncCall:
		return p.callTexts(v)
	}
	return nil, false
}

// elements are the values of an array, which may also be written '{a,b}'.
func (p *plScanner) elements(e Expr) ([]string, bool) {
	t, ok := p.texts(e)
	if ok && len(t) == 1 && strings.HasPrefix(t[0], "{") && strings.HasSuffix(t[0], "}") && !strings.ContainsAny(t[0], `"\`) {
		t = strings.Split(t[0][1:len(t[0])-1], ",")
		for i := range t {
			t[i] = strings.TrimSpace(t[i])
		}
	}
	return t, ok
}

// callTexts works out format, quote_ident, quote_literal and concat.
func (p *plScanner) callTexts(v *FuncCall) ([]string, bool) {
	if v.Variadic || len(v.Args) == 0 {
		return nil, false
	}
	var args [][]string
	for _, a := range v.Args {
		t, ok := p.texts(a)
		if !ok {
			return nil, false
		}
		args = append(args, t)
	}
	switch last(v.Name) {
	case "format":
		return product(args, func(x []string) (string, bool) { return formatText(x[0], x[1:]) })
	case "quote_ident":
		return product(args, func(x []string) (string, bool) { return quoteIdent(x[0]), true })
	case "quote_literal":
		return product(args, func(x []string) (string, bool) { return quoteString(x[0]), true })
	case "concat":
		return product(args, func(x []string) (string, bool) { return strings.Join(x, ""), true })
	}
	return nil, false
}

// product applies f to all combinations of values, maxExecutes at most.
func product(args [][]string, f func([]string) (string, bool)) ([]string, bool) {
	total := 1
	for _, a := range args {
		if total *= len(a); total > maxExecutes || total == 0 {
			return nil, false
		}
	}
	var out []string
	row := make([]string, len(args))
	for k := 0; k < total; k++ {
		n := k
		for i := len(args) - 1; i >= 0; i-- {
			row[i] = args[i][n%len(args[i])]
			n /= len(args[i])
		}
		s, ok := f(row)
		if !ok {
			return nil, false
		}
		out = append(out, s)
	}
	return out, true
}

// formatText is PostgreSQL's format() with %s, %I, %L, %% and positions (%1$I).
func formatText(f string, args []string) (string, bool) {
	var b strings.Builder
	next := 0
	for i := 0; i < len(f); i++ {
		if f[i] != '%' {
			b.WriteByte(f[i])
			continue
		}
		i++
		if i < len(f) && f[i] == '%' {
			b.WriteByte('%')
			continue
		}
		j := i
		for j < len(f) && isDigit(f[j]) {
			j++
		}
		if j > i && j < len(f) && f[j] == '$' {
			n, err := strconv.Atoi(f[i:j])
			if err != nil {
				return "", false
			}
			next, i = n-1, j+1
		}
		if i >= len(f) || next < 0 || next >= len(args) {
			return "", false
		}
		switch f[i] {
		case 's':
			b.WriteString(args[next])
		case 'I':
			b.WriteString(quoteIdent(args[next]))
		case 'L':
			b.WriteString(quoteString(args[next]))
		default:
			return "", false
		}
		next++
	}
	return b.String(), true
}

// rowTexts are the values of a query over literals: SELECT unnest(ARRAY[…]),
// VALUES ('a'), ('b'), SELECT x FROM unnest(…) x.
func (p *plScanner) rowTexts(s Stmt) ([]string, bool) {
	q, ok := s.(*Select)
	if !ok || q.SetOp != "" || q.Where != nil || q.With != nil || q.Limit != nil {
		return nil, false
	}
	if len(q.Values) > 0 {
		var out []string
		for _, r := range q.Values {
			t, ok := p.texts(r[0])
			if !ok || len(r) != 1 || len(t) != 1 {
				return nil, false
			}
			out = append(out, t[0])
		}
		return out, true
	}
	if len(q.Targets) != 1 || len(q.From) > 1 {
		return nil, false
	}
	call, ok := q.Targets[0].Expr.(*FuncCall)
	if len(q.From) == 1 {
		switch f := q.From[0].(type) {
		case *FuncTable:
			if len(f.Calls) == 1 {
				call, ok = f.Calls[0].(*FuncCall)
			}
		case *Subquery:
			return p.rowTexts(f.Query)
		default:
			return nil, false
		}
	}
	if !ok || call == nil || last(call.Name) != "unnest" || len(call.Args) != 1 {
		return nil, false
	}
	return p.elements(call.Args[0])
}

// rowColumn is the name of a query's only column.
func rowColumn(s Stmt) string {
	q, ok := s.(*Select)
	if !ok || len(q.Targets) != 1 {
		return ""
	}
	if c, ok := q.Targets[0].Expr.(*ColumnRef); ok && c.Star && len(q.From) == 1 {
		if f, ok := q.From[0].(*FuncTable); ok {
			if len(f.ColAliases) == 1 {
				return f.ColAliases[0]
			}
			return f.Alias
		}
		if f, ok := q.From[0].(*Subquery); ok && len(f.ColAliases) == 1 {
			return f.ColAliases[0]
		}
	}
	return outputName(q.Targets[0])
}
