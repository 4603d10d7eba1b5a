package source

import (
	"errors"
	"slices"
	"strings"

	"github.com/planvet/planvet/catalog"
	"github.com/planvet/planvet/internal/pgast"
	"github.com/planvet/planvet/rules"
	"github.com/planvet/planvet/sqllint"
)

// BodyOptions say how function bodies are run.
type BodyOptions struct {
	// RPCRole is the role of functions that an API exposes, "authenticated" in a
	// Supabase project; "" leaves the caller unknown.
	RPCRole string
	// Exposed are the schemas that the API serves; nil means public.
	Exposed []string
}

// Bodies returns the statements in the bodies of a catalog's functions, and its
// views' queries. Objects without a place (a platform's own, a server's) and
// materialized views, which nobody waits for, are left out.
func Bodies(cat *catalog.Catalog, o BodyOptions) Result {
	if o.Exposed == nil {
		o.Exposed = []string{"public"}
	}
	var out Result
	for _, f := range cat.AllFunctions() {
		if !f.Platform && f.Location.Path != "" && (f.Kind == "function" || f.Kind == "procedure") {
			b := &body{f: f, cat: cat, opts: o, at: location(f.BodyLocation), text: f.Body}
			b.run()
			out.Add(b.out)
		}
	}
	for _, r := range cat.Relations() {
		if r.Kind == catalog.View && !r.Platform && r.Location.Path != "" && r.Query != "" {
			out.Add(view(r))
		}
	}
	return out
}

func location(l catalog.Location) rules.Location {
	return rules.Location{Path: l.Path, Line: max(l.Line, 1), Column: l.Column}
}

// body reads one function.
type body struct {
	f    *catalog.Function
	cat  *catalog.Catalog
	opts BodyOptions
	// at is where text, the body, begins.
	at   rules.Location
	text string
	// lines are text's; unset where its positions are not those of the file.
	lines pgast.Lines
	known bool
	out   Result
}

func (b *body) run() {
	b.lines, b.known = pgast.NewLines(b.text), b.f.BodyLocation.Line > 0
	switch strings.ToLower(b.f.Language) {
	case "plpgsql":
		b.plpgsql()
	case "sql":
		if b.text == "" {
			b.atomic()
			return
		}
		b.sql()
	}
}

// place is where an offset of the body stands.
func (b *body) place(off int) rules.Location {
	if !b.known || off < 0 {
		return b.at
	}
	return place(b.at, b.lines, off)
}

// sql reads the statements of a SQL body.
func (b *body) sql() {
	for _, p := range pgast.ParseFile(b.text) {
		if p.Err != nil {
			b.fail(b.place(p.Err.Offset), p.Err.Msg)
			continue
		}
		if !pgast.IsQuery(p.Stmt) {
			b.command(p.Text, p.Stmt, p.Start, b.place(p.Start))
			continue
		}
		edits := argumentEdits(p.Text, p.Stmt, b.f, b.cat, b.searchPath())
		b.add(p.Text, p.Stmt, edits, p.Start, b.place(p.Start), false)
	}
}

// atomic reads BEGIN ATOMIC … END and RETURN expression, which have no quoted
// body: the statements are written back from the tree.
func (b *body) atomic() {
	st, err := pgast.Parse(b.f.Definition)
	create, ok := st.(*pgast.CreateFunction)
	if err != nil || !ok {
		return
	}
	b.at, b.known = location(b.f.Location), false
	for _, s := range create.Stmts {
		if pgast.IsQuery(s) {
			b.text = pgast.Format(s)
			b.sql()
		}
	}
}

func (b *body) plpgsql() {
	// The whole definition gives the arguments; a body alone is read without.
	var create *pgast.CreateFunction
	if st, err := pgast.Parse(b.f.Definition); err == nil {
		create, _ = st.(*pgast.CreateFunction)
	}
	pl, err := pgast.PLpgSQL(create, b.text)
	if err != nil {
		off := 0
		var pe *pgast.Error
		if errors.As(err, &pe) {
			off = pe.Offset
		}
		b.fail(b.place(off), err.Error())
	}
	for _, s := range pl.Stmts {
		at := b.place(s.At)
		switch {
		case s.Dynamic:
			b.out.Unresolved = append(b.out.Unresolved, Problem{at, "execute of a text that is put together at run time, in " + b.symbol()})
		case s.Err != nil:
			b.fail(b.place(s.Err.Offset), s.Err.Msg)
		case pgast.IsQuery(s.Stmt) && (!s.Expr || reads(s.Stmt)):
			if s.Offset >= 0 && !s.Expr {
				at = b.place(s.Offset)
			}
			b.add(s.Text, s.Stmt, variableEdits(s.Text, s.Stmt, pl.Vars), s.Offset, at, s.Loop)
		case s.Stmt != nil:
			b.command(s.Text, s.Stmt, s.Offset, at)
		}
	}
}

