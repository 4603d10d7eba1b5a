package slo

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"github.com/planvet/planvet/internal/bench/binomial"
	"github.com/planvet/planvet/internal/bench/results"
	"github.com/planvet/planvet/internal/report"
)

// Verdict says whether an objective is kept.
type Verdict string

// Verdicts. Broken is one that chance does not explain; a value over its target that
// it may explain is still Met, as the promise is not disproved, and says so.
const (
	Met          Verdict = "met"
	Broken       Verdict = "broken"
	Inconclusive Verdict = "inconclusive" // too few samples, or nothing measured
)

// rank orders verdicts, the best first.
func (v Verdict) rank() int { return slices.Index([]Verdict{Met, Inconclusive, Broken}, v) }

// Measure is one target of an objective against what was measured.
type Measure struct {
	// Name is p50_ms, p95_ms, p99_ms, error_rate or throughput_rps.
	Name   string  `json:"name"`
	Target float64 `json:"target"`
	// Value is nil where there were too few samples.
	Value *results.Estimate `json:"value,omitempty"`
	// Samples are the answers, or requests, that it rests on. Over are those that are
	// surely over the target, Limit the number of them from which chance is excluded;
	// nil where the results do not have them, and the interval decides.
	Samples int     `json:"samples"`
	Over    *int    `json:"over,omitempty"`
	Limit   *int    `json:"limit,omitempty"`
	Verdict Verdict `json:"verdict"`
	// State is the band of Value once the verdict is broken, else green; of a measure
	// that is inconclusive, not-measured.
	State State  `json:"state"`
	Why   string `json:"why,omitempty"`
}

// Checked is one objective against one case, or one step of a flow.
type Checked struct {
	Service   string `json:"service"`
	Operation string `json:"operation"`
	SpecRef   string `json:"spec_ref,omitempty"`
	Metric    string `json:"metric_name,omitempty"`
	Suite     string `json:"suite"`
	// Case is its name, of a flow's step flow › step.
	Case     string    `json:"case"`
	Verdict  Verdict   `json:"verdict"`
	State    State     `json:"state"`
	Measures []Measure `json:"measures"`
	// Alert is set where p95 is over AlertThreshold. It raises the state of what is
	// broken and breaks nothing by itself: who is surely over it is surely over the
	// target, which is lower.
	Alert          bool    `json:"alert"`
	AlertThreshold float64 `json:"alert_threshold_ms,omitempty"`
}

// subject is what one run measured under a service and an operation.
type subject struct {
	service, operation, suite, name string
	measured                        *results.Measured
	distribution                    []results.Bucket
	rps                             *results.Estimate
}

// subjects are all cases of results, and the steps of flows that name an operation.
func subjects(r *results.Results) []subject {
	var out []subject
	for i := range r.Suites {
		s := &r.Suites[i]
		for k := range s.Cases {
			c := &s.Cases[k]
			out = append(out, subject{c.Service, c.Operation, s.Name, c.Name, &c.Measured, c.Distribution, &c.ThroughputRPS})
		}
		for k := range s.Flows {
			f := &s.Flows[k]
			for j := range f.Steps {
				if st := &f.Steps[j]; st.Operation != "" {
					out = append(out, subject{service: f.Service, operation: st.Operation, suite: s.Name, name: f.Name + " › " + st.Name, measured: &st.Measured, distribution: st.Distribution})
				}
			}
		}
	}
	return out
}

// check holds an objective against a subject:
//
//  1. Each target is a statement about a share: at most 1-q of answers are slower than
//     the target of quantile q; at most error_rate of requests fail.
//  2. It is broken where so many or more would be seen with a probability under
//     binomial.Alpha if the share were exactly the allowed one (binomial). Latencies come in buckets:
//     only those wholly over the target count.
//  3. Results without buckets have an interval of 95 %; its lower end is moved to the
//     same Alpha, by the ratio of normal quantiles.
//  4. Under 60 answers a p95 says nothing, under 300 a p99: inconclusive, whatever it is.
func (o *Objective) check(s subject) Checked {
	c := Checked{Service: o.Service, Operation: o.Operation, SpecRef: o.SpecRef, Metric: o.Metric, Suite: s.suite, Case: s.name, AlertThreshold: o.Alert}
	l := &s.measured.Latency
	c.Measures = append(c.Measures, s.latency("p95_ms", 0.05, o.P95Target, 60, l.P95))
	if o.P50Target > 0 {
		c.Measures = append(c.Measures, s.latency("p50_ms", 0.5, o.P50Target, 10, l.P50))
	}
	if o.P99Target > 0 {
		c.Measures = append(c.Measures, s.latency("p99_ms", 0.01, o.P99Target, 300, l.P99))
	}
	if o.ErrorRate != nil {
		c.Measures = append(c.Measures, s.errors(*o.ErrorRate))
	}
	if o.MinRPS > 0 {
		c.Measures = append(c.Measures, s.throughput(o.MinRPS))
	}
	c.Verdict, c.State = Met, Green
	for _, m := range c.Measures {
		if m.Verdict.rank() > c.Verdict.rank() {
			c.Verdict = m.Verdict
		}
		if m.Verdict == Broken && m.State.rank() > c.State.rank() {
			c.State = m.State
		}
	}
	c.Alert = l.P95 != nil && o.Alerts(l.P95.Value)
	switch {
	case c.Verdict == Inconclusive:
		c.State = NotMeasured
	case c.Alert && c.Measures[0].Verdict == Broken:
		c.State = Alert
	}
	return c
}

