package confirm

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/planvet/planvet/catalog"
	"github.com/planvet/planvet/internal/params"
	"github.com/planvet/planvet/internal/pgast"
	"github.com/planvet/planvet/internal/predicate"
	"github.com/planvet/planvet/rules"
)

// source is a value that comes from the session: a claim of the token, by its
// path, or a setting.
type source struct {
	setting string
	claim   string // path joined by a dot
	// optional is set where an unset setting is no error.
	optional bool
}

// want is a source with the table's expression that it is compared with, and the
// type that it is cast to.
type want struct {
	source
	rel         catalog.Name
	alias, expr string
	typ         string
	constant    bool
}

// identity finds what the session must hold for policies to select something.
type identity struct {
	a     *asker
	wants []want
	seen  map[string]bool
}

// Sessions works out settings under which a role's statements on tables select
// something: what the policies of the tables read, from the tables' rows, with the
// user's own claims and settings of o before all. There is one set for a typical value
// and, where they differ, one each for a frequent and a rare one. It returns a doubt
// where a setting must be there and no value is known. It reads rows.
func Sessions(ctx context.Context, cat *catalog.Catalog, role string, rels []*catalog.Relation, o Options) (sets []map[string]string, doubt string) {
	a := &asker{ctx: ctx, cat: cat, o: o, samples: map[string][][]*string{}}
	all, doubt := a.session(role, rels, "select", "insert", "update", "delete")
	for _, s := range all {
		if !slices.ContainsFunc(sets, func(have map[string]string) bool { return maps.Equal(have, s) }) {
			sets = append(sets, s)
		}
	}
	return sets, doubt
}

// session works out the settings of each set of values for statements that run
// as a role: what the policies of the tables read, and the functions that those
// call. It returns a doubt where a setting must be there and no value is known.
func (a *asker) session(role string, rels []*catalog.Relation, commands ...string) (sets [nsets]map[string]string, doubt string) {
	id := &identity{a: a, seen: map[string]bool{}}
	for _, r := range rels {
		for _, command := range commands {
			for _, q := range predicate.PolicyQuals(a.cat, r, command, role) {
				id.expression(q.Expr, r)
			}
		}
	}
	return id.settle(role)
}

// expression looks for sources in an expression over a relation.
func (id *identity) expression(e pgast.Expr, self *catalog.Relation) {
	stmt := &pgast.Select{Where: e}
	p := &rules.Probe{}
	s := params.NewScope(id.a.cat, stmt, focus(p))
	if self != nil {
		s.ByAlias[self.Name.Name], s.Flagged = self, self.Name.Name
	}
	id.walk(stmt, s)
}

func (id *identity) walk(n pgast.Node, s *params.Scope) {
	pgast.Walk(n, func(n pgast.Node) bool {
		switch n := n.(type) {
		case *pgast.Op:
			if n.Left != nil && (n.Kind == pgast.OpPlain || n.Kind == pgast.OpAny || n.Kind == pgast.OpIn) {
				id.compare(n.Left, n.Right, s)
				id.compare(n.Right, n.Left, s)
			}
		case *pgast.SubLink:
			// x in (select …) with a source on the left.
			if sel, ok := n.Query.(*pgast.Select); ok && n.Test != nil && len(sel.Targets) == 1 {
				id.compare(sel.Targets[0].Expr, n.Test, s)
			}
		case *pgast.Cast:
			for _, src := range id.sources(n.Arg, 0) {
				id.note(want{source: src, typ: n.Type.Names[len(n.Type.Names)-1]})
			}
		case *pgast.FuncCall:
			for _, src := range id.sources(n, 0) {
				id.note(want{source: src})
			}
			id.body(n)
		}
		return true
	})
}

// compare notes that the sources of one side are compared with the other.
func (id *identity) compare(table, other pgast.Expr, s *params.Scope) {
	sources := id.sources(other, 0)
	if len(sources) == 0 {
		return
	}
	alias, _ := s.Subject(table)
	for _, src := range sources {
		w := want{source: src, constant: literalOnly(table) && direct(other)}
		if alias != "" {
			w.rel, w.alias, w.expr = s.ByAlias[alias].Name, alias, pgast.Format(table)
		}
		id.note(w)
	}
}

// direct reports whether an expression is the session's value itself and not what
// a function makes of it: with flag = 'on' any other text is a plain session, with
// length(x) > 0 nobody knows.
func direct(e pgast.Expr) bool {
	switch x := pgast.Uncast(e).(type) {
	case *pgast.FuncCall:
		return x.Name[len(x.Name)-1] == "current_setting"
	case *pgast.SubLink:
		sel, ok := x.Query.(*pgast.Select)
		return ok && len(sel.Targets) == 1 && direct(sel.Targets[0].Expr)
	}
	_, ok := claimPath(e)
	return ok
}

