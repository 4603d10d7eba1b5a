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
		if f.Location.Path != "" && (f.Kind == "function" || f.Kind == "procedure") {
			b := &body{f: f, opts: o, at: location(f.BodyLocation)}
			b.run()
			out.Add(b.out)
		}
	}
	for _, r := range cat.Relations() {
		if r.Kind == catalog.View && r.Location.Path != "" && r.Query != "" {
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
	opts BodyOptions
	// at is where the text under way begins.
	at  rules.Location
	out Result
}

func (b *body) run() {
	switch strings.ToLower(b.f.Language) {
	case "plpgsql":
		b.plpgsql()
	case "sql":
		if b.f.Body == "" {
			b.atomic()
			return
		}
		b.sql(b.f.Body, true)
	}
}

// sql reads the statements of a quoted body. exact is unset where positions in
// the text are not those of the file.
func (b *body) sql(text string, exact bool) {
	lines := pgast.NewLines(text)
	for _, p := range pgast.ParseFile(text) {
		at := b.at
		if exact && b.f.BodyLocation.Line > 0 {
			at = place(b.at, lines, p.Start)
		}
		if p.Err != nil {
			if exact && b.f.BodyLocation.Line > 0 {
				at = place(b.at, lines, p.Err.Offset)
			}
			b.fail(at, p.Err.Msg)
			continue
		}
		if judged(p.Stmt) {
			b.add(p.Text, p.Stmt, at, exact && b.f.BodyLocation.Line > 0, false)
		}
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
	b.at = location(b.f.Location)
	for _, s := range create.Stmts {
		if judged(s) {
			b.sql(pgast.Format(s), false)
		}
	}
}

func (b *body) plpgsql() {
	// The whole definition gives the arguments; a body alone is read without.
	var create *pgast.CreateFunction
	if st, err := pgast.Parse(b.f.Definition); err == nil {
		create, _ = st.(*pgast.CreateFunction)
	}
	pl, err := pgast.PLpgSQL(create, b.f.Body)
	if err != nil {
		at := b.at
		var pe *pgast.Error
		if errors.As(err, &pe) {
			at = place(b.at, pgast.NewLines(b.f.Body), pe.Offset)
		}
		b.fail(at, err.Error())
		return
	}
	var vars []string
	for _, v := range pl.Vars {
		vars = append(vars, v.Name)
	}
	lines := pgast.NewLines(b.f.Body)
	for _, s := range pl.Stmts {
		at := b.at
		if s.Offset >= 0 {
			at = place(b.at, lines, s.Offset)
		}
		switch {
		case s.Dynamic:
			b.out.Unresolved = append(b.out.Unresolved, Problem{at, "execute of a text that is put together at run time, in " + b.symbol()})
		case s.Err != nil:
			b.fail(at, s.Err.Msg)
		case judged(s.Stmt) && (!s.Expr || reads(s.Stmt)):
			exact := s.Offset >= 0 && strings.HasPrefix(b.f.Body[min(s.Offset, len(b.f.Body)):], s.Text)
			b.add(s.Text, s.Stmt, at, exact, s.Loop, vars...)
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

func (b *body) add(text string, st pgast.Stmt, at rules.Location, exact, loop bool, vars ...string) {
	role, known := b.role()
	b.out.Statements = append(b.out.Statements, &sqllint.Statement{
		Text: text, Stmt: st, Fingerprint: pgast.Fingerprint(st),
		Source: sqllint.FromFunction, Location: at, Symbol: b.symbol(), ResolvedBy: "body",
		Role: role, RoleKnown: known, InLoop: loop,
		SearchPath: b.searchPath(), Variables: b.variables(vars),
		Segments: []sqllint.Segment{{Start: 0, At: at, Exact: exact}},
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
// arguments, output columns, declared variables, and what a trigger is given.
func (b *body) variables(declared []string) map[string]bool {
	out := map[string]bool{}
	for _, names := range [][]string{b.f.ArgNames, b.f.OutNames, declared} {
		for _, n := range names {
			if n != "" {
				out[strings.ToLower(n)] = true
			}
		}
	}
	if b.trigger() {
		for _, n := range []string{
			"new", "old", "tg_name", "tg_when", "tg_level", "tg_op", "tg_relid", "tg_relname",
			"tg_table_name", "tg_table_schema", "tg_nargs", "tg_argv",
		} {
			out[n] = true
		}
	}
	if b.f.Language == "plpgsql" {
		out["found"] = true
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
