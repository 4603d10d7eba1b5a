package dashboard

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/planvet/planvet/internal/bench/results"
	"github.com/planvet/planvet/internal/bench/slo"
	"github.com/planvet/planvet/internal/monitor"
)

// Inputs are what a dashboard is made of. What is nil was not given.
type Inputs struct {
	Made time.Time
	// Course is the database's, of one reading or more; Options class its statements.
	Course  *monitor.Course
	Options monitor.Options
	// Results are a benchmark's, Objectives those of slos.json.
	Results    *results.Results
	Objectives []slo.Objective
	RLS        []RLSCost
	Notes      []string
}

// Build puts a dashboard together. It is pure: the same inputs give the same figures.
func Build(in Inputs) *Dashboard {
	d := &Dashboard{Version: FormatVersion, Made: in.Made.UTC(), RLS: in.RLS, Notes: slices.Clone(in.Notes)}
	if in.Course != nil && in.Course.Last() != nil {
		d.database(in.Course, in.Options)
	}
	if in.Results != nil {
		d.benchmark(in.Results)
	}
	d.objectives(in.Objectives, in.Results)
	slices.SortStableFunc(d.RLS, func(a, b RLSCost) int { return cmp.Compare(orZero(b.MS), orZero(a.MS)) })
	d.Panels = d.panels(in)
	return d
}

func orZero(x *float64) float64 {
	if x == nil {
		return 0
	}
	return *x
}

// shownStatements is how many are listed, of which drawnStatements have a colour.
const (
	shownStatements = 10
	drawnStatements = 5
	shownTables     = 8
)

func (d *Dashboard) database(c *monitor.Course, o monitor.Options) {
	last := c.Last()
	o.Sort, o.Top = "total", 0
	r := c.Report(o)
	if r == nil {
		r = last.Report(o)
	}
	for i := range r.Top {
		if q := &r.Top[i]; q.Class == monitor.Utility || q.Fingerprint == "" {
			q.SQL = shape(q.SQL)
		}
	}
	d.Server, d.From, d.To, d.Interval, d.Readings = &r.Server, r.From, r.To, r.Interval, c.Readings
	d.Notes = append(d.Notes, r.Notes...)
	for i := range c.Steps {
		s := &c.Steps[i]
		if s.Reset {
			d.Marks = append(d.Marks, Mark{s.From, "reset"})
		}
		if s.Restarted {
			d.Marks = append(d.Marks, Mark{s.From, "restart"})
		}
	}
	d.statements(c, r)
	d.hits(c, r, o.Limits.HitRatio)
	d.selectivity(c, r)
	d.locks(c)
	d.connections(c)
}

func (d *Dashboard) statements(c *monitor.Course, r *monitor.Report) {
	out := &Statements{Totals: r.Totals, Count: r.Statements, Top: []Statement{}}
	for i, q := range r.Top[:min(len(r.Top), shownStatements)] {
		s := Statement{Query: q}
		for k := range c.Steps {
			if step := &c.Steps[k]; i < drawnStatements {
				s.Load = append(s.Load, sample(step, load(step, step.ExecMS(&q))))
			}
		}
		out.Top = append(out.Top, s)
	}
	for k := range c.Steps {
		step := &c.Steps[k]
		all := load(step, step.Totals.ExecMS)
		rest := all
		for i := range out.Top {
			if out.Top[i].Load != nil {
				rest -= out.Top[i].Load[k].Value
			}
		}
		out.Load = append(out.Load, sample(step, all))
		out.Rest = append(out.Rest, sample(step, max(rest, 0)))
	}
	d.Statements = out
}

// load is execution time over time.
func load(s *monitor.Step, execMS float64) float64 {
	if t := s.Seconds(); t > 0 {
		return execMS / 1000 / t
	}
	return 0
}

func sample(s *monitor.Step, v float64) Sample {
	return Sample{From: s.From.UTC(), To: s.To.UTC(), Value: v}
}

// gauges are what each step saw; a step that did not look has no sample.
func gauges(c *monitor.Course, of func(*monitor.Step) *monitor.Gauge) []Sample {
	var out []Sample
	for i := range c.Steps {
		s := &c.Steps[i]
		g := of(s)
		if g == nil {
			continue
		}
		x := sample(s, g.Mean())
		if g.N > 1 {
			x.Min, x.Max = &g.Min, &g.Max
		}
		out = append(out, x)
	}
	return out
}