// note keeps the best that is known of a source: a table's values, then a type.
func (id *identity) note(w want) {
	for i := range id.wants {
		have := &id.wants[i]
		if have.setting != w.setting || have.claim != w.claim {
			continue
		}
		if have.expr == "" {
			have.rel, have.alias, have.expr = w.rel, w.alias, w.expr
		}
		if have.typ == "" {
			have.typ = w.typ
		}
		have.constant = have.constant || w.constant
		return
	}
	id.wants = append(id.wants, w)
}

// body follows a function of the schema: its own statements compare sources too.
func (id *identity) body(call *pgast.FuncCall) {
	for _, f := range id.functions(call) {
		if id.seen[f.Name.String()] {
			continue
		}
		id.seen[f.Name.String()] = true
		for _, st := range bodyOf(f) {
			id.walk(st, params.NewScope(id.a.cat, st, params.Focus{}))
		}
	}
}

// bodyOf are the statements of a function in SQL or plpgsql; there, assignments,
// conditions and RETURN come as selects without FROM.
func bodyOf(f *catalog.Function) []pgast.Stmt {
	var out []pgast.Stmt
	if strings.EqualFold(f.Language, "plpgsql") {
		body, err := pgast.PLpgSQL(nil, f.Body)
		if err != nil {
			return nil
		}
		for _, st := range body.Stmts {
			if st.Stmt != nil {
				out = append(out, st.Stmt)
			}
		}
		return out
	}
	for _, st := range pgast.ParseFile(f.Body) {
		if st.Stmt != nil {
			out = append(out, st.Stmt)
		}
	}
	return out
}

func (id *identity) functions(call *pgast.FuncCall) []*catalog.Function {
	schema := ""
	if len(call.Name) > 1 {
		schema = call.Name[len(call.Name)-2]
	}
	if schema == "auth" {
		return nil // Supabase's own, known by name
	}
	return id.a.cat.ResolveFunctions(schema, call.Name[len(call.Name)-1], nil)
}

// settle turns what is wanted into settings. What the user gave wins.
func (id *identity) settle(role string) (sets [nsets]map[string]string, doubt string) {
	slices.SortFunc(id.wants, func(x, y want) int {
		return strings.Compare(x.setting+"\x00"+x.claim, y.setting+"\x00"+y.claim)
	})
	claims := [nsets]map[string]any{}
	for k := range sets {
		sets[k], claims[k] = map[string]string{}, map[string]any{}
	}
	usesClaims := id.a.o.Claims != ""
	for _, w := range id.wants {
		values, ok := id.values(w)
		if !ok && w.claim == "" && !w.optional && id.a.o.Settings[w.setting] == "" {
			doubt = fmt.Sprintf("the policies read the setting %s and nothing tells its value: set it with --set %s=…", w.setting, w.setting)
		}
		if !ok {
			continue
		}
		for k := range sets {
			if w.claim != "" {
				usesClaims = true
				put(claims[k], strings.Split(w.claim, "."), values[k])
				continue
			}
			sets[k][w.setting] = values[k]
		}
	}
	for k := range sets {
		if usesClaims {
			claims[k]["role"] = role
			id.userClaims(claims[k])
			text, _ := json.Marshal(claims[k])
			sets[k]["request.jwt.claims"] = string(text)
			if sub, ok := claims[k]["sub"].(string); ok {
				sets[k]["request.jwt.claim.sub"] = sub
			}
		}
		for name, v := range id.a.o.Settings {
			sets[k][name] = v
		}
	}
	return sets, doubt
}

// values are a source's values for the three sets.
func (id *identity) values(w want) (out [nsets]string, ok bool) {
	if w.expr != "" && w.typ != "json" && w.typ != "jsonb" { // what is compared is a part of it
		rows, err := id.a.sample(w.rel, w.alias, w.expr, []string{w.expr})
		if err == nil && len(rows) == nsets && rows[0][0] != nil && (w.claim != "sub" || uuids(rows)) {
			for k := range out {
				out[k] = *rows[k][0]
			}
			return out, true
		}
	}
	v := ""
	switch {
	case w.claim == "sub": // auth.uid() casts it, whatever a policy makes of that
		v = params.Plain("uuid")
	case w.typ != "":
		v = params.Plain(params.TypeName(w.typ))
	case w.constant:
		v = "x" // compared with a literal only: a session that is nothing special
	default:
		return out, false
	}
	for k := range out {
		out[k] = v
	}
	return out, true
}

// put sets a claim at its path.
func put(obj map[string]any, path []string, v string) {
	for _, step := range path[:len(path)-1] {
		next, ok := obj[step].(map[string]any)
		if !ok {
			next = map[string]any{}
			obj[step] = next
		}
		obj = next
	}
	obj[path[len(path)-1]] = v
}

func (id *identity) userClaims(claims map[string]any) {
	if id.a.o.Claims == "" {
		return
	}
	var own map[string]any
	if json.Unmarshal([]byte(id.a.o.Claims), &own) == nil {
		for name, v := range own {
			claims[name] = v
		}
	}
}
