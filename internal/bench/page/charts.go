package page

import (
	"fmt"
	"html/template"
	"math"

	"github.com/planvet/planvet/internal/bench/gate"
	"github.com/planvet/planvet/internal/bench/results"
	"github.com/planvet/planvet/internal/bench/slo"
	"github.com/planvet/planvet/internal/bench/verdict"
	"github.com/planvet/planvet/internal/report"
)

// forest has the difference of each case's p95 with its interval, and the threshold. What
// is more than twice as slow, or as fast, needs an axis of ratios.
func forest(v *view) template.HTML {
	threshold := v.Gate.Threshold
	low, high := -threshold, 2*threshold
	for _, c := range v.Cases {
		if p := c.P95; p != nil {
			low, high = min(low, p.Percent), max(high, p.Percent)
			if p.Low != nil {
				low, high = min(low, *p.Low), max(high, *p.High)
			}
		}
	}
	ratios := 1+high/100 > wideRatio
	at := func(percent float64) float64 { return percent }
	scale := report.Scale{Low: low, High: high, Format: signed, Unit: "p95 of B over A"}
	if ratios {
		at = func(percent float64) float64 { return max(1+percent/100, 1e-3) }
		scale = report.Scale{Log: true, Low: at(low), High: at(high), Format: times, Unit: "p95 of B over A, logarithmic"}
	}
	scale.Bands = []report.Band{{From: at(threshold), To: at(max(high, 1e6)), Class: "bad"}}
	var lines []report.Range
	for i, c := range v.Cases {
		l := report.Range{Label: c.Suite + " › " + c.Case, Link: anchor("case", i), Ticks: []float64{at(threshold)}, Value: "no p95"}
		if p := c.P95; p != nil {
			l.Points = []report.Point{{At: at(p.Percent), Low: at(p.Percent), High: at(p.Percent), Class: grade(string(c.Verdict))}}
			l.Value = signed(p.Percent)
			if p.Low != nil {
				l.Points[0].Low, l.Points[0].High = at(*p.Low), at(*p.High)
				l.Value += " (" + signed(*p.Low) + " to " + signed(*p.High) + ")"
			}
		} else if c.Work != nil && c.Verdict == gate.Fail {
			l.Value = "more work, see the plan"
		}
		lines = append(lines, l)
	}
	return report.Ranges(lines, scale)
}

// objectivesChart has a service's objectives as shares of their p95 targets, up to twice
// of them.
func objectivesChart(s Service) template.HTML {
	var lines []report.Range
	for _, k := range s.Checked {
		l := report.Range{Label: k.Operation + ", " + k.Suite + " › " + k.Case + k.Spec(", "), Ticks: []float64{1}}
		for _, m := range k.Measures {
			if m.Name != "p95_ms" {
				continue
			}
			if l.Value = "p95 target " + short(m.Target); m.Value != nil {
				e := m.Value
				l.Value = fmt.Sprintf("p95 %s of %s", report.MS(e.Value), short(m.Target))
				l.Points = []report.Point{{At: e.Value / m.Target, Low: e.Low / m.Target, High: e.High / m.Target, Class: grade(string(k.Verdict))}}
				if k.Verdict == slo.Broken {
					l.Points[0].Class = grade(string(k.State))
				}
			}
		}
		if k.Verdict == slo.Broken {
			l.Value += ", " + string(k.State)
		} else if k.Verdict != slo.Met {
			l.Value += ", " + string(k.Verdict)
		}
		lines = append(lines, l)
	}
	return report.Ranges(lines, report.Scale{High: 2, Format: percentOf, Unit: "of the target", Bands: []report.Band{
		{From: 0, To: 1, Class: "good"}, {From: 1, To: 1 + slo.MinorShare, Class: "warn"}, {From: 1 + slo.MinorShare, To: 1 + slo.WarningShare, Class: "over"}, {From: 1 + slo.WarningShare, To: 2, Class: "bad"},
	}})
}

// latencyChart has the percentiles of what was measured, and their objectives.
func latencyChart(v *view) template.HTML {
	var lines []report.Range
	for i, m := range v.Measured {
		l := report.Range{Label: m.Suite + " › " + m.Name, Link: anchor("measured", i), Value: "too few samples"}
		for _, q := range percentiles(&m.Latency) {
			l.Points = append(l.Points, report.Point{At: q.e.Value, Low: q.e.Low, High: q.e.High, Class: q.class})
			if q.name == "p95" {
				l.Value = "p95 " + report.MS(q.e.Value)
			}
		}
		if t := v.targetP95(m.Suite, m.Name); t > 0 {
			l.Ticks = []float64{t}
		}
		lines = append(lines, l)
	}
	return report.Ranges(lines, report.Scale{Log: true, Format: short, Unit: "logarithmic"})
}

type percentile struct {
	name, class string
	e           *results.Estimate
}

// percentiles are those that are there, the one that matters most drawn last.
func percentiles(l *results.Latency) (out []percentile) {
	for _, q := range []percentile{{"p99", "series4", l.P99}, {"p50", "series3", l.P50}, {"p95", "series1", l.P95}} {
		if q.e != nil {
			out = append(out, q)
		}
	}
	return out
}

// timesOf are a gate's case: both arms' distributions, and its rounds.
func timesOf(v *view, c *verdict.Case) template.HTML {
	arms := []arm{{"A, before", "series1", c.A.Distribution}, {"B, after", "series2", c.B.Distribution}}
	return wrap(histogram(arms, nil), quantiles(arms, v.targetP95(c.Suite, c.Case)), rounds(c, v.Gate.Threshold))
}

