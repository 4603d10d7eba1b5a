package dashboard

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/planvet/planvet/internal/bench/slo"
	"github.com/planvet/planvet/internal/monitor"
	"github.com/planvet/planvet/internal/report"
)

// Commands that measure what a panel shows.
const (
	withResults  = "planvet bench --results FILE; planvet dashboard --results FILE"
	withSLOs     = "planvet bench --results FILE; planvet dashboard --slo-file .perf/slos.json --results FILE"
	withHistory  = "planvet monitor --database-url URL --history FILE --pool-stats --locks"
	withOverhead = "planvet rls overhead --database-url URL --format json --output rls.json"
)

// maxErrorRate is the share of failed requests over which a measurement is not one.
const maxErrorRate = 0.01

// panels says what each part shows, in the page's order.
func (d *Dashboard) panels(in Inputs) []Panel {
	return []Panel{
		d.sloPanel(len(in.Objectives) > 0), d.latencyPanel(), d.errorsPanel(), d.throughputPanel(), d.databasePanel(),
		d.statementsPanel(), d.hitsPanel(), d.selectivityPanel(), d.locksPanel(), d.rlsPanel(), d.connectionsPanel(), d.flowsPanel(),
	}
}

func (d *Dashboard) sloPanel(given bool) Panel {
	p := Panel{ID: "slo", Title: "Objectives", State: NotMeasured}
	if !given || d.Run == nil {
		p.Headline, p.Command = "objectives need --slo-file and the results of a benchmark", withSLOs
		if given {
			p.Headline = "objectives are there, the results of a benchmark are not"
		}
		return p
	}
	counts := map[slo.State]int{}
	alerts := 0
	for _, o := range d.Objectives {
		counts[o.State]++
		if o.Alert {
			alerts++
		}
	}
	measured := len(d.Objectives) - counts[slo.NotMeasured]
	if measured == 0 {
		p.Headline, p.Command = "no objective was measured", withSLOs
		return p
	}
	broken := measured - counts[slo.Green]
	p.Figure, p.State = fmt.Sprintf("%d of %d met", counts[slo.Green], len(d.Objectives)), Good
	switch {
	case counts[slo.Critical] > 0 || alerts > 0:
		p.State = Critical
	case broken > 0 || counts[slo.NotMeasured] > 0:
		p.State = Warning
	}
	p.Headline = "all within their targets, or over them by what chance explains"
	if broken > 0 {
		o := d.Objectives[0]
		p.Headline = fmt.Sprintf("%s %s is furthest over: p95 %s, target %s", o.Service, o.Operation, report.MS(o.P95.Value), axisMS(o.P95Target))
		if o.P95.Value <= o.P95Target {
			p.Headline = fmt.Sprintf("%s %s is broken: %s", o.Service, o.Operation, o.Why)
		}
	} else if !slices.ContainsFunc(d.Objectives, func(o Objective) bool { return o.P95 != nil && o.P95.Value > o.P95Target }) {
		p.Headline = "all within their p95 targets"
	}
	if n := counts[slo.NotMeasured]; n > 0 {
		p.Headline += fmt.Sprintf("; %d not measured", n)
	}
	return p
}

// ofSuite are endpoints of the api suite, or of the db suite.
func (d *Dashboard) ofSuite(db bool) []Endpoint {
	var out []Endpoint
	for _, e := range d.Endpoints {
		if (e.Suite == "db") == db {
			out = append(out, e)
		}
	}
	return out
}

func (d *Dashboard) notBenched(p Panel) Panel {
	p.State, p.Headline, p.Command = NotMeasured, "needs the results of a benchmark", withResults
	if d.Run != nil {
		p.Headline = "the results hold none"
	}
	return p
}

func (d *Dashboard) latencyPanel() Panel {
	p := Panel{ID: "latency", Title: "Latency", State: Neutral}
	var slowest *Endpoint
	all := d.ofSuite(false)
	for i := range all {
		if e := &all[i]; e.Latency.P95 != nil && (slowest == nil || e.Latency.P95.Value > slowest.Latency.P95.Value) {
			slowest = e
		}
	}
	if slowest == nil {
		return d.notBenched(p)
	}
	p.Figure = report.MS(slowest.Latency.P95.Value)
	p.Headline = fmt.Sprintf("highest p95, of %s", slowest.Name)
	return p
}

func (d *Dashboard) errorsPanel() Panel {
	p := Panel{ID: "errors", Title: "Error rate", State: Good}
	sent, failed, over := 0, 0, ""
	for _, e := range d.ofSuite(false) {
		sent, failed = sent+e.Requests, failed+e.Errors.Count
		if e.Errors.Rate.Value > maxErrorRate && over == "" {
			over = e.Name
		}
	}
	if sent == 0 {
		return d.notBenched(p)
	}
	p.Figure = report.Percent(float64(failed) / float64(sent))
	p.Headline = fmt.Sprintf("of %s failed", report.Plural(sent, "request"))
	if over != "" {
		p.State = Warning
		p.Headline += "; " + over + " is over 1 %, which makes its latencies doubtful"
	}
	return p
}

