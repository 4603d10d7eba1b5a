package load

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"

	"github.com/planvet/planvet/internal/bench/results"
)

// Merge puts the results of one benchmark that ran on several machines at the same time
// together: latencies are pooled, rates add up. names are the files', for errors. Runs of
// other suites, cases or loads, or of another commit, are refused. What cannot be pooled is
// left out: the highest rate, the database's share, and what of the machines differs.
func Merge(names []string, all []*results.Results) (*Report, error) {
	if len(all) < 2 {
		return nil, errors.New("merging takes two results or more")
	}
	first := all[0]
	out := &results.Results{Version: results.FormatVersion, Commit: first.Commit, CorrelationID: first.CorrelationID, Started: first.Started, Finished: first.Finished, Environment: first.Environment}
	for i, r := range all[1:] {
		if r.Commit != out.Commit {
			return nil, fmt.Errorf("%s is of commit %s and %s of %s: they measured different versions", names[0], orNone(out.Commit), names[i+1], orNone(r.Commit))
		}
		keep(&out.CorrelationID, r.CorrelationID)
		if r.Started.Before(out.Started) {
			out.Started = r.Started
		}
		if r.Finished.After(out.Finished) {
			out.Finished = r.Finished
		}
		alike(&out.Environment, &r.Environment)
	}
	m := &merging{names: names, report: &Report{Results: out}}
	suites, err := matched(m, "suite", all, func(r *results.Results) []results.Suite { return r.Suites }, func(s *results.Suite) string { return s.Name })
	for _, same := range suites {
		if err == nil {
			err = m.suite(same)
		}
	}
	return m.report, err
}

func orNone(s string) string {
	if s == "" {
		return "none"
	}
	return s
}

// alike leaves of an environment what is the same in another.
func alike(to, from *results.Environment) {
	keep(&to.OS, from.OS)
	keep(&to.Arch, from.Arch)
	keep(&to.CPU, from.CPU)
	keep(&to.Cores, from.Cores)
	keep(&to.Postgres, from.Postgres)
	keep(&to.Dataset, from.Dataset)
	if !maps.Equal(to.Settings, from.Settings) {
		to.Settings = nil
	}
	if !maps.Equal(to.Tables, from.Tables) {
		to.Tables = nil
	}
}

// keep empties a value that differs from another.
func keep[T comparable](to *T, other T) {
	var none T
	if *to != other {
		*to = none
	}
}

type merging struct {
	names  []string
	report *Report
}

// matched are the parts of the same name of all wholes, in the order of the first. Where a
// whole has another number of them, or none of a name, that is an error.
func matched[W, P any](m *merging, what string, wholes []*W, of func(*W) []P, name func(*P) string) ([][]*P, error) {
	var out [][]*P
	for i := range of(wholes[0]) {
		p := &of(wholes[0])[i]
		same := []*P{p}
		for k, w := range wholes[1:] {
			all := of(w)
			if len(all) != len(of(wholes[0])) {
				return nil, fmt.Errorf("%s and %s do not have the same %ss", m.names[0], m.names[k+1], what)
			}
			for j := range all {
				if name(&all[j]) == name(p) {
					same = append(same, &all[j])
					break
				}
			}
			if len(same) != k+2 {
				return nil, fmt.Errorf("%s has no %s %s, which %s has", m.names[k+1], what, name(p), m.names[0])
			}
		}
		out = append(out, same)
	}
	for k, w := range wholes[1:] {
		if len(of(wholes[0])) == 0 && len(of(w)) > 0 {
			return nil, fmt.Errorf("%s and %s do not have the same %ss", m.names[0], m.names[k+1], what)
		}
	}
	return out, nil
}

func (m *merging) suite(all []*results.Suite) error {
	out := results.Suite{Name: all[0].Name}
	cases, err := matched(m, "case", all, func(s *results.Suite) []results.Case { return s.Cases }, func(c *results.Case) string { return c.Name })
	if err != nil {
		return fmt.Errorf("suite %s: %w", out.Name, err)
	}
	flows, err := matched(m, "flow", all, func(s *results.Suite) []results.Flow { return s.Flows }, func(f *results.Flow) string { return f.Name })
	if err != nil {
		return fmt.Errorf("suite %s: %w", out.Name, err)
	}
	for _, same := range cases {
		c, err := m.oneCase(same)
		if err != nil {
			return fmt.Errorf("suite %s, case %s: %w", out.Name, same[0].Name, err)
		}
		out.Cases = append(out.Cases, c)
		m.note(out.Name, c.Name, c.Standing)
	}
	for _, same := range flows {
		f, err := m.oneFlow(same)
		if err != nil {
			return fmt.Errorf("suite %s, flow %s: %w", out.Name, same[0].Name, err)
		}
		out.Flows = append(out.Flows, f)
		m.note(out.Name, f.Name, f.Standing)
	}
	m.report.Results.Suites = append(m.report.Results.Suites, out)
	return nil
}

func (m *merging) note(suite, name string, s results.Standing) {
	r := m.report
	r.Notes = append(r.Notes, Note{Suite: suite, Case: name, Invalid: s.Invalid, Dropped: s.Dropped, Partial: s.Partial})
	r.Partial = r.Partial || s.Partial
}

// different says that two files measured a case in another way.
func (m *merging) different(k int, what string) error {
	return fmt.Errorf("%s and %s have another %s", m.names[0], m.names[k], what)
}

