package load

import (
	"time"

	"github.com/planvet/planvet/internal/bench/results"
	"github.com/planvet/planvet/internal/bench/suite"
)

// flowSamples are those of a flow's steps, and of what leads from one state to the next.
type flowSamples struct {
	steps []*Samples
	first int // steps that begin with the flow
	// to is the transition that a step ends, -1 for none.
	to          []int
	transitions []transition
}

type transition struct {
	from, to string
	*Samples
}

func newFlowSamples(w *flow) *flowSamples {
	s := &flowSamples{first: len(w.groups[0].steps)}
	from := ""
	for _, st := range w.f.Flat() {
		s.steps, s.to = append(s.steps, newSamples()), append(s.to, -1)
		if st.State != "" {
			s.to[len(s.to)-1] = len(s.transitions)
			s.transitions = append(s.transitions, transition{from, st.State, newSamples()})
			from = st.State
		}
	}
	return s
}

// add notes a run: steps that were begun, each from its own begin, the first ones from when
// the flow was due; transitions from the end of the step before, the last of which the
// run's error ended.
func (s *flowSamples) add(o *Outcome, waited time.Duration) {
	var since time.Duration
	next := 0
	for i := range o.Parts {
		p := &o.Parts[i]
		took := p.End.Sub(p.Begin)
		if p.Index < s.first {
			took += waited
		}
		s.steps[p.Index].add(&p.Outcome, took)
		k := s.to[p.Index]
		if k < 0 || p.Class != "" {
			continue
		}
		if took = p.At - since; k == 0 {
			took += waited
		}
		s.transitions[k].add(&Outcome{}, took)
		since, next = p.At, k+1
	}
	if o.Class != "" && next < len(s.transitions) {
		s.transitions[next].add(&Outcome{Class: o.Class}, 0)
	}
}

// into writes what was measured into a flow's results.
func (s *flowSamples) into(out *results.Flow, f *suite.Flow) {
	for i, st := range f.Flat() {
		r := results.FlowStep{Name: st.Name, Operation: st.Operation, Measured: s.steps[i].Measured(), Distribution: s.steps[i].Distribution()}
		if st.Request != nil {
			r.Method, r.Path = st.Request.Method, st.Request.Path
		} else {
			r.SQL = st.Statement.SQL
		}
		out.Steps = append(out.Steps, r)
	}
	for _, t := range s.transitions {
		out.Transitions = append(out.Transitions, results.Transition{From: t.from, To: t.to, Measured: t.Measured(), Distribution: t.Distribution()})
	}
}
