package dashboard

import (
	"fmt"
	"html/template"
	"maps"
	"slices"
	"strings"

	"github.com/planvet/planvet/internal/bench/results"
	"github.com/planvet/planvet/internal/bench/slo"
	"github.com/planvet/planvet/internal/monitor"
	"github.com/planvet/planvet/internal/report"
	"github.com/planvet/planvet/rules"
)

// point is an estimate in a chart.
func point(e *results.Estimate, class string) report.Point {
	return report.Point{At: e.Value, Low: e.Low, High: e.High, Class: class}
}

// axisMS and axisPercent write what was set, and ticks.
func axisMS(ms float64) string         { return report.Round(report.MS(ms)) }
func axisPercent(share float64) string { return report.Round(report.Figure(100*share) + " %") }

// latencyChart has the percentiles of endpoints.
func latencyChart(d *Dashboard, db bool) template.HTML {
	targets := map[[2]string]float64{}
	for _, o := range d.Objectives {
		targets[[2]string{o.Service, o.Operation}] = o.P95Target
	}
	var lines []report.Range
	for _, e := range d.ofSuite(db) {
		l := report.Range{Label: e.Name, Value: "too few samples"}
		for _, q := range []struct {
			e     *results.Estimate
			class string
		}{{e.Latency.P99, "series4"}, {e.Latency.P50, "series3"}, {e.Latency.P95, "series1"}} {
			if q.e != nil {
				l.Points = append(l.Points, point(q.e, q.class))
			}
		}
		if e.Latency.P95 != nil {
			l.Value = "p95 " + report.MS(e.Latency.P95.Value)
		}
		if t := targets[[2]string{e.Service, e.Operation}]; t > 0 {
			l.Ticks = []float64{t}
		}
		lines = append(lines, l)
	}
	return report.Ranges(lines, report.Scale{Log: true, Format: axisMS, Unit: "logarithmic"})
}

func errorsChart(d *Dashboard) template.HTML {
	var lines []report.Range
	for _, e := range d.ofSuite(false) {
		l := report.Range{Label: e.Name, Ticks: []float64{maxErrorRate}}
		class := "good"
		if e.Errors.Rate.Value > maxErrorRate {
			class = "bad"
		}
		l.Points = []report.Point{point(&e.Errors.Rate, class)}
		l.Value = fmt.Sprintf("%s, %s of %s", report.Percent(e.Errors.Rate.Value), rules.Thousands(int64(e.Errors.Count)), rules.Thousands(int64(e.Requests)))
		for _, k := range slices.Sorted(maps.Keys(e.Errors.ByClass)) {
			l.Value += fmt.Sprintf("; %s: %d", k, e.Errors.ByClass[k])
		}
		lines = append(lines, l)
	}
	return report.Ranges(lines, report.Scale{Format: axisPercent, Unit: "tick: 1 %"})
}

func throughputChart(d *Dashboard) template.HTML {
	var lines []report.Range
	for _, e := range d.ofSuite(false) {
		l := report.Range{Label: e.Name, Value: "not sought"}
		if s := e.Sustainable; s != nil {
			l.Points = []report.Point{point(&s.RPS, "series1")}
			l.Value = fmt.Sprintf("%s rps at p95 ≤ %s", report.Figure(s.RPS.Value), axisMS(s.TargetP95))
		}
		lines = append(lines, l)
	}
	return report.Ranges(lines, report.Scale{Format: report.Short, Unit: "requests per second"})
}

func databaseChart(d *Dashboard) template.HTML {
	var lines []report.Range
	for _, e := range d.ofSuite(false) {
		l := report.Range{Label: e.Name, Value: "not measured"}
		if t := e.Database; t != nil {
			l.Points = []report.Point{point(&t.Ratio, "series1")}
			l.Value = report.Percent(t.Ratio.Value) + ", by " + t.Source
		}
		lines = append(lines, l)
	}
	return report.Ranges(lines, report.Scale{High: 1, Format: axisPercent, Unit: "of the time"})
}

