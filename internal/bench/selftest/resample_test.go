package selftest

import (
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/planvet/planvet/internal/bench/gate"
)

// TestRecordedGates examines the gate on epochs drawn from the traces in testdata, at
// least 1,000 gates of each scenario. It is what `planvet gate selftest --traces` does.
func TestRecordedGates(t *testing.T) {
	traces, err := Traces("testdata")
	if err != nil {
		t.Fatal(err)
	}
	gates, least := 113, 3 // of each of nine traces; drift is labelled so many times as often
	if testing.Short() {
		gates, least = 12, 2
	}
	drifted := 0
	for _, s := range Scenarios {
		var all []Outcome
		for i := range traces {
			n := gates
			if s.Slowdown != (Slowdown{Factor: 1}) { // the read by key is too fast to fail: more of the others
				if n = gates * 3 / 2; traces[i].Case == works[0].name {
					n = gates / 10
				}
			}
			all = append(all, traces[i].Resample(s, n)...)
		}
		unchanged := s.Slowdown == Slowdown{Factor: 1}
		for _, r := range Rows(all) {
			t.Log(strings.Join(r.cells(), " | "))
			if r.Broken != "" && (r.Noise == All || !testing.Short()) {
				t.Errorf("%s, %s, %s: %s", r.Scenario, r.Noise, r.Case, r.Broken)
			}
			if r.small() && s.Slowdown.Factor > 1 && r.Verdicts[gate.Fail] > 0 {
				t.Errorf("%s, %s, %s: %d fail for less than 0.2 ms", r.Scenario, r.Noise, r.Case, r.Verdicts[gate.Fail])
			}
			if r.Noise != All {
				continue
			}
			if r.Gates < 1000 && !testing.Short() {
				t.Errorf("%s: %d gates, want 1,000", s.Name, r.Gates)
			}
			for _, l := range []gate.Label{gate.Improved, gate.TailOnly, gate.TailP99, gate.ByMedian, gate.MedianSlower} {
				if n := r.Labels[l]; unchanged && n > r.Gates/100 {
					t.Errorf("%s: %d of %d are labelled %s", s.Name, n, r.Gates, l)
				}
			}
			switch {
			case s.Name == "A/A":
				drifted = r.Labels[gate.Drift]
				if r.Stored < r.Gates/10 {
					t.Errorf("a stored p95 fails %d of %d: the traces are too quiet to examine anything", r.Stored, r.Gates)
				}
			case s.Name == "-15 %" && r.Labelled < r.Gates*8/10:
				t.Errorf("%d of %d are labelled improved", r.Labelled, r.Gates)
			case s.Ramp > 0 && (r.Labelled < least*drifted || r.Labelled < r.Gates/10):
				t.Errorf("%d of %d are labelled drift, of those without %d", r.Labelled, r.Gates, drifted)
			case s.Slowdown.Rate > 0 && (r.Labelled < r.Gates/10 || r.Labels[gate.MedianSlower]+r.Labels[gate.ByMedian] > r.Gates/100):
				t.Errorf("%d of %d are labelled as a tail, and %v", r.Labelled, r.Gates, r.Labels)
			}
		}
	}
}

// TestSwapped: with the arms of recorded runs swapped what failed is no failure.
func TestSwapped(t *testing.T) {
	traces, err := Traces("testdata")
	if err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(traces, func(t Trace) bool { return t.Case == works[1].name })
	p := newPool(traces[i].Epochs, scenario("+25 %"), seeded(1))
	random := seeded(2)
	var c, other gate.Case
	for n := range 16 {
		e := p.draw(0, random)
		var turned gate.Epoch
		for _, r := range e.Rounds {
			turned.Rounds = append(turned.Rounds, gate.Round{A: r.B, B: r.A})
		}
		if n < 8 {
			c.First, other.First = append(c.First, e), append(other.First, turned)
		} else {
			c.Fresh, other.Fresh = append(c.Fresh, e), append(other.Fresh, turned)
		}
	}
	d := gate.Judge([]gate.Case{c, other}, gate.Options{Threshold: threshold, Seed: 1})
	if d[0].Verdict != gate.Fail || d[1].Verdict != gate.Pass || !slices.Contains(d[1].Labels, gate.Improved) {
		t.Errorf("slower is %s %v, swapped it is %s %v", d[0].Verdict, d[0].Labels, d[1].Verdict, d[1].Labels)
	}
}

// TestBounds compares with published ones: the rule of three, and Clopper and Pearson's.
func TestBounds(t *testing.T) {
	for _, c := range []struct {
		n, k      int
		low, high float64
	}{
		{300, 0, 0, 1 - math.Pow(0.05, 1.0/300)}, // 1.0 %
		{1000, 0, 0, 1 - math.Pow(0.05, 1.0/1000)},
		{10, 10, math.Pow(0.05, 1.0/10), 1},            // 74.1 %
		{10, 1, 1 - math.Pow(0.95, 1.0/10), 0.3941633}, // R: binom.test(1, 10, alternative = "less")
	} {
		if low, high := bounds(c.n, c.k); math.Abs(low-c.low) > 1e-7 || math.Abs(high-c.high) > 1e-7 {
			t.Errorf("%d of %d: %.7f to %.7f, want %.7f to %.7f", c.k, c.n, low, high, c.low, c.high)
		}
	}
}

// TestBroken: an examination says what does not hold.
func TestBroken(t *testing.T) {
	for _, c := range []struct {
		scenario    string
		gates, fail int
		small       int
		want        string
	}{
		{"A/A", 30, 0, 0, ""},
		{"A/A", 30, 1, 0, "too many fail"},
		{"A/A", 1000, 10, 0, ""},
		{"A/A", 1000, 11, 0, "too many fail"},
		{"+5 %", 10, 1, 0, ""},
		{"+5 %", 10, 3, 0, "too many fail"},
		{"+15 %", 10, 8, 0, ""},
		{"+15 %", 10, 5, 0, "too few fail"},
		{"+15 %", 1000, 899, 0, "too few fail"},
		{"+25 %", 1000, 980, 0, ""},
		{"+25 %", 1000, 0, 1000, ""},
		{"drift", 1000, 1, 0, "too many fail"},
	} {
		r := &Row{Scenario: c.scenario, Noise: All, Gates: c.gates, Small: c.small, Verdicts: map[gate.Verdict]int{gate.Fail: c.fail}}
		if got := scenario(c.scenario).broken(r); got != c.want {
			t.Errorf("%s, %d of %d: %q, want %q", c.scenario, c.fail, c.gates, got, c.want)
		}
	}
}
