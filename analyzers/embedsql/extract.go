package embedsql

import (
	"cmp"
	"go/ast"
	"go/types"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/planvet/planvet/analyzers/program"
	"github.com/planvet/planvet/rules"
	"github.com/planvet/planvet/sqllint"
)

// extraction is the state of one run, kept for the analysis of loops.
type extraction struct {
	o       Options
	prog    *program.Program
	walks   map[*program.Func]*walked
	globals map[string]*declared
	fields  map[*types.Var]value
	inits   map[*types.Var][]fieldInit
	// byCall are the statements whose text a call supplies, to a driver or to a
	// function that hands it on.
	byCall map[*ast.CallExpr][]*sqllint.Statement
	// setsRole are calls that set a role.
	setsRole map[*ast.CallExpr]string
	// noQuery are calls whose text is known to be no query: SET, BEGIN, DDL.
	noQuery map[*ast.CallExpr]bool
	// named are pgx's prepared statements by name; usesName leads from a call that
	// runs one to the call that prepares it.
	named    map[string]*ast.CallExpr
	usesName map[*ast.CallExpr]*ast.CallExpr
	failed   []failed
	sinks    map[*ast.CallExpr]*sink
	sites    map[*sqllint.Statement]program.Site
	wrappers map[string]*Summary
	dialects map[*ast.File]bool
	comments map[*ast.File]map[int]string
	done     map[emitted]bool
	texts    map[*ast.CallExpr]int
	scripts  []orderedScript
	// undo holds functions and literals that take a migration back.
	undo   map[any]bool
	listed map[string]rules.Location
	res    *Result
}

// failed is a text that does not parse.
type failed struct {
	Unparsed
	call    *ast.CallExpr
	at      rules.Location
	dynamic bool
}

// emitted is one text at one call.
type emitted struct {
	call *ast.CallExpr
	text string
}

func extract(pkgs []*Package, o Options) *Result {
	pkgs = slices.Clone(pkgs)
	slices.SortStableFunc(pkgs, func(a, b *Package) int { return strings.Compare(a.Path, b.Path) })
	if o.ReadFile == nil {
		o.ReadFile = os.ReadFile
	}
	skip := func(file string) bool { return !o.Tests && strings.HasSuffix(file, "_test.go") }
	x := &extraction{
		o: o, prog: program.New(pkgs, skip), walks: map[*program.Func]*walked{},
		globals: map[string]*declared{}, fields: map[*types.Var]value{},
		byCall: map[*ast.CallExpr][]*sqllint.Statement{}, setsRole: map[*ast.CallExpr]string{}, noQuery: map[*ast.CallExpr]bool{},
		named: map[string]*ast.CallExpr{}, usesName: map[*ast.CallExpr]*ast.CallExpr{},
		sinks: map[*ast.CallExpr]*sink{}, sites: map[*sqllint.Statement]program.Site{},
		wrappers: map[string]*Summary{}, dialects: map[*ast.File]bool{}, comments: map[*ast.File]map[int]string{},
		done: map[emitted]bool{}, texts: map[*ast.CallExpr]int{}, res: &Result{},
	}
	x.res.x = x
	x.indexGlobals()
	x.files()
	for _, f := range x.prog.Funcs {
		if x.hasSink(f) {
			x.walk(f)
		}
	}
	x.emitAll()
	x.memoryMigrations()
	x.finish()
	return x.res
}

func (x *extraction) files() {
	seen := map[string]bool{}
	for _, pkg := range x.prog.Packages {
		for _, f := range pkg.Files {
			if !x.prog.Skipped(pkg, f) {
				if p := x.path(pkg.Fset.Position(f.FileStart).Filename); !seen[p] {
					seen[p] = true
					x.res.Files = append(x.res.Files, p)
				}
			}
		}
	}
	slices.Sort(x.res.Files)
}

