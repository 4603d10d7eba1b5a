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
	// Small says that 0.2 ms of the p95, which never fail, are more than what is to be seen.
	Small bool `json:"small,omitempty"`
}

// small says whether what a scenario moves is too little to fail.
func (o *Outcome) small(a []float64, s Scenario) {
	by := math.Abs(s.Slowdown.Factor - 1)
	if by == 0 && s.Slowdown.Rate > 0 {
		by = threshold
	}
	x := slices.Clone(a)
	slices.Sort(x)
	o.Small = by > 0 && gate.Quantile(x, 0.95)*by < 0.2
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
	Labelled int                  `json:"labelled,omitempty"` // as the scenario asks
	// Low and High are the 95 % bounds, each one-sided, of the share that fails.
	Low  float64 `json:"fail_low"`
	High float64 `json:"fail_high"`
	// Broken says what of the scenario does not hold, "" for nothing.
	Broken string `json:"broken,omitempty"`
}

// All is the noise and the case of a row over all noises and cases of a scenario; where
// what it moves is too little to fail is not in it.
const All = "all"

// Rows are the outcomes by scenario, noise and case, and those of each scenario together.
func Rows(outcomes []Outcome) (rows []*Row) {
	for _, o := range outcomes {
		i := slices.IndexFunc(rows, func(r *Row) bool { return r.Scenario == o.Scenario && r.Noise == o.Noise && r.Case == o.Case })
		if i < 0 {
			i, rows = len(rows), append(rows, newRow(o.Scenario, o.Noise, o.Case))
		}
		r := rows[i]
		r.Gates++
		r.Verdicts[o.Verdict]++
		for _, l := range o.Labels {
			r.Labels[l]++
		}
		if slices.ContainsFunc(o.Labels, func(l gate.Label) bool { return slices.Contains(scenario(o.Scenario).Labels, l) }) {
			r.Labelled++
		}
		r.Rounds += o.Rounds
		if o.StoredFails {
			r.Stored++
		}
		if o.Small {
			r.Small++
		}
	}
	for _, s := range Scenarios {
		sum := newRow(s.Name, All, All)
		for _, r := range rows {
			if r.Scenario == s.Name && !r.small() {
				sum.add(r)
			}
		}
		if sum.Gates > 0 {
			rows = append(rows, sum)
		}
	}
	place := func(r *Row) int { // All is last
		at := 100 * slices.IndexFunc(Scenarios, func(s Scenario) bool { return s.Name == r.Scenario })
		if r.Noise == All {
			return at + 99
		}
		return at + 10*slices.Index(Noises, r.Noise) + slices.IndexFunc(works, func(w work) bool { return w.name == r.Case })
	}
	slices.SortStableFunc(rows, func(a, b *Row) int { return cmp.Compare(place(a), place(b)) })
	for _, r := range rows {
		r.Low, r.High = bounds(r.Gates, r.Verdicts[gate.Fail])
		r.Broken = scenario(r.Scenario).broken(r)
	}
	return rows
}

func newRow(scenario, noise, of string) *Row {
	return &Row{Scenario: scenario, Noise: noise, Case: of, Verdicts: map[gate.Verdict]int{}, Labels: map[gate.Label]int{}}
}

func (r *Row) add(o *Row) {
	r.Gates, r.Rounds, r.Stored, r.Labelled = r.Gates+o.Gates, r.Rounds+o.Rounds, r.Stored+o.Stored, r.Labelled+o.Labelled
	for v, n := range o.Verdicts {
		r.Verdicts[v] += n
	}
	for l, n := range o.Labels {
		r.Labels[l] += n
	}
}

// small says that most of what the row's gates were to see is too little to fail.
func (r *Row) small() bool { return r.Small*2 >= r.Gates }

// scenario of a name; one that must do nothing where there is none.
func scenario(name string) Scenario {
	for _, s := range Scenarios {
		if s.Name == name {
			return s
		}
	}
	return Scenario{Name: name, Most: 1}
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

// broken says what of a scenario does not hold. Of all its gates, at least 100, the share
// counts; of fewer, and of one noise and case, it is broken only where so many would be
// seen in under one of a hundred examinations. But of a few gates no A/A may fail.
func (s Scenario) broken(r *Row) string {
	fails := r.Verdicts[gate.Fail]
	over := func(n int, most float64) bool {
		if r.Noise == All && r.Gates >= 100 || most == 0 {
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
	case s.Least > 0 && !r.small() && over(r.Gates-fails, 1-s.Least):
		return "too few fail"
	case s.Labelled > 0 && r.Noise == Noises[0] && !r.small() && over(r.Gates-r.Labelled, 1-s.Labelled):
		return "too few are labelled"
	}
	return ""
}
