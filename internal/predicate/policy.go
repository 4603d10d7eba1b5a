package predicate

import (
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
	return policyQuals(cat, rel, command, role)
}

// Access is what a policy's own quals find.
type Access struct {
	// Rel is the policy's table with the policy's conjuncts and path.
	Rel *Rel
	// Served is set when those quals have an access path; Trivial when they keep
	// every row or none whatever the row (USING (true)), so that none is needed.
	Served, Trivial bool
	// Columns are the columns that an index could serve and none does.
	Columns  []string
	Analysis *Analysis
}

// PolicyAccess tells whether the quals of one policy alone give an access path
// for a bare select on the table.
func PolicyAccess(cat *catalog.Catalog, rel *catalog.Relation, p *catalog.Policy) *Access {
	return policyAccess(cat, rel, p)
}
