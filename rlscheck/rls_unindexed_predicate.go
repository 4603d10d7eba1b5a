package rlscheck

import (
	"fmt"
	"slices"

	"github.com/planvet/planvet/catalog"
	"github.com/planvet/planvet/catalog/builtin"
	"github.com/planvet/planvet/internal/pgast"
	"github.com/planvet/planvet/internal/predicate"
	"github.com/planvet/planvet/rules"
)

var unindexedPredicate = &rules.Rule{
	Name:     "rls-unindexed-predicate",
	Summary:  "a policy selects rows by a column that no index leads with",
	Package:  "rlscheck",
	Severity: rules.Warning, Certainty: rules.Certain,
	Page: page("rls_unindexed_predicate"),
}

// gap is a missing access path of one or more policies on one table.
type gap struct {
	rel     *catalog.Relation // the table that lacks it
	rows    int64
	source  string
	columns []string
	needs   []predicate.Need
	// rewrite is set when an index alone does not do: x IN (SELECT …).
	rewrite bool
	certain bool
	// frame is the subselect that reads rel; nil for the policy's own table.
	frame    *frame
	on       *catalog.Relation // the policies' table
	policies []*catalog.Policy
	uses     []use
	// together are the policies of the table whose gaps close only with this one's.
	together []*catalog.Policy
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

// ownGap is what keeps a policy's own table from being reached.
func (c *checker) ownGap(r *catalog.Relation, p *catalog.Policy) *gap {
	pol := c.parsePolicy(r, p, 1)
	if pol == nil {
		return nil
	}
	wants := c.wants(r, p)
	if len(wants) == 0 {
		return nil
	}
	missing := c.missing(r, wants)
	sets := c.setTests(pol)
	if len(missing) == 0 && !sets {
		return nil
	}
	uses := c.uses(r, p)
	for _, u := range uses {
		scan := c.analyze(c.cat, r, c.condition(pol, u, false))
		if scan == nil || reached(scan) {
			continue
		}
		with, others := c.indexed(r, u)
		g := &gap{rel: r, on: r, rows: scan.Rows, source: scan.RowsSource, uses: uses, certain: true, together: others}
		if !c.reached(with, pol, u, false) {
			if !c.reached(with, pol, u, true) {
				continue
			}
			g.rewrite, g.certain = true, false
		} else if len(missing) == 0 {
			continue // another policy's index is missing, and reported there
		}
		for _, b := range pol.bare {
			g.certain = g.certain && b.known // an unknown function may be volatile
		}
		for _, k := range wants {
			g.columns = append(g.columns, column(k))
		}
		for _, k := range missing {
			g.needs = append(g.needs, predicate.Need{Relation: r, Policy: []predicate.Key{k}})
		}
		return g
	}
	return nil
}

func column(k predicate.Key) string {
	if k.Column != "" {
		return k.Column
	}
	return k.Expr
}

func (c *checker) reached(with *catalog.Relation, p *policy, u use, sets bool) bool {
	scan := c.analyze(c.cat.With(with), with, c.condition(p, u, sets))
	return scan != nil && reached(scan)
}

// wants are the keys by which a policy selects rows: one of the and-ed equalities,
// or one of each arm of an OR; none when an arm has none.
func (c *checker) wants(r *catalog.Relation, p *catalog.Policy) []predicate.Key {
	pol := c.parsePolicy(r, p, 1)
	if pol == nil {
		return nil
	}
	scan := c.analyze(c.cat, r, c.scan(pol, true))
	if scan == nil || scan.Small {
		return nil
	}
	return c.selecting(scan.Conjuncts)
}

func (c *checker) selecting(cs []predicate.Conjunct) []predicate.Key {
	for _, q := range cs {
		if q.Op != "=" || !q.Sargable || q.Selects == predicate.No || q.Column == "" && q.KeyExpr == "" || !c.varies(q.Comparand) {
			continue
		}
		switch q.Kind {
		case predicate.Param, predicate.Subquery, predicate.ArrayOf:
			return []predicate.Key{{Column: q.Column, Expr: q.KeyExpr}}
		}
	}
	for _, q := range cs {
		if len(q.Or) == 0 {
			continue
		}
		var out []predicate.Key
		for _, arm := range q.Or {
			ks := c.selecting(arm)
			if ks == nil {
				return nil
			}
			for _, k := range ks {
				if !slices.Contains(out, k) {
					out = append(out, k)
				}
			}
		}
		return out
	}
	return nil
}

// varies reports whether a comparand is the caller's, rather than a constant: a
// policy that compares with a constant selects a kind of row, not an owner's.
func (c *checker) varies(e pgast.Expr) bool {
	if e == nil {
		return false
	}
	found := false
	pgast.Walk(e, func(n pgast.Node) bool {
		switch n := n.(type) {
		case *pgast.Param, *pgast.ValueFunc:
			found = true
		case *pgast.FuncCall:
			found = found || c.fns.of(n).volatility != builtin.Immutable
		}
		return !found
	})
	return found
}

// missing are the keys that no index leads with.
func (c *checker) missing(r *catalog.Relation, keys []predicate.Key) []predicate.Key {
	var out []predicate.Key
	for _, k := range keys {
		if scan := c.analyze(c.cat, r, equality(k)); scan != nil && scan.Path == nil {
			out = append(out, k)
		}
	}
	return out
}

// indexed is the table as it would be with an index for each policy of a use, and
// the policies that get one.
func (c *checker) indexed(r *catalog.Relation, u use) (*catalog.Relation, []*catalog.Policy) {
	with := *r
	with.Indexes = slices.Clone(r.Indexes)
	var others []*catalog.Policy
	for _, q := range predicate.PolicyQuals(c.cat, r, u.command, u.role) {
		for _, p := range q.Policies {
			for _, k := range c.missing(r, c.wants(r, p)) {
				with.Indexes = append(with.Indexes, &catalog.Index{
					Name: "planvet_" + fmt.Sprint(len(with.Indexes)), Method: "btree", Valid: true,
					Keys: []catalog.IndexKey{{Column: k.Column, Expr: k.Expr}},
				})
			}
			others = append(others, p)
		}
	}
	return &with, others
}

// innerGaps are the subselects that no index serves.
func (c *checker) innerGaps(r *catalog.Relation, p *catalog.Policy) []*gap {
	pol := c.parsePolicy(r, p, 1)
	if pol == nil {
		return nil
	}
	var out []*gap
	for i, g := range pol.frames {
		a := c.inner(r, p, i)
		if a == nil || len(a.Blocks) == 0 {
			continue
		}
		for _, rel := range a.Blocks[0].Rels {
			if rel.Gap == nil || rel.Relation == nil || rel.Relation.Stub || rel.ViaView {
				continue
			}
			out = append(out, &gap{rel: rel.Relation, on: r, rows: rel.Rows, source: rel.RowsSource, columns: rel.Gap.Columns,
				needs: rel.Needs(0), certain: rel.Gap.Certain, frame: g, uses: c.uses(r, p)})
		}
	}
	return out
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
	if !g.certain {
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
	key, t, rows := columns(g.rel.Name, g.columns), table(g.rel.Name), size(g.rows, g.source)
	switch {
	case g.frame != nil && g.frame.correlated:
		return fmt.Sprintf("%s has no index; for a row of %s, %s can scan all of %s (%s)", key, table(g.on.Name), by, t, rows)
	case g.frame != nil:
		return fmt.Sprintf("%s has no index; for each %s on %s, %s scans all of %s (%s)", key, verb(g.uses), table(g.on.Name), by, t, rows)
	case g.rewrite && len(g.needs) == 0:
		return fmt.Sprintf("%s tests %s with in (select …), which no index serves; each %s of %s can scan all of it (%s)",
			by, key, verb(g.uses), who(p.Roles), rows)
	}
	return fmt.Sprintf("%s has no index; under %s, each %s of %s scans all of %s (%s)", key, by, verb(g.uses), who(p.Roles), t, rows)
}
