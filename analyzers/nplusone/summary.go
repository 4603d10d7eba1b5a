package nplusone

import (
	"go/ast"
	"go/types"
	"slices"
	"strings"

	"github.com/planvet/planvet/analyzers/program"
	"github.com/planvet/planvet/internal/pgast"
	"github.com/planvet/planvet/rules"
	"github.com/planvet/planvet/sqllint"
)

// event is a query that a call of a function sends.
type event struct {
	stmt *sqllint.Statement
	// ambiguous is set when the text is one of several.
	ambiguous bool
	call      string
	builder   string
	// place is the driver's call, in a function named name.
	place rules.Location
	chain []string
	// params has for $n, at n-1, what its value comes from, as seen in the function
	// of the event. rest is what all further ones come from.
	params []origins
	rest   origins
	// spread is the variadic parameter that is handed on as the arguments, -1 else.
	spread int
	cond   bool
	// guess is set when the call goes through an interface with several
	// implementations.
	guess bool
}

const maxChain = 8

// summary is the query that each call of f sends, the surest one; nil for none.
func (c *checker) summary(f *program.Func) *event {
	if e, ok := c.summaries[f]; ok {
		return e
	}
	if c.busy[f] {
		return nil
	}
	c.busy[f] = true
	var best *event
	for _, s := range c.sites(f) {
		if inData(s) || serves(s) {
			continue // reported at its own loop, or done for other callers
		}
		t := c.taintOf(f, nil)
		e := c.event(f, s, t)
		if e == nil {
			continue
		}
		e.cond = e.cond || s.cond
		if best == nil || e.weight() > best.weight() {
			best = e
		}
	}
	delete(c.busy, f)
	c.summaries[f] = best
	return best
}

func inData(s site) bool {
	for _, l := range s.loops {
		if l.loop.kind != quiet && !l.once {
			return true
		}
	}
	return false
}

// serves reports whether a call stands in a loop that waits for work: what it does
// there is not done for the caller.
func serves(s site) bool {
	return slices.ContainsFunc(s.loops, func(a around) bool { return a.loop.service })
}

// weight orders events by how sure they are.
func (e *event) weight() int {
	w := 0
	if !e.cond {
		w += 8
	}
	if e.stmt != nil && !e.ambiguous {
		w += 4
	}
	if !e.guess {
		w += 2
	}
	if e.stmt != nil {
		w++
	}
	return w
}

// event is the query that a call in f sends, with its parameters as f sees them.
func (c *checker) event(f *program.Func, s site, t *taint) *event {
	if q := c.r.QueryOf(s.in, s.call); q != nil {
		e := &event{
			call: q.Call, builder: q.Builder, place: c.r.CallPlace(program.Site{In: s.in, Call: s.call}), spread: -1,
			chain: []string{f.Name},
		}
		if !e.choose(q.Statements) {
			return nil
		}
		first := q.Arg + 1
		if q.Arg < 0 && len(s.call.Args) > 0 && isContext(f.Pkg.Info.TypeOf(s.call.Args[0])) {
			first = 1
		}
		c.arguments(f, e, s.call, first, q.Named, q.Builder != "", t)
		return e
	}
	var best *event
	callees := c.prog.Callees(f.Pkg, s.call)
	silent := 0
	for _, callee := range callees {
		e := c.calleeEvent(callee, s.call, f, t)
		if e == nil {
			silent++
			continue
		}
		if best == nil || e.weight() > best.weight() {
			best = e
		}
	}
	if best != nil && (len(callees) > 1 || silent > 0) {
		best.guess = true
	}
	if best == nil {
		return nil
	}
	if best.stmt == nil {
		if !best.choose(c.r.At(s.call)) {
			return nil
		}
	}
	return best
}

// choose takes the statement out of the texts that a call may send. It is false
// when none of them reads or writes a table.
func (e *event) choose(stmts []*sqllint.Statement) bool {
	if len(stmts) == 0 {
		return true
	}
	for _, s := range stmts {
		if !touchesTable(s.Stmt) {
			continue
		}
		if e.stmt == nil {
			e.stmt = s
		} else {
			e.ambiguous = true
		}
	}
	return e.stmt != nil
}

// touchesTable leaves out what is sent for its effect on the session: locks,
// notifications, settings.
func touchesTable(s pgast.Stmt) bool {
	switch s := s.(type) {
	case *pgast.Select:
		if s.SetOp != "" || s.With != nil {
			return true
		}
		found := false
		look := func(n pgast.Node) bool {
			switch n := n.(type) {
			case *pgast.Table, *pgast.SubLink, *pgast.Subquery:
				found = true
			case *pgast.FuncCall:
				found = found || !forSession(n.Name[len(n.Name)-1])
			}
			return !found
		}
		pgast.Walk(s, look)
		return found
	case *pgast.Insert, *pgast.Update, *pgast.Delete, *pgast.Merge:
		return true
	case *pgast.DeclareCursor, *pgast.Explain, *pgast.Copy:
		return false
	}
	return false
}

// forSession reports whether a function is called for its effect on the session, or
// tells what needs no table: locks, notifications, settings.
func forSession(name string) bool {
	return strings.HasPrefix(name, "pg_") || strings.Contains(name, "lock") || name == "set_config" ||
		name == "current_setting" || name == "nextval" || name == "now"
}

