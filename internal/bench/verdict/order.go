package verdict

import (
	"cmp"
	"slices"

	"github.com/planvet/planvet/internal/bench/gate"
)

// severity orders verdicts, the one that matters most first.
var severity = []gate.Verdict{gate.Invalid, gate.Fail, gate.Inconclusive, gate.Pass}

// WorstFirst are the cases by their verdicts, then by how much slower B is: what does more
// work and has no times stands before what is slower by less than it reads.
func (r *Report) WorstFirst() []*Case {
	out := make([]*Case, len(r.Cases))
	for i := range r.Cases {
		out[i] = &r.Cases[i]
	}
	slices.SortStableFunc(out, func(a, b *Case) int {
		return cmp.Or(cmp.Compare(slices.Index(severity, a.Verdict), slices.Index(severity, b.Verdict)), cmp.Compare(b.slower(), a.slower()))
	})
	return out
}

// slower is by how many percent B is, or works more.
func (c *Case) slower() float64 {
	most := 0.0
	if c.P95 != nil {
		most = c.P95.Percent
	}
	if c.Work != nil && c.Verdict == gate.Fail {
		for _, f := range c.Work.Figures {
			if f.A > 0 {
				most = max(most, 100*(f.B/f.A-1))
			}
		}
	}
	return most
}

// NamedChange is a quantile with its name.
type NamedChange struct {
	Name string
	*Change
}

// Named gives a quantile its name.
func (c *Case) Named(name string, change *Change) NamedChange { return NamedChange{name, change} }
