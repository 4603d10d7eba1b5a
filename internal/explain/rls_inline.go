package explain

import (
	"fmt"
	"slices"

	"github.com/planvet/planvet/catalog"
	"github.com/planvet/planvet/internal/pgast"
	"github.com/planvet/planvet/internal/predicate"
)

// applied is one policy that filters a table of a statement for a role.
type applied struct {
	rel    *catalog.Relation
	policy *catalog.Policy
}

// inliner writes the conditions that policies add for a role into a statement, so
// that a role that bypasses row security gets the same rows:
//
//  1. each table whose policies bind the role becomes a subselect of that table with
//     the permissive conditions or-ed and the restrictive ones and-ed, under the
//     table's alias; the planner pulls it up as if its conditions were the user's;
//  2. what depends on the session alone in a condition, auth.uid(), is_admin(),
//     (select current_setting(…)), becomes the literal that it is in this session;
//  3. tables inside the conditions have policies too: they are treated alike.
type inliner struct {
	cat  *catalog.Catalog
	role string
	// literal is the value of an expression in the role's session, as a literal.
	literal func(pgast.Expr) (pgast.Expr, error)
	// policies are those met so far, each once; those of the statement's own tables
	// come before those of tables that conditions read.
	policies []applied
	// bound is set once row security binds the role on some table.
	bound bool
	err   error
}

// maxInline bounds how deep conditions read tables with conditions; the server
// refuses policies that read each other in a circle.
const maxInline = 8

// statement inlines into a statement in place.
func (in *inliner) statement(stmt pgast.Stmt) error {
	in.node(stmt, 0)
	return in.err
}

// node replaces the tables below n. Places are collected before any is changed,
// because what is put there names the same tables.
func (in *inliner) node(n pgast.Node, depth int) {
	ctes := map[string]bool{}
	var selects []*pgast.Select
	var joins []*pgast.Join
	pgast.Walk(n, func(n pgast.Node) bool {
		switch n := n.(type) {
		case *pgast.CTE:
			ctes[n.Name] = true
		case *pgast.Select:
			selects = append(selects, n)
		case *pgast.Join:
			joins = append(joins, n)
		}
		return true
	})
	for _, s := range selects {
		for i := range s.From {
			s.From[i] = in.item(s.From[i], ctes, depth)
		}
	}
	for _, j := range joins {
		j.Left, j.Right = in.item(j.Left, ctes, depth), in.item(j.Right, ctes, depth)
	}
}

// item is what takes the place of one item of FROM.
func (in *inliner) item(item pgast.FromItem, ctes map[string]bool, depth int) pgast.FromItem {
	t, ok := item.(*pgast.Table)
	if !ok || t.Schema == "" && ctes[t.Name] || in.err != nil {
		return item
	}
	rel := in.cat.Resolve(t.Schema, t.Name, nil)
	if rel == nil {
		return item
	}
	if rel.SecurityInvoker {
		in.err = fmt.Errorf("%s is a view that reads its tables as its caller: ask for a statement on those tables", rel.Name.Short())
		return item
	}
	where := in.conditions(rel, depth)
	if where == nil {
		return item
	}
	inner := *t
	inner.Schema, inner.Name, inner.Alias, inner.ColAliases = rel.Schema, rel.Name.Name, "", nil
	q := &pgast.Select{
		At: -1, Targets: []pgast.Target{{At: -1, Expr: &pgast.ColumnRef{At: -1, Star: true}}},
		From: []pgast.FromItem{&inner}, Where: where,
	}
	return &pgast.Subquery{At: -1, Query: q, Alias: t.RefName(), ColAliases: t.ColAliases}
}

// conditions are those of a table's policies for reading, nil for none.
func (in *inliner) conditions(rel *catalog.Relation, depth int) pgast.Expr {
	if depth > maxInline {
		in.err = fmt.Errorf("the policies of %s read tables with policies more than %d deep", rel.Name.Short(), maxInline)
		return nil
	}
	var all []pgast.Expr
	for _, q := range predicate.PolicyQuals(in.cat, rel, "select", in.role) {
		for _, p := range q.Policies {
			if !slices.Contains(in.policies, applied{rel, p}) {
				in.policies = append(in.policies, applied{rel, p})
			}
		}
		all = append(all, in.literals(q.Expr))
	}
	if len(all) == 0 {
		return nil
	}
	in.bound = true
	var e pgast.Expr = &pgast.Bool{At: -1, Kind: pgast.And, Args: all}
	if len(all) == 1 {
		e = all[0]
	}
	in.node(&pgast.Select{At: -1, Where: e}, depth+1)
	return e
}

// literals puts literals in the place of what the session alone decides.
func (in *inliner) literals(e pgast.Expr) pgast.Expr {
	return pgast.ReplaceExpr(e, func(e pgast.Expr) (pgast.Expr, bool) {
		if in.err != nil {
			return nil, false
		}
		of, set := sessionValue(e)
		if of == nil {
			return nil, false
		}
		v, err := in.literal(of)
		if err != nil {
			in.err = err
			return nil, false
		}
		if set != nil {
			v = &pgast.Op{At: -1, Kind: pgast.OpAny, Name: set.Op, Left: set.Test, Right: v}
		}
		return v, true
	})
}

// sessionValue returns the expression to evaluate where e depends on the session
// alone. For x IN (SELECT f()) that is the array of what f returns, and set is the
// test.
func sessionValue(e pgast.Expr) (of pgast.Expr, set *pgast.SubLink) {
	switch e := e.(type) {
	case *pgast.SubLink:
		q, ok := e.Query.(*pgast.Select)
		if !ok || !sessionOnly(e.Query) {
			return nil, nil
		}
		switch {
		case e.Kind == pgast.SubScalar:
			return e, nil
		case e.Kind == pgast.SubAny && len(q.Targets) == 1 && !sessionOnly(e.Test):
			return &pgast.SubLink{At: -1, Kind: pgast.SubArray, Query: q}, e
		}
	case *pgast.FuncCall, *pgast.ValueFunc, *pgast.Op, *pgast.Cast, *pgast.Coalesce, *pgast.NullTest, *pgast.BoolTest,
		*pgast.Bool, *pgast.Subscript, *pgast.Case, *pgast.Array:
		if sessionOnly(e) {
			return e, nil
		}
	}
	return nil, nil
}

// fresh are functions that give another value at each call.
var fresh = []string{"random", "clock_timestamp", "gen_random_uuid", "uuid_generate_v4", "nextval", "timeofday"}

// sessionOnly reports whether an expression calls something and reads no column, no
// parameter and no table, nor gives another value at each call.
func sessionOnly(n pgast.Node) bool {
	calls, only := false, true
	pgast.Walk(n, func(n pgast.Node) bool {
		switch n := n.(type) {
		case *pgast.FuncCall:
			calls = true
			only = only && !slices.Contains(fresh, n.Name[len(n.Name)-1]) && !n.Star
		case *pgast.ValueFunc:
			calls = true
		case *pgast.ColumnRef, *pgast.Param, *pgast.Other, *pgast.Default, pgast.FromItem:
			only = false
		case *pgast.Select:
			only = only && n.SetOp == "" && n.With == nil && n.Limit == nil
		}
		return only
	})
	return calls && only
}