func (d *Dashboard) hits(c *monitor.Course, r *monitor.Report, limit float64) {
	out := &Hits{Limit: limit, Ratio: r.Totals.HitRatio, Blocks: r.Totals.Blocks}
	for i := range c.Steps {
		if s := &c.Steps[i]; s.Totals.HitRatio != nil {
			out.Series = append(out.Series, sample(s, *s.Totals.HitRatio))
		}
	}
	for i := range r.Top {
		if q := &r.Top[i]; q.HitRatio != nil && q.Read > 0 {
			out.Worst = append(out.Worst, HitsOf{q.QueryIDs, q.SQL, *q.HitRatio, q.Read})
		}
	}
	slices.SortStableFunc(out.Worst, func(a, b HitsOf) int { return cmp.Compare(b.Read, a.Read) })
	out.Worst = out.Worst[:min(len(out.Worst), 5)]
	d.Hits = out
}

func (d *Dashboard) selectivity(c *monitor.Course, r *monitor.Report) {
	tables := c.Scans()
	if tables == nil {
		if tables = slices.Clone(c.Last().Scans); tables == nil {
			return
		}
		monitor.SortScans(tables)
	}
	out := &Selectivity{Tables: tables[:min(len(tables), shownTables)]}
	var read, returned int64
	known := false
	for i := range c.Steps {
		s := &c.Steps[i]
		if s.Read == nil || s.Returned == nil {
			continue
		}
		known = true
		read, returned = read+*s.Read, returned+*s.Returned
		if *s.Returned > 0 {
			out.Series = append(out.Series, sample(s, float64(*s.Read)/float64(*s.Returned)))
		}
	}
	if known {
		out.Read, out.Returned = &read, &returned
		if returned > 0 {
			ratio := float64(read) / float64(returned)
			out.Ratio = &ratio
		}
	}
	d.Selectivity = out
}

func (d *Dashboard) locks(c *monitor.Course) {
	now := c.Last().Locks
	waits := gauges(c, func(s *monitor.Step) *monitor.Gauge { return s.LockWaiting })
	if now == nil && waits == nil {
		return
	}
	out := &Locks{WaitSeries: waits}
	for _, x := range waits {
		out.Peak = max(out.Peak, int(x.Value))
		if x.Max != nil {
			out.Peak = max(out.Peak, int(*x.Max))
		}
	}
	counted := false
	for i := range c.Steps {
		if n := c.Steps[i].Deadlocks; n != nil {
			counted = true
			out.Deadlocks += *n
			out.DeadlockCount = append(out.DeadlockCount, sample(&c.Steps[i], float64(*n)))
		}
	}
	if now != nil {
		out.Waiting, out.LongestMS, out.Trees = now.Waiting(), now.LongestMS(), shapes(now.Trees)
		out.Peak = max(out.Peak, out.Waiting)
		if !counted {
			out.Deadlocks = now.Deadlocks
		}
	}
	d.Locks = out
}

func (d *Dashboard) connections(c *monitor.Course) {
	last := c.Last()
	out := &Connections{
		Now: last.Connections, Pools: last.Pools,
		Used:    gauges(c, func(s *monitor.Step) *monitor.Gauge { return s.Used }),
		Idle:    gauges(c, func(s *monitor.Step) *monitor.Gauge { return s.IdleInTransaction }),
		Active:  gauges(c, func(s *monitor.Step) *monitor.Gauge { return s.PoolActive }),
		Waiting: gauges(c, func(s *monitor.Step) *monitor.Gauge { return s.PoolWaiting }),
	}
	if out.Now != nil || out.Pools != nil || out.Used != nil || out.Active != nil {
		d.Connections = out
	}
}

