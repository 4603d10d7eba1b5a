package explain

import (
	"errors"
	"slices"
	"strings"

	"github.com/planvet/planvet/catalog"
	"github.com/planvet/planvet/internal/plan"
)

// effect is a plan as one side of a comparison.
func effect(p *plan.Plan, about []*proposal) Effect {
	e := Effect{Cost: p.Root.TotalCost, MS: p.ExecutionMS, Blocks: p.Blocks()}
	var out []string
	for _, x := range about {
		if d := scans(p, x.Relation); !slices.Contains(out, d) {
			out = append(out, d)
		}
	}
	e.Access = strings.Join(out, "; ")
	return e
}

// scans describes how a table, or its partitions, is read.
func scans(p *plan.Plan, rel *catalog.Relation) string {
	var out []string
	for _, s := range p.Accesses(rel.Schema, rel.Name.Name, "") {
		if d := s.Node.Describe(); !slices.Contains(out, d) {
			out = append(out, d)
		}
	}
	switch {
	case len(out) > 0:
		return strings.Join(out, "; ")
	case rel.Kind == catalog.PartitionedTable:
		kinds := ""
		p.Walk(func(n *plan.Node) {
			if n.Relation != "" && !strings.Contains(kinds, n.Type) {
				kinds = strings.TrimPrefix(kinds+", "+n.Type, ", ")
			}
		})
		return kinds + " on partitions of " + rel.Name.Name
	}
	return rel.Name.Name + " is not read"
}

// measure builds the indexes on a server of planvet's own, runs the statement before
// and after, and rolls all of it back.
func (p *prover) measure(chosen []*proposal) (before, after Effect, reason string, err error) {
	s := p.s.session
	if err := s.Begin(p.ctx); err != nil {
		return before, after, "", err
	}
	defer func() { err = errors.Join(err, s.Rollback(p.ctx)) }()
	run := func() (Effect, error) {
		r := p.s.requests[0]
		r.Analyze, r.Generic = true, false
		var last *plan.Plan
		var ms []float64
		for range warmRuns {
			got, err := s.Explain(p.ctx, r)
			if err != nil {
				return Effect{}, err
			}
			last, ms = got, append(ms, got.ExecutionMS)
		}
		e := effect(last, chosen)
		slices.Sort(ms)
		e.MS = ms[len(ms)/2]
		return e, nil
	}
	if before, err = run(); err != nil {
		return before, after, p.text(err), nil
	}
	for _, x := range chosen {
		err := s.Exec(p.ctx, plan.InPlace(p.buildable(x)))
		if err == nil && len(x.Columns) < keysOf(option{x}) {
			err = s.Exec(p.ctx, "analyze "+quoted(x.Relation.Schema)+"."+quoted(x.Relation.Name.Name))
		}
		if err != nil {
			return before, after, p.text(err), nil
		}
	}
	if after, err = run(); err != nil {
		return before, after, p.text(err), nil
	}
	return before, after, "", nil
}

// warmRuns is how often a measured statement runs on each side.
const warmRuns = 3

// hypothetical asks HypoPG on the server itself, where it is; ok is false where it is
// not, or does not know an index.
func (p *prover) hypothetical(chosen []*proposal) (before, after Effect, ok bool) {
	var ddl []string
	for _, x := range chosen {
		ddl = append(ddl, x.DDL)
	}
	err := p.inTransaction(func() error {
		now, err := p.s.session.Explain(p.ctx, p.s.requests[0])
		if err != nil {
			return err
		}
		return p.s.session.Hypothetical(p.ctx, ddl, func(names []string) error {
			then, err := p.s.session.Explain(p.ctx, p.s.requests[0])
			if err != nil {
				return err
			}
			ok = slices.ContainsFunc(names, then.Uses)
			before, after = effect(now, chosen), effect(then, chosen)
			return nil
		})
	})
	return before, after, ok && err == nil
}
