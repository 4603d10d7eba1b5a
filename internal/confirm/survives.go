package confirm

import (
	"github.com/planvet/planvet/rules"
)

// survives shows that what a statement leaves in its session is there after commit, when a
// pooler hands the session on, and that the fix, where it is a statement, leaves nothing.
func (a *asker) survives(p *rules.Probe) rules.Verdict {
	v := rules.Verdict{Level: rules.Structural}
	if len(p.Facts) != 1 {
		return inconclusive("the rule states no fact that a session could be asked for")
	}
	fact := p.Facts[0]
	there, err := a.o.Server.Survives(a.ctx, p.SQL, fact.SQL)
	switch {
	case err != nil:
		return a.doubtful(v, "running the statement in a session of its own: "+message(err))
	case !there:
		v.Status, v.Reason = rules.Refuted, "the server says that it is not so: "+fact.Says
		return v
	}
	v.Status, v.Facts = rules.Confirmed, []string{fact.Says}
	if p.SetSQL == "" {
		return v
	}
	switch there, err = a.o.Server.Survives(a.ctx, p.SetSQL, fact.SQL); {
	case err != nil:
		return a.doubtful(v, "running the fix in a session of its own: "+message(err))
	case there:
		return a.doubtful(v, "the fix leaves it in the session too")
	}
	v.Facts = append(v.Facts, "the fix leaves nothing in its session")
	return v
}
