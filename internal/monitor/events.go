package monitor

import (
	"cmp"
	"encoding/json"

	"github.com/planvet/planvet/internal/audit"
)

// Events are the report for an audit log: the totals, and each flag of a top
// statement with the figure that it is about. A statement is named by its fingerprint,
// since its text may hold values.
func (r *Report) Events() []audit.Event {
	evidence := ""
	if text, err := json.Marshal(r); err == nil {
		evidence = audit.Evidence(text)
	}
	total := r.Totals.ExecMS
	out := []audit.Event{{Kind: "measurement", Subject: "database " + r.Server.Where, Metric: "exec_ms", Value: &total, Evidence: evidence}}
	for i := range r.Top {
		q := &r.Top[i]
		for k := range q.Flags {
			f := &q.Flags[k]
			out = append(out, audit.Event{
				Kind: "finding", Subject: f.Name + " " + cmp.Or(q.Fingerprint, q.QueryIDs[0]), Metric: f.Name, Value: &f.Value, Target: &f.Limit,
				Verdict: cmp.Or(f.Certainty, "over"), Evidence: evidence,
			})
		}
	}
	for i := range r.Pools {
		if p := &r.Pools[i]; p.Saturated {
			waiting := float64(p.Waiting)
			out = append(out, audit.Event{Kind: "finding", Subject: "pool " + p.Database + "/" + p.User, Metric: "waiting_clients", Value: &waiting, Verdict: "saturated", Evidence: evidence})
		}
	}
	if c := r.Connections; c != nil && c.Saturated {
		used := float64(c.Used)
		out = append(out, audit.Event{Kind: "finding", Subject: "connections", Metric: "used", Value: &used, Verdict: "saturated", Evidence: evidence})
	}
	return out
}

// Events are the report for an audit log: each statement that is called once for each
// item.
func (r *SlopeReport) Events() []audit.Event {
	evidence := ""
	if text, err := json.Marshal(r); err == nil {
		evidence = audit.Evidence(text)
	}
	verdict := "passed"
	if r.Failed {
		verdict = "failed"
	}
	out := []audit.Event{{Kind: "measurement", Subject: "flow", Verdict: verdict, Evidence: evidence}}
	for i := range r.Growing {
		if g := &r.Growing[i]; g.Fails {
			out = append(out, audit.Event{Kind: "finding", Subject: "nplusone " + g.Fingerprint, Metric: "calls_per_item", Value: &g.PerItem, Verdict: g.Growth, Evidence: evidence})
		}
	}
	return out
}
