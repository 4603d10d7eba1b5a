package verdict

import (
	"fmt"
	"math"
	"slices"

	"github.com/planvet/planvet/internal/bench/gate"
	"github.com/planvet/planvet/internal/bench/results"
)

// Decided fills a case with what a live gate decided on its rounds.
func (c *Case) Decided(d *gate.Decision, of *gate.Case) {
	c.Verdict, c.Reasons = d.Verdict, slices.Clone(d.Reasons)
	for _, l := range d.Labels {
		c.Labels = append(c.Labels, string(l))
	}
	c.Rounds, c.Epochs = d.P95.Rounds, d.P95.Epochs
	all := slices.Concat(of.First, of.Fresh)
	var pooled [2][]float64
	for _, e := range all {
		var ratios []float64
		for _, r := range e.Rounds {
			for i, arm := range []*gate.Arm{&r.A, &r.B} {
				pooled[i] = append(pooled[i], arm.Samples...)
			}
			if ratio := math.Log(quantile(r.B.Samples, 0.95) / quantile(r.A.Samples, 0.95)); !math.IsNaN(ratio) && !math.IsInf(ratio, 0) {
				ratios = append(ratios, ratio)
			}
			c.A.add(&r.A)
			c.B.add(&r.B)
		}
		c.Ratios = append(c.Ratios, ratios)
	}
	c.A.Distribution, c.B.Distribution = distribution(pooled[0]), distribution(pooled[1])
	n := min(len(pooled[0]), len(pooled[1]))
	c.P50, c.P95, c.P99 = change(d.P50, pooled, n, 0.5, 10), change(d.P95, pooled, n, 0.95, 60), change(d.P99, pooled, n, 0.99, 300)
	if c.Verdict == gate.Fail && len(c.Reasons) == 0 && c.P95 != nil && c.P95.Low != nil {
		c.Reasons = []string{fmt.Sprintf("p95 is %s %% slower, over %s %% at 95 %% confidence, and was again with fresh connections", whole(c.P95.Percent), whole(*c.P95.Low))}
	}
	if d.Confirm != nil && d.Confirm.Sufficient() {
		c.Confirm = change(*d.Confirm, pooled, d.Confirm.N, 0.95, 60)
		c.Confirm.A, c.Confirm.B = d.Confirm.A, d.Confirm.B
	}
}

func (a *Arm) add(r *gate.Arm) {
	a.Requests += len(r.Samples) + r.Errors
	a.Errors += r.Errors
}

// change is a measure for readers. Where the gate has none, as of few rounds, it is of all
// samples and has no bounds; nil where they are too few for the quantile.
func change(m gate.Measure, pooled [2][]float64, n int, q float64, least int) *Change {
	if n < least {
		return nil
	}
	if !m.Sufficient() {
		a, b := quantile(pooled[0], q), quantile(pooled[1], q)
		return &Change{A: a, B: b, Percent: gate.Percent(math.Log(b / a)), Samples: n}
	}
	low, high := gate.Percent(m.Lower95), gate.Percent(m.Upper95)
	c := &Change{A: m.A, B: m.B, Percent: gate.Percent(m.HL), Low: &low, High: &high, P: &m.P, Samples: m.N}
	if m.Adjusted > 0 {
		c.Adjusted = &m.Adjusted
	}
	return c
}

func quantile(samples []float64, q float64) float64 {
	s := slices.Clone(samples)
	slices.Sort(s)
	return gate.Quantile(s, q)
}

// distribution counts samples by buckets that grow by a twentieth.
func distribution(samples []float64) []results.Bucket {
	s := slices.Clone(samples)
	slices.Sort(s)
	var out []results.Bucket
	for _, ms := range s {
		if last := len(out) - 1; last >= 0 && ms <= out[last].UpTo {
			out[last].Count++
			continue
		}
		out = append(out, results.Bucket{UpTo: ms * 1.05, Count: 1})
	}
	if len(out) > 0 {
		out[len(out)-1].UpTo = max(s[len(s)-1], math.Nextafter(0, 1))
	}
	return out
}
