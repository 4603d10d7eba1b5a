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

func row(c *results.Case) []string {
	load := "closed, " + report.Plural(c.Clients, "client")
	if c.OfferedRPS != nil {
		load = "open, " + report.Round(report.Figure(*c.OfferedRPS)) + "/s"
	}
	return []string{
		c.Name, load, fmt.Sprint(c.Requests), fmt.Sprint(c.Errors.Count),
		quantile(c.Latency.P50), quantile(c.Latency.P95), quantile(c.Latency.P99), report.Figure(c.ThroughputRPS.Value) + "/s",
	}
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
	k := 0
	for _, s := range r.Results.Suites {
		for i := range s.Cases {
			c, n := &s.Cases[i], &r.Notes[k]
			k++
			if n.Invalid != "" {
				out = append(out, fmt.Sprintf("%s: invalid, %s", c.Name, n.Invalid))
			}
			if c.Errors.Count > 0 {
				var classes []string
				for _, class := range slices.Sorted(maps.Keys(c.Errors.ByClass)) {
					classes = append(classes, fmt.Sprintf("%s %d", class, c.Errors.ByClass[class]))
				}
				e := c.Errors.Rate
				out = append(out, fmt.Sprintf("%s: %s failed (95 %%: %s to %s), their latencies are left out: %s",
					c.Name, report.Percent(e.Value), report.Percent(e.Low), report.Percent(e.High), strings.Join(classes, ", ")))
			}
			if line := modes(c); line != "" {
				out = append(out, line)
			}
			if n.Dropped > 0 {
				out = append(out, fmt.Sprintf("%s: %s dropped", c.Name, report.Plural(n.Dropped, "arrival")))
			}
			if n.Partial {
				out = append(out, c.Name+": partial")
			}
			if lag := float64(n.Lag.Nanoseconds()) / 1e6; c.Latency.P95 != nil && lag > c.Latency.P95.Value/4 {
				out = append(out, fmt.Sprintf("%s: the generator itself was %s late at its p95: this machine is too busy for this rate", c.Name, report.MS(lag)))
			}
		}
	}
	return out
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
	return append(out, fmt.Sprintf("own overhead %s a request; correlation id %s", report.MS(float64(r.Overhead.Nanoseconds())/1e6), r.Results.CorrelationID))
}

// Text writes the report for people.
func Text(w io.Writer, r *Report, o report.TextOptions) error {
	t := report.NewPrinter(w, o)
	for _, s := range r.Results.Suites {
		if len(s.Cases) == 0 {
			continue
		}
		t.Paint(report.Bold, "suite "+s.Name)
		t.Printf("\n")
		var rows [][]string
		for i := range s.Cases {
			rows = append(rows, row(&s.Cases[i]))
		}
		t.Table("  ", 0, columns, rows)
		t.Printf("\n")
	}
	for _, l := range slices.Concat(r.lines(), r.foot()) {
		t.Printf("%s\n", report.Printable(l))
	}
	return t.Err()
}

// Markdown writes the report for a pull request.
func Markdown(w io.Writer, r *Report) error {
	var b strings.Builder
	b.WriteString("# Benchmark: " + r.verdict() + "\n")
	for _, s := range r.Results.Suites {
		if len(s.Cases) == 0 {
			continue
		}
		var rows [][]string
		for i := range s.Cases {
			cells := row(&s.Cases[i])
			for k := range cells {
				cells[k] = report.MarkdownText(cells[k])
			}
			rows = append(rows, cells)
		}
		b.WriteString("\n## Suite " + s.Name + "\n\n" + report.MarkdownTable(columns, rows))
	}
	b.WriteString("\n")
	for _, l := range slices.Concat(r.lines(), r.foot()) {
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

func (r *Report) verdict() string {
	switch {
	case !r.Valid():
		return "invalid"
	case r.Partial:
		return "partial"
	}
	return "measured"
}
