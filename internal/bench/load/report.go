package load

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/planvet/planvet/internal/bench/results"
	"github.com/planvet/planvet/internal/report"
)

var columns = []report.Column{{Title: "case"}, {Title: "load"}, {Title: "requests", Right: true}, {Title: "errors", Right: true}, {Title: "p50", Right: true}, {Title: "p95", Right: true}, {Title: "p99", Right: true}, {Title: "rate", Right: true}}

// rows are a suite's cases, and its flows with their steps and transitions.
func rows(s *results.Suite) [][]string {
	var out [][]string
	for i := range s.Cases {
		c := &s.Cases[i]
		out = append(out, row(c.Name, loaded(c.OfferedRPS, c.Clients), &c.Measured, &c.ThroughputRPS))
	}
	for i := range s.Flows {
		f := &s.Flows[i]
		out = append(out, row(f.Name, loaded(f.OfferedRPS, f.Clients), &f.Measured, f.ThroughputRPS))
		for k := range f.Steps {
			out = append(out, row("› "+f.Steps[k].Name, "", &f.Steps[k].Measured, nil))
		}
		for k := range f.Transitions {
			t := &f.Transitions[k]
			from := t.From
			if from == "" {
				from = "begin"
			}
			out = append(out, row("» "+from+" → "+t.To, "", &t.Measured, nil))
		}
	}
	return out
}

func loaded(rate *float64, clients int) string {
	if rate != nil {
		return "open, " + report.Round(report.Figure(*rate)) + "/s"
	}
	return "closed, " + report.Plural(clients, "client")
}

func row(name, load string, m *results.Measured, rate *results.Estimate) []string {
	per := ""
	if rate != nil {
		per = report.Figure(rate.Value) + "/s"
	}
	return []string{name, load, fmt.Sprint(m.Requests), fmt.Sprint(m.Errors.Count), quantile(m.Latency.P50), quantile(m.Latency.P95), quantile(m.Latency.P99), per}
}

func quantile(e *results.Estimate) string {
	if e == nil {
		return "insufficient"
	}
	return fmt.Sprintf("%s (%s–%s)", report.MS(e.Value), report.Figure(e.Low), milliseconds(e.High))
}

// milliseconds is a bound beside a value whose unit is said; over a second it has its own.
func milliseconds(ms float64) string {
	if ms >= 1000 {
		return report.MS(ms)
	}
	return report.Figure(ms)
}

// lines are what is to be said of the cases beside their figures.
func (r *Report) lines() []string {
	var out []string
	if r.Partial {
		out = append(out, "partial: the run was ended before it was done")
	}
	for _, name := range r.Unsustained {
		out = append(out, name+": its p95 stays within the target at no rate that was tried, or at each of them")
	}
	k := 0
	add := func(name string, m *results.Measured) {
		n := &r.Notes[k]
		k++
		if n.Invalid != "" {
			out = append(out, fmt.Sprintf("%s: invalid, %s", name, n.Invalid))
		}
		if m.Errors.Count > 0 {
			e := m.Errors.Rate
			out = append(out, fmt.Sprintf("%s: %s failed (95 %%: %s to %s), their latencies are left out: %s",
				name, report.Percent(e.Value), report.Percent(e.Low), report.Percent(e.High), classes(m)))
		}
		if n.Dropped > 0 {
			out = append(out, fmt.Sprintf("%s: %s dropped", name, report.Plural(n.Dropped, "arrival")))
		}
		if n.Partial {
			out = append(out, name+": partial")
		}
		if lag := float64(n.Lag.Nanoseconds()) / 1e6; m.Latency.P95 != nil && lag > m.Latency.P95.Value/4 {
			out = append(out, fmt.Sprintf("%s: the generator itself was %s late at its p95: this machine is too busy for this rate", name, report.MS(lag)))
		}
	}
	for _, s := range r.Results.Suites {
		for i := range s.Cases {
			c := &s.Cases[i]
			add(c.Name, &c.Measured)
			if line := modes(c); line != "" {
				out = append(out, line)
			}
			if u := c.Sustainable; u != nil {
				out = append(out, fmt.Sprintf("%s: %s (%s–%s) is the most at which p95 stays within %s",
					c.Name, report.Figure(u.RPS.Value)+"/s", report.Figure(u.RPS.Low), report.Figure(u.RPS.High)+"/s", report.MS(u.TargetP95)))
			}
			if d := c.Database; d != nil {
				out = append(out, fmt.Sprintf("%s: the database takes %s of the time (%s to %s), by %s", c.Name, report.Percent(d.Ratio.Value), report.Percent(d.Ratio.Low), report.Percent(d.Ratio.High), databaseSources[d.Source]))
			}
		}
		for i := range s.Flows {
			f := &s.Flows[i]
			add(f.Name, &f.Measured)
			for k := range f.Steps {
				if st := &f.Steps[k]; st.Errors.Count > 0 {
					out = append(out, fmt.Sprintf("%s › %s: %d of %d failed and ended their runs: %s", f.Name, st.Name, st.Errors.Count, st.Requests, classes(&st.Measured)))
				}
			}
			if f.Queries != nil {
				out = append(out, fmt.Sprintf("%s: %s a run%s", f.Name, statements(*f.Queries), perStep(f)))
			}
		}
	}
	return out
}

