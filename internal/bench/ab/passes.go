package ab

import (
	"context"
)

// pending are the cases that wait for rounds.
func (r *run) pending() (out []*state) {
	for _, s := range r.cases {
		if len(s.reasons) == 0 && len(s.worse) == 0 && s.decision.More > 0 && s.rounds != 0 {
			out = append(out, s)
		}
	}
	return out
}

// measure glances at cases that have failed and passes over the others until all are
// decided.
func (r *run) measure(ctx context.Context) error {
	for _, s := range r.cases {
		if len(s.reasons) > 0 || len(s.worse) == 0 {
			continue
		}
		e, err := r.epoch(ctx, s, 1, 0)
		if err != nil {
			return err
		}
		s.gate.First = append(s.gate.First, e)
	}
	confirming := false
	for {
		cases := r.pending()
		if len(cases) == 0 || ctx.Err() != nil {
			return ctx.Err()
		}
		fresh := false
		for _, s := range cases {
			fresh = fresh || s.decision.Confirming
		}
		if r.passes > 0 && (r.passes%renewEvery == 0 || fresh && !confirming) {
			if err := r.renew(ctx); err != nil {
				return err
			}
		}
		confirming = fresh
		r.passes++
		look := false
		for _, s := range cases {
			if err := r.pass(ctx, s); err != nil {
				return err
			}
			look = look || s.due()
		}
		if look {
			r.judge()
		}
	}
}

// pass gives a case an epoch.
func (r *run) pass(ctx context.Context, s *state) error {
	rounds, warm := EpochRounds, Discarded
	if s.rounds > 0 {
		rounds = min(rounds, s.rounds)
		if s.rounds < EpochRounds {
			warm = 0
		}
	}
	e, err := r.epoch(ctx, s, rounds, warm)
	if len(e.Rounds) > 0 {
		if s.decision.Confirming {
			s.gate.Fresh = append(s.gate.Fresh, e)
		} else {
			s.gate.First = append(s.gate.First, e)
		}
	}
	if s.rounds > 0 {
		s.rounds -= rounds
	}
	return err
}

// stage are the rounds of the stage that a case is in.
func (s *state) stage() (n int) {
	epochs := s.gate.First
	if s.decision.Confirming {
		epochs = s.gate.Fresh
	}
	for _, e := range epochs {
		n += len(e.Rounds)
	}
	return n
}

// due says that the case has the rounds that it was asked for, or cannot get them: its
// arms fail, or no iterations are left.
func (s *state) due() bool { return s.stage() >= s.decision.More || s.failing() || s.rounds == 0 }

// failing says that an arm answered nothing in the last round.
func (s *state) failing() bool {
	epochs := s.gate.First
	if s.decision.Confirming {
		epochs = s.gate.Fresh
	}
	if len(epochs) == 0 {
		return false
	}
	last := epochs[len(epochs)-1].Rounds
	e := last[len(last)-1]
	return len(e.A.Samples) == 0 || len(e.B.Samples) == 0
}
