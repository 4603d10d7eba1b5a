package gate

import (
	"slices"
	"testing"
)

// TestSimulatedGates examines the rule by 300 gates a scenario, each held to its end with
// its confirmation, on a quieter machine than that of the recorded traces, on which
// package selftest examines it by 1,000: a tail and a drift are to be seen here.
func TestSimulatedGates(t *testing.T) {
	for _, c := range []struct {
		name        string
		e           effect
		ramp        float64
		short       bool
		least, most int // fails of 1,000
		label       Label
		labelled    int // at least, of 1,000; tail-only counts as tail-p99
	}{
		{"A/A", effect{factor: 1}, 0, true, 0, 10, "", 0},
		{"+5 %", effect{factor: 1.05}, 0, false, 0, 20, "", 0},
		{"+15 %", effect{factor: 1.15}, 0, false, 900, 1000, "", 0},
		{"+25 %", effect{factor: 1.25}, 0, true, 980, 1000, "", 0},
		{"-15 %", effect{factor: 0.85}, 0, false, 0, 0, Improved, 800},
		{"7 % x3", effect{factor: 1, tail: 3, rate: 0.07}, 0, false, 950, 1000, TailOnly, 950},
		{"2 % x3", effect{factor: 1, tail: 3, rate: 0.02}, 0, false, 0, 1000, TailP99, 550},
		{"A/A, ramp", effect{factor: 1}, 0.01, true, 0, 10, Drift, 800},
	} {
		gates := 300
		if testing.Short() {
			if gates = 100; !c.short {
				continue
			}
		}
		got := run(t, c.name, gates, 25, c.e, c.ramp)
		if n := int(got.fail.Load()) * 1000 / gates; n < c.least || n > c.most {
			t.Errorf("%s: %d fails of 1,000, want %d to %d", c.name, n, c.least, c.most)
		}
		labelled := got.label(c.label)
		if c.label == TailP99 {
			labelled += got.label(TailOnly)
		}
		if n := int(labelled) * 1000 / gates; n < c.labelled {
			t.Errorf("%s: %d of 1,000 are labelled %s, want at least %d", c.name, n, c.label, c.labelled)
		}
		if n := int(got.label(Improved)) * 1000 / gates; c.label != Improved && n > 10 {
			t.Errorf("%s: %d of 1,000 are labelled improved, want at most 10", c.name, n)
		}
	}
}

// TestStoredBaseline shows the rule that this one replaces, a stored p95 of 100 requests
// and +10 %, on the same machine.
func TestStoredBaseline(t *testing.T) {
	const gates, n = 1000, 100
	fails := 0
	for i := range uint64(gates) {
		p95 := func(seed uint64) float64 {
			m := newMachine(seed)
			for range 1000 { // until the level has gone its own way
				m.request(effect{factor: 1}, 0, 0)
			}
			x := make([]float64, n)
			for k := range x {
				x[k] = m.request(effect{factor: 1}, 0, 0)
			}
			slices.Sort(x)
			return Quantile(x, 0.95)
		}
		if p95(2*i+10_000) > 1.10*p95(2*i+10_001) {
			fails++
		}
	}
	t.Logf("a stored p95 of %d requests and +10 %%: A/A fails %.1f %%", n, 100*float64(fails)/gates)
	if fails < 100 {
		t.Errorf("the stored baseline fails %d of %d A/A: the machine is too quiet to examine anything", fails, gates)
	}
}
