package selftest

import (
	"math"
	"math/rand/v2"

	"github.com/planvet/planvet/internal/bench/ab"
	"github.com/planvet/planvet/internal/bench/gate"
)

// Scenario is what is true of B, and what a gate must say of it.
type Scenario struct {
	Name     string
	Slowdown Slowdown
	// Ramp is by how much both arms slow down from round to round.
	Ramp float64
	// Least and Most are the shares of gates that must fail.
	Least, Most float64
	// Labels are those of which a gate must have one: Labelled of the gates of an idle
	// machine. Noise hides what moves few requests, or moves all for a while.
	Labels   []gate.Label
	Labelled float64
}

// Scenarios are those of the examination, of a threshold of 10 %. A tail of 2 % moves the
// p99; where the p95 is among the requests that waited it moves that too, and may fail.
var Scenarios = []Scenario{
	{Name: "A/A", Slowdown: Slowdown{Factor: 1}, Most: 0.01},
	{Name: "+5 %", Slowdown: Slowdown{Factor: 1.05}, Most: 0.02},
	{Name: "+15 %", Slowdown: Slowdown{Factor: 1.15}, Least: 0.90, Most: 1},
	{Name: "+25 %", Slowdown: Slowdown{Factor: 1.25}, Least: 0.98, Most: 1},
	{Name: "-15 %", Slowdown: Slowdown{Factor: 0.85}, Labels: []gate.Label{gate.Improved}, Labelled: 0.90},
	{Name: "tail", Slowdown: Slowdown{Factor: 1, Tail: 3, Rate: 0.02}, Most: 1, Labels: []gate.Label{gate.TailP99, gate.TailOnly}},
	{Name: "drift", Slowdown: Slowdown{Factor: 1}, Ramp: 0.01, Labels: []gate.Label{gate.Drift}},
}

// pool is the epochs of a trace of which runs are drawn, B as a scenario has it. Arms
// change places by chance: in the trace both are the same.
type pool struct {
	epochs [][]gate.Epoch // by the place of the trace's epoch, each in some realisations
	ramp   float64
}

// realisations are how often what is random of a slowdown is drawn anew of an epoch.
const realisations = 4

func newPool(trace []gate.Epoch, s Scenario, random *rand.Rand) *pool {
	p := &pool{ramp: s.Ramp}
	for _, e := range trace {
		// Older traces have more rounds: the last ones, the warmest.
		e.Rounds = e.Rounds[max(0, len(e.Rounds)-ab.EpochRounds):]
		var all []gate.Epoch
		for range realisations {
			for _, turned := range []bool{false, true} {
				all = append(all, slowed(e, s.Slowdown, turned, random))
			}
		}
		p.epochs = append(p.epochs, all)
	}
	return p
}

// slowed is an epoch of which one arm, called B then, is slower.
func slowed(e gate.Epoch, s Slowdown, turned bool, random *rand.Rand) (out gate.Epoch) {
	for _, r := range e.Rounds {
		if turned {
			r.A, r.B = r.B, r.A
		}
		b := make([]float64, len(r.B.Samples))
		for i, ms := range r.B.Samples {
			b[i] = ms * s.of(random)
		}
		r.B.Samples = b
		out.Rounds = append(out.Rounds, r)
	}
	return out
}

// draw is the next epoch of a run that has so many rounds.
func (p *pool) draw(rounds int, random *rand.Rand) gate.Epoch {
	all := p.epochs[random.IntN(len(p.epochs))]
	e := all[random.IntN(len(all))]
	if p.ramp == 0 {
		return e
	}
	var out gate.Epoch
	for i, r := range e.Rounds {
		by := math.Pow(1+p.ramp, float64(rounds+i))
		r.A.Samples, r.B.Samples = scaled(r.A.Samples, by), scaled(r.B.Samples, by)
		out.Rounds = append(out.Rounds, r)
	}
	return out
}

func scaled(x []float64, by float64) []float64 {
	y := make([]float64, len(x))
	for i := range x {
		y[i] = x[i] * by
	}
	return y
}

// decide holds one gate of one case to its end, on epochs that are drawn.
func (p *pool) decide(s Scenario, seed uint64) Outcome {
	random := rand.New(rand.NewPCG(seed, 9))
	c := gate.Case{Name: s.Name}
	total := 0
	d := gate.Decision{More: gate.Looks[0]}
	for d.More > 0 {
		stage := &c.First
		if d.Confirming {
			stage = &c.Fresh
		}
		n := 0
		for _, e := range *stage {
			n += len(e.Rounds)
		}
		for n < d.More {
			e := p.draw(total, random)
			*stage = append(*stage, e)
			n, total = n+len(e.Rounds), total+len(e.Rounds)
		}
		d = gate.Judge([]gate.Case{c}, gate.Options{Threshold: threshold, Seed: seed})[0]
	}
	o := Outcome{Scenario: s.Name, Verdict: d.Verdict, Labels: d.Labels, Reasons: d.Reasons, Rounds: total}
	// A stored run is of another time: of another epoch.
	then, now := p.draw(0, random), p.draw(0, random)
	var a, b []float64
	for _, r := range then.Rounds {
		a = append(a, r.A.Samples...)
	}
	for _, r := range now.Rounds {
		b = append(b, r.B.Samples...)
	}
	o.StoredFails = storedFails(a, b)
	o.small(a, s)
	return o
}
