package explain

import (
	"fmt"
	"strings"

	"github.com/planvet/planvet/internal/plan"
	"github.com/planvet/planvet/internal/predicate"
)

// policies proposes policies whose calls are made once a query and not once a row, as
// the rules of row security have it; what they give is planned on the twin, where the
// policy is altered and the altering undone.
func (p *prover) policies() ([]Recommendation, error) {
	if p.likeness == nil { // the statement costs next to nothing
		return nil, nil
	}
	var bound []applied
	an := predicate.Analyze(p.s.cat, p.s.tree, predicate.Options{Role: p.role(), RoleKnown: true, Policies: true, SearchPath: p.likeness.Schema.SearchPath})
	for _, b := range an.Blocks {
		for _, r := range b.Rels {
			if r.Relation == nil || !r.Security {
				continue
			}
			for _, pol := range r.Relation.Policies {
				if predicate.PolicyApplies(pol, p.role()) {
					bound = append(bound, applied{r.Relation, pol})
				}
			}
		}
	}
	if len(bound) == 0 {
		return nil, nil
	}
	var out []Recommendation
	for _, r := range policyRemedies(p.s.cat, bound) {
		if r.kind != Rewrite || len(r.sql) != 1 || !strings.HasPrefix(r.sql[0], "alter policy ") {
			continue // indexes have been tried
		}
		rec := r.recommendation()
		rec.Findings = p.s.findingsOf("policy-call-per-row")
		if why := p.believed(); why != "" {
			rec.Why = "not verified: " + why
			out = append(out, rec)
			continue
		}
		before, after, err := p.altered(r.sql[0])
		switch {
		case err != nil:
			rec.Why = "not verified: " + p.text(err)
		case after.Root.TotalCost > half*before.Root.TotalCost || before.Root.TotalCost < leastCostSaved:
			rec.Why = fmt.Sprintf("not verified: the planner has it at cost %.0f, and %.0f as it is; what calls take shows when it is run: --rls-overhead measures it", after.Root.TotalCost, before.Root.TotalCost)
		default:
			rec.Verified, rec.Before, rec.After = Estimated, whole(before), whole(after)
			rec.Why = "the policy was altered on a throwaway server with this server's schema and statistics, and the statement planned as role " + p.role()
		}
		out = append(out, rec)
	}
	return out, nil
}

// believed makes a twin where there is none yet, its candidates hidden; it tells why
// what it says is not the server's own answer.
func (p *prover) believed() string {
	var err error
	if p.twin == nil {
		err = p.with(nil)
	} else {
		err = p.twin.Show(p.ctx)
	}
	if err != nil {
		return "no twin of the server could be made: " + p.text(err)
	}
	return p.doubt
}

// altered plans the statement on the twin before and after a change.
func (p *prover) altered(sql string) (before, after *plan.Plan, err error) {
	r := p.s.requests[0]
	if before, err = p.twin.Explain(p.ctx, r); err != nil {
		return nil, nil, err
	}
	s := p.twin.Session
	if err := s.Begin(p.ctx); err != nil {
		return nil, nil, err
	}
	defer s.Rollback(p.ctx)
	if err := s.Exec(p.ctx, sql); err != nil {
		return nil, nil, err
	}
	after, err = p.twin.Explain(p.ctx, r)
	return before, after, err
}
