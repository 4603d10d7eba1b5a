package selftest

import (
	"context"
	"slices"
	"time"

	"github.com/planvet/planvet/internal/bench/ab"
	"github.com/planvet/planvet/internal/bench/gate"
	"github.com/planvet/planvet/internal/bench/load"
)

// threshold is what is examined: 10 %.
const threshold = 0.10

// measured is a work as a case of the runner, B slower. told, where set, gets each latency
// of an arm in ms.
func (a *Arena) measured(w work, b Slowdown, told func(arm int, ms float64)) ab.Case {
	return ab.Case{
		Suite: "selftest", Name: w.name, Timeout: time.Minute,
		Open: func(ctx context.Context, arm int) (load.Client, error) {
			s := Slowdown{Factor: 1}
			switch {
			case b.Factor < 1 && arm == ab.A: // who is faster than the other has a slower other
				s = Slowdown{Factor: 1 / b.Factor}
			case b.Factor >= 1 && arm == ab.B:
				s = b
			}
			c, err := a.open(ctx, arm, w, s)
			if err != nil || told == nil {
				return c, err
			}
			return &heard{c, arm, told}, nil
		},
	}
}

// heard is a client whose latencies are told.
type heard struct {
	load.Client
	arm  int
	told func(arm int, ms float64)
}

func (h *heard) Do(ctx context.Context) load.Outcome {
	o := h.Client.Do(ctx)
	h.told(h.arm, float64(o.End.Sub(o.Begin).Nanoseconds())/1e6)
	return o
}

// live holds one gate of some works, as planvet bench does for two URLs, under a noise.
func (a *Arena) live(ctx context.Context, s Scenario, noise string, works []work, seed uint64, progress func(what string, done, total int)) (out []Outcome, err error) {
	if err := a.Disturb(ctx, noise, seed); err != nil {
		return nil, err
	}
	var cases []ab.Case
	latencies := make([][2][]float64, len(works))
	for i, w := range works {
		cases = append(cases, a.measured(w, s.Slowdown, func(arm int, ms float64) { latencies[i][arm] = append(latencies[i][arm], ms) }))
	}
	r, err := ab.Run(ctx, cases, ab.Options{Gate: gate.Options{Threshold: threshold, Seed: seed}, Renew: a.Renew, Progress: progress})
	if quiet := a.Quiet(); err == nil {
		err = quiet
	}
	if err == nil {
		err = ctx.Err()
	}
	if err != nil {
		return nil, err
	}
	for i, c := range r.Cases {
		o := Outcome{Scenario: s.Name, Noise: noise, Case: c.Case, Verdict: c.Verdict, Reasons: c.Reasons, Rounds: c.Rounds}
		for _, l := range c.Labels {
			o.Labels = append(o.Labels, gate.Label(l))
		}
		l := latencies[i]
		o.StoredFails = storedFails(l[ab.A], l[ab.B])
		o.small(l[ab.A], s)
		out = append(out, o)
	}
	return out, nil
}

// storedRequests is how many requests the rule with a stored baseline is of.
const storedRequests = 100

// storedFails is the rule that this gate replaces, a p95 of 100 requests against a stored
// one and +10 %: the baseline is of A's first requests, the run of B's last.
func storedFails(a, b []float64) bool {
	if len(a) < storedRequests || len(b) < storedRequests {
		return false
	}
	p95 := func(x []float64) float64 {
		x = slices.Clone(x)
		slices.Sort(x)
		return gate.Quantile(x, 0.95)
	}
	return p95(b[len(b)-storedRequests:]) > (1+threshold)*p95(a[:storedRequests])
}
