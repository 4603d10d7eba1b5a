package explain

import (
	"github.com/planvet/planvet/catalog"
	"github.com/planvet/planvet/internal/live"
	"github.com/planvet/planvet/internal/shadow"
)

// rowSecurity measures what row security costs the statement, where that was asked
// for and the statement may run.
func (r *runner) rowSecurity() error {
	if !r.o.RLSOverhead {
		return nil
	}
	if r.report.NotRun != "" {
		r.report.RLS = &Overhead{Role: r.o.Identity.Role, Policies: []PolicyCost{}, Problem: "the statement was not run: " + r.report.NotRun}
		return nil
	}
	var rels []*catalog.Relation
	for _, n := range tablesOf(r.cat, r.st.SQL, nil) {
		rels = append(rels, r.cat.Relation(n.Schema, n.Name))
	}
	var e *Estimator
	if !r.o.NoAdvice {
		e = &Estimator{Start: shadow.Options{Progress: r.o.Progress}}
		defer e.Close()
	}
	one, err := measureOne(r.ctx, r.s, r.cat, TablesOptions{
		Estimate: e,
		Role:     r.o.Identity.Role, Settings: r.o.Identity.Settings, Args: r.sets[0].args, Own: r.o.Own, Timeout: r.o.Timeout,
		Vet: live.VetOptions{Allow: r.o.AllowFunctions, Foreign: r.o.AllowRemote},
	}, r.st.SQL, rels)
	if err != nil {
		return r.failed("measuring row security", err)
	}
	r.report.RLS = &one.Overhead
	return nil
}
