package explain

import (
	"encoding/json"

	"github.com/planvet/planvet/internal/audit"
	"github.com/planvet/planvet/internal/pgast"
)

// Events are the report for an audit log: a finding and a recommendation each, named
// by their statement's fingerprint, since its text may hold values.
func (r *Report) Events() []audit.Event {
	evidence, subject := "", "statement"
	if text, err := json.Marshal(r); err == nil {
		evidence = audit.Evidence(text)
	}
	if stmt, err := pgast.Parse(r.SQL); err == nil {
		subject = pgast.Fingerprint(stmt)
	}
	measured := audit.Event{Kind: "measurement", Subject: subject, Evidence: evidence}
	if r.Timing != nil {
		measured.Metric, measured.Value = "execution_ms", &r.Timing.Warm.ExecutionMS
	} else if len(r.Plans) > 0 {
		measured.Metric, measured.Value = "cost", &r.Plans[0].Cost
	}
	out := []audit.Event{measured}
	for i := range r.Findings {
		f := &r.Findings[i]
		out = append(out, audit.Event{Kind: "finding", Subject: subject + " " + f.Heuristic, Metric: "share", Value: &f.Share, Verdict: f.Severity, Evidence: evidence})
	}
	for i := range r.Recommendations {
		rec := &r.Recommendations[i]
		e := audit.Event{Kind: "recommendation", Subject: subject + " " + rec.Kind, Verdict: rec.Verified, Evidence: evidence}
		if e.Verdict == "" {
			e.Verdict = "unverified"
		}
		if rec.After != nil {
			e.Metric, e.Value = "cost_after", &rec.After.Cost
		}
		out = append(out, e)
	}
	if o := r.RLS; o != nil && o.SameRows {
		out = append(out, audit.Event{Kind: "measurement", Subject: subject + " " + RLSMetric, Metric: "overhead_ms", Value: &o.MS, Evidence: evidence})
	}
	return out
}

// RLSMetric names row security's overhead in an audit log.
const RLSMetric = "rls-overhead"
