package confirm

import (
	"errors"
	"slices"
	"strings"

	"github.com/planvet/planvet/catalog"
	"github.com/planvet/planvet/internal/pgast"
	"github.com/planvet/planvet/internal/plan"
	"github.com/planvet/planvet/rules"
)

// live asks a server that the user named: plans only, nothing runs. Without
// HypoPG a missing path stays a suspicion there.
func (a *asker) live(p *rules.Probe) rules.Verdict {
	sql, role, alias := p.SQL, p.Role, p.Alias
	switch p.Kind {
	case rules.ProbeStatement:
	case rules.ProbeForeignKey:
		// Locking would need a right that reading does not, and changes no path.
		sql, alias = strings.TrimSuffix(a.integrityStatement(p), forKeyShare), "x"
	case rules.ProbePolicy:
		sql, role = "select * from "+ident(catalog.Name{Schema: p.Schema, Name: p.Table}), a.roles(p)[0]
		if role == everyRole {
			return inconclusive("the policy is for every role: name one to plan as with --role")
		}
	default:
		return inconclusive("comparing a loop with its set form runs both, which is not done on a named server; use --confirm shadow")
	}
	if p.Kind == rules.ProbePolicy && p.Command != "" && p.Command != "select" && p.Command != "all" {
		return inconclusive("a policy for %s cannot be planned without changing it; use --confirm shadow", p.Command)
	}
	if err := a.searchPath(); err != nil {
		return inconclusive("setting the search_path: %s", message(err))
	}
	q, values, reason := a.liveQuestion(p, sql, role, alias)
	if reason != "" {
		return inconclusive("%s", reason)
	}
	v := rules.Verdict{Role: q.role, Settings: q.sets[typical].settings, Level: rules.Structural}
	defs, err := a.indexes(q.all)
	if err != nil {
		return a.doubtful(v, message(err))
	}
	st, err := a.everyPlan(q, values, defs)
	if v, ends := a.settle(v, st, err); ends {
		return v
	}
	if q.rel.Leaves > 0 && len(values) == 0 {
		return a.doubtful(v, "a plan for every value does not tell which partitions are pruned when it runs; use --confirm shadow")
	}
	return a.hypothetical(q, p.Apply, v)
}

// liveQuestion prepares a statement without looking at rows: it is planned for
// every value, and for values from the statistics.
func (a *asker) liveQuestion(p *rules.Probe, sql, role, alias string) (q *question, values [][]*string, reason string) {
	q = &question{sql: sql, role: role, ordered: p.NeedsOrder}
	if stmt, err := pgast.Parse(sql); err == nil {
		q.ordered = q.ordered || ordered(stmt)
	}
	if q.role == "" {
		q.role = a.o.Role
	}
	var err error
	if q.types, err = a.o.Server.ParamTypes(a.ctx, sql); err != nil {
		return nil, nil, "the server does not take the statement: " + message(err)
	}
	q.rel, q.all = a.relation(p.Schema, p.Table, alias)
	settings := map[string]string{}
	for k, v := range a.o.Settings {
		settings[k] = v
	}
	if a.o.Claims != "" {
		settings["request.jwt.claims"] = a.o.Claims
	}
	args := make([]*string, len(q.types))
	for k := range q.sets {
		q.sets[k] = set{args: args, settings: settings}
	}
	values = a.drawn(p, sql, alias, q.types)
	q.types = nil
	return q, values, ""
}

// hypothetical compares costs with HypoPG's indexes, which exist for this session
// alone.
func (a *asker) hypothetical(q *question, apply []string, v rules.Verdict) rules.Verdict {
	r := q.request(typical)
	r.Generic = true
	before, err := a.explain(r)
	if err != nil {
		return a.doubtful(v, "planning the statement: "+message(err))
	}
	var after *plan.Plan
	used := false
	err = a.o.Server.Hypothetical(a.ctx, apply, func(names []string) error {
		if after, err = a.explain(r); err != nil {
			return err
		}
		used = slices.ContainsFunc(names, after.Uses)
		return nil
	})
	switch {
	case errors.Is(err, plan.ErrNoHypoPG):
		return a.doubtful(v, "there is no access path; whether the fix helps needs HypoPG on this server, or --confirm shadow")
	case err != nil:
		return a.doubtful(v, "planning with a hypothetical index: "+message(err))
	}
	v.Level, v.RowsSource = rules.Estimated, "statistics"
	v.Before = &rules.Evidence{Cost: before.Root.TotalCost, Access: access(before, q.rel)}
	v.After = &rules.Evidence{Cost: after.Root.TotalCost, Access: strings.TrimSpace(access(after, q.rel))}
	gain := 1 - after.Root.TotalCost/max(before.Root.TotalCost, 1)
	switch {
	case !used:
		v.Status, v.Reason = rules.Refuted, "the planner does not use the proposed index"
	case gain < 0.1:
		v.Status, v.Reason = rules.Refuted, "the proposed index saves less than a tenth of the cost"
	case gain < 0.5:
		return a.doubtful(v, "the proposed index saves less than half of the cost")
	default:
		v.Status = rules.Confirmed
	}
	return v
}