// aloneCharts are a case of results.
func aloneCharts(v *view, m Measured) template.HTML {
	var marks []report.Place
	for _, q := range []percentile{{"p50", "", m.Latency.P50}, {"p95", "", m.Latency.P95}, {"p99", "", m.Latency.P99}} {
		if q.e != nil {
			marks = append(marks, report.Place{At: q.e.Value, Name: q.name})
		}
	}
	arms := []arm{{"answers", "series1", m.Distribution}}
	return wrap(histogram(arms, marks), quantiles(arms, v.targetP95(m.Suite, m.Name)))
}

// wrap lays charts side by side where there is room.
func wrap(all ...*report.Curves) template.HTML {
	out := template.HTML("")
	for _, c := range all {
		if c != nil {
			out += c.HTML()
		}
	}
	if out == "" {
		return ""
	}
	return `<div class="charts">` + out + `</div>`
}

// rounds are a live gate's rounds, one after the other; nil for none. As in the forest, what
// is more than twice as slow again needs an axis of ratios.
func rounds(c *verdict.Case, threshold float64) *report.Curves {
	low, high, n := 1-threshold/100, 1+2*threshold/100, 0
	var dots [][2]float64
	var marks []report.Place
	for e, epoch := range c.Ratios {
		if e > 0 && len(c.Ratios) <= 40 {
			marks = append(marks, report.Place{At: float64(n) + 0.5})
		}
		for _, ratio := range epoch {
			n++
			ratio = math.Exp(ratio)
			low, high = min(low, ratio), max(high, ratio)
			dots = append(dots, [2]float64{float64(n), ratio})
		}
	}
	if n < 2 {
		return nil
	}
	format := func(ratio float64) string { return signed(100 * (ratio - 1)) }
	if high > wideRatio {
		format = times
	}
	out := &report.Curves{
		Name: "p95 of B over A, round by round; lines part epochs with connections of their own", Marks: marks,
		X:      report.Axis{Low: 0.5, High: float64(n) + 0.5, Ticks: roundTicks(n)},
		Y:      report.Axis{Low: low, High: high, Log: high > wideRatio, Format: format},
		Series: []report.Curve{{Name: "round", Class: "series2", Points: dots, Dots: true}},
		Limits: []report.Limit{{At: 1 + threshold/100, Name: "threshold " + signed(threshold)}},
	}
	if p := c.P95; p != nil {
		out.Summary = "estimate " + signed(p.Percent)
		if p.Low != nil {
			out.Bands = []report.Band{{From: 1 + *p.Low/100, To: 1 + *p.High/100, Class: grade(string(c.Verdict))}}
			out.Summary += ", 95 % bounds " + bounds(p)
		}
	}
	return out
}

// wideRatio is from where on differences are drawn on a logarithmic axis of ratios.
const wideRatio = 3

func times(x float64) string { return report.Round(report.Times(x)) }

// roundTicks are whole numbers.
func roundTicks(n int) (out []report.Tick) {
	step := 1
	for _, s := range []int{1, 2, 5, 10, 20, 50, 100, 200, 500, 1000} {
		if step = s; n <= 8*s {
			break
		}
	}
	for i := step; i <= n; i += step {
		out = append(out, report.Tick{At: float64(i), Text: fmt.Sprint(i)})
	}
	return out
}

// historyChart has the p95 of stored runs beside this one's, and from where on it fails.
func historyChart(c *verdict.Case) template.HTML {
	h := c.History
	if h == nil || c.P95 == nil || len(h.P95) == 0 {
		return ""
	}
	mean := 0.0
	stored := report.Range{Label: "stored runs", Value: report.Plural(len(h.P95), "run")}
	for _, ms := range h.P95 {
		mean += math.Log(ms) / float64(len(h.P95))
		stored.Points = append(stored.Points, report.Point{At: ms, Low: ms, High: ms, Class: "hollow series1"})
	}
	limit := math.Exp(mean) * (1 + h.Limit/100)
	this := report.Range{Label: "this run", Value: "p95 " + report.MS(c.P95.B), Points: []report.Point{{At: c.P95.B, Low: c.P95.B, High: c.P95.B, Class: grade(string(c.Verdict))}}}
	if h.Runs > 1 && h.Limit > 0 {
		stored.Ticks, this.Ticks = []float64{limit}, []float64{limit}
		this.Value += ", fails over " + report.MS(limit)
	}
	return report.Ranges([]report.Range{stored, this}, report.Scale{Format: short, Unit: "p95"})
}

// flowSteps has a flow's steps with the p95 of each.
func flowSteps(m Measured) template.HTML {
	var bars []report.Bar
	for i, s := range m.Steps {
		b := report.Bar{Label: fmt.Sprintf("%d. %s", i+1, s.Name), Amount: s.Latency.Mean, Value: "mean " + report.MS(s.Latency.Mean)}
		if p := s.Latency.P95; p != nil {
			b.Amount, b.Value = p.Value, "p95 "+report.MS(p.Value)
		}
		if s.Queries != nil {
			b.Value += ", " + report.Round(report.Figure(*s.Queries)) + " statements"
		}
		if s.Errors.Count > 0 {
			b.Class = "bad"
			b.Value += fmt.Sprintf(", %d failed", s.Errors.Count)
		}
		bars = append(bars, b)
	}
	return report.Bars(bars)
}
