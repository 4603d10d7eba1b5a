package explain

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/planvet/planvet/catalog"
	"github.com/planvet/planvet/internal/plan"
	"github.com/planvet/planvet/rlscheck"
)

// remedy is a change that makes policies cheaper, and what it applies to.
type remedy struct {
	kind, title, cost string
	sql               []string
	// undo is known for policies.
	undo []string
	// policies are those whose tables' scans are told of; as is who profits, where that
	// is not the one who asked.
	policies []applied
	as       *Identity
}

// policyRemedies are what the rules propose for the policies of a statement: its
// calls wrapped in (select …), an index, a set test rewritten; then all together.
func policyRemedies(cat *catalog.Catalog, policies []applied) []remedy {
	var out []remedy
	var all remedy
	for _, f := range rlscheck.Check(cat, nil, rlscheck.Options{Enabled: func(rule string) bool {
		return rule == "rls-initplan" || rule == "rls-unindexed-predicate"
	}}) {
		i := slices.IndexFunc(policies, func(a applied) bool { return a.policy.Name == f.Object.Policy })
		if i < 0 || f.Fix == nil {
			continue
		}
		for _, sql := range f.Fix.SQL {
			if slices.Contains(all.sql, sql) {
				continue
			}
			r := remedy{kind: Index, sql: []string{sql}, cost: f.Fix.Note}
			r.title = "an index on " + catalog.Name{Schema: f.Object.Schema, Name: f.Object.Table}.Of(f.Object.Columns)
			if a := policies[i]; strings.HasPrefix(sql, "alter policy ") {
				r.kind, r.title = Rewrite, fmt.Sprintf("policy %s of %s, written so that what the session decides is evaluated once a query", a.policy.Name, a.rel.Name.Short())
				r.undo = []string{"alter policy " + policyOn(a) + " using (" + a.policy.Using + ")"}
			}
			all.sql, all.undo = append(all.sql, sql), append(all.undo, r.undo...)
			out = append(out, r)
		}
	}
	for i := range out {
		out[i].policies = policies
	}
	all.policies = policies
	if len(out) > 1 {
		all.kind, all.title = Rewrite, "all of these together"
		out = append(out, all)
	}
	return out
}

// remedies applies each in turn, measures the statement as the role, and rolls it
// back.
func (a *asker) remedies(cat *catalog.Catalog, policies []applied, enforced *arm, before Arm) ([]Recommendation, error) {
	out := []Recommendation{}
	want, err := a.rowsOf(enforced.sql, enforced.id)
	if err != nil {
		return nil, err
	}
	was := Effect{Cost: before.Cost, MS: before.MS, Blocks: before.Blocks, Access: scansOf(enforced.last, policies)}
	for _, r := range policyRemedies(cat, policies) {
		rec := r.recommendation()
		after, same, err := a.with(r, enforced, want, policies)
		switch {
		case err != nil:
			rec.Why = "not measured: " + message(err)
		case !same:
			rec.Why = "not verified: with it the statement returned other rows"
		default:
			b := was
			rec.Verified, rec.Before, rec.After = Measured, &b, after
			rec.Why = "applied, run as " + enforced.id.Role + " and rolled back on a throwaway server"
		}
		out = append(out, rec)
	}
	named, err := a.nameRole(cat, policies, enforced)
	if named != nil {
		out = append(out, *named)
	}
	return out, err
}

// with runs the statement while a remedy is applied.
func (a *asker) with(r remedy, enforced *arm, want rowSet, policies []applied) (after *Effect, same bool, err error) {
	err = a.as(Identity{}, func() error {
		for _, sql := range r.sql {
			if err := a.s.Exec(a.ctx, sql); err != nil {
				return err
			}
		}
		m := &arm{sql: enforced.sql, id: enforced.id}
		if _, _, err := a.interleave([]*arm{m}); err != nil {
			return err
		}
		got, err := a.rowsOf(m.sql, m.id)
		res := m.result(got.rows)
		after, same = &Effect{Cost: res.Cost, MS: res.MS, Blocks: res.Blocks, Access: scansOf(m.last, policies)}, got == want
		return err
	})
	return after, same, err
}

