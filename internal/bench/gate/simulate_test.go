package gate

import (
	"fmt"
	"math"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
)

// machine is a made-up host under load: lognormal latencies with a median of 4 ms, of
// which 2 % take three times as long; a level that wanders (an Ornstein-Uhlenbeck
// process, autocorrelated over some hundred requests); bursts of a noisy neighbour; and,
// for each pair of connections, an offset between the arms that stays as long as it
// does, of a standard deviation of 6 % at the p95 and 2 % at the p50, as measured
// between identical databases.
type machine struct {
	random *rand.Rand
	level  float64 // of the wandering, in log
	burst  int     // requests that it still lasts
	height float64
	base   float64 // what the level returns to, in log
	ramp   float64 // added to base by round
}

// effect is what B does to a latency.
type effect struct {
	factor     float64 // of every request
	tail, rate float64 // a factor of a share of the requests
}

func newMachine(seed uint64) *machine {
	return &machine{random: rand.New(rand.NewPCG(seed, 77))}
}

func (m *machine) request(e effect, o50, o95 float64) float64 {
	m.level += -m.level/300 + 0.006*m.random.NormFloat64() // sd 0.07
	if m.burst == 0 && m.random.Float64() < 0.001 {
		m.burst, m.height = 1+int(40*m.random.ExpFloat64()), 0.2+0.5*m.random.Float64()
	}
	z := m.random.NormFloat64()
	x := 0.35*z + m.base + m.level + o50 + (o95-o50)*max(z, 0)/1.645
	if m.burst > 0 {
		m.burst--
		x += m.height
	}
	ms := 4 * math.Exp(x) * e.factor
	if m.random.Float64() < 0.02 {
		ms *= 3
	}
	if e.rate > 0 && m.random.Float64() < e.rate {
		ms *= e.tail
	}
	return ms
}

func (m *machine) epoch(e effect, rounds, half int) Epoch {
	o50, o95 := 0.02*m.random.NormFloat64(), 0.06*m.random.NormFloat64()
	none := effect{factor: 1}
	epoch := Epoch{Rounds: make([]Round, rounds)}
	for i := range epoch.Rounds {
		r := &epoch.Rounds[i]
		m.base += m.ramp
		order := "ABBA"
		if m.random.IntN(2) == 0 {
			order = "BAAB"
		}
		for _, arm := range order {
			for range half {
				if arm == 'A' {
					r.A.Samples = append(r.A.Samples, m.request(none, 0, 0))
				} else {
					r.B.Samples = append(r.B.Samples, m.request(e, o50, o95))
				}
			}
		}
	}
	return epoch
}

// gate runs one gate to its end, as a caller does.
func (m *machine) gate(e effect, half int, seed uint64) Decision {
	c := Case{Name: "case"}
	for {
		d := Judge([]Case{c}, Options{Threshold: 0.10, Seed: seed})[0]
		if d.More == 0 {
			return d
		}
		stage := &c.First
		if d.Confirming {
			stage = &c.Fresh
		}
		for countRounds(*stage) < d.More {
			*stage = append(*stage, m.epoch(e, 5, half))
		}
	}
}

// tally of gates.
type tally struct {
	gates                    int
	pass, fail, inconclusive atomic.Int64
	labels                   sync.Map
}

func (t *tally) label(l Label) int64 {
	if n, ok := t.labels.Load(l); ok {
		return n.(*atomic.Int64).Load()
	}
	return 0
}

func (t *tally) String() string {
	s := fmt.Sprintf("%d gates: fail %.1f %%, pass %.1f %%, inconclusive %.1f %%", t.gates, 100*float64(t.fail.Load())/float64(t.gates),
		100*float64(t.pass.Load())/float64(t.gates), 100*float64(t.inconclusive.Load())/float64(t.gates))
	t.labels.Range(func(l, n any) bool {
		s += fmt.Sprintf(", %s %d", l, n.(*atomic.Int64).Load())
		return true
	})
	return s
}

func run(t *testing.T, name string, gates, half int, e effect, ramp float64) *tally {
	t.Helper()
	sum := &tally{gates: gates}
	next := make(chan int)
	var wait sync.WaitGroup
	for range 2 {
		wait.Go(func() {
			for i := range next {
				m := newMachine(uint64(i))
				m.ramp = ramp
				d := m.gate(e, half, uint64(i))
				switch d.Verdict {
				case Pass:
					sum.pass.Add(1)
				case Fail:
					sum.fail.Add(1)
				case Inconclusive:
					sum.inconclusive.Add(1)
				default:
					t.Errorf("%s, gate %d: %s: %v", name, i, d.Verdict, d.Reasons)
				}
				for _, l := range d.Labels {
					n, _ := sum.labels.LoadOrStore(l, &atomic.Int64{})
					n.(*atomic.Int64).Add(1)
				}
			}
		})
	}
	for i := range gates {
		next <- i
	}
	close(next)
	wait.Wait()
	t.Logf("%-12s %s", name, sum)
	return sum
}
