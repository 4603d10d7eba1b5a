package rlscheck

import (
	"fmt"
	"slices"
	"sync"

	"github.com/planvet/planvet/catalog"
	"github.com/planvet/planvet/internal/pgast"
	"github.com/planvet/planvet/internal/predicate"
)

// use is one way in which a policy is applied: a role that runs a command.
type use struct{ role, command string }

// uses lists how a policy is applied. INSERT scans nothing, a role that bypasses row
// level security has no policies, and one that may not SELECT finds no row to change:
// where PUBLIC may not, those count that other policies of the table name.
func (c *checker) uses(rel *catalog.Relation, p *catalog.Policy) []use {
	command := p.Command
	switch command {
	case "insert":
		return nil
	case "all", "":
		command = "select"
	}
	out := c.scanning(rel, command, p.Roles)
	if len(out) == 0 && slices.Contains(p.Roles, "public") {
		var named []string
		for _, other := range rel.Policies {
			for _, role := range other.Roles {
				if !slices.Contains(named, role) {
					named = append(named, role)
				}
			}
		}
		out = c.scanning(rel, command, named)
	}
	return out
}

// scanning is the uses by those of the roles whose command scans the table.
func (c *checker) scanning(rel *catalog.Relation, command string, roles []string) []use {
	var out []use
	for _, role := range roles {
		if u := (use{role, command}); len(c.state(rel, u).quals) > 0 {
			out = append(out, u)
		}
	}
	return out
}

// state is what is known of all policies that apply to one use of a table. Each
// part is worked out once, however many policies ask.
type state struct {
	c     *checker
	rel   *catalog.Relation
	use   use
	quals []predicate.Qual

	scan     func() *predicate.Rel    // the table as it is
	served   func() map[int]bool      // the bare calls that are index conditions
	indexed  func() *catalog.Relation // with the index that each policy wants
	policies []*catalog.Policy
	closes   [2]func() bool // whether those indexes give a path: as it is, with sets
}

func (c *checker) state(rel *catalog.Relation, u use) *state {
	key := fmt.Sprintf("%q %q %q %q", rel.Schema, rel.Name.Name, u.role, u.command)
	if s := c.states[key]; s != nil {
		return s
	}
	s := &state{c: c, rel: rel, use: u}
	c.states[key] = s
	s.quals = predicate.PolicyQuals(c.cat, rel, u.command, u.role)
	if u.command != "select" {
		// UPDATE and DELETE read rows by SELECT's policies too.
		s.quals = append(s.quals, predicate.PolicyQuals(c.cat, rel, "select", u.role)...)
	}
	for _, q := range s.quals {
		if len(q.Policies) == 0 {
			s.quals = nil // no permissive policy: nothing is scanned
			break
		}
		s.policies = append(s.policies, q.Policies...)
	}
	s.scan = sync.OnceValue(func() *predicate.Rel { return c.analyze(c.cat, rel, s.condition(false)) })
	s.served = sync.OnceValue(func() map[int]bool { return c.served(rel, s.condition(false)) })
	s.indexed = sync.OnceValue(s.withIndexes)
	for i, sets := range []bool{false, true} {
		s.closes[i] = sync.OnceValue(func() bool {
			with := s.indexed()
			scan := c.analyze(c.cat.With(with), with, s.condition(sets))
			return scan != nil && reached(scan)
		})
	}
	return s
}

// condition is what the server adds to a scan: the permissive policies or-ed, the
// restrictive ones and-ed. With sets, x IN (SELECT …) is taken for x = ANY
// (ARRAY(SELECT …)).
func (s *state) condition(sets bool) pgast.Expr {
	var and []pgast.Expr
	for _, q := range s.quals {
		var or []pgast.Expr
		for _, pol := range q.Policies {
			var arm pgast.Expr = &pgast.Const{At: -1, Kind: pgast.ConstBool, Text: "true"}
			if p := s.c.parsePolicy(s.rel, pol); p != nil {
				arm = s.c.scan(p, sets)
			}
			if len(q.Policies) > 1 && s.c.free(tableFrame(s.rel), arm) {
				arm = opaque(s.rel)
			}
			or = append(or, arm)
		}
		if len(or) > 0 {
			and = append(and, connect(pgast.Or, or))
		}
	}
	if len(and) == 0 {
		return nil
	}
	return connect(pgast.And, and)
}

// withIndexes is the table as it would be with an index for each policy.
func (s *state) withIndexes() *catalog.Relation {
	with := *s.rel
	with.Indexes = slices.Clone(s.rel.Indexes)
	for _, p := range s.policies {
		for _, k := range s.c.missing(s.rel, s.c.wants(s.rel, p)) {
			with.Indexes = append(with.Indexes, &catalog.Index{
				Name: "planvet_" + fmt.Sprint(len(with.Indexes)), Method: "btree", Valid: true,
				Keys: []catalog.IndexKey{{Column: k.Column, Expr: k.Expr}},
			})
		}
	}
	return &with
}