// arguments notes what the values of $1 and on come from.
func (c *checker) arguments(f *program.Func, e *event, call *ast.CallExpr, first int, named, builder bool, t *taint) {
	if builder {
		e.rest = t.expr(call.Fun)
		for _, a := range call.Args {
			e.rest |= t.expr(a)
		}
		return
	}
	for i := first; i < len(call.Args); i++ {
		a := call.Args[i]
		o := t.expr(a)
		switch {
		case call.Ellipsis.IsValid() && i == len(call.Args)-1:
			e.rest = o
			if id, ok := ast.Unparen(a).(*ast.Ident); ok && f.Variadic {
				if n := f.ParamIndex(f.Pkg.Info.ObjectOf(id)); n >= 0 && n == len(f.Params)-1 {
					e.spread = n
				}
			}
		case named || isNamedArgs(f.Pkg.Info.TypeOf(a)):
			e.rest |= o
		default:
			e.params = append(e.params, t.argument(a))
		}
	}
}

func isNamedArgs(t types.Type) bool {
	_, n := program.TypeName(t)
	return n == "NamedArgs" || n == "StrictNamedArgs"
}

// calleeEvent is the event of a callee with the arguments of a call in its
// parameters' place.
func (c *checker) calleeEvent(callee program.Callee, call *ast.CallExpr, f *program.Func, t *taint) *event {
	var in *event
	nparams, variadic := 0, false
	switch {
	case callee.Func != nil && callee.Func.Lit != nil:
		return c.literalEvent(callee.Func, call, f, t)
	case callee.Func != nil:
		in = c.summary(callee.Func)
		nparams, variadic = len(callee.Func.Params), callee.Func.Variadic
	default:
		in = c.importedEvent(callee)
		if sig, ok := objSignature(callee.Obj); ok {
			nparams, variadic = sig.Params().Len(), sig.Variadic()
		}
	}
	if in == nil || len(in.chain) >= maxChain {
		return nil
	}
	out := *in
	out.chain = append([]string{f.Name}, in.chain...)
	arg := func(i int) origins {
		if i == nparams { // the receiver
			if sel, ok := ast.Unparen(call.Fun).(*ast.SelectorExpr); ok {
				return t.expr(sel.X)
			}
			return moves
		}
		if variadic && i == nparams-1 {
			o := moves
			for n := i; n < len(call.Args); n++ {
				o |= t.expr(call.Args[n])
			}
			return o
		}
		if i < len(call.Args) {
			return t.argument(call.Args[i])
		}
		return moves
	}
	through := func(o origins) origins {
		sum := o & moves
		for i := 0; i <= nparams && i <= 60; i++ {
			if o&paramBit(i) != 0 {
				sum |= arg(i)
			}
		}
		return sum
	}
	out.params = make([]origins, len(in.params))
	for i, o := range in.params {
		out.params[i] = through(o)
	}
	out.rest = through(in.rest) &^ moves
	out.spread = -1
	if in.spread >= 0 && in.spread < len(call.Args) {
		if call.Ellipsis.IsValid() {
			if id, ok := ast.Unparen(call.Args[len(call.Args)-1]).(*ast.Ident); ok && f.Variadic {
				if n := f.ParamIndex(f.Pkg.Info.ObjectOf(id)); n == len(f.Params)-1 {
					out.spread = n
				}
			}
		} else {
			out.rest = 0
			for n := in.spread; n < len(call.Args); n++ {
				out.params = append(out.params, t.argument(call.Args[n]))
			}
		}
	}
	return &out
}

// literalEvent is the event of a literal that a local variable holds. What it
// captures is known to its caller as it stands.
func (c *checker) literalEvent(lit *program.Func, call *ast.CallExpr, f *program.Func, t *taint) *event {
	if c.inlined[lit] || c.busy[lit] {
		return nil // its calls are those of the function around it
	}
	c.busy[lit] = true
	defer delete(c.busy, lit)
	in := &taint{info: t.info, of: make(map[types.Object]origins, len(t.of))}
	for k, v := range t.of {
		in.of[k] = v
	}
	for i, p := range lit.Params {
		if p != nil && i < len(call.Args) {
			in.of[p] |= t.expr(call.Args[i])
		}
	}
	in.pass(lit.Body())
	var best *event
	for _, s := range c.sites(lit) {
		if inData(s) || serves(s) {
			continue
		}
		e := c.event(lit, s, in)
		if e == nil {
			continue
		}
		e.cond = e.cond || s.cond
		if best == nil || e.weight() > best.weight() {
			best = e
		}
	}
	if best == nil {
		return nil
	}
	out := *best
	out.chain = append([]string{f.Name}, best.chain...)
	out.spread = -1
	return &out
}

func objSignature(o *types.Func) (*types.Signature, bool) {
	if o == nil {
		return nil, false
	}
	s, ok := o.Type().(*types.Signature)
	return s, ok
}

// importedEvent is the event of a function in a package that was analysed before.
func (c *checker) importedEvent(callee program.Callee) *event {
	if c.o.Imported == nil || callee.Obj == nil {
		return nil
	}
	q := c.o.Imported(callee.Key)
	if q == nil || len(q.Chain) == 0 {
		return nil
	}
	e := &event{call: q.Call, chain: q.Chain, spread: -1}
	for _, ps := range q.Args {
		o := moves
		for _, p := range ps {
			o |= paramBit(p)
		}
		e.params = append(e.params, o)
	}
	if q.Text != "" {
		ps := pgast.ParseFile(q.Text)
		if len(ps) != 1 || ps[0].Err != nil {
			return nil
		}
		e.stmt = &sqllint.Statement{
			Text: ps[0].Text, Stmt: ps[0].Stmt, Fingerprint: pgast.Fingerprint(ps[0].Stmt), Source: sqllint.FromGo,
			Call: q.Call, Symbol: q.Chain[len(q.Chain)-1],
		}
	}
	return e
}