// distributionChart is how often a statement of the db suite took how long.
func distributionChart(e Endpoint) template.HTML {
	var bars []report.Bar
	for _, b := range e.Distribution {
		bars = append(bars, report.Bar{Label: "≤ " + report.MS(b.UpTo), Value: rules.Thousands(int64(b.Count)), Amount: float64(b.Count)})
	}
	return report.Bars(bars)
}

// peaks says where a distribution has several; "" where it has one.
func peaks(e Endpoint) string {
	all := results.Modes(e.Distribution)
	if len(all) < 2 {
		return ""
	}
	var at []string
	for _, m := range all {
		at = append(at, fmt.Sprintf("%s (%s)", report.MS(m.At), report.Percent(m.Share)))
	}
	return fmt.Sprintf("It has %d peaks, near %s: calls do different work.", len(all), strings.Join(at, " and "))
}

// sloChart has objectives as shares of their targets, up to twice of them.
func sloChart(d *Dashboard) template.HTML {
	var lines []report.Range
	for _, o := range d.Objectives {
		l := report.Range{Label: o.Service + " " + o.Operation, Ticks: []float64{1}, Value: "not measured: " + o.Why}
		if o.SpecRef != "" {
			l.Label += ", spec " + o.SpecRef
		}
		if o.Alert || o.Objective.Alert > 0 {
			l.Ticks = append(l.Ticks, o.Objective.Alert/o.P95Target)
		}
		if p := o.P95; p != nil {
			l.Points = []report.Point{{At: p.Value / o.P95Target, Low: p.Low / o.P95Target, High: p.High / o.P95Target, Class: grade(string(o.State))}}
			l.Value = fmt.Sprintf("%s: p95 %s of %s", o.State, report.MS(p.Value), axisMS(o.P95Target))
			if p.Value > o.P95Target && o.Verdict == slo.Met {
				l.Value += ", chance explains that"
			}
			if o.Verdict == slo.Broken && p.Value <= o.P95Target {
				l.Value += ", " + o.Why
			}
			if o.Alert {
				l.Value += ", alert"
			}
		}
		lines = append(lines, l)
	}
	return report.Ranges(lines, report.Scale{High: 2, Format: axisPercent, Unit: "of the target", Bands: []report.Band{
		{From: 0, To: 1, Class: "good"}, {From: 1, To: 1 + slo.MinorShare, Class: "warn"}, {From: 1 + slo.MinorShare, To: 1 + slo.WarningShare, Class: "over"}, {From: 1 + slo.WarningShare, To: 2, Class: "bad"},
	}})
}

func stepsChart(f Flow) template.HTML {
	var bars []report.Bar
	for i, s := range f.Steps {
		b := report.Bar{Label: fmt.Sprintf("%d. %s", i+1, s.Name), Amount: p95Of(&s.Latency)}
		b.Value = "mean " + report.MS(s.Latency.Mean)
		if s.Latency.P95 != nil {
			b.Value = "p95 " + report.MS(s.Latency.P95.Value)
		}
		if s.Queries != nil {
			b.Value += ", " + statementsOf(*s.Queries)
		}
		if s.Errors.Count > 0 {
			b.Class = "bad"
			b.Value += fmt.Sprintf(", %d failed", s.Errors.Count)
		}
		bars = append(bars, b)
	}
	return report.Bars(bars)
}

func statementsOf(n float64) string {
	if n == 1 {
		return "1 statement"
	}
	return report.Short(n) + " statements"
}

// flowLine is a whole flow in words.
func flowLine(f Flow) string {
	text := report.Plural(f.Requests, "run")
	for _, q := range []struct {
		name string
		e    *results.Estimate
	}{{"p50", f.Latency.P50}, {"p95", f.Latency.P95}, {"p99", f.Latency.P99}} {
		if q.e != nil {
			text += fmt.Sprintf(", %s %s", q.name, report.MS(q.e.Value))
		}
	}
	if f.Queries != nil {
		text += ", " + statementsOf(*f.Queries)
	}
	return text + ", " + report.Percent(f.Errors.Rate.Value) + " failed"
}