func (d *Dashboard) throughputPanel() Panel {
	p := Panel{ID: "throughput", Title: "Throughput at target", State: Neutral}
	var least *Endpoint
	all := d.ofSuite(false)
	for i := range all {
		if e := &all[i]; e.Sustainable != nil && (least == nil || e.Sustainable.RPS.Value < least.Sustainable.RPS.Value) {
			least = e
		}
	}
	if least == nil {
		return d.notBenched(p)
	}
	p.Figure = report.Figure(least.Sustainable.RPS.Value) + " rps"
	p.Headline = fmt.Sprintf("the least, of %s, at p95 ≤ %s", least.Name, axisMS(least.Sustainable.TargetP95))
	return p
}

func (d *Dashboard) databasePanel() Panel {
	p := Panel{ID: "dbtime", Title: "DB time ratio", State: Neutral}
	var most *Endpoint
	all := d.ofSuite(false)
	for i := range all {
		if e := &all[i]; e.Database != nil && (most == nil || e.Database.Ratio.Value > most.Database.Ratio.Value) {
			most = e
		}
	}
	if most == nil {
		return d.notBenched(p)
	}
	p.Figure = report.Percent(most.Database.Ratio.Value)
	p.Headline = fmt.Sprintf("the highest: that share of the time of %s is the database's", most.Name)
	return p
}

func (d *Dashboard) notRead(p Panel) Panel {
	p.State, p.Headline, p.Command = NotMeasured, "needs a history, or --database-url", withHistory
	if d.Server != nil {
		p.Headline = "the readings hold none"
	}
	return p
}

func (d *Dashboard) statementsPanel() Panel {
	p := Panel{ID: "statements", Title: "Execution time", State: Neutral}
	s := d.Statements
	if s == nil {
		return d.notRead(p)
	}
	if len(s.Top) == 0 {
		p.Figure, p.Headline = "0 calls", "no statement was called"
		return p
	}
	first := &s.Top[0]
	p.Figure = report.MS(s.Totals.ExecMS)
	if n := d.To.Sub(d.From).Seconds(); d.Interval && n > 0 {
		p.Figure = sessions(s.Totals.ExecMS / 1000 / n)
	}
	p.Headline = fmt.Sprintf("%s; the first takes %s of it", report.Plural(int(s.Totals.Calls), "call"), report.Percent(first.Share))
	flagged := 0
	for i := range s.Top {
		// What is but possible is no verdict.
		if slices.ContainsFunc(s.Top[i].Flags, func(f monitor.Flag) bool { return f.Certainty == "" }) {
			flagged++
		}
	}
	if flagged > 0 {
		p.State = Warning
		p.Headline += fmt.Sprintf("; %d of the first %d are over a limit", flagged, len(s.Top))
	}
	return p
}

// sessions writes a load.
func sessions(x float64) string {
	switch {
	case x == 0:
		return "0 s/s"
	case x < 0.001:
		return "<0.001 s/s"
	case x >= 100:
		return report.Short(x) + " s/s"
	}
	return strings.TrimSuffix(strings.TrimRight(strconv.FormatFloat(x, 'f', digits(x), 64), "0"), ".") + " s/s"
}

// digits are how many decimals leave a number three figures.
func digits(x float64) int {
	switch {
	case x >= 10:
		return 1
	case x >= 0.1:
		return 2
	}
	return 3
}

func (d *Dashboard) hitsPanel() Panel {
	p := Panel{ID: "hits", Title: "Cache hit ratio", State: Good}
	if d.Hits == nil {
		return d.notRead(p)
	}
	if d.Hits.Ratio == nil {
		p = d.notRead(p)
		p.Headline = fmt.Sprintf("%s were touched, too few for a ratio", report.Plural(int(d.Hits.Blocks), "block"))
		return p
	}
	p.Figure, p.Headline = hitPercent(*d.Hits.Ratio), "of blocks were found in shared buffers"
	if *d.Hits.Ratio < d.Hits.Limit {
		p.State = Warning
		p.Headline += fmt.Sprintf(", under %.0f %%", 100*d.Hits.Limit)
	}
	return p
}

// hitPercent has a decimal, for 99.1 and 99.9 % differ.
func hitPercent(x float64) string {
	if x == 1 {
		return "100 %"
	}
	return strconv.FormatFloat(min(100*x, 99.9), 'f', 1, 64) + " %"
}

