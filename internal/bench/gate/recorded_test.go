package gate_test

import (
	"math/rand/v2"
	"os"
	"slices"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/planvet/planvet/internal/bench/gate"
	"github.com/planvet/planvet/internal/bench/trace"
)

// recorded reads testdata/postgres.jsonl: 80 epochs of one query on two identical
// databases, on a machine of two cores that was busy with other work.
//
//	(recorded by an earlier recorder than package selftest has)
func recorded(t *testing.T) []gate.Epoch {
	t.Helper()
	in, err := os.Open("testdata/postgres.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	_, epochs, err := trace.Read(in)
	if err != nil {
		t.Fatal(err)
	}
	return epochs
}

// draw is an epoch of the recording with B slower by a factor. Either arm may be B:
// both are the same database. The times are put at ten times what they were, so that
// the smallest difference that a gate fails, 0.2 ms, does not decide.
func draw(epochs []gate.Epoch, random *rand.Rand, factor float64) gate.Epoch {
	e := epochs[random.IntN(len(epochs))]
	turned := random.IntN(2) == 1
	scaled := func(x []float64, f float64) []float64 {
		y := slices.Clone(x)
		for i := range y {
			y[i] *= f
		}
		return y
	}
	var out gate.Epoch
	for _, r := range e.Rounds {
		a, b := r.A.Samples, r.B.Samples
		if turned {
			a, b = b, a
		}
		out.Rounds = append(out.Rounds, gate.Round{A: gate.Arm{Samples: scaled(a, 10)}, B: gate.Arm{Samples: scaled(b, 10*factor)}})
	}
	return out
}

// TestRecordedGates examines the rule on epochs drawn from the recording. The machine
// was so busy that its gates cannot see +25 % each time: they must not guess, neither
// that nothing is slower nor that something is.
func TestRecordedGates(t *testing.T) {
	if testing.Short() {
		t.Skip("1,000 gates a scenario")
	}
	epochs := recorded(t)
	const gates = 1000
	for _, c := range []struct {
		name             string
		factor           float64
		mostFail, mostOK int64
	}{
		{"A/A", 1, 10, gates},
		{"+5 %", 1.05, 20, gates},
		{"+25 %", 1.25, gates, 50}, // the upper bound is one of 95 %
	} {
		var verdicts [2]atomic.Int64 // fail, pass
		var wait sync.WaitGroup
		for half := range 2 {
			wait.Go(func() {
				for i := half; i < gates; i += 2 {
					random := rand.New(rand.NewPCG(uint64(i), 9))
					var k gate.Case
					d := gate.Decision{More: gate.Looks[0]}
					for d.More > 0 {
						stage := &k.First
						if d.Confirming {
							stage = &k.Fresh
						}
						for n := 5 * len(*stage); n < d.More; n += 5 {
							*stage = append(*stage, draw(epochs, random, c.factor))
						}
						d = gate.Judge([]gate.Case{k}, gate.Options{Threshold: 0.10, Seed: uint64(i)})[0]
					}
					switch d.Verdict {
					case gate.Fail:
						verdicts[0].Add(1)
					case gate.Pass:
						verdicts[1].Add(1)
					}
				}
			})
		}
		wait.Wait()
		n := verdicts[0].Load()
		t.Logf("%-6s %d gates: fail %.1f %%, pass %.1f %%", c.name, gates, float64(n)/10, float64(verdicts[1].Load())/10)
		if ok := verdicts[1].Load(); n > c.mostFail || ok > c.mostOK {
			t.Errorf("%s: %d fail and %d pass, want at most %d and %d", c.name, n, ok, c.mostFail, c.mostOK)
		}
	}
}
