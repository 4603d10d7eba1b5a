package selftest

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"

	"github.com/planvet/planvet/internal/bench/gate"
	"github.com/planvet/planvet/internal/bench/load"
)

const (
	rounds    = 5
	discarded = 2
	block     = 25
)

// epoch measures rounds of both arms over processes of their own.
func (a *Arena) epoch(ctx context.Context, w work, b Slowdown, random *rand.Rand) (e gate.Epoch, err error) {
	var arms [2]load.Client
	defer func() {
		for _, c := range arms {
			if c != nil {
				c.Close()
			}
		}
	}()
	for k, first := 0, random.IntN(2); k < 2; k++ {
		i := (first + k) % 2
		s := Slowdown{Factor: 1}
		if i == 1 {
			s = b
		}
		if arms[i], err = a.open(ctx, i, w, s); err != nil {
			arms[i] = nil
			return e, err
		}
	}
	for n := range discarded + rounds {
		var r gate.Round
		into := [2]*gate.Arm{&r.A, &r.B}
		order := [4]int{0, 1, 1, 0}
		if random.IntN(2) == 1 {
			order = [4]int{1, 0, 0, 1}
		}
		for _, i := range order {
			for range block {
				o := arms[i].Do(ctx)
				if o.Class != "" {
					return e, errors.Join(fmt.Errorf("%s: %s", w.name, o.Class), ctx.Err())
				}
				into[i].Bytes += o.Bytes
				// A whole microsecond: the clock's own noise is more, and a trace stays small.
				into[i].Samples = append(into[i].Samples, max(float64(o.End.Sub(o.Begin).Microseconds()), 1)/1000)
			}
		}
		if n >= discarded {
			e.Rounds = append(e.Rounds, r)
		}
	}
	return e, nil
}