func (d *Dashboard) selectivityPanel() Panel {
	p := Panel{ID: "selectivity", Title: "Selectivity", State: Neutral}
	s := d.Selectivity
	switch {
	case s == nil:
		p = d.notRead(p)
		p.Command = strings.TrimSuffix(withHistory, " --pool-stats --locks")
		return p
	case s.Ratio == nil && len(s.Tables) == 0:
		p.Figure, p.Headline = "0 rows", "no table was scanned"
		return p
	case s.Ratio == nil:
		first := s.Tables[0]
		p.Figure = report.Short(float64(first.Rows()))
		p.Headline = fmt.Sprintf("rows read from %s, the most; a ratio needs two readings", first.Table)
		return p
	}
	p.Figure, p.Headline = report.Times(*s.Ratio), fmt.Sprintf("%s rows read for %s returned or changed", report.Short(float64(*s.Read)), report.Short(float64(*s.Returned)))
	return p
}

func (d *Dashboard) locksPanel() Panel {
	p := Panel{ID: "locks", Title: "Lock waits and deadlocks", State: Good}
	l := d.Locks
	if l == nil {
		return d.notRead(p)
	}
	p.Figure = strconv.Itoa(l.Waiting) + " waiting"
	p.Headline = report.Plural(int(l.Deadlocks), "deadlock") + " since the statistics were reset"
	if d.Interval {
		p.Headline = fmt.Sprintf("%s; at most %s at a reading", report.Plural(int(l.Deadlocks), "deadlock"), report.Plural(l.Peak, "waiting session"))
	}
	if d.Interval && l.Waiting == 0 && l.Deadlocks > 0 {
		p.Figure, p.Headline = report.Plural(int(l.Deadlocks), "deadlock"), fmt.Sprintf("between the readings; at most %s at one", report.Plural(l.Peak, "waiting session"))
	}
	if l.Waiting > 0 {
		p.Headline = fmt.Sprintf("the longest for %s; ", report.MS(l.LongestMS)) + p.Headline
	}
	if l.Waiting > 0 || d.Interval && l.Deadlocks > 0 {
		p.State = Warning
	}
	return p
}

func (d *Dashboard) rlsPanel() Panel {
	p := Panel{ID: "rls", Title: "Row security", State: Neutral}
	for _, c := range d.RLS {
		if c.MS == nil {
			continue
		}
		// The first pays most.
		p.Figure = report.MS(*c.MS)
		if *c.MS < 0.001 {
			p.Figure = "next to nothing"
		}
		p.Headline = "is the most that policies cost a statement, " + c.what()
		return p
	}
	p.State, p.Command = NotMeasured, withOverhead
	p.Headline = "needs --rls-report"
	if d.RLS != nil {
		p.Headline = "the report has no figure"
	}
	return p
}

func (c *RLSCost) what() string {
	if c.Table != "" {
		return "on " + c.Table
	}
	return report.Shorten(strings.Join(strings.Fields(c.SQL), " "), 60)
}

func (d *Dashboard) connectionsPanel() Panel {
	p := Panel{ID: "connections", Title: "Connection pools", State: Good}
	c := d.Connections
	if c == nil {
		p = d.notRead(p)
		p.Command = "planvet monitor --database-url URL --history FILE --pool-stats --pgbouncer URL"
		return p
	}
	for i := range c.Pools {
		if q := &c.Pools[i]; q.Saturated {
			p.State, p.Figure, p.Headline = Critical, fmt.Sprintf("%d queued", q.Waiting), fmt.Sprintf("pool %s/%s is %s", q.Database, q.User, q.Verdict)
			return p
		}
	}
	if c.Now != nil {
		p.Figure, p.Headline = fmt.Sprintf("%d of %d", c.Now.Used, max(c.Now.Max-c.Now.Reserved, 1)), "connections of the server are taken"
		if c.Now.Saturated {
			p.State, p.Headline = Critical, c.Now.Verdict
		}
	} else if len(c.Pools) == 0 {
		last := c.Used
		if last == nil {
			last = c.Active
		}
		p.State, p.Figure, p.Headline = Neutral, report.Short(last[len(last)-1].Value), "connections at the last reading that looked"
		return p
	}
	if n := len(c.Pools); n > 0 {
		p.Headline += fmt.Sprintf("; no queue at %s", report.Plural(n, "pool"))
	}
	return p
}

func (d *Dashboard) flowsPanel() Panel {
	p := Panel{ID: "flows", Title: "End-to-end flows", State: Neutral}
	var slowest *Flow
	for i := range d.Flows {
		if f := &d.Flows[i]; slowest == nil || p95Of(&f.Latency) > p95Of(&slowest.Latency) {
			slowest = f
		}
	}
	if slowest == nil {
		return d.notBenched(p)
	}
	what := "p95"
	if slowest.Latency.P95 == nil {
		what = "mean"
	}
	p.Figure, p.Headline = report.MS(p95Of(&slowest.Latency)), fmt.Sprintf("highest %s of a whole flow, %s", what, slowest.Name)
	return p
}

// panel is one by its id.
func (d *Dashboard) panel(id string) *Panel {
	for i := range d.Panels {
		if d.Panels[i].ID == id {
			return &d.Panels[i]
		}
	}
	return nil
}
