package rlscheck

import (
	"slices"

	"github.com/planvet/planvet/catalog"
	"github.com/planvet/planvet/internal/pgast"
	"github.com/planvet/planvet/internal/predicate"
)

// probeRole is a role that a policy is for and that row level security holds; ""
// when the catalog has none.
func (c *checker) probeRole(p *catalog.Policy) string {
	for _, r := range p.Roles {
		if r != "public" {
			return r
		}
	}
	var own []string
	for name, r := range c.cat.Roles {
		if !r.BypassRLS && !r.Superuser && name != "postgres" && name != "service_role" {
			own = append(own, name)
		}
	}
	slices.Sort(own)
	switch {
	case slices.Contains(own, "authenticated"), c.cat.HasSchema("auth"):
		return "authenticated"
	case len(own) > 0:
		return own[0]
	}
	return ""
}

// alias is the name by which a subselect calls the table of a gap.
func alias(g *gap) string {
	for _, s := range g.frame.sources {
		if s.rel == g.rel {
			return s.alias
		}
	}
	return ""
}

// equality compares a key with a parameter.
func equality(k predicate.Key) pgast.Expr {
	var left pgast.Expr = &pgast.ColumnRef{At: -1, Names: []string{k.Column}}
	if k.Column == "" {
		e, err := pgast.ParseExpr(k.Expr)
		if err != nil {
			return nil
		}
		left = e
	}
	return &pgast.Op{At: -1, Name: "=", Left: left, Right: &pgast.Param{At: -1, Number: 1}}
}

// setTests reports whether the policy tests x IN (SELECT …) on its own rows.
func (c *checker) setTests(p *policy) bool {
	found := false
	pgast.Walk(p.expr, func(n pgast.Node) bool {
		s, ok := n.(*pgast.SubLink)
		found = found || ok && c.ownSet(p, s) && p.top.reads(c.cat, s.Test)
		return !ok
	})
	return found
}

// ownSet reports whether s is x IN (SELECT …) over a set that is the caller's: the
// same for all rows, and not for all callers. Only such a set is small enough for
// x = ANY (ARRAY(SELECT …)), which goes through it for each row where no index is used.
func (c *checker) ownSet(p *policy, s *pgast.SubLink) bool {
	if s.Kind != pgast.SubAny || s.Op != "=" || p.top.reads(c.cat, s.Query) {
		return false
	}
	own := false
	pgast.Walk(s.Query, func(n pgast.Node) bool {
		e, ok := n.(pgast.Expr)
		own = own || ok && c.varies(e)
		return !own
	})
	return own
}
