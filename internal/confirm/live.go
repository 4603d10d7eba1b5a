package confirm

import (
	"strings"

	"github.com/planvet/planvet/internal/plan"
	"github.com/planvet/planvet/rules"
)

// live asks a server that the user named: plans only, nothing runs. Without
// HypoPG a missing path stays a suspicion there.
func (a *asker) live(p *rules.Probe) rules.Verdict {
	var q *question
	reason := ""
	switch p.Kind {
	case rules.ProbeStatement:
		q, reason = a.liveQuestion(p)
	default:
		reason = "on a named server only statements and catalog facts are asked about; use --confirm shadow"
	}
	if reason != "" {
		return inconclusive("%s", reason)
	}
	v := rules.Verdict{Role: q.role, Settings: q.sets[typical].settings, Level: rules.Structural}
	defs, err := a.indexes(q.all)
	if err != nil {
		return a.doubtful(v, message(err))
	}
	r := q.request(typical)
	r.Generic, r.Off = true, noSeqScan
	pl, err := a.explain(r)
	if err != nil {
		return a.doubtful(v, "planning the statement: "+message(err))
	}
	j := plan.Structural(pl, q.rel, defs, q.ordered)
	switch {
	case !j.Found:
		return a.doubtful(v, "the plan does not read "+q.rel.Table+" at all")
	case j.Path:
		v.Status, v.Reason = rules.Refuted, "there is an access path: "+j.Why
		return v
	case j.Unknown:
		return a.doubtful(v, j.Why)
	}
	return a.hypothetical(q, p.Apply, v)
}

// liveQuestion prepares a statement without looking at rows: it is planned for
// every value.
func (a *asker) liveQuestion(p *rules.Probe) (*question, string) {
	q := &question{sql: p.SQL, role: p.Role, ordered: p.NeedsOrder}
	if q.role == "" {
		q.role = a.o.Role
	}
	var err error
	if q.types, err = a.o.Server.ParamTypes(a.ctx, p.SQL); err != nil {
		return nil, "the server does not take the statement: " + message(err)
	}
	q.rel, q.all = a.relation(p.Schema, p.Table, p.Alias)
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
	q.types = nil
	return q, ""
}

// hypothetical compares costs with HypoPG's indexes, which exist for this session
// alone.
func (a *asker) hypothetical(q *question, apply []string, v rules.Verdict) rules.Verdict {
	rows, err := a.o.Server.Query(a.ctx, "select 1 from pg_extension where extname = 'hypopg'")
	if err != nil || len(rows) == 0 {
		return a.doubtful(v, "there is no access path; whether the fix helps needs HypoPG on this server, or --confirm shadow")
	}
	r := q.request(typical)
	r.Generic = true
	before, err := a.explain(r)
	if err != nil {
		return a.doubtful(v, "planning the statement: "+message(err))
	}
	var names []string
	for _, sql := range apply {
		made, err := a.o.Server.Query(a.ctx, "select indexname::text from hypopg_create_index($1)", ptr(concurrently.ReplaceAllString(sql, "$1")))
		if err != nil {
			return a.doubtful(v, "making a hypothetical index: "+message(err))
		}
		for _, m := range made {
			names = append(names, *m[0])
		}
	}
	after, err := a.explain(r)
	if _, e := a.o.Server.Query(a.ctx, "select hypopg_reset()"); err == nil {
		err = e
	}
	if err != nil {
		return a.doubtful(v, "planning the statement: "+message(err))
	}
	used := false
	for _, n := range names {
		used = used || after.Uses(n)
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
