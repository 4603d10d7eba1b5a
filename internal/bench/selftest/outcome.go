package selftest

import (
	"cmp"
	"math"
	"slices"

	"github.com/planvet/planvet/internal/bench/binomial"
	"github.com/planvet/planvet/internal/bench/gate"
)

// Outcome is what one gate said of one case.
type Outcome struct {
	Scenario string       `json:"scenario"`
	Noise    string       `json:"noise"`
	Case     string       `json:"case"`
	Verdict  gate.Verdict `json:"verdict"`
	Labels   []gate.Label `json:"labels,omitempty"`
	Reasons  []string     `json:"reasons,omitempty"`
	Rounds   int          `json:"rounds"`
	// StoredFails is what a stored p95 of 100 requests and +10 % says of the same requests.
	StoredFails bool `json:"stored_fails"`
	// Small says that B is slower by less than 0.2 ms at the p95: never a failure.
	Small bool `json:"small,omitempty"`
}

// small says whether what a scenario adds to a p95 is too little to fail.
func (o *Outcome) small(a []float64, s Scenario) {
	x := slices.Clone(a)
	slices.Sort(x)
	o.Small = s.Slowdown.Factor > 1 && gate.Quantile(x, 0.95)*(s.Slowdown.Factor-1) < 0.2
}

// Row is what the gates of one scenario, under one noise, said of one case.
type Row struct {
	Scenario string               `json:"scenario"`
	Noise    string               `json:"noise"`
	Case     string               `json:"case"`
	Gates    int                  `json:"gates"`
	Verdicts map[gate.Verdict]int `json:"verdicts"`
	Labels   map[gate.Label]int   `json:"labels,omitempty"`
	Rounds   int                  `json:"rounds"` // of all gates
	Stored   int                  `json:"stored_fails"`
	Small    int                  `json:"small,omitempty"`
	// Low and High are the 95 % bounds, each one-sided, of the share that fails.
	Low  float64 `json:"fail_low"`
	High float64 `json:"fail_high"`
	// Broken says what of the scenario does not hold, "" for nothing.
	Broken string `json:"broken,omitempty"`
}

// Rows are the outcomes by scenario, noise and case.
func Rows(outcomes []Outcome) (rows []*Row) {
	for _, o := range outcomes {
		i := slices.IndexFunc(rows, func(r *Row) bool { return r.Scenario == o.Scenario && r.Noise == o.Noise && r.Case == o.Case })
		if i < 0 {
			i, rows = len(rows), append(rows, &Row{Scenario: o.Scenario, Noise: o.Noise, Case: o.Case, Verdicts: map[gate.Verdict]int{}, Labels: map[gate.Label]int{}})
		}
		r := rows[i]
		r.Gates++
		r.Verdicts[o.Verdict]++
		for _, l := range o.Labels {
			r.Labels[l]++
		}
		r.Rounds += o.Rounds
		if o.StoredFails {
			r.Stored++
		}
		if o.Small {
			r.Small++
		}
	}
	place := func(r *Row) int {
		return 100*slices.IndexFunc(Scenarios, func(s Scenario) bool { return s.Name == r.Scenario }) + 10*slices.Index(Noises, r.Noise) +
			slices.IndexFunc(works, func(w work) bool { return w.name == r.Case })
	}
	slices.SortStableFunc(rows, func(a, b *Row) int { return cmp.Compare(place(a), place(b)) })
	for _, r := range rows {
		r.Low, r.High = bounds(r.Gates, r.Verdicts[gate.Fail])
		for _, s := range Scenarios {
			if s.Name == r.Scenario {
				r.Broken = s.broken(r)
			}
		}
	}
	return rows
}

// bounds are the one-sided 95 % bounds of a share of which k of n were seen (Clopper &
// Pearson, The Use of Confidence or Fiducial Limits, Biometrika 26, 1934): the shares at
// which so many, or so few, are seen in one of twenty.
func bounds(n, k int) (low, high float64) {
	solve := func(over func(share float64) bool) float64 {
		from, to := 0.0, 1.0
		for range 60 {
			if mid := (from + to) / 2; over(mid) {
				to = mid
			} else {
				from = mid
			}
		}
		return (from + to) / 2
	}
	low, high = 0, 1
	if k > 0 {
		low = solve(func(share float64) bool { p, _ := binomial.OverTarget(n, k, share); return p > 0.05 })
	}
	if k < n {
		high = solve(func(share float64) bool { p, _ := binomial.OverTarget(n, n-k, 1-share); return p < 0.05 })
	}
	return low, high
}

// broken says what of a scenario does not hold. Of under 100 gates a share is broken only
// where so many would be seen in under one of a hundred examinations, but no A/A may fail.
func (s Scenario) broken(r *Row) string {
	fails := r.Verdicts[gate.Fail]
	over := func(n int, most float64) bool {
		if r.Gates >= 100 || most == 0 {
			return float64(n) > math.Ceil(most*float64(r.Gates)-1e-9)
		}
		_, rare := binomial.OverTarget(r.Gates, n, most)
		return rare
	}
	most := s.Most
	if most <= 0.01 && r.Gates < 100 {
		most = 0
	}
	switch {
	case r.Verdicts[gate.Invalid] > 0:
		return "invalid gates"
	case s.Most < 1 && over(fails, most):
		return "too many fail"
	case s.Least > 0 && r.Small*2 < r.Gates && over(r.Gates-fails, 1-s.Least):
		return "too few fail"
	}
	return ""
}
