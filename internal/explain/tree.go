package explain

import (
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/planvet/planvet/internal/report"
)

// treeWriter draws a plan: a line a step with guides, the figures in columns at the right,
// what belongs to the step dimmed below it.
type treeWriter struct {
	*text
	analyzed bool
	title    int // columns of guides and titles
	rows     int // columns of row figures
	margin   int // columns of step numbers, at the left
	// narrow puts the figures below the title.
	narrow bool
}

const (
	meterCells = 6
	// fixedCells are those between title and rows: meter, share and blanks.
	fixedCells  = meterCells + 1 + 6 + 2
	loopsCells  = 8
	blocksCells = 8
	// leastTitle is the room without which titles are no pleasure.
	leastTitle = 32
)

func (t *text) plan(p *Plan) {
	if p.Root == nil {
		return
	}
	t.heading("plan", planLine(p))
	t.tree(p)
}

func (t *text) tree(p *Plan) {
	d := &treeWriter{text: t, analyzed: p.Analyzed, rows: len("rows")}
	for _, s := range stepList(p) {
		d.rows = max(d.rows, report.Cells(rowsLine(s, p.Analyzed)))
		d.margin = max(d.margin, len(strconv.Itoa(s.ID)))
	}
	d.margin += 3
	fixed := fixedCells
	if p.Analyzed {
		fixed += loopsCells + blocksCells
	}
	d.title = t.width - d.margin - fixed - d.rows
	if d.narrow = d.title < leastTitle; d.narrow {
		d.title = t.width - d.margin - fixedCells
	}
	d.head(shareOf(p))
	d.step(p.Root, "", "")
}

func (d *treeWriter) head(of string) {
	rows, more := "rows", ""
	if d.narrow {
		rows = ""
	} else if d.analyzed {
		rows, more = report.PadLeft("est → act", d.rows), report.PadLeft("loops", loopsCells)+report.PadLeft("blocks", blocksCells)
	}
	d.Paint(report.Dim, strings.Repeat(" ", d.margin+d.title)+report.PadLeft("own "+of, meterCells+1+6)+strings.TrimRight("  "+report.PadLeft(rows, d.rows)+more, " "))
	d.Printf("\n")
}

// step draws one: branch leads to it from its parent, trunk goes on below it.
func (d *treeWriter) step(s *Step, branch, trunk string) {
	room := max(d.title-1-report.Cells(branch), 16)
	marks := ""
	for _, id := range s.Findings {
		marks += fmt.Sprintf(" [%d]", id)
	}
	title := report.Wrap(stepTitle(s)+marks, room)
	style := shareStyle(s)
	d.Paint(report.Dim, report.PadLeft(strconv.Itoa(s.ID), d.margin-2)+"  ")
	d.Printf("%s", branch)
	d.Paint(titleStyle(s, style), title[0])
	d.Printf("%s", strings.Repeat(" ", max(0, d.title-report.Cells(branch)-report.Cells(title[0]))))
	d.Paint(style, report.Meter(s.Share, meterCells))
	d.Printf(" ")
	d.Paint(style, report.PadLeft(report.Percent(s.Share), 6))
	if !d.narrow {
		d.figures(s)
	}
	d.Printf("\n")

	guide := trunk + "  "
	if len(s.Children) > 0 {
		guide = trunk + "│ "
	}
	under := func(style report.Style, s string) {
		// What is long goes on over the figures' columns.
		for _, l := range report.Wrap(s, max(d.width-d.margin-1-report.Cells(guide), 24)) {
			d.Printf("%s%s", strings.Repeat(" ", d.margin), guide)
			d.Paint(style, " "+l)
			d.Printf("\n")
		}
	}
	for _, l := range title[1:] {
		under(titleStyle(s, style), l)
	}
	if d.narrow {
		under(report.Plain, figuresText(s, d.analyzed))
	}
	for _, c := range s.Conditions {
		under(report.Dim, c.Kind+": "+c.Text)
	}
	if s.Removed > 0 {
		under(report.Dim, report.Short(s.Removed)+" rows read and thrown away")
	}
	for _, l := range stepDetails(s) {
		under(report.Dim, l)
	}
	for i, c := range s.Children {
		if i == len(s.Children)-1 {
			d.step(c, trunk+"└─ ", trunk+"   ")
		} else {
			d.step(c, trunk+"├─ ", trunk+"│  ")
		}
	}
}

func (d *treeWriter) figures(s *Step) {
	rows := report.PadLeft(rowsLine(s, d.analyzed), d.rows)
	d.Printf("  ")
	switch misestimated(s) {
	case "bad":
		d.Paint(report.Red, rows)
	case "warn":
		d.Paint(report.Yellow, rows)
	default:
		d.Paint(report.Plain, rows)
	}
	if !d.analyzed {
		return
	}
	loops := ""
	if s.Never {
		loops = "never"
	} else if s.Loops > 1 {
		loops = report.Short(s.Loops)
	}
	d.Printf("%s%s", report.PadLeft(loops, loopsCells), report.PadLeft(report.Short(float64(s.SelfBlocks)), blocksCells))
}

// figuresText is what the columns say, as a text.
func figuresText(s *Step, analyzed bool) string {
	out := []string{arrow(s, analyzed) + " rows"}
	if f := factorText(s); f != "" && analyzed && !s.Never {
		out = append(out, f)
	}
	switch {
	case s.Never:
		out = append(out, "never run")
	case s.Loops > 1:
		out = append(out, report.Short(s.Loops)+" loops")
	}
	if s.SelfBlocks > 0 {
		out = append(out, report.Short(float64(s.SelfBlocks))+" blocks")
	}
	return strings.Join(out, ", ")
}

// shareStyle colours a step by its part of the plan.
func shareStyle(s *Step) report.Style {
	switch {
	case s.Never:
		return report.Dim
	case s.Share >= 0.3:
		return report.Red
	case s.Share >= 0.1:
		return report.Yellow
	}
	return report.Plain
}

func titleStyle(s *Step, style report.Style) report.Style {
	if style == report.Plain {
		return report.Bold
	}
	return style
}

// treeText writes the tree of one plan alone, without colour.
func treeText(w io.Writer, p *Plan, width int) error {
	t := &text{Printer: report.NewPrinter(w, report.TextOptions{}), width: width}
	t.tree(p)
	return t.Err()
}
