package pgast

import (
	"strings"
)

// options reads what stands before the first block, and finds the variables that
// are assigned after their declaration, whose first value says nothing.
func (p *plScanner) options() {
	for p.text(p.i) == "#" {
		if p.word(p.i+1) == "variable_conflict" && p.word(p.i+2) == "use_column" {
			p.useColumn = true
		}
		p.i += 3
	}
	p.assigned, p.into = map[string]bool{}, map[string]bool{}
	begun := false
	for i := range p.toks {
		begun = begun || p.word(i) == "begin"
		switch {
		case !begun || i == 0:
		case p.word(i) == "into":
			for j, end := i+1, p.targets(i+1, len(p.toks)); j < end; j++ {
				p.assigned[p.name(j)], p.into[p.name(j)] = true, true
			}
		case p.text(i-1) == ";" || p.is(i-1, "then", "else", "begin", "loop"):
			if next := p.text(i + 1); next == ":" || next == "=" || next == "[" || next == "." {
				p.assigned[p.name(i)] = true
			}
		}
	}
}

// declarations reads DECLARE's list up to BEGIN.
func (p *plScanner) declarations() {
	for p.i < len(p.toks) && p.word(p.i) != "begin" {
		p.declaration()
	}
}

// declaration reads name [CONSTANT] type [COLLATE c] [NOT NULL] [{DEFAULT|:=|=} expr];
// and name [[NO] SCROLL] CURSOR [(args)] FOR query;
func (p *plScanner) declaration() {
	first := p.i
	name := p.name(p.i)
	p.i++
	if name == "" || name == "declare" {
		return
	}
	if p.word(p.i) == "constant" {
		p.i++
	}
	semi := p.until(p.i)
	if c := p.find(p.i, semi, "cursor"); c >= 0 {
		p.addVar(PLVar{Name: name, Kind: "cursor", Query: len(p.body.Stmts)})
		if f := p.until(c, "for", "is"); f < semi {
			p.sql(first, f+1, semi)
		}
		p.i = semi + 1
		return
	}
	init := min(p.until(p.i, "default", ":", "="), semi)
	typeEnd := min(p.until(p.i, "collate", "not"), init)
	s, e := p.span(p.i, typeEnd)
	typ := p.src[s:e]
	if strings.HasPrefix(strings.ToLower(typ), "alias for") {
		p.addVar(PLVar{Name: name, Kind: "declare", Query: -1})
	} else {
		p.addVar(PLVar{Name: name, Type: typ, Kind: "declare", Query: -1})
	}
	if init < semi {
		from := init + 1
		if p.text(init) == ":" {
			from++
		}
		n := len(p.body.Stmts)
		e := p.expr(first, from, semi)
		p.assignTo(n, name)
		if e != nil && !p.assigned[name] {
			if v, ok := p.texts(e); ok {
				p.values[name] = v
			}
		}
	}
	p.i = semi + 1
}

func (p *plScanner) is(i int, words ...string) bool {
	for _, w := range words {
		if i >= 0 && p.word(i) == w {
			return true
		}
	}
	return false
}

// find is the first token of i to j that is the word w, -1 for none.
func (p *plScanner) find(i, j int, w string) int {
	for ; i < j; i++ {
		if p.word(i) == w {
			return i
		}
	}
	return -1
}

// forLoop reads FOR targets IN query, range, cursor or EXECUTE.
func (p *plScanner) forLoop() {
	first := p.i
	in := p.until(p.i+1, "in")
	loop := p.until(in+1, "loop")
	var targets []string
	for i := p.i + 1; i < in; i++ {
		if n := p.name(i); n != "" {
			targets = append(targets, n)
		}
	}
	query, at := -1, in+1
	switch {
	case p.word(at) == "execute":
		query = len(p.body.Stmts)
		p.execute(first, at+1, loop)
	case p.is(at, "select", "with", "values", "table", "insert", "update", "delete") || p.text(at) == "(":
		query = len(p.body.Stmts)
		p.sql(first, at, loop)
	default:
		p.integerRange(first, at, loop)
	}
	if query >= len(p.body.Stmts) {
		query = -1
	}
	for _, t := range targets {
		p.addVar(PLVar{Name: t, Kind: "for", Query: query})
	}
	if len(targets) == 1 && query >= 0 {
		if v, ok := p.rowTexts(p.body.Stmts[query].Stmt); ok {
			p.values[targets[0]] = v
			if col := rowColumn(p.body.Stmts[query].Stmt); col != "" {
				p.values[targets[0]+"."+col] = v
			}
		} else {
			delete(p.values, targets[0])
		}
	}
	p.push("loop")
	p.frames[len(p.frames)-1].query = query
	p.i = loop + 1
}