func (d *Dashboard) benchmark(r *results.Results) {
	d.Run = &Run{r.CorrelationID, r.Commit, r.Started.UTC(), r.Finished.UTC(), r.Environment}
	for _, s := range r.Suites {
		for _, c := range s.Cases {
			c.Histogram = "" // the buckets are enough to draw
			d.Endpoints = append(d.Endpoints, Endpoint{Suite: s.Name, Case: c})
		}
		for _, f := range s.Flows {
			f.Histogram, f.Steps, f.Transitions = "", slices.Clone(f.Steps), slices.Clone(f.Transitions)
			for i := range f.Steps {
				f.Steps[i].Histogram = ""
			}
			for i := range f.Transitions {
				f.Transitions[i].Histogram = ""
			}
			d.Flows = append(d.Flows, Flow{s.Name, f})
		}
	}
}

// objectives are those that slo.Check holds against the results: the worst of the cases
// and steps of flows of its name counts. What chance explains breaks none.
func (d *Dashboard) objectives(all []slo.Objective, r *results.Results) {
	checked := &slo.Compliance{}
	if r != nil {
		checked = slo.Check(all, r)
	}
	for _, o := range all {
		out := Objective{Objective: o, State: slo.NotMeasured, Why: "no case of the results is of this service and operation"}
		if r == nil {
			out.Why = "no results of a benchmark were given"
		}
		for i := range checked.Checked {
			c := &checked.Checked[i]
			if c.Service != o.Service || c.Operation != o.Operation {
				continue
			}
			out.take(c)
			for k := range d.Endpoints {
				if e := &d.Endpoints[k]; e.Suite == c.Suite && e.Name == c.Case && e.Service == c.Service && e.Operation == c.Operation {
					e.State = shownState(c.State)
				}
			}
		}
		d.Objectives = append(d.Objectives, out)
	}
	slices.SortStableFunc(d.Objectives, func(a, b Objective) int { return cmp.Compare(b.badness(), a.badness()) })
	slices.SortStableFunc(d.Endpoints, func(a, b Endpoint) int {
		return cmp.Or(cmp.Compare(orderOfSuite(a.Suite), orderOfSuite(b.Suite)), strings.Compare(a.Suite, b.Suite), cmp.Compare(p95Of(&b.Latency), p95Of(&a.Latency)))
	})
	if len(all) == 0 {
		return
	}
	for i := range d.Endpoints {
		if e := &d.Endpoints[i]; e.State == "" {
			d.Uncovered = append(d.Uncovered, e.Name)
		}
	}
}

// take takes a case over into its objective where it is worse than what is there.
func (o *Objective) take(c *slo.Checked) {
	p95 := &c.Measures[0]
	if c.Verdict == slo.Inconclusive {
		if o.P95 == nil {
			o.Why = whyOf(c)
		}
		return
	}
	if o.P95 != nil && !worse(c, o) {
		return
	}
	o.P95, o.State, o.Verdict, o.Why = p95.Value, shownState(c.State), c.Verdict, whyOf(c)
	o.Alert = c.Alert && p95.Verdict == slo.Broken
}

// worse says whether a case is worse than the one that its objective is shown by.
func worse(c *slo.Checked, o *Objective) bool {
	if (c.Verdict == slo.Broken) != (o.Verdict == slo.Broken) {
		return c.Verdict == slo.Broken
	}
	return c.Measures[0].Value.Value > o.P95.Value
}

// whyOf says what decided, of the measure that stands worst.
func whyOf(c *slo.Checked) string {
	why := ""
	for _, m := range c.Measures {
		if m.Why == "" || m.Verdict != c.Verdict {
			continue
		}
		if why != "" {
			why += "; "
		}
		if m.Name != "p95_ms" {
			why += m.Name + ": "
		}
		why += m.Why
	}
	return why
}

// shownState is a state without alert, which is an objective's Alert.
func shownState(s slo.State) slo.State {
	if s == slo.Alert {
		return slo.Critical
	}
	return s
}

// badness orders objectives: broken ones by how far p95 is over its target, then those
// that were not measured, then those that are met.
func (o *Objective) badness() float64 {
	if o.P95 == nil {
		return 1000
	}
	if o.Verdict == slo.Broken {
		return 1001 + o.P95.Value/o.P95Target
	}
	return min(o.P95.Value/o.P95Target, 999)
}

// orderOfSuite has api first, then others.
func orderOfSuite(name string) int {
	if name == "api" {
		return 0
	}
	return 1
}

func p95Of(l *results.Latency) float64 {
	if l.P95 == nil {
		return l.Mean
	}
	return l.P95.Value
}