// hasSink spares walking functions that call no driver.
func (x *extraction) hasSink(f *program.Func) bool {
	found := false
	for _, c := range f.Calls {
		if s := x.sinkOf(f.Pkg, c); s != nil {
			x.sinks[c] = s
			found = true
		} else if o := program.Target(f.Pkg.Info, c); o != nil && x.imported(x.prog.Key(o)) != nil {
			found = true
		}
	}
	return found
}

// emitAll turns every sink's texts into statements, in the order of places.
func (x *extraction) emitAll() {
	x.preparedNames()
	seen := map[*walked]bool{}
	for _, f := range x.prog.Funcs {
		w := x.walks[f.Top()]
		if w == nil || seen[w] {
			continue
		}
		seen[w] = true
		for _, s := range w.sinks {
			x.sinks[s.call] = s.sink
			x.emitSink(w, s)
		}
		x.emitImported(w, f.Top())
	}
}

// preparedNames finds the names that pgx's Prepare gives to statements: they stand
// in the place of a text afterwards.
func (x *extraction) preparedNames() {
	for _, f := range x.prog.Funcs {
		w := x.walks[f.Top()]
		if w == nil || f.Outer != nil {
			continue
		}
		for _, s := range w.sinks {
			if s.arg != 2 || !strings.HasSuffix(s.sink.call, ".Prepare") {
				continue
			}
			for _, t := range w.args[s.call][1].texts {
				if name, ok := t.constant(); ok && x.named[name] == nil {
					x.named[name] = s.call
				}
			}
		}
	}
}

func (x *extraction) emitSink(w *walked, s sinkCall) {
	site := program.Site{In: s.in, Call: s.call}
	if x.otherDialect(s.in) {
		x.res.OtherDialect++
		return
	}
	if text, ok := x.directive(site); ok {
		x.emit(site, s.sink, text)
		return
	}
	if s.arg < 0 || s.arg >= len(s.call.Args) {
		if s.builder != "" {
			x.unresolved(site, s.sink, "the text is built by "+s.builder)
		}
		return
	}
	x.resolve(site, s.sink, w.args[s.call][s.arg], 0, map[string]bool{})
}

const maxDepth = 8

// resolve emits the texts of a value; where one holds a parameter, its function is
// a wrapper and its callers say what the parameter is.
func (x *extraction) resolve(site program.Site, s *sink, v value, depth int, via map[string]bool) {
	if len(v.texts) == 0 {
		v = hole(holeAny, "a value that is not followed")
	}
	for _, t := range fewGuesses(v.texts) {
		if c, ok := t.constant(); ok && c == "" && len(v.texts) > 1 {
			continue // the value before a branch gives it one
		}
		f := t.owner()
		if f == nil {
			x.emit(site, s, t)
			continue
		}
		if depth == 0 || !via[f.Key] {
			x.addWrapper(f, s, t)
		}
		callers := x.callers(f)
		if len(callers) == 0 || depth >= maxDepth || via[f.Key] {
			x.noCaller(site, s, t, f)
			continue
		}
		via[f.Key] = true
		for _, c := range callers {
			w := x.walk(c.In)
			if w == nil {
				continue
			}
			if x.otherDialect(c.In) { // an interface's method has callers of every driver
				x.res.OtherDialect++
				continue
			}
			args := w.args[c.Call]
			one := replaceParams(value{texts: []text{t}}, f, func(i int) value { return args[i] })
			x.resolve(c, s, one.with(byWrapper), depth+1, via)
		}
		delete(via, f.Key)
	}
}

// fewGuesses keeps two of many texts with holes, the longest and the shortest: a
// query builder's branches multiply, and say little each.
func fewGuesses(ts []text) []text {
	const most = 6
	n, longest, shortest := 0, -1, -1
	for i, t := range ts {
		if !t.hasHole() && t.how&guessed == 0 {
			continue
		}
		n++
		if longest < 0 || len(t.key()) > len(ts[longest].key()) {
			longest = i
		}
		if shortest < 0 || len(t.key()) < len(ts[shortest].key()) {
			shortest = i
		}
	}
	if n <= most {
		return ts
	}
	var out []text
	for i, t := range ts {
		if !t.hasHole() && t.how&guessed == 0 || i == longest || i == shortest {
			out = append(out, t)
		}
	}
	return out
}

