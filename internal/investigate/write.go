package investigate

import (
	"fmt"
	"html/template"
	"io"
	"strings"

	"github.com/planvet/planvet/internal/audit"
	"github.com/planvet/planvet/internal/explain"
	"github.com/planvet/planvet/internal/report"
)

// JSON writes the report as a machine format.
func JSON(w io.Writer, r *Report) error { return report.WriteJSON(w, r) }

// stepNames are the steps as people call them.
var stepNames = map[string]string{Baseline: "Baseline", Explain: "EXPLAIN", Plan: "Plan", RLS: "RLS overhead", Fixes: "Fixes"}

// Text writes the five steps, what the database did, and the report of each statement.
func Text(w io.Writer, r *Report, o report.TextOptions) error {
	t := report.NewPrinter(w, o)
	t.Paint(report.Bold, "investigation "+r.CorrelationID)
	t.Printf(" %s\n\n", t.Styled(report.Dim, report.Shorten(strings.Join(strings.Fields(r.Subject), " "), 80)))
	for _, s := range r.Steps {
		t.Printf("%d ", s.Number)
		t.Paint(report.Bold, report.Pad(stepNames[s.Name], 14))
		style := report.Plain
		if s.Status == Skipped {
			style = report.Dim
		}
		for i, line := range report.Wrap(s.Summary, report.Width(w)-16) {
			if i > 0 {
				t.Printf("\n%16s", "")
			}
			t.Paint(style, line)
		}
		t.Printf("\n")
	}
	if r.Endpoint != nil && len(r.Statements) > 0 {
		t.Printf("\n")
		t.Table("", report.Width(w), statementColumns, r.statementRows())
	}
	if t.Err() != nil {
		return t.Err()
	}
	for _, q := range r.Queries {
		if _, err := io.WriteString(w, "\n"); err != nil {
			return err
		}
		if err := explain.Text(w, q, o); err != nil {
			return err
		}
	}
	return nil
}

var statementColumns = []report.Column{
	{Title: "total", Right: true}, {Title: "calls", Right: true}, {Title: "calls/request", Right: true}, {Title: "mean", Right: true}, {Title: "rows/call", Right: true}, {Title: "statement"},
}

func (r *Report) statementRows() [][]string {
	var out [][]string
	for _, q := range r.Statements {
		out = append(out, []string{
			report.MS(q.ExecMS), report.Short(float64(q.Calls)), report.Short(float64(q.Calls) / float64(max(r.Endpoint.Requests, 1))),
			report.MS(q.MeanMS), report.Short(q.RowsPerCall), q.SQL,
		})
	}
	return out
}

// Markdown writes the same for a comment or a document.
func Markdown(w io.Writer, r *Report) error {
	var b strings.Builder
	fmt.Fprintf(&b, "### Investigation %s\n\n%s\n\n", report.MarkdownText(r.CorrelationID), report.MarkdownCode(report.Shorten(r.Subject, 200)))
	for _, s := range r.Steps {
		fmt.Fprintf(&b, "%d. **%s**: %s\n", s.Number, stepNames[s.Name], report.MarkdownText(s.Summary))
	}
	if r.Endpoint != nil && len(r.Statements) > 0 {
		rows := r.statementRows()
		for _, row := range rows {
			last := len(row) - 1
			for k := range row[:last] {
				row[k] = report.MarkdownText(row[k])
			}
			row[last] = report.MarkdownCode(report.Shorten(row[last], 200))
		}
		b.WriteString("\n" + report.MarkdownTable(statementColumns, rows))
	}
	b.WriteString("\n")
	if _, err := io.WriteString(w, b.String()); err != nil {
		return err
	}
	for _, q := range r.Queries {
		if err := explain.Markdown(w, q); err != nil {
			return err
		}
	}
	return nil
}

var head = template.Must(template.New("head").Parse(`<section class="investigation"><h2>Investigation {{.CorrelationID}}</h2>
<ol>{{range .Steps}}<li><strong>{{index $.Names .Name}}</strong>: {{.Summary}}</li>
{{end}}</ol></section>
`))

// HTML writes one page: the steps, then the first statement drawn as planvet explain
// draws it, and the others as text.
func HTML(w io.Writer, r *Report) error {
	var b strings.Builder
	if err := head.Execute(&b, map[string]any{"CorrelationID": r.CorrelationID, "Steps": r.Steps, "Names": stepNames}); err != nil {
		return err
	}
	page := &report.Page{Title: "planvet investigate: " + r.CorrelationID}
	for i, q := range r.Queries {
		if i == 0 {
			drawn, err := explain.Draw(q)
			if err != nil {
				return err
			}
			page.Style, page.Script = drawn.Style, drawn.Script
			b.WriteString(string(drawn.Body))
			continue
		}
		var text strings.Builder
		if err := explain.Text(&text, q, report.TextOptions{}); err != nil {
			return err
		}
		b.WriteString("<section><pre>" + template.HTMLEscapeString(text.String()) + "</pre></section>\n")
	}
	page.Body = template.HTML(b.String())
	return report.WritePage(w, page)
}

// Events are the investigation for an audit log: its steps, and the findings and
// proposals that they rest on.
func (r *Report) Events() []audit.Event {
	var out []audit.Event
	for _, s := range r.Steps {
		e := audit.Event{Kind: "step", Subject: s.Name, Verdict: s.Status}
		if s.Name == Baseline && r.Endpoint != nil {
			e.Metric, e.Value = "p50_ms", &r.Endpoint.P50
		} else if s.Name == Baseline && len(r.Queries) > 0 && r.Queries[0].Timing != nil {
			e.Metric, e.Value = "execution_ms", &r.Queries[0].Timing.Warm.ExecutionMS
		}
		out = append(out, e)
	}
	for _, q := range r.Queries {
		out = append(out, q.Events()...)
	}
	return out
}
