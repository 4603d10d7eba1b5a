package slo

import (
	"cmp"
	"encoding/json"
	"math"
	"slices"
	"time"

	"github.com/planvet/planvet/internal/audit"
	"github.com/planvet/planvet/internal/bench/results"
	"github.com/planvet/planvet/internal/report"
)

// ReportVersion is the version of a Compliance as JSON. A field may be added within a
// version.
const ReportVersion = 1

// Compliance is a file of objectives against the results of a run.
type Compliance struct {
	Version       int       `json:"version"`
	CorrelationID string    `json:"correlation_id,omitempty"`
	Commit        string    `json:"commit,omitempty"`
	Measured      time.Time `json:"measured"`
	Verdict       Verdict   `json:"verdict"`
	// Services roll up operations, and these what was checked; the worst first.
	Services []Service `json:"services"`
	Checked  []Checked `json:"checked"`
	// WithoutCase are objectives that nothing measured, WithoutSLO what was measured
	// and nothing promises.
	WithoutCase []Name `json:"slos_without_case"`
	WithoutSLO  []Name `json:"cases_without_slo"`
}

// Service is the worst of its operations.
type Service struct {
	Service    string      `json:"service"`
	Verdict    Verdict     `json:"verdict"`
	State      State       `json:"state"`
	Operations []Operation `json:"operations"`
}

// Operation is the worst of its cases.
type Operation struct {
	Operation string  `json:"operation"`
	SpecRef   string  `json:"spec_ref,omitempty"`
	Verdict   Verdict `json:"verdict"`
	State     State   `json:"state"`
	Cases     int     `json:"cases"`
}

// Name is an objective's, or a case's with its suite.
type Name struct {
	Service   string `json:"service"`
	Operation string `json:"operation"`
	// SpecRef is an objective's.
	SpecRef string `json:"spec_ref,omitempty"`
	Suite   string `json:"suite,omitempty"`
	Case    string `json:"case,omitempty"`
}

// Check holds objectives against results.
func Check(objectives []Objective, r *results.Results) *Compliance {
	out := &Compliance{Version: ReportVersion, CorrelationID: r.CorrelationID, Commit: r.Commit, Measured: r.Finished, Verdict: Met, Services: []Service{}, Checked: []Checked{}, WithoutCase: []Name{}, WithoutSLO: []Name{}}
	all := subjects(r)
	promised := make([]bool, len(all))
	for i := range objectives {
		o, found := &objectives[i], false
		for k, s := range all {
			if s.service == o.Service && s.operation == o.Operation {
				out.Checked, found, promised[k] = append(out.Checked, o.check(s)), true, true
			}
		}
		if !found {
			out.WithoutCase = append(out.WithoutCase, Name{Service: o.Service, Operation: o.Operation, SpecRef: o.SpecRef})
		}
	}
	for k, s := range all {
		if !promised[k] {
			out.WithoutSLO = append(out.WithoutSLO, Name{Service: s.service, Operation: s.operation, Suite: s.suite, Case: s.name})
		}
	}
	slices.SortStableFunc(out.Checked, func(a, b Checked) int { return worse(&a, &b) })
	out.rollUp()
	if len(out.Checked) == 0 {
		out.Verdict = Inconclusive
	}
	return out
}

// rollUp goes from worst to best, so that the first of a name is its verdict.
func (c *Compliance) rollUp() {
	for i := range c.Checked {
		ch := &c.Checked[i]
		if i == 0 {
			c.Verdict = ch.Verdict
		}
		at := slices.IndexFunc(c.Services, func(s Service) bool { return s.Service == ch.Service })
		if at < 0 {
			at = len(c.Services)
			c.Services = append(c.Services, Service{Service: ch.Service, Verdict: ch.Verdict, State: ch.State})
		}
		s := &c.Services[at]
		op := slices.IndexFunc(s.Operations, func(o Operation) bool { return o.Operation == ch.Operation })
		if op < 0 {
			op = len(s.Operations)
			s.Operations = append(s.Operations, Operation{Operation: ch.Operation, SpecRef: ch.SpecRef, Verdict: ch.Verdict, State: ch.State})
		}
		s.Operations[op].Cases++
	}
}

// Exit is the code of a check: broken from the state failOn on is 1, inconclusive 4.
// failOn is minor, warning, critical, alert or never. With coverage, an objective
// without a case, or a case without an objective, is 1 too.
func (c *Compliance) Exit(failOn string, coverage bool) report.ExitCode {
	codes := []report.ExitCode{}
	for i := range c.Checked {
		switch ch := &c.Checked[i]; {
		case ch.Verdict == Broken && failOn != "never" && ch.State.rank() >= State(failOn).rank():
			codes = append(codes, report.ExitFindings)
		case ch.Verdict == Inconclusive:
			codes = append(codes, report.ExitInconclusive)
		}
	}
	if coverage && len(c.WithoutCase)+len(c.WithoutSLO) > 0 {
		codes = append(codes, report.ExitFindings)
	}
	if len(c.Checked) == 0 {
		codes = append(codes, report.ExitInconclusive)
	}
	return report.Worst(codes...)
}

// Events are the report for an audit log: each measure that was checked.
func (c *Compliance) Events() []audit.Event {
	evidence := ""
	if text, err := json.Marshal(c); err == nil {
		evidence = audit.Evidence(text)
	}
	out := []audit.Event{}
	for i := range c.Checked {
		ch := &c.Checked[i]
		for k := range ch.Measures {
			m := &ch.Measures[k]
			e := audit.Event{Kind: "slo", Subject: ch.Service + " " + ch.Operation, Metric: m.Name, Target: &m.Target, Verdict: string(m.Verdict), Evidence: evidence}
			if m.Name == "p95_ms" {
				e.Metric = cmp.Or(ch.Metric, m.Name)
			}
			if m.Value != nil && !math.IsNaN(m.Value.Value) {
				e.Value = &m.Value.Value
			}
			out = append(out, e)
		}
	}
	for _, n := range c.WithoutCase {
		out = append(out, audit.Event{Kind: "slo", Subject: n.Service + " " + n.Operation, Verdict: string(NotMeasured), Evidence: evidence})
	}
	return out
}
