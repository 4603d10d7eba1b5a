package explain

import (
	"errors"
	"fmt"

	"github.com/planvet/planvet/internal/live"
	"github.com/planvet/planvet/internal/plan"
)

// run runs the statement where it may run, and puts that plan first.
func (r *runner) run() error {
	if r.report.Plans[0].Label == "generic" && len(r.types) > 0 {
		r.report.NotRun = "there is no set of values to run it with"
		return nil
	}
	why, err := r.mayRun()
	if err != nil {
		return err
	}
	var p *plan.Plan
	if why == "" {
		if r.report.Timing, p, err = r.timed(); err != nil {
			if why = r.stopped(err); why == "" {
				return r.failed("running the statement", err)
			}
			r.report.Timing = nil
		}
	}
	if r.report.NotRun = why; why != "" {
		if r.o.Analyze {
			return fmt.Errorf("--analyze: the statement was not run: %s", why)
		}
		return nil
	}
	if r.sets[0].drawn && !r.o.ShowValues {
		r.hider.hide(p)
	}
	r.main = p
	r.report.Plans[0] = planOf(r.report.Plans[0].Label, p, r.shape)
	return nil
}

// stopped is an error of a run as a reason for that there are no figures; "" where the
// plan is not to be had either. A message may hold values.
func (r *runner) stopped(err error) string {
	switch code := live.Code(err); {
	case r.ctx.Err() != nil || code == "" || code == "55P03" || code[:2] == "57" && code != "57014" || code[:2] == "08":
		return ""
	case code == "57014":
		return fmt.Sprintf("it takes longer than %s; --timeout gives it more", r.o.timeout())
	case r.sets[0].drawn && !r.o.ShowValues && code[:2] != "25":
		return "with the values that were found it fails: SQLSTATE " + code
	}
	return "it fails: " + message(err)
}

func (r *runner) timed() (*Timing, *plan.Plan, error) {
	req := r.request()
	req.Args, req.Types = r.sets[0].args, r.declared()
	return timed(func(q plan.Request) (*plan.Plan, error) { return r.s.Explain(r.ctx, q) }, req, r.o.Runs)
}

// mayRun tells why the statement is not run; "" where it is.
func (r *runner) mayRun() (string, error) {
	switch {
	case r.o.NoAnalyze:
		return "--no-analyze", nil
	case !r.o.Own && !r.s.Local() && !r.o.AllowRemote:
		return "the server is not on this machine; --allow-remote-analyze lets it run", nil
	}
	req := r.request()
	req.Types = r.declared()
	warnings, err := r.s.Vet(r.ctx, req, r.vetOptions())
	var refused *live.Refusal
	switch {
	case errors.As(err, &refused):
		return refused.Error(), nil
	case err != nil:
		return "", r.failed("looking at the functions that the statement calls", err)
	}
	for _, w := range warnings {
		r.note("%s", w)
	}
	return "", nil
}

func (r *runner) vetOptions() live.VetOptions {
	return live.VetOptions{Allow: r.o.AllowFunctions, Writes: r.o.AnalyzeWrites, Foreign: r.o.AllowRemote, Own: r.o.Own}
}
