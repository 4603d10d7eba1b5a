package predicate

import (
	"slices"

	"github.com/planvet/planvet/catalog"
	"github.com/planvet/planvet/internal/pgast"
)

// Qual is one qual that row level security adds to a scan.
type Qual struct {
	// Expr has the relation's columns unqualified; a constant false when no
	// permissive policy applies.
	Expr pgast.Expr
	// Policies are where it comes from: all permissive ones, or one restrictive.
	Policies []*catalog.Policy
	// Permissive tells which.
	Permissive bool
}

// PolicyQuals returns the quals that row level security adds when role runs
// command (select, update, delete) on rel: the permissive policies OR-ed, each
// restrictive one by itself. It is empty when policies do not apply: RLS is off,
// the role owns the table and RLS is not forced, or it bypasses RLS. WITH CHECK
// filters no scan and is never among them. role "" is the table's owner.
func PolicyQuals(cat *catalog.Catalog, rel *catalog.Relation, command, role string) []Qual {
	if !rel.RLSEnabled {
		return nil
	}
	if role == "" || role == rel.Owner {
		if !rel.RLSForced {
			return nil
		}
	}
	if r := cat.Roles[role]; r.BypassRLS || r.Superuser || role == "postgres" || role == "service_role" {
		return nil
	}
	var arms []pgast.Expr
	var permissive []*catalog.Policy
	var out []Qual
	for _, p := range rel.Policies {
		if p.Command != "all" && p.Command != command || !PolicyApplies(p, role) {
			continue
		}
		e := constant(pgast.ConstBool, "true")
		if p.HasUsing {
			var err error
			if e, err = pgast.ParseExpr(p.Using); err != nil {
				continue
			}
		}
		if p.Permissive {
			arms, permissive = append(arms, e), append(permissive, p)
		} else {
			out = append(out, Qual{Expr: e, Policies: []*catalog.Policy{p}})
		}
	}
	switch len(arms) {
	case 0:
		return []Qual{{Expr: constant(pgast.ConstBool, "false"), Permissive: true}}
	case 1:
		out = append(out, Qual{Expr: arms[0], Policies: permissive, Permissive: true})
	default:
		e := &pgast.Bool{At: -1, Kind: pgast.Or, Args: arms}
		out = append(out, Qual{Expr: e, Policies: permissive, Permissive: true})
	}
	return out
}

// PolicyApplies reports whether a policy is for a role: named, or public.
func PolicyApplies(p *catalog.Policy, role string) bool {
	return len(p.Roles) == 0 || slices.Contains(p.Roles, "public") || slices.Contains(p.Roles, role)
}

// policies adds the policy quals of a relation to its block.
func (r *resolver) policies(b *Block, rel *Rel, command string, nb []*outerJoin) {
	if !r.o.Policies || !r.o.RoleKnown || r.nest > maxNesting {
		return
	}
	for _, q := range PolicyQuals(r.cat, rel.Relation, command, r.o.Role) {
		r.policy(b, rel, q.Expr, nb)
	}
}

// retarget adds the quals that UPDATE and DELETE have beside those of SELECT.
func (r *resolver) retarget(b *Block, rel *Rel, command string) {
	r.policies(b, rel, command, rel.nullBy)
}

// policy binds one policy expression in a scope of the relation's columns alone.
// Its subqueries stay subqueries: the planner does not pull them up.
func (r *resolver) policy(b *Block, rel *Rel, e pgast.Expr, nb []*outerJoin) {
	pos, view, o, inPolicy := r.pos, r.view, r.o, r.inPolicy
	r.pos, r.view, r.inPolicy = rel.Pos, true, true
	r.o.Variables, r.o.SearchPath = nil, nil
	r.nest++
	src := &source{schema: rel.Relation.Schema, relation: rel.Relation.Name.Name, alias: rel.Relation.Name.Name, rel: rel}
	for _, c := range rel.Relation.Columns {
		src.cols = append(src.cols, outCol{c.Name, &Var{ColumnRef: pgast.ColumnRef{At: -1, Names: []string{c.Name}}, Rel: rel, Column: c.Name}})
	}
	sc := &scope{block: b, query: true, sources: []*source{src}}
	for _, c := range conjunction(canonical(e)) {
		n := len(b.clauses)
		bound := r.bind(sc, c)
		if k, ok := bound.(*pgast.Const); ok && k.Text == "true" {
			continue // no security level is left once it is gone
		}
		rel.Security = true
		b.addClause(r, bound, nb)
		for _, cl := range b.clauses[n:] {
			cl.policy = rel
		}
	}
	r.nest--
	r.pos, r.view, r.o, r.inPolicy = pos, view, o, inPolicy
}

// Access is what a policy's own quals find.
type Access struct {
	// Rel is the policy's table with the policy's conjuncts and path.
	Rel *Rel
	// Served is set when those quals have an access path; Trivial when they name no
	// column that an index could serve (USING (true)), so that none is missing.
	Served, Trivial bool
	// Columns are the columns that an index could serve and none does.
	Columns []string
	// Conjuncts are those quals.
	Conjuncts []Conjunct
	Analysis  *Analysis
}

// PolicyAccess tells whether the quals of one policy alone give an access path
// for a bare select on the table.
func PolicyAccess(cat *catalog.Catalog, rel *catalog.Relation, p *catalog.Policy) *Access {
	an := &Analysis{}
	r := newResolver(cat, Options{Sizes: cat.Stats}, an)
	t := &pgast.Table{At: -1, Schema: rel.Schema, Name: rel.Name.Name}
	b := r.newBlock(&pgast.Select{At: -1, From: []pgast.FromItem{t}}, nil)
	sc := &scope{block: b, query: true}
	a := &Access{Rel: r.table(b, sc, t, nil), Analysis: an}
	if a.Rel == nil {
		a.Trivial = true
		return a
	}
	e, err := pgast.ParseExpr(p.Using)
	if !p.HasUsing || err != nil {
		a.Trivial = true
		return a
	}
	r.policy(b, a.Rel, e, nil)
	b.finish(r)
	for _, c := range a.Rel.Conjuncts {
		if c.Selects == No || !c.fixable() {
			continue
		}
		a.Conjuncts = append(a.Conjuncts, c)
		for _, col := range c.Columns {
			if !slices.Contains(a.Columns, col) {
				a.Columns = append(a.Columns, col)
			}
		}
	}
	a.Served = a.Rel.Path != nil
	a.Trivial = len(a.Conjuncts) == 0
	if a.Served {
		a.Columns = nil
	}
	return a
}