// reads reports whether an expression's statement names a table at all.
func reads(s pgast.Stmt) bool {
	found := false
	pgast.Walk(s, func(n pgast.Node) bool {
		if _, ok := n.(*pgast.Table); ok {
			found = true
		}
		return !found
	})
	return found
}

func (b *body) fail(at rules.Location, msg string) {
	b.out.Unparsed = append(b.out.Unparsed, Problem{at, msg + ", in " + b.symbol()})
}

func (b *body) symbol() string { return b.f.Schema + "." + b.f.Name.Name }

// add adds a statement that begins at an offset of the body, -1 for nowhere.
func (b *body) add(text string, st pgast.Stmt, edits []edit, offset int, at rules.Location, loop bool) {
	role, known := b.role()
	s := &sqllint.Statement{
		Text: text, Stmt: st, Source: sqllint.FromFunction, Location: at, Symbol: b.symbol(), ResolvedBy: "body",
		Role: role, RoleKnown: known, InLoop: loop, SearchPath: b.searchPath(), Variables: b.variables(),
	}
	if !b.known {
		offset = -1
	}
	c := cover{body: b.text, offset: offset, at: b.place}
	if out, parsed, ok := parametrise(text, edits); ok {
		s.Text, s.Stmt = out, parsed
		s.Segments = c.segments(text, edits)
	} else {
		s.Segments = c.segments(text, nil)
	}
	s.Fingerprint = pgast.Fingerprint(s.Stmt)
	b.out.Statements = append(b.out.Statements, s)
}

// command adds what is no query.
func (b *body) command(text string, st pgast.Stmt, offset int, at rules.Location) {
	if !b.known {
		offset = -1
	}
	b.out.Commands = append(b.out.Commands, &sqllint.Statement{
		Text: text, Stmt: st, Fingerprint: pgast.Fingerprint(st), Source: sqllint.FromFunction, Location: at,
		Symbol: b.symbol(), ResolvedBy: "body", Segments: cover{body: b.text, offset: offset, at: b.place}.segments(text, nil),
	})
}

// role is the role that the body runs as: the owner for SECURITY DEFINER, the
// API's role for functions that it exposes, unknown otherwise. Triggers run as
// whoever writes, which is unknown.
func (b *body) role() (role string, known bool) {
	switch {
	case b.f.SecurityDefiner:
		return "", true
	case b.opts.RPCRole == "" || !slices.Contains(b.opts.Exposed, b.f.Schema) || b.trigger():
		return "", false
	}
	return b.opts.RPCRole, true
}

func (b *body) trigger() bool {
	return b.f.Returns == "trigger" || b.f.Returns == "event_trigger"
}

// searchPath is the function's own setting; nil where it has none.
func (b *body) searchPath() []string {
	if !b.f.HasSearchPath {
		return nil
	}
	out := []string{}
	for s := range strings.SplitSeq(b.f.SearchPath, ",") {
		s = strings.Trim(strings.TrimSpace(s), `"'`)
		if s != "" {
			out = append(out, s)
		}
	}
	return out
}

// variables are the names that are parameters though they look like columns:
// arguments, and in plpgsql also output columns and what a trigger is given. Most
// are $n already; these are for what could not be rewritten.
func (b *body) variables() map[string]bool {
	out := map[string]bool{}
	lists := [][]string{b.f.ArgNames}
	if strings.EqualFold(b.f.Language, "plpgsql") {
		lists = append(lists, b.f.OutNames, []string{"found"})
	}
	if b.trigger() {
		lists = append(lists, []string{"new", "old"})
	}
	for _, names := range lists {
		for _, n := range names {
			if n != "" {
				out[strings.ToLower(n)] = true
			}
		}
	}
	return out
}

// view is a view's query. Its text is in normal form, so all of it stands at the
// view's definition.
func view(r *catalog.Relation) Result {
	at := location(r.Location)
	name := r.Schema + "." + r.Name.Name
	st, err := pgast.Parse(r.Query)
	if err != nil {
		return Result{Unparsed: []Problem{{at, err.Error() + ", in view " + name}}}
	}
	return Result{Statements: []*sqllint.Statement{{
		Text: r.Query, Stmt: st, Fingerprint: pgast.Fingerprint(st),
		Source: sqllint.FromView, Location: at, Symbol: name, ResolvedBy: "body",
	}}}
}
