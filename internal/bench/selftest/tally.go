package selftest

import (
	"math/rand/v2"
	"runtime"
	"sync"

	"github.com/planvet/planvet/internal/bench/gate"
)

// Tally is what gates of one scenario said.
type Tally struct {
	Gates    int                  `json:"gates"`
	Verdicts map[gate.Verdict]int `json:"verdicts"`
	Labels   map[gate.Label]int   `json:"labels,omitempty"`
	Rounds   int                  `json:"rounds"` // of all gates together
}

func (t *Tally) add(d gate.Decision, c gate.Case) {
	if t.Verdicts == nil {
		t.Verdicts, t.Labels = map[gate.Verdict]int{}, map[gate.Label]int{}
	}
	t.Gates++
	t.Verdicts[d.Verdict]++
	for _, l := range d.Labels {
		t.Labels[l]++
	}
	for _, epochs := range [][]gate.Epoch{c.First, c.Fresh} {
		for _, e := range epochs {
			t.Rounds += len(e.Rounds)
		}
	}
}

func (t *Tally) share(v gate.Verdict) float64 { return float64(t.Verdicts[v]) / float64(t.Gates) }

// resampled holds gates on epochs drawn from a trace.
func resampled(trace []gate.Epoch, s Scenario, gates int) *Tally {
	p := newPool(trace, s, rand.New(rand.NewPCG(1, 1)))
	sum := &Tally{}
	var mu sync.Mutex
	var wait sync.WaitGroup
	next := make(chan uint64)
	for range runtime.NumCPU() {
		wait.Go(func() {
			for seed := range next {
				d, c := p.decide(s.Name, 0, seed)
				mu.Lock()
				sum.add(d, c)
				mu.Unlock()
			}
		})
	}
	for i := range gates {
		next <- uint64(i)
	}
	close(next)
	wait.Wait()
	return sum
}
