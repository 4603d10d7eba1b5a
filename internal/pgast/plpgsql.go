package pgast

import (
	"fmt"
	"strings"
)

// PLBody is what a plpgsql body holds.
type PLBody struct {
	// Vars are arguments, declared variables, loop variables, and, where the body
	// uses them, special variables (new, old, found …) and fields of records. The
	// variable with index i is Param i+1 in the statements.
	Vars []PLVar
	// Stmts are the SQL statements in order, those of all branches.
	Stmts []PLStmt
}

// PLVar is a variable of a plpgsql body.
type PLVar struct {
	// Name is in lower case unless quoted; rec.id for a field.
	Name string
	// Type is as written; empty when it is not.
	Type string
	// Kind is arg, declare, for, foreach, cursor, special or field.
	Kind string
	// Query is the statement of a FOR … IN query loop, an index into Stmts; -1 else.
	Query int
	// Into is set where a query's INTO gives it a value.
	Into bool
}

// PLStmt is one SQL statement in a plpgsql body.
type PLStmt struct {
	// Text is the SQL: INTO targets are blank, PERFORM is SELECT, assignments and
	// conditions are SELECT expr, EXECUTE is the text that it runs.
	Text string
	// Offset is such that Offset plus a position in Text or Stmt is the place in the
	// body; -1 when there is none.
	Offset int
	// At is where the plpgsql statement begins in the body.
	At int
	// Stmt has variables as Params; nil when Err or Dynamic is set. Err's offset is
	// in the body.
	Stmt Stmt
	Err  *Error
	// Loop and Branch tell that it stands in a loop, in an IF, CASE or handler.
	Loop, Branch bool
	// Caught is set where a handler of its block may catch its failure.
	Caught bool
	// Conds are the conditions of the IFs around it, outermost first, and Queries the
	// queries of the FOR loops around it, as indexes into Stmts.
	Conds   []PLCond
	Queries []int
	// Target is the variable that an expression is assigned to, at its declaration
	// or later; empty for others.
	Target string
	// Execute is set for EXECUTE; Dynamic when its text could not be worked out
	// (Text is then the expression).
	Execute, Dynamic bool
	// Expr is set for expressions: assignments, conditions, RETURN.
	Expr bool
}

// PLCond is a condition under which a statement runs.
type PLCond struct {
	// Stmt is the condition's index in Stmts.
	Stmt int
	// Not is set where the condition must not hold: behind ELSIF and ELSE.
	Not bool
}

// PLpgSQL reads a plpgsql body: text is what stands between the quotes, create its
// function, nil for DO. What it does not understand it takes for SQL, whose error is
// then that statement's. The error is an *Error about the body as a whole, beside
// which the statements found so far are returned. Linear in text, but for a loop
// over literals, whose EXECUTEs are listed once a value, 1,000 at most.
func PLpgSQL(create *CreateFunction, text string) (PLBody, error) {
	p := &plScanner{src: text, names: map[string]int{}, values: map[string][]string{}}
	if err := checkSize(text); err != nil {
		return p.body, err
	}
	l := newLexer(text)
	for t := l.code(); t.kind != tokEOF; t = l.code() {
		p.toks = append(p.toks, t)
	}
	if l.err != nil {
		return p.body, l.err
	}
	p.arguments(create)
	p.options()
	bad := p.run()
	for i := range p.body.Stmts {
		if s := p.body.Stmts[i].Stmt; s != nil && !p.useColumn {
			p.params(s)
		}
	}
	if bad != nil {
		return p.body, bad
	}
	if !p.sawBegin {
		return p.body, &Error{Msg: "a plpgsql body has no BEGIN"}
	}
	return p.body, nil
}

// plFrame is an open block, loop, IF, CASE or handler.
type plFrame struct {
	kind string
	// start is the number of statements at its beginning.
	start int
	// conds are those of an IF's present arm; query is a FOR loop's, -1 for none.
	conds []PLCond
	query int
}

// plScanner walks the tokens of a body, statement by statement.
type plScanner struct {
	src  string
	toks []token
	i    int
	body PLBody
	// names finds variables in body.Vars; values are the texts that a variable may
	// have where all are known; fn is the function's name.
	names  map[string]int
	values map[string][]string
	fn     string
	frames []plFrame
	// assigned are the variables that some statement sets.
	assigned map[string]bool
	into     map[string]bool
	// useColumn is set by #variable_conflict use_column.
	useColumn, sawBegin bool
}

func (p *plScanner) arguments(create *CreateFunction) {
	if create == nil {
		return
	}
	p.fn = create.Name.Name
	for _, a := range create.Args {
		if a.Name != "" {
			p.addVar(PLVar{Name: a.Name, Type: formatType(a.Type), Kind: "arg", Query: -1})
		} else if a.Mode != "out" && a.Mode != "table" {
			p.body.Vars = append(p.body.Vars, PLVar{Type: formatType(a.Type), Kind: "arg", Query: -1})
		}
	}
}

func (p *plScanner) addVar(v PLVar) {
	if _, ok := p.names[v.Name]; ok && v.Kind == "for" && v.Query < 0 {
		return
	}
	p.names[v.Name] = len(p.body.Vars)
	v.Into = p.into[v.Name]
	p.body.Vars = append(p.body.Vars, v)
}

// maxName is the length of a name in bytes, PostgreSQL's NAMEDATALEN less one.
const maxName = 63

