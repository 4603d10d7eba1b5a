package investigate

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/planvet/planvet/internal/explain"
	"github.com/planvet/planvet/internal/live"
	"github.com/planvet/planvet/internal/monitor"
	"github.com/planvet/planvet/internal/pgast"
	"github.com/planvet/planvet/internal/report"
)

// Options are what is investigated.
type Options struct {
	// Query is the question about each statement; its SQL or QueryID is set where the
	// subject is a statement.
	Query explain.Options
	// Endpoint is set where the subject is one.
	Endpoint *Endpoint
	// Top is how many statements of an endpoint are explained.
	Top int
}

// Run investigates:
//
//  1. baseline: the endpoint's requests are timed, with what they had the database
//     do by pg_stat_statements before and after; or the statement is run, and looked up
//     there;
//  2. explain: the statements that took most time are planned for every value and
//     for drawn ones, and run where that is safe;
//  3. plan: what is wrong with the plans, heaviest first;
//  4. row security's overhead, as the role;
//  5. fixes, checked by the planner.
//
// An *explain.Usage is an error of what was asked.
func Run(ctx context.Context, o Options) (*Report, error) {
	r := &Report{Version: FormatVersion, CorrelationID: o.Query.CorrelationID, Queries: []*explain.Report{}}
	var err error
	if o.Endpoint != nil {
		err = r.endpoint(ctx, o)
	} else {
		err = r.statement(ctx, o)
	}
	if err != nil {
		return nil, err
	}
	r.conclude(o)
	return r, nil
}

// endpoint measures requests between two readings, and explains what they ran.
func (r *Report) endpoint(ctx context.Context, o Options) error {
	r.Subject = o.Endpoint.shown()
	s, err := live.Connect(ctx, o.Query.URL, live.Options{})
	if err != nil {
		return wrong(err)
	}
	defer s.Close(context.WithoutCancel(ctx))
	say(o, "reading counters")
	before, err := monitor.Read(ctx, s)
	if err != nil {
		return wrong(err)
	}
	say(o, "requesting "+r.Subject)
	if r.Endpoint, err = o.Endpoint.measure(ctx, r.CorrelationID); err != nil {
		return err
	}
	after, err := monitor.Read(ctx, s)
	if err != nil {
		return err
	}
	cat, err := s.LoadCatalog(ctx)
	if err != nil {
		return fmt.Errorf("reading the server's schema: %w", err)
	}
	spent := after.Since(before, monitor.Options{Catalog: cat, Sort: "total", Limits: monitor.DefaultLimits})
	r.Statements = spent.Top
	// Warm-up requests are in the counters, and not in the requests' time.
	requests := float64(o.Endpoint.Warmup + r.Endpoint.Requests)
	if all := r.Endpoint.TotalMS * requests / float64(r.Endpoint.Requests); all > 0 {
		share := spent.Totals.ExecMS / all
		r.DatabaseShare = &share
	}
	var texts []string
	for _, q := range r.Statements {
		if q.Class != monitor.Utility && len(texts) < o.Top {
			texts = append(texts, q.SQL)
		}
	}
	for i, sql := range texts {
		say(o, fmt.Sprintf("explaining statement %d of %d", i+1, len(texts)))
		q := o.Query
		q.SQL, q.QueryID = sql, 0
		got, err := explain.Explain(ctx, q)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil {
			r.skip(Explain, fmt.Sprintf("%s: %s", report.Shorten(sql, 80), err))
			continue
		}
		r.Queries = append(r.Queries, got)
	}
	return nil
}

// statement explains one statement and looks it up among those that were counted.
func (r *Report) statement(ctx context.Context, o Options) error {
	got, err := explain.Explain(ctx, o.Query)
	if err != nil {
		return err
	}
	r.Subject, r.Queries = got.SQL, []*explain.Report{got}
	stmt, err := pgast.Parse(got.SQL)
	if err != nil || o.Query.Own {
		return nil // a server of planvet's own has counted nothing
	}
	s, err := live.Connect(ctx, o.Query.URL, live.Options{})
	if err != nil {
		return wrong(err)
	}
	defer s.Close(context.WithoutCancel(ctx))
	reading, err := monitor.Read(ctx, s)
	if err != nil {
		return nil // without the extension the runs are the baseline
	}
	fingerprint := pgast.Fingerprint(stmt)
	for _, q := range reading.Report(monitor.Options{Sort: "total", Limits: monitor.DefaultLimits}).Top {
		if q.Fingerprint == fingerprint {
			r.Statements = append(r.Statements, q)
		}
	}
	return nil
}

// wrong tells mistakes in what was asked from what could not be finished.
func wrong(err error) error {
	if errors.Is(err, live.ErrURL) || errors.Is(err, live.ErrNoStatements) {
		return &explain.Usage{Err: err}
	}
	return err
}

func say(o Options, what string) {
	if o.Query.Progress != nil {
		o.Query.Progress(what)
	}
}

func (r *Report) step(name, format string, args ...any) {
	r.Steps = append(r.Steps, Step{Name: name, Status: Done, Summary: fmt.Sprintf(format, args...)})
}

func (r *Report) skip(name, why string) {
	r.Steps = append(r.Steps, Step{Name: name, Status: Skipped, Summary: why})
}

// conclude writes the five steps from what was found.
func (r *Report) conclude(o Options) {
	failed := r.Steps // statements that could not be explained
	r.Steps = nil
	r.baseline()
	r.explained(failed)
	r.judged()
	r.security(o)
	r.fixes()
	for i := range r.Steps {
		r.Steps[i].Number = i + 1
	}
}

