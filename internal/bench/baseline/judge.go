package baseline

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/planvet/planvet/internal/bench/gate"
	"github.com/planvet/planvet/internal/bench/results"
	"github.com/planvet/planvet/internal/bench/verdict"
	"github.com/planvet/planvet/internal/bench/work"
)

// MinRuns is how many stored runs of an environment a verdict on times needs: with ten, a
// run of the same code is beyond three of their standard deviations once in a hundred
// (Student's t with 9 degrees of freedom, and sqrt(1+1/10) for the new run).
const MinRuns = 10

// sigmas is how many standard deviations of past runs a run must be beyond.
const sigmas = 3

// Options of a judgement.
type Options struct {
	// Threshold is 0.10 for 10 % slower.
	Threshold float64
	// Force compares with runs of other environments.
	Force bool
	// Invalid says why a case's results are no measurement, "" where they are one.
	Invalid func(suite, name string) string
	// Only says that not all cases were measured: those that the baseline has beside them
	// are not listed.
	Only bool
}

// Judge holds results against the runs of a baseline:
//
//  1. Runs of the same environment count. Where there are none the run is not comparable,
//     and each case invalid; with Force all runs count.
//  2. What the database does is held against the newest of them (package work). It needs
//     no more than one.
//  3. A case fails whose ln p95 is over the mean of theirs by more than ln(1+threshold)
//     and three of their standard deviations. Between the two it is inconclusive.
//  4. Under MinRuns runs, or without a p95, it is inconclusive.
func (f *File) Judge(r *results.Results, o Options) *verdict.Report {
	run := Of(r)
	out := &verdict.Report{
		Version: verdict.ReportVersion, Mode: verdict.Stored, CorrelationID: r.CorrelationID, Started: r.Started, Finished: r.Finished,
		Threshold: 100 * o.Threshold, Environment: r.Environment, LowConfidence: true, Results: r, B: verdict.Side{Name: "this run", Commit: r.Commit},
		Cases: []verdict.Case{}, NotCompared: []verdict.NotCompared{}, Notes: []string{},
	}
	runs, differ := f.comparable(&run.Environment)
	if len(runs) == 0 && o.Force {
		runs = f.Runs
		for _, d := range differ {
			out.Notes = append(out.Notes, "compared all the same: "+d)
		}
	}
	if len(runs) > 0 {
		last := runs[len(runs)-1]
		out.A = verdict.Side{Name: fmt.Sprintf("%d stored runs, the last of %s", len(runs), last.Finished.Format("2006-01-02")), Commit: last.Commit}
	} else {
		out.A = verdict.Side{Name: "the baseline"}
	}
	for i := range run.Cases {
		k := judge(&run.Cases[i], runs, o)
		if len(runs) == 0 && len(f.Runs) > 0 {
			k.Verdict, k.Reasons = gate.Invalid, prefixed("not comparable: ", differ)
		}
		if len(differ) > 0 && o.Force {
			k.Labels = append(k.Labels, verdict.Forced)
		}
		out.Cases = append(out.Cases, k)
	}
	if len(runs) > 0 && !o.Only {
		for i := range runs[len(runs)-1].Cases {
			c := &runs[len(runs)-1].Cases[i]
			if ran := slices.ContainsFunc(r.Suites, func(s results.Suite) bool { return s.Name == c.Suite }); ran && run.find(c) == nil {
				out.NotCompared = append(out.NotCompared, verdict.NotCompared{Suite: c.Suite, Case: c.Case, Why: "the baseline has it, under load " + cmp.Or(c.Load, "of a flow") + ", and this run does not"})
			}
		}
	}
	if !slices.ContainsFunc(out.Cases, func(c verdict.Case) bool { return c.Verdict == gate.Invalid }) {
		out.Notes = append(out.Notes, "stored runs are of other days: --base-ref, --base-url or --base-dsn measure both versions side by side")
	}
	return out
}

func prefixed(head string, lines []string) (out []string) {
	for _, l := range lines {
		out = append(out, head+l)
	}
	return out
}

// comparable are the runs of an environment, else what keeps the newest run from being one.
func (f *File) comparable(is *results.Environment) (runs []Run, differ []string) {
	for _, r := range f.Runs {
		d := Differences(&r.Environment, is)
		if len(d) == 0 {
			runs = append(runs, r)
		}
		differ = d
	}
	if len(runs) > 0 {
		return runs, nil
	}
	return nil, differ
}

