package explain

import (
	"github.com/planvet/planvet/internal/live"
	"github.com/planvet/planvet/internal/plan"
	"github.com/planvet/planvet/internal/shadow"
)

// recommend fills in what would help, checked with the values that the plans were made
// for.
func (r *runner) recommend() error {
	if r.o.NoAdvice {
		return nil
	}
	s := &subject{
		session: r.s, cat: r.cat, sql: r.st.SQL, tree: r.st.Tree, report: r.report, throwaway: r.o.Own,
		runs: r.report.Timing != nil, allow: r.o.AllowFunctions, start: shadow.Options{Progress: r.o.Progress},
	}
	for _, set := range r.sets {
		if set.plan == nil {
			continue
		}
		req := r.request()
		req.Args, req.Types = set.args, r.declared()
		s.requests, s.labels = append(s.requests, req), append(s.labels, set.label)
		s.drawn = s.drawn || set.drawn
	}
	if len(s.requests) == 0 {
		req := r.request()
		req.Generic, req.Types = true, r.declared()
		s.requests, s.labels = []plan.Request{req}, []string{"generic"}
	}
	all, notes, err := recommend(r.ctx, s)
	if err != nil {
		return r.failed("checking what would help", err)
	}
	r.report.Recommendations = all
	for _, n := range notes {
		r.note("%s", n)
	}
	return nil
}

// text is a server's error for the report: without its words where they may hold a
// value that came from statistics.
func (p *prover) text(err error) string {
	if code := live.Code(err); p.s.drawn && code != "" {
		return "SQLSTATE " + code
	}
	return message(err)
}