// oneSided is how much further than an interval of 95 % the bound of Alpha is from the
// value: the normal quantiles of 0.99 and 0.975.
const oneSided = 2.3263478740408408 / 1.959963984540054

func (s subject) latency(name string, slower, target float64, least int, value *results.Estimate) Measure {
	m := Measure{Name: name, Target: target, Value: value, Samples: s.measured.Requests - s.measured.Errors.Count, Verdict: Met, State: Green}
	switch {
	case m.Samples < least:
		m.inconclusive("insufficient: %s, %d are needed", report.Plural(m.Samples, "answer"), least)
		return m
	case value == nil:
		m.inconclusive("the results have no %s", name)
		return m
	}
	n, over := s.over(target)
	if n == m.Samples {
		limit := binomial.FailsFrom(n, slower)
		m.Over, m.Limit = &over, &limit
		m.decide(over >= limit, value.Value/target, fmt.Sprintf("%d of %d answers are over it, %d exclude chance", over, n, limit))
		return m
	}
	low := value.Value - oneSided*(value.Value-value.Low)
	m.decide(low > target, value.Value/target, fmt.Sprintf("the lower bound is %s", report.MS(low)))
	return m
}

// over counts the distribution, and in it what is surely over a target.
func (s subject) over(target float64) (n, over int) {
	from := 0.0
	for _, b := range s.distribution {
		if n += b.Count; from >= target {
			over += b.Count
		}
		from = b.UpTo
	}
	return n, over
}

func (s subject) errors(allowed float64) Measure {
	n, count := s.measured.Requests, s.measured.Errors.Count
	m := Measure{Name: "error_rate", Target: allowed, Value: &s.measured.Errors.Rate, Samples: n, Verdict: Met, State: Green}
	// Without an allowance any error breaks it, and is critical.
	limit, least, share := 1, 1, 2*float64(count)
	if allowed > 0 {
		limit, least, share = binomial.FailsFrom(n, allowed), binomial.Needed(allowed), float64(count)/float64(max(n, 1))/allowed
	}
	m.Over, m.Limit = &count, &limit
	if m.decide(count >= limit, share, fmt.Sprintf("%d of %d requests failed, %d exclude chance", count, n, limit)); m.Verdict == Met && n < least {
		m.inconclusive("insufficient: %s, %d are needed", report.Plural(n, "request"), least)
	}
	return m
}

func (s subject) throughput(least float64) Measure {
	m := Measure{Name: "throughput_rps", Target: least, Samples: s.measured.Requests, Verdict: Met, State: Green}
	if s.rps == nil {
		m.inconclusive("the rate of a flow's step is not measured")
		return m
	}
	m.Value = s.rps
	high := s.rps.Value + oneSided*(s.rps.High-s.rps.Value)
	share := math.Inf(1)
	if s.rps.Value > 0 {
		share = least / s.rps.Value
	}
	m.decide(high < least, share, fmt.Sprintf("the upper bound is %s a second", report.Figure(high)))
	return m
}

// decide sets the verdict of a value in shares of its target; why goes with one over.
func (m *Measure) decide(broken bool, share float64, why string) {
	state := band(share)
	switch {
	case broken && state == Green:
		// The count says so, the quantile was rounded down to the target.
		m.Verdict, m.State, m.Why = Broken, Minor, why
	case broken:
		m.Verdict, m.State, m.Why = Broken, state, why
	case state != Green:
		m.Why = "over the target, perhaps by chance: " + why
	}
}

func (m *Measure) inconclusive(format string, args ...any) {
	m.Verdict, m.State, m.Why = Inconclusive, NotMeasured, fmt.Sprintf(format, args...)
}

// worse orders what was checked, the worst first.
func worse(a, b *Checked) int {
	return cmp.Or(cmp.Compare(b.Verdict.rank(), a.Verdict.rank()), cmp.Compare(b.State.rank(), a.State.rank()), cmp.Compare(b.share(), a.share()),
		cmp.Compare(a.Service, b.Service), cmp.Compare(a.Operation, b.Operation), cmp.Compare(a.Case, b.Case))
}

// share is p95 in shares of its target.
func (c *Checked) share() float64 {
	if m := &c.Measures[0]; m.Value != nil {
		return m.Value.Value / m.Target
	}
	return 0
}