// plot is one over the time of the database's figures.
func (d *Dashboard) plot(name string, format func(float64) string, series ...report.Series) *report.Plot {
	p := &report.Plot{Name: name, From: d.From, To: d.To, Format: format, Series: series}
	for _, m := range d.Marks {
		p.Marks = append(p.Marks, report.Mark{At: m.At, Name: m.What})
	}
	if len(p.Marks) > 6 { // too many to be read
		for i := range p.Marks {
			p.Marks[i].Name = ""
		}
	}
	return p
}

func series(name, class string, samples []Sample) report.Series {
	s := report.Series{Name: name, Class: class}
	for _, x := range samples {
		s.Spans = append(s.Spans, report.Span{From: x.From, To: x.To, Value: x.Value, Low: x.Min, High: x.Max})
	}
	return s
}

func withFigures(plots ...*report.Plot) template.HTML {
	var b strings.Builder
	for _, p := range plots {
		b.WriteString(string(p.HTML()))
		b.WriteString(string(p.Figures()))
	}
	return template.HTML(b.String())
}

func loadChart(d *Dashboard) template.HTML {
	s := d.Statements
	if len(s.Load) == 0 {
		var bars []report.Bar
		for _, q := range s.Top {
			bars = append(bars, report.Bar{Label: nameOf(&q.Query), Value: report.MS(q.ExecMS) + ", " + report.Percent(q.Share), Amount: q.ExecMS, Class: report.Heat(q.Share)})
		}
		return report.Bars(bars)
	}
	var all []report.Series
	for i, q := range s.Top {
		if len(q.Load) > 0 {
			all = append(all, series(nameOf(&q.Query), fmt.Sprintf("series%d", i+1), q.Load))
		}
	}
	p := d.plot("Execution time, seconds per second", sessions, append(all, series("all others", "rest", s.Rest))...)
	p.Stacked = true
	return withFigures(p)
}

// nameOf tells a statement from others in few letters: its rank, and what it begins
// with.
func nameOf(q *monitor.Query) string {
	verb, _, _ := strings.Cut(strings.Join(strings.Fields(q.SQL), " "), " ")
	tables := strings.Join(q.Tables, ", ")
	if tables == "" {
		return fmt.Sprintf("%d. %s", q.Rank, report.Shorten(strings.Join(strings.Fields(q.SQL), " "), 40))
	}
	return fmt.Sprintf("%d. %s %s", q.Rank, strings.ToLower(verb), strings.ReplaceAll(tables, "public.", ""))
}

func hitsChart(d *Dashboard) template.HTML {
	if len(d.Hits.Series) == 0 {
		return ""
	}
	p := d.plot("Blocks found in shared buffers", axisPercent, series("hit ratio", "series1", d.Hits.Series))
	low, limit := 1.0, d.Hits.Limit
	for _, s := range d.Hits.Series {
		low = min(low, s.Value)
	}
	for _, floor := range []float64{0.8, 0.5, 0} {
		if p.Bottom = floor; low >= floor {
			break
		}
	}
	p.Top, p.Limits = 1, []report.Limit{{At: limit, Name: axisPercent(limit)}}
	return withFigures(p)
}

func selectivityChart(d *Dashboard) template.HTML {
	s := d.Selectivity
	out := template.HTML("")
	if len(s.Series) > 0 {
		out = withFigures(d.plot("Rows read for each row returned or changed", func(x float64) string { return report.Short(x) + "×" }, series("read per returned", "series1", s.Series)))
	}
	var bars []report.Bar
	for _, t := range s.Tables {
		b := report.Bar{Label: strings.TrimPrefix(t.Table, "public."), Amount: float64(t.Rows()),
			Value: fmt.Sprintf("%s in %s sequential, %s in %s index scans", report.Short(float64(t.SequentialRows)), report.Short(float64(t.Sequential)), report.Short(float64(t.IndexRows)), report.Short(float64(t.Index)))}
		bars = append(bars, b)
	}
	return out + `<h3>Rows read, by table</h3>` + report.Bars(bars)
}

