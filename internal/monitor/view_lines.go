package monitor

import (
	"bytes"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/planvet/planvet/internal/report"
)

const sparkCells = 12

const keysLine = "t total  m mean  c calls  i io  r rows  w wal  Tab next  q quit"

// Lines draws the view in so many columns and at most so many lines, at least one of
// each.
func (v *View) Lines(width, height int) []string {
	d := &drawing{width: max(width, 1)}
	d.t = report.NewPrinter(&d.b, report.TextOptions{Color: v.Color})
	v.head(d)
	d.line(report.Plain, "")
	v.statements(d, max(height-len(d.lines)-1, 0))
	lines := d.lines
	if height > len(lines) {
		d.line(report.Dim, keysLine)
		lines = d.lines
	}
	return lines[:min(len(lines), max(height, 1))]
}

// drawing gathers lines no wider than the terminal.
type drawing struct {
	width int
	lines []string
	b     bytes.Buffer
	t     *report.Printer
}

// line is cut before it is styled: a sequence cut in two would style the rest.
func (d *drawing) line(s report.Style, text string) {
	d.lines = append(d.lines, d.t.Styled(s, report.Shorten(report.Printable(text), d.width)))
}

// table adds the lines of a table, which is fitted to the width with its last column
// cut.
func (d *drawing) table(columns []report.Column, rows [][]string, limit int) {
	if limit < 1 {
		return
	}
	rows = rows[:min(len(rows), limit-1)]
	widths := make([]int, len(columns))
	for i, c := range columns {
		widths[i] = report.Cells(c.Title)
		for _, row := range rows {
			row[i] = report.Printable(strings.Join(strings.Fields(row[i]), " "))
			widths[i] = max(widths[i], report.Cells(row[i]))
		}
	}
	put := func(style report.Style, row []string) {
		var b strings.Builder
		for i, cell := range row {
			switch {
			case i == len(row)-1:
				b.WriteString(cell)
			case columns[i].Right:
				b.WriteString(report.PadLeft(cell, widths[i]) + "  ")
			default:
				b.WriteString(report.Pad(cell, widths[i]) + "  ")
			}
		}
		d.line(style, strings.TrimRight(b.String(), " "))
	}
	head := make([]string, len(columns))
	for i, c := range columns {
		head[i] = c.Title
	}
	put(report.Dim, head)
	for _, row := range rows {
		put(report.Plain, row)
	}
}

func (v *View) head(d *drawing) {
	if len(v.targets) == 1 && v.targets[0].name == "" {
		v.server(d, &v.targets[0])
		return
	}
	if len(v.targets) == 0 {
		d.line(report.Dim, "reading …")
		return
	}
	answered := 0
	var rows [][]string
	for i := range v.targets {
		t := &v.targets[i]
		if t.failed == "" {
			answered++
		}
		rows = append(rows, t.cells())
	}
	d.line(report.Bold, fmt.Sprintf("%d of %s answer, every %s, statements by %s", answered, report.Plural(len(v.targets), "server"), v.Interval, v.Sort))
	d.table(targetColumns, rows, len(rows)+1)
}

var targetColumns = []report.Column{
	{Title: "server"}, {Title: "calls/s", Right: true}, {Title: "running", Right: true}, {Title: "hit", Right: true}, {Title: "clients", Right: true},
	{Title: "waiting", Right: true}, {Title: "last intervals", Right: true}, {Title: "state"},
}

// cells are the summary of a target.
func (t *viewTarget) cells() []string {
	out := []string{t.name, "", "", "", "", "", report.Sparkline(t.load, sparkCells), t.state()}
	r := t.report
	if r == nil || t.failed != "" {
		return out
	}
	out[1], out[2] = r.perSecond(float64(r.Totals.Calls)), report.Figure(r.load())
	if r.Totals.HitRatio != nil {
		out[3] = report.Percent(*r.Totals.HitRatio)
	}
	if r.Connections != nil {
		out[4] = strconv.Itoa(r.Connections.Used)
	}
	if r.Locks != nil {
		out[5] = strconv.Itoa(r.Locks.Waiting())
	}
	return out
}

// perSecond is a count over the report's time.
func (r *Report) perSecond(n float64) string {
	d := r.To.Sub(r.From).Seconds()
	if r.From.IsZero() || d <= 0 {
		return ""
	}
	return report.Short(n / d)
}

