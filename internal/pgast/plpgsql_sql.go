package pgast

// stmt is a statement with its surroundings.
func (p *plScanner) stmt(first int) PLStmt {
	s := PLStmt{At: p.toks[first].start, Offset: -1, Loop: p.in("loop"), Branch: p.in("if", "case", "handler")}
	for _, f := range p.frames {
		s.Conds = append(s.Conds, f.conds...)
		if f.query >= 0 {
			s.Queries = append(s.Queries, f.query)
		}
	}
	return s
}

// sql adds the statement of tokens from to to.
func (p *plScanner) sql(first, from, to int) {
	s, e := p.span(from, to)
	if s == e {
		return
	}
	out := p.stmt(first)
	text := []byte(p.src[s:e])
	if p.word(from) == "perform" {
		copy(text, "SELECT ")
	}
	p.blankInto(text, s, from, to)
	out.Text, out.Offset = string(text), s
	out.Stmt, out.Err = parseText(out.Text, 0)
	if out.Err != nil {
		out.Err.Offset += s
	}
	p.body.Stmts = append(p.body.Stmts, out)
}

// blankInto writes spaces over INTO [STRICT] targets, so that positions stay.
func (p *plScanner) blankInto(text []byte, base, from, to int) {
	if !p.is(from, "select", "with", "insert", "update", "delete", "merge", "values", "perform", "show", "explain", "call") && p.text(from) != "(" {
		return
	}
	depth := 0
	for i := from; i < to; i++ {
		switch p.text(i) {
		case "(":
			depth++
		case ")":
			depth--
		}
		if depth != 0 || p.word(i) != "into" || p.is(i-1, "insert", "merge") {
			continue
		}
		end := i + 1
		if p.word(end) == "strict" {
			end++
		}
		end = p.targets(end, to)
		for k := p.toks[i].start; k < p.toks[end-1].end; k++ {
			text[k-base] = ' '
		}
		return
	}
}

// targets is the end of a list of assignment targets that begins at i.
func (p *plScanner) targets(i, to int) int {
	for i < to {
		i++
		for i < to && (p.text(i) == "." || p.text(i) == "[") {
			if p.text(i) == "." {
				i += 2
				continue
			}
			for i < to && p.text(i) != "]" {
				i++
			}
			i++
		}
		if i >= to || p.text(i) != "," {
			break
		}
		i++
	}
	return min(i, to)
}

// expr adds the expression of tokens from to to as SELECT expr and returns it; nil
// when there is none or it does not parse.
func (p *plScanner) expr(first, from, to int) Expr {
	s, e := p.span(from, to)
	if s == e || to > len(p.toks) {
		return nil
	}
	const head = "SELECT "
	out := p.stmt(first)
	out.Expr, out.Text = true, head+p.src[s:e]
	if s >= len(head) {
		out.Offset = s - len(head)
	}
	out.Stmt, out.Err = parseText(out.Text, 0)
	if out.Err != nil {
		out.Err.Offset += s - len(head)
	}
	p.body.Stmts = append(p.body.Stmts, out)
	if q, ok := out.Stmt.(*Select); ok && len(q.Targets) == 1 && onlyTargets(q) {
		return q.Targets[0].Expr
	}
	return nil
}
