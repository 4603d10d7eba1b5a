package gate

import (
	"math"
	"slices"
	"testing"
)

func epochs(seed uint64, n, rounds, half int, e effect) []Epoch {
	m := newMachine(seed)
	all := make([]Epoch, n)
	for i := range all {
		all[i] = m.epoch(e, rounds, half)
	}
	return all
}

func swap(all []Epoch) []Epoch {
	swapped := make([]Epoch, len(all))
	for i, e := range all {
		for _, r := range e.Rounds {
			swapped[i].Rounds = append(swapped[i].Rounds, Round{A: r.B, B: r.A})
		}
	}
	return swapped
}

var tenPercent = Options{Threshold: 0.10, Seed: 1}

// TestSwap: with the arms swapped every estimate has the other sign, exactly, and no
// FAIL is left.
func TestSwap(t *testing.T) {
	fails := 0
	for seed := range uint64(60) {
		e := effect{factor: []float64{1, 1.1, 1.3}[seed%3]}
		c := Case{First: epochs(seed, 12, 5, 25, e), Fresh: epochs(seed+1000, 12, 5, 25, e)}
		other := Case{First: swap(c.First), Fresh: swap(c.Fresh)}
		there, back := measure(c.First, 1).p95, measure(other.First, 1).p95
		if there.HL != -back.HL || there.Mean != -back.Mean || there.P != back.PFaster {
			t.Fatalf("seed %d: %+v, swapped %+v", seed, there, back)
		}
		if math.Abs(there.Lower+back.Upper) > 1e-12 {
			t.Fatalf("seed %d: bounds %g and %g", seed, there.Lower, back.Upper)
		}
		if Judge([]Case{c}, tenPercent)[0].Verdict != Fail {
			continue
		}
		fails++
		if d := Judge([]Case{other}, tenPercent)[0]; d.Verdict != Pass || !slices.Contains(d.Labels, Improved) {
			t.Errorf("seed %d: fails, and swapped it is %s %v", seed, d.Verdict, d.Labels)
		}
	}
	if fails < 15 {
		t.Errorf("%d of 60 fail: the test swaps too few", fails)
	}
}

func TestStages(t *testing.T) {
	slow, same := effect{factor: 1.5}, effect{factor: 1}
	for _, c := range []struct {
		name       string
		c          Case
		verdict    Verdict
		more       int
		confirming bool
	}{
		{"nothing yet", Case{}, Inconclusive, 24, false},
		{"between looks", Case{First: epochs(1, 5, 5, 25, slow)}, Inconclusive, 39, false},
		{"five epochs are too few", Case{First: epochs(1, 5, 7, 25, slow)}, Inconclusive, 39, false},
		{"twelve epochs of two rounds", Case{First: epochs(1, 12, 2, 25, slow)}, Inconclusive, 24, true},
		{"suspected", Case{First: epochs(1, 8, 3, 25, slow)}, Inconclusive, 24, true},
		{"confirming", Case{First: epochs(1, 8, 3, 25, slow), Fresh: epochs(2, 7, 3, 25, slow)}, Inconclusive, 24, true},
		{"confirmed", Case{First: epochs(1, 8, 3, 25, slow), Fresh: epochs(2, 8, 3, 25, slow)}, Fail, 0, true},
		{"contradicted", Case{First: epochs(1, 8, 3, 25, slow), Fresh: epochs(2, 13, 3, 25, same)}, Inconclusive, 0, true},
		{"all rounds on one pair", Case{First: epochs(1, 1, 120, 25, slow)}, Inconclusive, 0, false},
		{"few samples", Case{First: epochs(1, 24, 1, 1, slow)}, Inconclusive, 39, false},
		{"a difference under three floors is none", Case{First: epochs(1, 24, 5, 25, slow), Floor: 3}, Pass, 0, false},
		{"no change", Case{First: epochs(1, 13, 3, 25, same)}, Pass, 0, false},
	} {
		d := Judge([]Case{c.c}, tenPercent)[0]
		if d.Verdict != c.verdict || d.More != c.more || d.Confirming != c.confirming {
			t.Errorf("%s: %s, more %d, confirming %v (%v), want %s, %d, %v", c.name, d.Verdict, d.More, d.Confirming, d.Reasons, c.verdict, c.more, c.confirming)
		}
		if d.Verdict == Inconclusive && d.More == 0 && len(d.Reasons) == 0 {
			t.Errorf("%s: inconclusive for no reason", c.name)
		}
	}
}