// integerRange reads [REVERSE] a .. b [BY c]; the bounds are expressions.
func (p *plScanner) integerRange(first, from, to int) {
	if p.word(from) == "reverse" {
		from++
	}
	for i := from; i+1 < to; i++ {
		if p.text(i) == "." && p.text(i+1) == "." {
			by := min(p.until(i+2, "by"), to)
			p.expr(first, from, i)
			p.expr(first, i+2, by)
			return
		}
	}
}

// foreach reads FOREACH target [SLICE n] IN ARRAY expr LOOP.
func (p *plScanner) foreach() {
	first := p.i
	in := p.until(p.i+1, "in")
	loop := p.until(in+1, "loop")
	name := p.name(p.i + 1)
	from := in + 1
	if p.word(from) == "array" && p.text(from+1) != "[" {
		from++
	}
	e := p.expr(first, from, loop)
	if name != "" {
		p.addVar(PLVar{Name: name, Kind: "foreach", Query: -1})
		delete(p.values, name)
		if v, ok := p.elements(e); ok {
			p.values[name] = v
		}
	}
	p.push("loop")
	p.i = loop + 1
}

// simple reads a statement that holds no others.
func (p *plScanner) simple(w string) {
	semi := p.until(p.i)
	first, next := p.i, p.i+1
	p.i = semi + 1
	switch w {
	case "":
		if p.text(first) == "<<" { // a label: <<name>>
			p.i = first + 3
			return
		}
	case "null", "raise", "get", "close", "fetch", "move", "commit", "rollback":
		if p.assignment(first) < 0 {
			return
		}
	case "exit", "continue", "assert":
		if when := p.find(first, semi, "when"); when >= 0 {
			p.expr(first, when+1, semi)
		}
		return
	case "return":
		p.returns(first, semi)
		return
	case "perform":
		p.sql(first, first, semi)
		return
	case "execute":
		p.execute(first, next, semi)
		return
	case "open":
		p.open(first, semi)
		return
	}
	if eq := p.assignment(first); eq >= 0 && eq < semi {
		n := len(p.body.Stmts)
		p.expr(first, eq+1, semi)
		if next := p.text(first + 1); next == ":" || next == "=" { // not an element or a field
			p.assignTo(n, p.name(first))
		}
		return
	}
	p.sql(first, first, semi)
}

// sqlWords begin SQL statements, so that = behind them assigns nothing.
var sqlWords = keywordSet(`select insert update delete merge with values table create alter drop grant revoke truncate lock
	refresh analyze vacuum set reset comment copy do call notify listen unlisten cluster reindex import security show explain
	discard prepare deallocate savepoint release`)

// assignment is the last token of := or = in variable[.field | [index]]… := expr, -1
// when the statement at i is none.
func (p *plScanner) assignment(i int) int {
	if p.name(i) == "" {
		return -1
	}
	sql := sqlWords[p.word(i)]
	for i++; i < len(p.toks); i++ {
		switch s := p.text(i); {
		case s == ":" && p.text(i+1) == "=":
			return i + 1
		case s == "=" && !sql:
			return i
		case s == ".":
			i++
		case s == "[":
			for depth := 0; i < len(p.toks); i++ {
				if p.text(i) == "[" {
					depth++
				} else if p.text(i) == "]" {
					if depth--; depth == 0 {
						break
					}
				} else if p.text(i) == ";" {
					return -1
				}
			}
		default:
			return -1
		}
	}
	return -1
}

func (p *plScanner) returns(first, semi int) {
	switch {
	case p.word(first+1) == "query" && p.word(first+2) == "execute":
		p.execute(first, first+3, semi)
	case p.word(first+1) == "query":
		p.sql(first, first+2, semi)
	case p.word(first+1) == "next":
		p.expr(first, first+2, semi)
	default:
		p.expr(first, first+1, semi)
	}
}

// open reads OPEN cursor [[NO] SCROLL] FOR query | FOR EXECUTE expr.
func (p *plScanner) open(first, semi int) {
	f := p.find(first, semi, "for")
	switch {
	case f < 0:
	case p.word(f+1) == "execute":
		p.execute(first, f+2, semi)
	default:
		p.sql(first, f+1, semi)
	}
}

// assignTo notes that the expression at n, if there is one, is a variable's value.
func (p *plScanner) assignTo(n int, name string) {
	if n < len(p.body.Stmts) {
		p.body.Stmts[n].Target = name
	}
}