// word is the token's word in lower case, cut as PostgreSQL cuts it, "" for other
// tokens.
func (p *plScanner) word(i int) string {
	if i >= len(p.toks) || p.toks[i].kind != tokWord {
		return ""
	}
	s := p.text(i)
	return strings.ToLower(s[:min(len(s), maxName)])
}

func (p *plScanner) text(i int) string {
	if i >= len(p.toks) {
		return ""
	}
	return p.src[p.toks[i].start:p.toks[i].end]
}

// name is the identifier at i, folded.
func (p *plScanner) name(i int) string {
	if i < len(p.toks) && p.toks[i].kind == tokQuoted {
		return strings.ReplaceAll(strings.Trim(p.text(i), `"`), `""`, `"`)
	}
	return p.word(i)
}

// until finds the first token from i on that is a semicolon or one of words, outside
// parentheses and CASE expressions; len(p.toks) when there is none.
func (p *plScanner) until(i int, words ...string) int {
	depth, cases := 0, 0
	for ; i < len(p.toks); i++ {
		w, s := p.word(i), ""
		if w == "" {
			s = p.text(i)
		}
		switch s {
		case "(", "[":
			depth++
			continue
		case ")", "]":
			depth--
			continue
		case ";": // no statement goes on behind it, whatever is open
			return i
		}
		if depth > 0 {
			continue
		}
		if cases == 0 {
			for _, x := range words {
				if w == x && w != "" || s == x && s != "" {
					return i
				}
			}
		}
		switch {
		case w == "case":
			cases++
		case w == "end" && cases > 0:
			cases--
		}
	}
	return i
}

// span is the place in the source of tokens i to j, j excluded.
func (p *plScanner) span(i, j int) (start, end int) {
	if i >= j || i >= len(p.toks) {
		return 0, 0
	}
	return p.toks[i].start, p.toks[j-1].end
}

func (p *plScanner) in(kinds ...string) bool {
	for _, f := range p.frames {
		for _, k := range kinds {
			if f.kind == k {
				return true
			}
		}
	}
	return false
}

func (p *plScanner) push(kind string) {
	p.frames = append(p.frames, plFrame{kind: kind, start: len(p.body.Stmts), query: -1})
}

func (p *plScanner) pop() {
	if len(p.frames) > 0 {
		p.frames = p.frames[:len(p.frames)-1]
	}
}

// run reads statements; each step moves i. A statement carries the conditions of
// all arms around it, so that their number is bounded.
func (p *plScanner) run() *Error {
	limit := stackDepth()
	for p.i < len(p.toks) {
		at := p.i
		p.statement()
		if p.i <= at {
			p.i = at + 1
		}
		if n := len(p.frames); n > limit || n > 0 && len(p.frames[n-1].conds) > limit {
			return &Error{Offset: p.toks[at].start, Msg: fmt.Sprintf("body too complex: more than %d nested blocks or arms of one IF", limit)}
		}
	}
	return nil
}

// statement reads one statement, or the head or end of a compound one.
func (p *plScanner) statement() {
	switch w := p.word(p.i); w {
	case "declare":
		p.i++
		p.declarations()
	case "begin":
		p.sawBegin = true
		p.push("block")
		p.i++
	case "exception":
		if n := len(p.frames); n > 0 && p.frames[n-1].kind == "block" {
			for i := p.frames[n-1].start; i < len(p.body.Stmts); i++ {
				p.body.Stmts[i].Caught = true
			}
		}
		p.push("handler")
		p.i++
	case "when":
		p.when()
	case "if", "elsif", "elseif":
		p.condition(w)
	case "else":
		p.otherArm()
		p.i++
	case "case":
		p.push("case")
		if p.word(p.i+1) != "when" {
			p.i = p.until(p.i+1, "when")
		} else {
			p.i++
		}
	case "end":
		p.end()
	case "loop":
		p.push("loop")
		p.i++
	case "while":
		p.push("loop")
		j := p.until(p.i+1, "loop")
		p.expr(p.i, p.i+1, j)
		p.i = j + 1
	case "for":
		p.forLoop()
	case "foreach":
		p.foreach()
	default:
		p.simple(w)
	}
}

func (p *plScanner) when() {
	j := p.until(p.i+1, "then")
	if !p.top("handler") {
		p.expr(p.i, p.i+1, j)
	}
	p.i = j + 1
}

func (p *plScanner) top(kind string) bool {
	return len(p.frames) > 0 && p.frames[len(p.frames)-1].kind == kind
}

func (p *plScanner) condition(w string) {
	j := p.until(p.i+1, "then")
	if w != "if" {
		p.otherArm()
	}
	index := len(p.body.Stmts)
	p.expr(p.i, p.i+1, j)
	if w == "if" {
		p.push("if")
	}
	if p.top("if") && index < len(p.body.Stmts) {
		f := &p.frames[len(p.frames)-1]
		f.conds = append(f.conds[:len(f.conds):len(f.conds)], PLCond{Stmt: index})
	}
	p.i = j + 1
}

// otherArm is where an IF's last condition does not hold.
func (p *plScanner) otherArm() {
	if !p.top("if") {
		return
	}
	f := &p.frames[len(p.frames)-1]
	f.conds = append([]PLCond(nil), f.conds...)
	if n := len(f.conds); n > 0 {
		f.conds[n-1].Not = true
	}
}

// end reads END [IF | LOOP | CASE | label];
func (p *plScanner) end() {
	if p.top("handler") { // it ends with its block
		p.pop()
	}
	p.pop()
	p.i = p.until(p.i+1) + 1
}
