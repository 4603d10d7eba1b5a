package ab

import (
	"context"
	"fmt"

	"github.com/planvet/planvet/internal/bench/facts"
	"github.com/planvet/planvet/internal/bench/gate"
	"github.com/planvet/planvet/internal/bench/results"
	"github.com/planvet/planvet/internal/bench/verdict"
	"github.com/planvet/planvet/internal/bench/work"
)

// known compares what is known before anything is timed: settings, data, work.
func (r *run) known(ctx context.Context) error {
	if err := r.sameFacts(ctx); err != nil {
		return err
	}
	for i, s := range r.cases {
		if s.Inspect == nil || len(s.reasons) > 0 {
			continue
		}
		r.tell(s, "plans", i, len(r.cases))
		var w [2]*results.Work
		for arm := range w {
			var err error
			if w[arm], err = s.Inspect(ctx, arm); err != nil {
				if ctx.Err() != nil {
					return err
				}
				// The other arm alone says nothing; the rounds will count the errors.
				r.notes = append(r.notes, fmt.Sprintf("%s: what the database does was not compared: %s: %v", s.Name, armNames[arm], err))
				break
			}
		}
		if w[A] == nil || w[B] == nil {
			continue
		}
		s.work = work.Compare(w[A], w[B], r.o.Gate.Threshold)
		for _, c := range s.work.Causes {
			s.cause(c)
		}
		if s.work.Different != "" {
			s.reasons = append(s.reasons, "the answers differ: "+s.work.Different)
		}
		s.worse = s.work.Worse(true)
	}
	return nil
}

// sameFacts looks at settings and data of both arms, before and after.
func (r *run) sameFacts(ctx context.Context) error {
	if r.o.Facts == nil {
		return nil
	}
	var f [2]*facts.Facts
	for arm := range f {
		var err error
		if f[arm], err = r.o.Facts(ctx, arm); err != nil {
			return fmt.Errorf("%s: %w", armNames[arm], err)
		}
	}
	e := &r.environment
	e.Postgres, e.Settings, e.Tables, e.Dataset = f[B].Version, f[B].Settings, f[B].Tables, f[B].Dataset()
	differ := append(facts.Settings(f[A].Settings, f[B].Settings), facts.Tables(f[A].Tables, f[B].Tables, sameRows)...)
	own := facts.Settings(f[A].Own, f[B].Own)
	if f[A].Version != f[B].Version {
		r.note("A is PostgreSQL " + f[A].Version + ", B is " + f[B].Version)
	}
	for _, s := range r.cases {
		if !s.Database || len(s.reasons) > 0 {
			continue
		}
		for _, d := range differ {
			s.reasons = append(s.reasons, "the databases are not comparable: "+d)
		}
		for _, d := range own {
			s.cause(work.Cause{Kind: work.SettingChanged, Text: d})
		}
	}
	return nil
}

func (r *run) note(text string) {
	for _, n := range r.notes {
		if n == text {
			return
		}
	}
	r.notes = append(r.notes, text)
}

func (s *state) cause(c work.Cause) {
	for _, known := range s.causes {
		if known == c {
			return
		}
	}
	s.causes = append(s.causes, c)
}

// judge asks the gate about all cases that are timed.
func (r *run) judge() {
	var which []*state
	var all []gate.Case
	for _, s := range r.cases {
		if len(s.reasons) == 0 && len(s.worse) == 0 {
			s.gate.Floor = r.floor
			which, all = append(which, s), append(all, s.gate)
		}
	}
	for i, d := range gate.Judge(all, r.o.Gate) {
		which[i].decision = d
	}
}

// verdict is what is reported of a case. Of work that is worse by the threshold, and not by
// much, the times decide: where they show no regression it is one only if they could not.
func (s *state) verdict(threshold float64, partial bool) verdict.Case {
	c := verdict.Case{
		Suite: s.Suite, Case: s.Name, Service: s.Service, Operation: s.Operation, Reproduce: s.Reproduce,
		Labels: []string{}, Reasons: []string{}, Work: s.work, Causes: s.causes,
	}
	if c.Causes == nil {
		c.Causes = []work.Cause{}
	}
	d := s.decision
	waiting := d.More > 0 && d.Verdict == gate.Inconclusive
	c.Decided(&d, &s.gate)
	switch {
	case len(s.reasons) > 0:
		c.Verdict, c.Reasons = gate.Invalid, s.reasons
	case len(s.worse) > 0:
		c.Verdict, c.Reasons = gate.Fail, s.worse
		c.Labels = append(c.Labels, verdict.MoreWork)
	case waiting && partial:
		c.Reasons = []string{"the run was ended before it was decided"}
	case waiting:
		c.Reasons = []string{fmt.Sprintf("insufficient: the gate needs %d rounds in %d epochs at least, --iterations allows fewer", gate.Looks[0], gate.MinEpochs)}
		c.Labels = append(c.Labels, verdict.Insufficient)
	case c.Verdict == gate.Pass && c.P95 != nil && c.P95.High != nil && *c.P95.High > passWithin*threshold:
		c.Labels = append(c.Labels, verdict.Negligible)
	}
	if s.work != nil && len(s.worse) == 0 && c.Verdict == gate.Inconclusive {
		if more := s.work.Worse(false); len(more) > 0 {
			c.Verdict, c.Reasons, c.Labels = gate.Fail, append(more, c.Reasons...), append(c.Labels, verdict.MoreWork)
		}
	}
	if c.Reasons == nil {
		c.Reasons = []string{}
	}
	return c
}