// server is the head for one server.
func (v *View) server(d *drawing, t *viewTarget) {
	r := t.report
	if r == nil {
		d.line(report.Red, t.state())
		return
	}
	span := "since the counters were reset"
	if r.Interval {
		span = "in " + r.To.Sub(r.From).Round(time.Second/10).String()
	}
	d.line(report.Bold, fmt.Sprintf("%s, %s  %s UTC, every %s  by %s", r.Server.Where, r.Server.Name(), r.To.UTC().Format(time.TimeOnly), v.Interval, v.Sort))
	hit := ""
	if r.Totals.HitRatio != nil {
		hit = ", " + report.Percent(*r.Totals.HitRatio) + " of blocks in shared buffers"
	}
	d.line(report.Plain, fmt.Sprintf("%s: %s, %s, %s of execution, %s running on average%s  %s", span, report.Plural(r.Statements, "statement"),
		report.Plural(int(r.Totals.Calls), "call"), report.MS(r.Totals.ExecMS), report.Figure(r.load()), hit, strings.TrimLeft(report.Sparkline(t.load, trailLength), " ")))
	if c := r.Connections; c != nil {
		d.line(alarm(c.Saturated), fmt.Sprintf("connections: %s, %d idle in a transaction", c.Verdict, c.IdleInTransaction))
	}
	for i := range r.Pools {
		p := &r.Pools[i]
		d.line(alarm(p.Saturated), fmt.Sprintf("pool %s/%s: %d of %d at work, %d waiting; %s", p.Database, p.User, p.Active, p.Size, p.Waiting, p.Verdict))
	}
	if l := r.Locks; l != nil {
		text := fmt.Sprintf("locks: %s in a queue, %s", report.Plural(l.Waiting(), "session"), report.Plural(int(l.Deadlocks), "deadlock"))
		if len(l.Trees) > 0 {
			b := &l.Trees[0]
			text += fmt.Sprintf("; process %d holds up %d: %s", b.PID, b.Waiting, b.Query)
		}
		d.line(alarm(l.Waiting() > 0), text)
	}
	if s := t.state(); s != "" {
		style := report.Yellow
		if t.failed != "" {
			style = report.Red
		}
		d.line(style, s)
	}
}

// statements are as many rows as there is room for.
func (v *View) statements(d *drawing, limit int) {
	fleet := len(v.targets) > 1 || len(v.targets) == 1 && v.targets[0].name != ""
	columns := []report.Column{
		{Title: "#", Right: true}, {Title: "total", Right: true}, {Title: "%", Right: true}, {Title: "calls", Right: true}, {Title: "mean", Right: true},
		{Title: "rows/call", Right: true}, {Title: "hit", Right: true}, {Title: "last intervals", Right: true},
	}
	if c, ok := map[string]string{"io": "blocks", "rows": "rows", "temp": "temp", "wal": "WAL"}[v.Sort]; ok {
		columns = append(columns, report.Column{Title: c, Right: true})
	}
	if fleet {
		columns = append(columns, report.Column{Title: "server"})
	}
	columns = append(columns, report.Column{Title: "statement"})
	var rows [][]string
	for i, x := range v.rows[:min(len(v.rows), limit)] {
		q := x.query
		hit := ""
		if q.HitRatio != nil {
			hit = report.Percent(*q.HitRatio)
		}
		row := []string{strconv.Itoa(i + 1), report.MS(q.ExecMS), report.Percent(q.Share), report.Short(float64(q.Calls)), report.MS(q.MeanMS),
			report.Short(q.RowsPerCall), hit, report.Sparkline(v.trail(x), sparkCells)}
		switch v.Sort {
		case "io", "rows", "temp", "wal":
			row = append(row, report.Short(measureOf(q, v.Sort)))
		}
		if fleet {
			row = append(row, x.target.name)
		}
		text := q.SQL
		if len(q.Flags) > 0 {
			text = "[" + strings.Join(flagNames(q), " ") + "] " + text
		}
		rows = append(rows, append(row, text))
	}
	for _, drop := range narrowing {
		if d.width >= drop.under {
			continue
		}
		i := slices.IndexFunc(columns, func(c report.Column) bool { return c.Title == drop.title })
		columns = slices.Delete(columns, i, i+1)
		for k := range rows {
			rows[k] = slices.Delete(rows[k], i, i+1)
		}
	}
	d.table(columns, rows, limit)
}

// narrowing is what a terminal has no room for under so many columns, so that some of
// the statement is always seen.
var narrowing = []struct {
	under int
	title string
}{{90, "rows/call"}, {90, "hit"}, {70, "last intervals"}, {60, "%"}, {50, "mean"}}
