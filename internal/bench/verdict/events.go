package verdict

import (
	"encoding/json"

	"github.com/planvet/planvet/internal/audit"
)

// Events are the report's events for an audit log: a case each, and its objectives.
func (r *Report) Events() []audit.Event {
	evidence := ""
	if text, err := json.Marshal(r); err == nil {
		evidence = audit.Evidence(text)
	}
	var out []audit.Event
	for i := range r.Cases {
		c := &r.Cases[i]
		e := audit.Event{Kind: "gate", Subject: c.Suite + " " + c.Case, Metric: "p95_change_percent", Target: &r.Threshold, Verdict: string(c.Verdict), Evidence: evidence}
		if c.P95 != nil {
			e.Value = &c.P95.Percent
		}
		out = append(out, e)
	}
	if r.SLO != nil {
		out = append(out, r.SLO.Events()...)
	}
	return out
}
