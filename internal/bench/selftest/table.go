package selftest

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/planvet/planvet/internal/bench/gate"
	"github.com/planvet/planvet/internal/report"
)

// headings of the table.
var headings = []report.Column{
	{Title: "B is"}, {Title: "noise"}, {Title: "case"}, {Title: "gates", Right: true}, {Title: "fail", Right: true}, {Title: "at 95 %", Right: true},
	{Title: "pass", Right: true}, {Title: "inconclusive", Right: true}, {Title: "rounds", Right: true}, {Title: "stored p95 fails", Right: true}, {Title: "labels"}, {Title: ""},
}

// cells of a row. The bound is the upper one where gates must not fail, and the lower
// where they must.
func (r *Row) cells() []string {
	share := func(n int) string { return fmt.Sprintf("%.1f %%", 100*float64(n)/float64(r.Gates)) }
	bound := fmt.Sprintf("≤ %.1f %%", 100*r.High)
	if scenario(r.Scenario).Least > 0 {
		bound = fmt.Sprintf("≥ %.1f %%", 100*r.Low)
	}
	stored := ""
	if r.Scenario == Scenarios[0].Name {
		stored = share(r.Stored)
	}
	var labels []string
	for _, l := range slices.Sorted(maps.Keys(r.Labels)) {
		labels = append(labels, fmt.Sprintf("%s %s", l, share(r.Labels[l])))
	}
	note := r.Broken
	if note == "" && r.small() {
		note = "under 0.2 ms"
	}
	return []string{r.Scenario, r.Noise, r.Case, fmt.Sprint(r.Gates), share(r.Verdicts[gate.Fail]), bound, share(r.Verdicts[gate.Pass]), share(r.Verdicts[gate.Inconclusive]),
		fmt.Sprintf("%.0f", float64(r.Rounds)/float64(r.Gates)), stored, strings.Join(labels, ", "), note}
}

// Text writes the table for people.
func Text(w io.Writer, rows []*Row) error {
	var titles []string
	for _, h := range headings {
		titles = append(titles, h.Title)
	}
	var cells [][]string
	for _, r := range rows {
		cells = append(cells, r.cells())
	}
	return report.Table(w, titles, cells)
}

// Markdown writes the table for documents.
func Markdown(w io.Writer, rows []*Row) error {
	var cells [][]string
	for _, r := range rows {
		cells = append(cells, r.cells())
	}
	_, err := io.WriteString(w, report.MarkdownTable(headings, cells))
	return err
}

// Summary is one line: what holds and what does not, and how often each rule fails where
// nothing changed.
func Summary(rows []*Row) string {
	var gates, fails, stored, broken int
	for _, r := range rows {
		if r.Scenario == Scenarios[0].Name && r.Noise == All {
			gates, fails, stored = gates+r.Gates, fails+r.Verdicts[gate.Fail], stored+r.Stored
		}
		if r.Broken != "" {
			broken++
		}
	}
	s := "everything holds"
	if broken > 0 {
		s = fmt.Sprintf("%d of %d rows do not hold", broken, len(rows))
	}
	if gates > 0 {
		_, high := bounds(gates, fails)
		s += fmt.Sprintf("; where nothing changed %d of %d fail (at 95 %% at most %.1f %%), by a stored p95 of %d requests and +10 %% %d (%.1f %%)",
			fails, gates, 100*high, storedRequests, stored, 100*float64(stored)/float64(gates))
	}
	return s
}