// callers are the calls of a function, without those from the function itself.
func (x *extraction) callers(f *program.Func) []program.Site {
	var out []program.Site
	for _, c := range x.prog.Callers(f.Key) {
		if c.In.Top() != f || f.Lit != nil {
			out = append(out, c)
		}
	}
	return out
}

// owner is the function of the first parameter in a text; nil when there is none.
func (t text) owner() *program.Func {
	for _, p := range t.pieces {
		if p.kind == pieceParam {
			return p.fn
		}
	}
	return nil
}

// noCaller ends the search for a parameter's value. A text that has a verb of its
// own is a statement all the same.
func (x *extraction) noCaller(site program.Site, s *sink, t text, f *program.Func) {
	out := text{how: t.how}
	bare := true
	for _, p := range t.pieces {
		if p.kind == pieceParam {
			p = piece{kind: pieceHole, why: "a parameter of " + f.Name}
		}
		if p.kind == pieceText && strings.TrimSpace(p.text) != "" {
			bare = false
		}
		out.pieces = append(out.pieces, p)
	}
	if bare {
		if len(x.callers(f)) == 0 && s.sure {
			x.unresolved(site, s, "the text is a parameter of "+f.Name+", which nothing here calls with a known one")
		}
		return
	}
	x.emit(site, s, out)
}

func (x *extraction) unresolved(site program.Site, s *sink, reason string) {
	at := x.callPlace(site)
	u := Unresolved{Location: at, Call: s.call, Reason: reason}
	if !slices.Contains(x.res.Unresolved, u) {
		x.res.Unresolved = append(x.res.Unresolved, u)
	}
}

// listFailed lists the texts that do not parse. One of several at a call, of which
// another parses, is no text that is ever sent: branches that exclude each other
// were combined. One with an unknown part is not worked out, rather than wrong.
func (x *extraction) listFailed() {
	for _, f := range x.failed {
		switch {
		case x.texts[f.call] > 1 && len(x.byCall[f.call]) > 0:
		case f.dynamic:
			u := Unresolved{f.at, f.Call, "a part of the text is unknown: " + firstLine(f.Text)}
			if !slices.Contains(x.res.Unresolved, u) {
				x.res.Unresolved = append(x.res.Unresolved, u)
			}
		default:
			x.res.Unparsed = append(x.res.Unparsed, f.Unparsed)
		}
	}
}

// finish sorts everything by place.
func (x *extraction) finish() {
	r := x.res
	x.listFailed()
	x.dropMigrations()
	for _, list := range [][]*sqllint.Statement{r.Statements, r.Commands} {
		slices.SortStableFunc(list, func(a, b *sqllint.Statement) int {
			return cmp.Or(compare(a.Location, b.Location), cmp.Compare(a.Text, b.Text))
		})
	}
	slices.SortStableFunc(r.Unresolved, func(a, b Unresolved) int {
		return cmp.Or(compare(a.Location, b.Location), cmp.Compare(a.Reason, b.Reason))
	})
	slices.SortStableFunc(r.Unparsed, func(a, b Unparsed) int {
		return cmp.Or(compare(a.Location, b.Location), cmp.Compare(a.Text, b.Text))
	})
	x.sortScripts()
	x.roles()
}

func compare(a, b rules.Location) int {
	return cmp.Or(cmp.Compare(a.Path, b.Path), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
}

// path is a file's path relative to the root, with forward slashes.
func (x *extraction) path(file string) string {
	if x.o.Root != "" {
		if rel, err := filepath.Rel(x.o.Root, file); err == nil && !strings.HasPrefix(rel, "..") {
			file = rel
		}
	}
	return filepath.ToSlash(file)
}
