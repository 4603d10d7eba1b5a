package rlscheck

import (
	"fmt"
	"slices"

	"github.com/planvet/planvet/catalog"
	"github.com/planvet/planvet/internal/predicate"
	"github.com/planvet/planvet/rules"
)

var unindexedPredicate = &rules.Rule{
	Name:     "rls-unindexed-predicate",
	Summary:  "a policy selects rows by a column that no index leads with",
	Package:  "rlscheck",
	Group:    "rls",
	Severity: rules.Warning, Certainty: rules.Certain,
	Page: page("rls_unindexed_predicate"),
}

// unindexedPredicate asks of each policy:
//
//  1. is the table reached by all that applies to a role and a command? Then no;
//  2. which columns does the policy compare with something known when the scan
//     starts?
//  3. would indexes on those columns, for all policies that are or-ed with it, give
//     a path? With x IN (SELECT …) as it is, or as = ANY (ARRAY(SELECT …))?
//
// Each subselect of the policy is asked the first question by itself.
func (c *checker) unindexedPredicate() {
	byKey := map[string]*gap{}
	var gaps []*gap
	add := func(g *gap, p *catalog.Policy) {
		key := fmt.Sprint(g.rel.Name, g.columns, g.rewrite, g.frame != nil)
		if old := byKey[key]; old != nil {
			if slices.Contains(old.policies, p) {
				return
			}
			old.policies = append(old.policies, p)
			if verb(old.uses) != "query" && verb(g.uses) == "query" {
				// A policy on reads speaks for the others.
				last := len(old.policies) - 1
				old.policies[0], old.policies[last] = p, old.policies[0]
				old.uses, old.certain = g.uses, g.certain
			}
			return
		}
		g.policies = []*catalog.Policy{p}
		byKey[key] = g
		gaps = append(gaps, g)
	}
	c.policies(func(r *catalog.Relation, p *catalog.Policy) {
		if g := c.ownGap(r, p); g != nil {
			add(g, p)
		}
		for _, g := range c.innerGaps(r, p) {
			add(g, p)
		}
	})
	for _, g := range gaps {
		if g.rewrite {
			for _, p := range slices.Concat(g.policies, g.together) {
				c.sets[p] = true
			}
		}
	}
	for _, g := range gaps {
		c.reportGap(g)
	}
}

func (c *checker) reportGap(g *gap) {
	p := g.policies[0]
	f := start(unindexedPredicate, g.on, p, g.uses)
	f.Object.Schema, f.Object.Table, f.Object.Columns = g.rel.Schema, g.rel.Name.Name, g.columns
	f.Message = g.message()
	for _, other := range g.policies[1:] {
		f.Related = append(f.Related, rules.Related{Location: location(other.Location), Message: fmt.Sprintf("policy %q compares it too", other.Name)})
	}
	f.Fix = &rules.Fix{}
	for _, s := range predicate.Suggest(g.needs) {
		f.Fix.SQL = append(f.Fix.SQL, s.DDL)
		f.Fix.Note = s.Cost
	}
	apply := slices.Clone(f.Fix.SQL)
	if g.frame != nil {
		f.Probe.Kind, f.Probe.Role = rules.ProbeStatement, c.probeRole(p)
		f.Probe.SQL = "select * from " + quoted(g.on.Schema, g.on.Name.Name)
		f.Probe.Schema, f.Probe.Table, f.Probe.Alias = g.rel.Schema, g.rel.Name.Name, alias(g)
		if f.Probe.Role == "" {
			f.Probe = nil
		}
	}
	for _, other := range g.together {
		if other == p {
			continue
		}
		for _, k := range c.missing(g.on, c.wants(g.on, other)) {
			for _, s := range predicate.Suggest([]predicate.Need{{Relation: g.on, Policy: []predicate.Key{k}}}) {
				if !slices.Contains(apply, s.DDL) {
					apply = append(apply, s.DDL)
				}
			}
		}
		if alter := c.improve(g.on, other); g.rewrite && alter != "" {
			apply = append(apply, alter)
		}
	}
	if g.rewrite {
		f.Certainty = rules.Possible
		if len(g.needs) == 0 {
			f.Severity = rules.Info
		}
		for _, other := range g.policies {
			if alter := c.improve(g.on, other); alter != "" {
				f.Fix.SQL = append(f.Fix.SQL, alter)
				if !slices.Contains(apply, alter) {
					apply = append(apply, alter)
				}
			}
		}
	}
	if !g.certain || len(g.on.ChangedBy)+len(g.rel.ChangedBy) > 0 {
		f.Certainty = rules.Possible
	}
	if verb(g.uses) != "query" {
		// Most writes name their rows by key, and then need no other path.
		f.Certainty, f.Severity = rules.Possible, rules.Info
	}
	if f.Probe != nil {
		f.Probe.Columns, f.Probe.Apply = g.columns, apply
	}
	c.findings = append(c.findings, f)
}

func (g *gap) message() string {
	p := g.policies[0]
	by := fmt.Sprintf("policy %q", p.Name)
	if n := len(g.policies); n > 1 {
		by += fmt.Sprintf(" and %d more", n-1)
	}
	key, t, rows := g.rel.Name.Of(g.columns), g.rel.Name.Short(), rules.Size(g.rows, g.source)
	switch {
	case g.frame != nil && g.frame.correlated:
		return fmt.Sprintf("%s has no index; for a row of %s, %s can scan all of %s (%s)", key, g.on.Name.Short(), by, t, rows)
	case g.frame != nil:
		return fmt.Sprintf("%s has no index; for each %s on %s, %s scans all of %s (%s)", key, verb(g.uses), g.on.Name.Short(), by, t, rows)
	case g.rewrite && len(g.needs) == 0:
		return fmt.Sprintf("%s tests %s with in (select …), which no index serves; each %s of %s can scan all of it (%s)",
			by, key, verb(g.uses), who(p.Roles), rows)
	}
	return fmt.Sprintf("%s has no index; under %s, each %s of %s scans all of %s (%s)", key, by, verb(g.uses), who(p.Roles), t, rows)
}