func locksChart(d *Dashboard) template.HTML {
	var plots []*report.Plot
	if len(d.Locks.WaitSeries) > 0 {
		plots = append(plots, d.counts("Sessions waiting for a lock", series("waiting", "series2", d.Locks.WaitSeries)))
	}
	if len(d.Locks.DeadlockCount) > 0 {
		plots = append(plots, d.counts("Deadlocks in each interval", series("deadlocks", "series4", d.Locks.DeadlockCount)))
	}
	return withFigures(plots...)
}

// counts is a plot of counts; between two there are means only.
func (d *Dashboard) counts(name string, series ...report.Series) *report.Plot {
	p := d.plot(name, report.Short, series...)
	p.Whole = true
	return p
}

func connectionsChart(d *Dashboard) template.HTML {
	c := d.Connections
	var plots []*report.Plot
	if len(c.Used) > 0 {
		p := d.counts("Connections of the server", series("taken", "series1", c.Used), series("idle in transaction", "series2", c.Idle))
		if c.Now != nil {
			usable := float64(max(c.Now.Max-c.Now.Reserved, 1))
			p.Top, p.Limits = usable, []report.Limit{{At: usable, Name: fmt.Sprintf("%.0f for everybody", usable)}}
		}
		plots = append(plots, p)
	}
	if len(c.Active) > 0 {
		plots = append(plots, d.counts("Connections and queue of pools", series("at work", "series1", c.Active), series("queued clients", "series2", c.Waiting)))
	}
	return withFigures(plots...)
}

func rlsChart(d *Dashboard) template.HTML {
	var lines []report.Range
	for _, c := range d.RLS {
		l := report.Range{Label: fmt.Sprintf("%s as %s", strings.TrimPrefix(c.what(), "on "), c.Role), Value: c.Problem}
		if c.MS != nil {
			l.Points = []report.Point{{At: c.Ideal, Class: "hollow series1"}, {At: c.Enforced, Class: "series1"}}
			l.Value = fmt.Sprintf("%s → %s", report.MS(c.Ideal), report.MS(c.Enforced))
			if c.Ideal > 0 {
				l.Value += ", " + report.Times(c.Enforced/c.Ideal)
			}
		}
		lines = append(lines, l)
	}
	return report.Ranges(lines, report.Scale{Log: true, Format: axisMS, Unit: "logarithmic"})
}

// estimate is a value with its interval; empty where it is not known.
func estimate(e *results.Estimate) string {
	if e == nil {
		return ""
	}
	return fmt.Sprintf("%s (%s to %s)", report.MS(e.Value), report.Figure(e.Low), report.Figure(e.High))
}

func optional(x *float64, format func(float64) string) string {
	if x == nil {
		return ""
	}
	return format(*x)
}

// lockTree is who waits for whom, in lines that are indented.
func lockTree(trees []monitor.Blocker) string {
	var b strings.Builder
	var hang func(x *monitor.Blocker, indent string)
	hang = func(x *monitor.Blocker, indent string) {
		what := "transaction open for " + report.MS(x.XactMS)
		if x.Wants != "" {
			what = fmt.Sprintf("waits %s for %s", report.MS(x.WaitMS), x.Wants)
		}
		fmt.Fprintf(&b, "%sprocess %d (%s as %s), %s: %s", indent, x.PID, x.Application, x.User, x.State, what)
		if x.Query != "" {
			fmt.Fprintf(&b, ": %s", report.Shorten(x.Query, 100))
		}
		b.WriteString("\n")
		for i := range x.Holds {
			hang(&x.Holds[i], indent+"  ")
		}
	}
	for i := range trees {
		hang(&trees[i], "")
	}
	return b.String()
}
