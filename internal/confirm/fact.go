package confirm

import "github.com/planvet/planvet/rules"

// fact reads the facts that a finding states back from the server.
func (a *asker) fact(p *rules.Probe) rules.Verdict {
	v := rules.Verdict{Status: rules.Confirmed, Level: rules.Structural}
	if len(p.Facts) == 0 {
		return inconclusive("the rule states no fact that a server could be asked for")
	}
	for _, f := range p.Facts {
		rows, err := a.o.Server.Query(a.ctx, f.SQL)
		switch {
		case err != nil:
			return inconclusive("asking whether %s: %s", f.Says, message(err))
		case len(rows) != 1 || len(rows[0]) != 1 || rows[0][0] == nil:
			return inconclusive("asking whether %s gave no answer: the object is not on this server", f.Says)
		case *rows[0][0] != "t":
			return rules.Verdict{Status: rules.Refuted, Level: rules.Structural, Reason: "the server says that it is not so: " + f.Says}
		}
		v.Facts = append(v.Facts, f.Says)
	}
	return v
}