// TestTailOfP99: one request of fifty takes three times as long. The p95 does not move
// far enough, the p99 does.
func TestTailOfP99(t *testing.T) {
	e := effect{factor: 1, tail: 3, rate: 0.02}
	d := Judge([]Case{{First: epochs(5, 24, 5, 40, e)}}, tenPercent)[0]
	if d.Verdict == Fail || d.Confirming || !slices.Contains(d.Labels, TailP99) {
		t.Errorf("%s %v, p95 %+.1f %%, p99 %+.1f %%", d.Verdict, d.Labels, Percent(d.P95.HL), Percent(d.P99.HL))
	}
	if d := Judge([]Case{{First: epochs(5, 24, 5, 25, e)}}, tenPercent)[0]; d.P99.Epochs != 12 {
		t.Errorf("a p99 is of %d sets of 24 epochs of 250 samples, want two epochs a set", d.P99.Epochs)
	}
}

// TestFamily: of many cases each needs more evidence than alone.
func TestFamily(t *testing.T) {
	cases := make([]Case, 20)
	for i := range cases {
		cases[i].First = epochs(uint64(i), 8, 5, 25, effect{factor: 1})
	}
	cases[7].First = epochs(7, 8, 5, 25, effect{factor: 1.4})
	for i, d := range Judge(cases, tenPercent) {
		if d.Confirming != (i == 7) {
			t.Errorf("case %d: suspected %v", i, d.Confirming)
		}
		if d.P95.Adjusted < d.P95.P || i == 7 && d.P95.Adjusted < 39*d.P95.P {
			t.Errorf("case %d: p %g adjusted to %g", i, d.P95.P, d.P95.Adjusted)
		}
	}
}

func TestInvalid(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(*Case)
		want   bool
	}{
		{"nothing", func(*Case) {}, false},
		{"errors of both", func(c *Case) { c.First[0].Rounds[0].A.Errors, c.First[0].Rounds[0].B.Errors = 15, 15 }, false},
		{"errors of one arm", func(c *Case) { c.First[0].Rounds[0].B.Errors = 15 }, true},
		{"errors of the other", func(c *Case) { c.First[0].Rounds[0].A.Errors = 15 }, true},
		{"many errors", func(c *Case) { c.First[0].Rounds[0].A.Errors, c.First[0].Rounds[0].B.Errors = 100, 100 }, true},
		{"only errors", func(c *Case) {
			for i := range c.First {
				for k := range c.First[i].Rounds {
					c.First[i].Rounds[k].B = Arm{Errors: 50}
				}
			}
		}, true},
		{"dropped", func(c *Case) { c.First[3].Rounds[1].A.Dropped = 1 }, true},
		{"bodies", func(c *Case) { c.First[3].Rounds[1].B.Bytes = 9000 }, true},
		{"counts", func(c *Case) {
			c.First[0].Rounds = append(c.First[0].Rounds, Round{A: Arm{Samples: make([]float64, 50)}})
		}, true},
		{"generator", func(c *Case) { c.Conditions.GeneratorCPU = 0.81 }, true},
		{"clock", func(c *Case) { c.Conditions.ClockStep = true }, true},
		{"settings", func(c *Case) { c.Conditions.FingerprintA, c.Conditions.FingerprintB = "a", "b" }, true},
	} {
		k := Case{First: epochs(1, 8, 5, 25, effect{factor: 1})}
		for i := range k.First {
			for r := range k.First[i].Rounds {
				k.First[i].Rounds[r].A.Bytes, k.First[i].Rounds[r].B.Bytes = 5000, 5000
			}
		}
		c.change(&k)
		d := Judge([]Case{k}, tenPercent)[0]
		if (d.Verdict == Invalid) != c.want || c.want && len(d.Reasons) == 0 {
			t.Errorf("%s: %s %v", c.name, d.Verdict, d.Reasons)
		}
	}
}