func (r *Report) baseline() {
	if e := r.Endpoint; e != nil {
		text := fmt.Sprintf("%s one after the other: p50 %s, ", report.Plural(e.Requests, "request"), report.MS(e.P50))
		if e.P95 != nil {
			text += "p95 " + report.MS(*e.P95) + ", "
		}
		text += "slowest " + report.MS(e.Max)
		if e.Errors > 0 {
			text += fmt.Sprintf("; %s failed", report.Plural(e.Errors, "request"))
		}
		switch d := r.DatabaseShare; {
		case d != nil && *d > 1:
			text += "; the database did more than these requests can have caused: other clients are at work"
		case d != nil:
			text += fmt.Sprintf("; %s of the time is the database's, in %s", report.Percent(*d), report.Plural(len(r.Statements), "statement"))
		}
		r.step(Baseline, "%s", text)
		return
	}
	text := "the statement was not run"
	if q := r.Queries[0]; q.Timing != nil {
		text = fmt.Sprintf("%s in the median of %s, %s at first", report.MS(q.Timing.Warm.ExecutionMS), report.Plural(q.Timing.Runs, "run"), report.MS(q.Timing.Cold.ExecutionMS))
	} else if q.NotRun != "" {
		text += ": " + q.NotRun
	}
	for _, s := range r.Statements {
		text += fmt.Sprintf("; in production %s, %s on average, %s of the database's time", report.Plural(int(s.Calls), "call"), report.MS(s.MeanMS), report.Percent(s.Share))
	}
	r.step(Baseline, "%s", text)
}

func (r *Report) explained(failed []Step) {
	if len(r.Queries) == 0 {
		why := "the requests ran no statement"
		if len(failed) > 0 {
			why = failed[0].Summary
		}
		r.skip(Explain, why)
		return
	}
	ran, plans, sensitive := 0, 0, 0
	for _, q := range r.Queries {
		plans += len(q.Plans)
		if q.Timing != nil {
			ran++
		}
		if q.Sensitive {
			sensitive++
		}
	}
	text := fmt.Sprintf("%s of %s, %d of which ran", report.Plural(plans, "plan"), report.Plural(len(r.Queries), "statement"), ran)
	if sensitive > 0 {
		text += fmt.Sprintf("; the plan of %d depends on the values", sensitive)
	}
	if len(failed) > 0 {
		text += fmt.Sprintf("; %s could not be explained: %s", report.Plural(len(failed), "statement"), failed[0].Summary)
	}
	r.step(Explain, "%s", text)
}

func (r *Report) judged() {
	if len(r.Queries) == 0 {
		r.skip(Plan, "there is no plan to judge")
		return
	}
	n := 0
	var worst *explain.Finding
	for _, q := range r.Queries {
		n += len(q.Findings)
		for i := range q.Findings {
			if f := &q.Findings[i]; worst == nil || weight(f) > weight(worst) {
				worst = f
			}
		}
	}
	if worst == nil {
		r.step(Plan, "nothing is wrong with it")
		return
	}
	r.step(Plan, "%s; the worst: %s", report.Plural(n, "finding"), worst.Message)
}

// weight orders findings of several statements: by severity, then by share.
func weight(f *explain.Finding) float64 {
	return f.Share + map[string]float64{explain.Critical: 20, explain.Warning: 10}[f.Severity]
}

func (r *Report) security(o Options) {
	var texts []string
	why := ""
	for _, q := range r.Queries {
		switch {
		case q.RLS == nil:
		case !q.RLS.SameRows:
			why = q.RLS.Problem
		default:
			texts = append(texts, fmt.Sprintf("%s more than the same rows without it (%s)", report.MS(max(q.RLS.MS, 0)), report.Times(q.RLS.Ratio)))
		}
	}
	switch {
	case len(texts) > 0:
		r.step(RLS, "as %s: %s", o.Query.Identity.Role, strings.Join(texts, "; "))
	case why != "":
		r.skip(RLS, why)
	case o.Query.Identity.Role == "":
		r.skip(RLS, "no role was named: --role ROLE, with --claims, measures what row security costs it")
	default:
		r.skip(RLS, "no table of the statements has policies for "+o.Query.Identity.Role)
	}
}

func (r *Report) fixes() {
	var all []explain.Recommendation
	for _, q := range r.Queries {
		all = append(all, q.Recommendations...)
		if q.RLS != nil {
			all = append(all, q.RLS.Remedies...)
		}
	}
	if len(all) == 0 {
		r.step(Fixes, "none is proposed")
		return
	}
	slices.SortStableFunc(all, func(a, b explain.Recommendation) int { return cmp.Compare(gain(&b), gain(&a)) })
	proved := 0
	for i := range all {
		if all[i].Verified != "" {
			proved++
		}
	}
	text := fmt.Sprintf("%s, %d checked by the planner; first: %s", report.Plural(len(all), "proposal"), proved, all[0].Title)
	if b, a := all[0].Before, all[0].After; b != nil && a != nil {
		text += fmt.Sprintf(" (cost %s → %s)", report.Figure(b.Cost), report.Figure(a.Cost))
	}
	r.step(Fixes, "%s", text)
}

// gain is the share of the cost that a verified recommendation saves; 0 for others.
func gain(rec *explain.Recommendation) float64 {
	if rec.Verified == "" || rec.Before == nil || rec.After == nil || rec.Before.Cost <= 0 {
		return 0
	}
	return 1 - rec.After.Cost/rec.Before.Cost
}