// judge decides on one case.
func judge(c *Case, runs []Run, o Options) verdict.Case {
	out := verdict.Case{
		Suite: c.Suite, Case: c.Case, Service: c.service, Operation: c.operation, Verdict: gate.Pass,
		Labels: []string{verdict.LowConfidence}, Reasons: []string{}, Causes: []work.Cause{}, B: verdict.Arm{Requests: c.Requests},
	}
	for _, b := range c.Histogram {
		out.B.Distribution = append(out.B.Distribution, results.Bucket{UpTo: b[0], Count: int(b[1])})
	}
	var p50, p95, p99 []float64
	var last *Case
	for i := range runs {
		k := runs[i].find(c)
		if k == nil {
			continue
		}
		last = k
		for _, q := range []struct {
			of *float64
			to *[]float64
		}{{k.P50, &p50}, {k.P95, &p95}, {k.P99, &p99}} {
			if q.of != nil {
				*q.to = append(*q.to, *q.of)
			}
		}
		if k.Work != nil && c.Work != nil {
			out.Work = work.Compare(k.Work, c.Work, o.Threshold)
		}
	}
	if last != nil {
		out.A.Requests = last.Requests
		for _, b := range last.Histogram {
			out.A.Distribution = append(out.A.Distribution, results.Bucket{UpTo: b[0], Count: int(b[1])})
		}
	}
	out.P50, out.P95, out.P99 = changed(p50, c.P50, c.Requests), changed(p95, c.P95, c.Requests), changed(p99, c.P99, c.Requests)
	if out.Work != nil {
		out.Causes = append(out.Causes, out.Work.Causes...)
	}
	inconclusive := func(format string, args ...any) {
		out.Verdict, out.Reasons = gate.Inconclusive, append(out.Reasons, fmt.Sprintf(format, args...))
	}
	mean, sigma := moments(p95)
	limit := max(math.Log1p(o.Threshold), sigmas*sigma)
	out.History = &verdict.History{Runs: len(p95), P95: p95, Sigma: gate.Percent(sigma), Limit: gate.Percent(limit)}
	if out.History.P95 == nil {
		out.History.P95 = []float64{}
	}
	switch {
	case last == nil:
		inconclusive("the baseline has no run of it under the same load")
	case c.P95 == nil:
		inconclusive("insufficient: %d answers, a p95 needs 60", c.Requests)
		out.Labels = append(out.Labels, verdict.Insufficient)
	case len(p95) < MinRuns:
		inconclusive("insufficient: %d of %d runs that a verdict on times needs", len(p95), MinRuns)
		out.Labels = append(out.Labels, verdict.Insufficient)
	default:
		d := math.Log(*c.P95) - mean
		switch {
		case d > limit:
			out.Verdict = gate.Fail
			out.Reasons = append(out.Reasons, fmt.Sprintf("p95 is %.0f %% over the mean of %d runs", gate.Percent(d), len(p95)))
		case d > math.Log1p(o.Threshold):
			inconclusive("p95 is %.0f %% over the mean of %d runs, which differ by as much themselves", gate.Percent(d), len(p95))
		case -d > max(math.Log1p(o.Threshold)/2, sigmas*sigma):
			out.Labels = append(out.Labels, string(gate.Improved))
		}
	}
	if out.Work != nil && out.Work.Different != "" {
		out.Reasons = append(out.Reasons, "the answers differ: "+out.Work.Different)
	}
	if out.Work != nil {
		if worse := out.Work.Worse(out.Verdict == gate.Pass); len(worse) > 0 {
			out.Verdict, out.Reasons = gate.Fail, append(worse, out.Reasons...)
			out.Labels = append(slices.DeleteFunc(out.Labels, func(l string) bool { return l == verdict.LowConfidence }), verdict.MoreWork)
		}
	}
	if o.Invalid != nil {
		if why := o.Invalid(c.Suite, c.Case); why != "" {
			out.Verdict, out.Reasons = gate.Invalid, []string{why}
		}
	}
	return out
}

// changed is a quantile beside the geometric mean of those of past runs; nil without both.
func changed(past []float64, is *float64, n int) *verdict.Change {
	if len(past) == 0 || is == nil {
		return nil
	}
	mean, _ := moments(past)
	return &verdict.Change{A: math.Exp(mean), B: *is, Percent: gate.Percent(math.Log(*is) - mean), Samples: n}
}

// moments are mean and standard deviation of logarithms; 0 of too few.
func moments(past []float64) (mean, sigma float64) {
	n := float64(len(past))
	if n == 0 {
		return 0, 0
	}
	for _, v := range past {
		mean += math.Log(v) / n
	}
	if n < 2 {
		return mean, 0
	}
	for _, v := range past {
		d := math.Log(v) - mean
		sigma += d * d / (n - 1)
	}
	return mean, math.Sqrt(sigma)
}

// Drift is what an update says of a case: the new run beside past ones of its environment,
// and whether those moved in one direction.
type Drift struct {
	Suite, Case string
	Runs        int
	// P95 of the new run, Percent over the mean of the past ones, and their standard
	// deviation in percent; nil where there is none.
	P95, Percent *float64
	Sigma        float64
	// Trend is by how much a run the past ones and the new one move, in percent, and P
	// whether they do (Mann-Kendall).
	Trend, P float64
}

// Drift compares the last run with those before.
func (f *File) Drift() (out []Drift) {
	if len(f.Runs) == 0 {
		return nil
	}
	last := f.Runs[len(f.Runs)-1]
	before := &File{Runs: f.Runs[:len(f.Runs)-1]}
	runs, _ := before.comparable(&last.Environment)
	for i := range last.Cases {
		c := &last.Cases[i]
		d := Drift{Suite: c.Suite, Case: c.Case, P95: c.P95, P: 1}
		var past, logs []float64
		for k := range runs {
			if o := runs[k].find(c); o != nil && o.P95 != nil {
				past, logs = append(past, *o.P95), append(logs, math.Log(*o.P95))
			}
		}
		d.Runs = len(past)
		if len(past) > 0 && c.P95 != nil {
			mean, sigma := moments(past)
			percent := gate.Percent(math.Log(*c.P95) - mean)
			d.Percent, d.Sigma = &percent, gate.Percent(sigma)
			slope, p := gate.Trend(append(logs, math.Log(*c.P95)))
			d.Trend, d.P = gate.Percent(slope), p
		}
		out = append(out, d)
	}
	return out
}

// String is a line for people.
func (d *Drift) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s: ", d.Suite, d.Case)
	switch {
	case d.P95 == nil:
		b.WriteString("no p95, too few answers")
	case d.Percent == nil:
		fmt.Fprintf(&b, "p95 %.3g ms, the first run", *d.P95)
	default:
		fmt.Fprintf(&b, "p95 %.3g ms, %+.1f %% from the mean of %d runs (σ %.1f %%)", *d.P95, *d.Percent, d.Runs, d.Sigma)
		if d.P < 0.01 {
			fmt.Fprintf(&b, "; drifts by %+.1f %% a run", d.Trend)
		}
	}
	return b.String()
}
