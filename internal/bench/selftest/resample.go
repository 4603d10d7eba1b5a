package selftest

import (
	"context"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"runtime"
	"sync"

	"github.com/planvet/planvet/internal/bench/gate"
	"github.com/planvet/planvet/internal/bench/trace"
)

// Trace is a recorded A/A run.
type Trace struct {
	Noise, Case string
	Header      trace.Header
	Epochs      []gate.Epoch
}

// Traces reads what Record wrote to a folder.
func Traces(dir string) (all []Trace, err error) {
	for _, n := range Noises {
		for _, w := range usual {
			h, epochs, err := trace.ReadFile(filepath.Join(dir, traceFile(n, w)))
			if err != nil {
				return nil, err
			}
			all = append(all, Trace{Noise: n, Case: w.name, Header: h, Epochs: epochs})
		}
	}
	return all, nil
}

// Resample holds gates on epochs drawn from a trace. The same seeds draw the same.
func (t *Trace) Resample(s Scenario, gates int) []Outcome {
	p := newPool(t.Epochs, s, rand.New(rand.NewPCG(1, 1)))
	out := make([]Outcome, gates)
	var wait sync.WaitGroup
	next := make(chan int)
	for range runtime.NumCPU() {
		wait.Go(func() {
			for i := range next {
				out[i] = p.decide(s, uint64(i))
				out[i].Noise, out[i].Case = t.Noise, t.Case
			}
		})
	}
	for i := range gates {
		next <- i
	}
	close(next)
	wait.Wait()
	return out
}

// Examine holds gates of scenarios on each trace, until the context ends.
func Examine(ctx context.Context, traces []Trace, scenarios []Scenario, gates int, progress func(what string, done, total int)) (out []Outcome, err error) {
	for i, s := range scenarios {
		for k := range traces {
			if ctx.Err() != nil {
				return out, ctx.Err()
			}
			progress(fmt.Sprintf("%s, %s, %s", s.Name, traces[k].Noise, traces[k].Case), i*len(traces)+k, len(scenarios)*len(traces))
			out = append(out, traces[k].Resample(s, gates)...)
		}
	}
	return out, nil
}
