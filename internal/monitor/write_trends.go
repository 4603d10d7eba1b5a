package monitor

import (
	"fmt"
	"io"
	"time"

	"github.com/planvet/planvet/internal/report"
)

// TrendsJSON writes trends as a machine format.
func TrendsJSON(w io.Writer, t *Trends) error { return report.WriteJSON(w, t) }

var trendColumns = []report.Column{
	{Title: "before", Right: true}, {Title: "after", Right: true}, {Title: "ratio", Right: true}, {Title: "costs a day", Right: true},
	{Title: "since"}, {Title: "course"}, {Title: "statement"},
}

func (t *Trend) cells() []string {
	cost := report.MS(t.CostPerDay)
	if t.CostPerDay < 0 {
		cost = "-" + report.MS(-t.CostPerDay)
	}
	return []string{
		report.MS(t.Before), report.MS(t.After), report.Times(t.Ratio), cost, t.At.UTC().Format("2006-01-02 15:04"), sparkline(t.Points), t.SQL,
	}
}

// sparkline draws the means of at most twenty intervals.
func sparkline(points []Point) string {
	points = points[max(len(points)-20, 0):]
	means := make([]float64, len(points))
	for i, p := range points {
		means[i] = p.MeanMS
	}
	return report.Sparkline(means, len(means))
}

func (t *Trends) headline() string {
	return fmt.Sprintf("%s from %s to %s UTC: %d of %s changed", report.Plural(t.Readings, "reading"),
		t.From.UTC().Format(time.DateTime), t.To.UTC().Format(time.DateTime), len(t.Changed), report.Plural(t.Statements, "statement"))
}

// TrendsText writes trends for a terminal, the most costly change first.
func TrendsText(w io.Writer, t *Trends, o report.TextOptions) error {
	p := report.NewPrinter(w, o)
	p.Paint(report.Bold, t.headline())
	p.Printf("\n")
	if len(t.Changed) > 0 {
		var rows [][]string
		for i := range t.Changed {
			rows = append(rows, t.Changed[i].cells())
		}
		p.Printf("\n")
		p.Table("", report.Width(w), trendColumns, rows)
	}
	return p.Err()
}

// TrendsMarkdown writes them for a document.
func TrendsMarkdown(w io.Writer, t *Trends) error {
	var rows [][]string
	for i := range t.Changed {
		cells := t.Changed[i].cells()
		last := len(cells) - 1
		for k := range cells[:last] {
			cells[k] = report.MarkdownText(cells[k])
		}
		cells[last] = report.MarkdownCode(report.Shorten(cells[last], 200))
		rows = append(rows, cells)
	}
	text := "### " + report.MarkdownText(t.headline()) + "\n"
	if len(rows) > 0 {
		text += "\n" + report.MarkdownTable(trendColumns, rows)
	}
	_, err := io.WriteString(w, text)
	return err
}