var createIndex = regexp.MustCompile(`(?i)^create( unique)? index `)

func (r remedy) recommendation() Recommendation {
	rec := Recommendation{Kind: r.kind, Title: r.title, Cost: r.cost, Undo: r.undo}
	for _, sql := range r.sql {
		rec.SQL = append(rec.SQL, createIndex.ReplaceAllString(sql, "create$1 index concurrently "))
	}
	return rec
}

// anonymous is the role that Supabase gives to requests without a token.
const anonymous = "anon"

// namedRole is the remedy for policies without TO, nil where there is none or nobody
// profits.
func namedRole(cat *catalog.Catalog, policies []applied, id Identity) *remedy {
	to := id.Role
	if to == anonymous {
		to = "authenticated"
	}
	for _, role := range []string{anonymous, to} {
		if _, ok := cat.Roles[role]; !ok {
			return nil
		}
	}
	r := toRemedy(policies, to)
	if len(r.sql) == 0 {
		return nil
	}
	r.policies, r.as = policies, &Identity{anonymous, map[string]string{}}
	for name, v := range id.Settings {
		if strings.HasPrefix(name, "request.jwt.claim") {
			v = ""
		}
		r.as.Settings[name] = v
	}
	r.as.Settings["request.jwt.claims"] = `{"role":"` + anonymous + `"}`
	return &r
}

// sees reports whether an identity sees some row of the tables of policies.
func (a *asker) sees(id Identity, policies []applied) (bool, error) {
	for _, p := range policies {
		sql := "select 1 from " + identOf(p.rel.Name) + " limit 1"
		if err := a.permit(sql, id); err != nil {
			return false, err
		}
		if set, err := a.rowsOf(sql, id); err != nil || set.rows > 0 {
			return set.rows > 0, err
		}
	}
	return false, nil
}

// nameRole measures what TO gives: a policy without it is evaluated for every role,
// also for those that it never lets see a row. The role that pays for nothing is
// anon where there is one.
func (a *asker) nameRole(cat *catalog.Catalog, policies []applied, enforced *arm) (*Recommendation, error) {
	r := namedRole(cat, policies, enforced.id)
	if r == nil {
		return nil, nil
	}
	if sees, err := a.sees(*r.as, policies); sees || err != nil {
		return nil, nil // the policies are meant for it, or it may not read the table at all
	}
	rec, anon := r.recommendation(), &arm{sql: enforced.sql, id: *r.as}
	if _, _, err := a.interleave([]*arm{anon}); err != nil {
		rec.Why = "not measured: running the statement as " + anonymous + ": " + message(err)
		return &rec, nil
	}
	seen, err := a.rowsOf(anon.sql, anon.id)
	if err != nil {
		return nil, err
	}
	before := anon.result(seen.rows)
	after, same, err := a.with(*r, anon, seen, policies)
	switch {
	case err != nil:
		rec.Why = "not measured: " + message(err)
	case !same:
		return nil, nil
	default:
		rec.Verified, rec.Why = Measured, "applied, run as "+anonymous+" and rolled back on a throwaway server"
		rec.Before = &Effect{Cost: before.Cost, MS: before.MS, Blocks: before.Blocks, Access: scansOf(anon.last, policies)}
		rec.After = after
	}
	return &rec, nil
}

// scansOf describes how the policies' tables are read, each scan once.
func scansOf(p *plan.Plan, policies []applied) string {
	var out []string
	for _, ap := range policies {
		for _, s := range p.Accesses(ap.rel.Schema, ap.rel.Name.Name, "") {
			if d := s.Node.Describe(); !slices.Contains(out, d) {
				out = append(out, d)
			}
		}
	}
	if len(out) == 0 {
		return "nothing is read"
	}
	return strings.Join(out, "; ")
}