func (m *merging) oneCase(all []*results.Case) (results.Case, error) {
	out := *all[0]
	out.Sustainable, out.Database, out.OfferedRPS = nil, nil, nil
	out.Clients, out.Standing = 0, results.Standing{}
	var measured []*results.Measured
	var rates []results.Estimate
	for k, c := range all {
		switch {
		case c.Load != out.Load:
			return out, m.different(k, "load")
		case c.Service != out.Service || c.Operation != out.Operation:
			return out, m.different(k, "service or operation")
		case c.Method != out.Method || c.Path != out.Path || c.SQL != out.SQL:
			return out, m.different(k, "request or statement")
		}
		if c.Work == nil || out.Work == nil || c.Work.Fingerprint != out.Work.Fingerprint {
			out.Work = nil
		}
		offered(&out.OfferedRPS, c.OfferedRPS)
		out.Clients += c.Clients
		stand(&out.Standing, m.names[k], &c.Standing)
		measured, rates = append(measured, &c.Measured), append(rates, c.ThroughputRPS)
	}
	s, err := m.pool(measured)
	if err != nil {
		return out, err
	}
	out.Measured, out.Distribution, out.ThroughputRPS = s.Measured(), s.Distribution(), sum(rates)
	return out, nil
}

func (m *merging) oneFlow(all []*results.Flow) (results.Flow, error) {
	first := all[0]
	out := results.Flow{Name: first.Name, Service: first.Service, Load: first.Load, Queries: first.Queries}
	var measured []*results.Measured
	var rates []results.Estimate
	for k, f := range all {
		if f.Load != out.Load || f.Service != out.Service {
			return out, m.different(k, "load or service")
		}
		if f.Queries == nil || out.Queries == nil || *f.Queries != *out.Queries {
			out.Queries = nil
		}
		offered(&out.OfferedRPS, f.OfferedRPS)
		out.Clients += f.Clients
		stand(&out.Standing, m.names[k], &f.Standing)
		if measured = append(measured, &f.Measured); f.ThroughputRPS != nil {
			rates = append(rates, *f.ThroughputRPS)
		}
	}
	s, err := m.pool(measured)
	if err != nil {
		return out, err
	}
	out.Measured, out.Distribution = s.Measured(), s.Distribution()
	if len(rates) == len(all) {
		rate := sum(rates)
		out.ThroughputRPS = &rate
	}
	steps, err := matched(m, "step", all, func(f *results.Flow) []results.FlowStep { return f.Steps }, func(s *results.FlowStep) string { return s.Name })
	if err != nil {
		return out, err
	}
	for _, same := range steps {
		step := *same[0]
		measured = nil
		for k, o := range same {
			if o.Operation != step.Operation || o.Method != step.Method || o.Path != step.Path || o.SQL != step.SQL {
				return out, m.different(k, "step "+step.Name)
			}
			if o.Queries == nil || step.Queries == nil || *o.Queries != *step.Queries {
				step.Queries = nil
			}
			measured = append(measured, &o.Measured)
		}
		s, err := m.pool(measured)
		if err != nil {
			return out, fmt.Errorf("step %s: %w", step.Name, err)
		}
		step.Measured, step.Distribution = s.Measured(), s.Distribution()
		out.Steps = append(out.Steps, step)
	}
	transitions, err := matched(m, "transition", all, func(f *results.Flow) []results.Transition { return f.Transitions }, func(t *results.Transition) string { return t.From + " → " + t.To })
	for _, same := range transitions {
		t := *same[0]
		measured = nil
		for _, o := range same {
			measured = append(measured, &o.Measured)
		}
		s, err := m.pool(measured)
		if err != nil {
			return out, err
		}
		t.Measured, t.Distribution = s.Measured(), s.Distribution()
		out.Transitions = append(out.Transitions, t)
	}
	return out, err
}

func offered(to **float64, rate *float64) {
	if rate == nil {
		return
	}
	total := *rate
	if *to != nil {
		total += **to
	}
	*to = &total
}

// stand adds up whether a file's part is a measurement: one that is none spoils the whole.
func stand(to *results.Standing, name string, s *results.Standing) {
	to.Dropped += s.Dropped
	to.Partial = to.Partial || s.Partial
	if s.Invalid != "" && to.Invalid == "" {
		to.Invalid = name + ": " + s.Invalid
	}
}

// sum is that of independent rates.
func sum(rates []results.Estimate) results.Estimate {
	var out results.Estimate
	var low, high float64
	for _, r := range rates {
		out.Value += r.Value
		low += (r.Value - r.Low) * (r.Value - r.Low)
		high += (r.High - r.Value) * (r.High - r.Value)
	}
	out.Low, out.High = max(0, out.Value-math.Sqrt(low)), out.Value+math.Sqrt(high)
	return out
}

// pool is the samples of all files, one file's after the other's.
func (m *merging) pool(all []*results.Measured) (*Samples, error) {
	s := newSamples()
	for k, r := range all {
		for class, n := range r.Errors.ByClass {
			s.Classes[class] += n
		}
		s.bad += r.Errors.Count
		good := r.Requests - r.Errors.Count
		if good == 0 {
			continue
		}
		if r.Histogram == "" {
			return nil, fmt.Errorf("%s has no histogram: an older planvet measured it", m.names[k])
		}
		h, err := hdrhistogram.Decode([]byte(r.Histogram))
		if err != nil {
			return nil, fmt.Errorf("%s: the histogram cannot be read: %w", m.names[k], err)
		}
		if h.TotalCount() != int64(good) || h.Max() > int64(2*time.Hour) {
			return nil, fmt.Errorf("%s: the histogram has %d latencies, and %d requests did not fail", m.names[k], h.TotalCount(), good)
		}
		if dropped := s.hist.Merge(h); dropped > 0 {
			return nil, fmt.Errorf("%s: the histogram has latencies over an hour", m.names[k])
		}
	}
	return s, nil
}