// databaseSources say how the database's share was measured.
var databaseSources = map[string]string{
	"server-timing": "Server-Timing of the answers",
	"statements":    "pg_stat_statements, one request at a time",
	"active-time":   "active_time of pg_stat_database, one request at a time",
}

func classes(m *results.Measured) string {
	var out []string
	for _, class := range slices.Sorted(maps.Keys(m.Errors.ByClass)) {
		out = append(out, fmt.Sprintf("%s %d", class, m.Errors.ByClass[class]))
	}
	return strings.Join(out, ", ")
}

func statements(n float64) string {
	if n == 1 {
		return "1 statement"
	}
	return report.Round(report.Figure(n)) + " statements"
}

func perStep(f *results.Flow) string {
	var out []string
	for i := range f.Steps {
		if q := f.Steps[i].Queries; q != nil {
			out = append(out, f.Steps[i].Name+" "+report.Round(report.Figure(*q)))
		}
	}
	if len(out) == 0 {
		return ""
	}
	return ": " + strings.Join(out, ", ")
}

// modes says where the times of a case have several peaks, "" where they have one.
func modes(c *results.Case) string {
	all := results.Modes(c.Distribution)
	if len(all) < 2 {
		return ""
	}
	var at []string
	for _, m := range all {
		at = append(at, fmt.Sprintf("%s (%s)", report.MS(m.At), report.Percent(m.Share)))
	}
	return fmt.Sprintf("%s: its times have %d peaks, near %s: it does different work from call to call; by the histogram of this run, pg_stat_statements keeps none", c.Name, len(all), strings.Join(at, " and "))
}

// foot says what stands behind the figures.
func (r *Report) foot() []string {
	out := []string{"intervals of 95 %; open: latency counts from when a request was due; closed: from when it was sent, which hides waiting"}
	if r.Overhead == 0 { // merged: each machine has its own
		return out
	}
	return append(out, fmt.Sprintf("own overhead %s a request; correlation id %s", report.MS(float64(r.Overhead.Nanoseconds())/1e6), r.Results.CorrelationID))
}

// Lines are what is to be said of the run beside its figures.
func (r *Report) Lines() []string { return slices.Concat(r.lines(), r.foot()) }

// State says whether the run is a measurement: measured, partial or invalid.
func (r *Report) State() string {
	switch {
	case !r.Valid():
		return "invalid"
	case r.Partial:
		return "partial"
	}
	return "measured"
}

// Text writes the report for people.
func Text(w io.Writer, r *Report, o report.TextOptions) error {
	t := report.NewPrinter(w, o)
	for _, s := range r.Results.Suites {
		if len(s.Cases)+len(s.Flows) == 0 {
			continue
		}
		t.Paint(report.Bold, "suite "+s.Name)
		t.Printf("\n")
		t.Table("  ", 0, columns, rows(&s))
		t.Printf("\n")
	}
	for _, l := range r.Lines() {
		t.Printf("%s\n", report.Printable(l))
	}
	return t.Err()
}

// Marker is what a report as Markdown begins with, for who looks for the comment that has it.
const Marker = "<!-- planvet:bench -->"

// Markdown writes the report for a pull request.
func Markdown(w io.Writer, r *Report) error {
	var b strings.Builder
	b.WriteString(Marker + "\n# Benchmark: " + r.State() + "\n")
	for _, s := range r.Results.Suites {
		if len(s.Cases)+len(s.Flows) == 0 {
			continue
		}
		all := rows(&s)
		for _, cells := range all {
			for k := range cells {
				cells[k] = report.MarkdownText(cells[k])
			}
		}
		b.WriteString("\n## Suite " + s.Name + "\n\n" + report.MarkdownTable(columns, all))
	}
	b.WriteString("\n")
	for _, l := range r.Lines() {
		b.WriteString("- " + report.MarkdownText(l) + "\n")
	}
	e := r.Results.Environment
	b.WriteString("- " + report.MarkdownText(fmt.Sprintf("%s/%s, %s, %s", e.OS, e.Arch, report.Plural(e.Cores, "core"), strings.TrimSpace(e.CPU+" PostgreSQL "+orUnknown(e.Postgres)))) + "\n")
	_, err := io.WriteString(w, b.String())
	return err
}

func orUnknown(s string) string {
	if s == "" {
		return "not asked"
	}
	return s
}
