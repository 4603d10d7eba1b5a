package ab

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/planvet/planvet/internal/bench/gate"
	"github.com/planvet/planvet/internal/bench/load"
)

// epoch measures rounds over connections of its own, after some that are thrown away. A
// round that the context ends is not in it.
func (r *run) epoch(ctx context.Context, s *state, rounds, warm int) (e gate.Epoch, err error) {
	var arms [2]load.Client
	defer func() {
		for _, c := range arms {
			if c != nil {
				c.Close()
			}
		}
	}()
	// Who connects first has the older process: by chance, as all that is not alike.
	for k, first := 0, r.random.IntN(2); k < len(arms); k++ {
		arm := (first + k) % 2
		if arms[arm], err = s.Open(ctx, arm); err != nil {
			arms[arm] = nil
			if ctx.Err() == nil && len(s.gate.First) > 0 {
				// It was there before: it is not fast, it is gone.
				return gate.Epoch{Rounds: []gate.Round{gone(arm, s.block)}}, nil
			}
			return e, fmt.Errorf("%s: %w", armNames[arm], err)
		}
	}
	if err := s.settle(ctx, arms); err != nil {
		return e, err
	}
	for range warm {
		if _, err := r.round(ctx, s, arms, nil); err != nil {
			return e, err
		}
	}
	watch := &s.watch
	watch.first = time.Now()
	for i := range rounds {
		r.tell(s, "rounds", s.stage()+i, s.decision.More)
		round, err := r.round(ctx, s, arms, watch)
		if err != nil {
			return e, err
		}
		e.Rounds = append(e.Rounds, round)
		if len(round.A.Samples) == 0 || len(round.B.Samples) == 0 {
			break
		}
	}
	c := &s.gate.Conditions
	c.GeneratorCPU = max(c.GeneratorCPU, watch.cpu())
	c.ClockStep = c.ClockStep || watch.stepped()
	return e, nil
}

// gone is a round of an arm that cannot be reached any more.
func gone(arm, block int) (r gate.Round) {
	lost := gate.Arm{Errors: 2 * max(1, block)}
	if arm == A {
		r.A = lost
	} else {
		r.B = lost
	}
	return r
}

// settle executes until a prepared statement has settled, and finds out how many
// executions a block has, from the slower arm.
func (s *state) settle(ctx context.Context, arms [2]load.Client) error {
	slowest := time.Duration(0)
	for _, c := range arms {
		var took []time.Duration
		failed := 0
		for range max(s.Warmup, settle) {
			o := s.do(ctx, c)
			if ctx.Err() != nil {
				return errEnded
			}
			took = append(took, o.End.Sub(o.Begin)-o.Pause)
			if failed++; o.Class == "" {
				failed = 0
			}
			if failed >= settle/2 {
				break // the rounds will say so
			}
		}
		slices.Sort(took)
		slowest = max(slowest, took[len(took)/2])
	}
	if s.block == 0 {
		if s.block = block; slowest > slow {
			s.block = max(leastBlock, int(block*slow/slowest))
		}
	}
	return nil
}

func (s *state) do(ctx context.Context, c load.Client) load.Outcome {
	ctx, cancel := context.WithTimeout(ctx, s.Timeout)
	defer cancel()
	return c.Do(ctx)
}

// round is ABBA or BAAB, with the same number of executions of each arm.
func (r *run) round(ctx context.Context, s *state, arms [2]load.Client, w *watch) (round gate.Round, err error) {
	order := [4]int{A, B, B, A}
	if r.random.IntN(2) == 1 {
		order = [4]int{B, A, A, B}
	}
	into := [2]*gate.Arm{&round.A, &round.B}
	for _, arm := range order {
		failed := 0
		w.start()
		for range s.block {
			o := s.do(ctx, arms[arm])
			if ctx.Err() != nil {
				return round, errEnded
			}
			a := into[arm]
			if o.Class != "" {
				a.Errors++
				if failed++; failed >= min(hopeless, s.block) {
					// The rest would be the same, or be waited for.
					break
				}
				continue
			}
			failed = 0
			a.Bytes += o.Bytes
			a.Samples = append(a.Samples, max(milliseconds(o.End.Sub(o.Begin)-o.Pause), 1e-6))
		}
		w.stop()
	}
	return round, nil
}

// watched is how long blocks must take together for the generator's share of them to say
// something.
const watched = 250 * time.Millisecond

// watch is what the generator itself and its clock do while it measures a case.
type watch struct {
	began    time.Time // of a block
	used     time.Duration
	busy, on time.Duration // CPU and time of the blocks since cpu was asked
	first    time.Time     // when the epoch began
}

func (w *watch) start() {
	if w != nil {
		w.began, w.used = time.Now(), processCPU()
	}
}

func (w *watch) stop() {
	if w != nil {
		w.on += time.Since(w.began)
		w.busy += processCPU() - w.used
	}
}

// cpu is the share of a core that this process used while it waited for answers, since it
// was asked last; 0 until there is enough of it.
func (w *watch) cpu() float64 {
	if w.on < watched {
		return 0
	}
	share := float64(w.busy) / float64(w.on)
	w.on, w.busy = 0, 0
	return share
}

// stepped says that the wall clock and the monotonic one parted by more than a clock that
// is slewed does, which is half a thousandth.
func (w *watch) stepped() bool {
	now := time.Now()
	monotonic := now.Sub(w.first)
	wall := now.Round(0).Sub(w.first.Round(0))
	return max(wall-monotonic, monotonic-wall) > 50*time.Millisecond+monotonic/1000
}

// Epoch measures one epoch of a case by itself, as a run does.
func Epoch(ctx context.Context, c Case, random *rand.Rand) (gate.Epoch, error) {
	r := &run{random: random}
	return r.epoch(ctx, &state{Case: c}, EpochRounds, Discarded)
}
