package report

import (
	"fmt"
	"html/template"
	"math"
	"strconv"
	"strings"
)

// Charts are lists: a label, a drawing and the figures in words, so that they read
// without the drawing too. Drawings are SVG whose lengths are percentages: they
// take the width there is, and their text stays the size of the page's.

// Bar is one line of a bar chart.
type Bar struct {
	Label, Value string
	// Link is where the label leads, an anchor of the page; "" nowhere.
	Link string
	// Amount is the bar's length, in the unit of its chart.
	Amount float64
	// Class is its colour: heat0 to heat5, good, bad, or "" for the neutral one.
	Class string
}

// Bars draws bars of one unit, the longest over the whole width.
func Bars(bars []Bar) template.HTML {
	longest := 0.0
	for _, b := range bars {
		longest = max(longest, b.Amount)
	}
	lines := make([]chartLine, len(bars))
	for i, b := range bars {
		drawing := `<rect class="track" width="100%" height="12" y="4" rx="2"/>`
		if longest > 0 && b.Amount > 0 {
			// A bar that is there is seen.
			drawing += fmt.Sprintf(`<rect class="bar %s" width="%s" height="12" y="4" rx="2"/>`,
				template.HTMLEscapeString(b.Class), percent(max(b.Amount/longest, 0.004)))
		}
		lines[i] = chartLine{b.Label, b.Link, b.Value, template.HTML(drawing)}
	}
	return chart(lines, "")
}

// Pair is one line of a chart of pairs: two values on one axis.
type Pair struct {
	Label, Value, Link string
	// From is drawn hollow, To filled, with a line between.
	From, To float64
	Class    string
}

// Pairs draws pairs on a logarithmic axis, labelled with its unit. What is under 1
// stands at its left end.
func Pairs(pairs []Pair, unit string) template.HTML {
	top := 10.0
	for _, p := range pairs {
		top = max(top, p.From, p.To)
	}
	a := logAxis(top)
	lines := make([]chartLine, len(pairs))
	for i, p := range pairs {
		class := template.HTMLEscapeString(p.Class)
		from, to := percent(a.at(p.From)), percent(a.at(p.To))
		lines[i] = chartLine{p.Label, p.Link, p.Value, template.HTML(a.grid(chartHeight) +
			fmt.Sprintf(`<line class="span %s" x1="%s" x2="%s" y1="10" y2="10"/><circle class="from" cx="%s" cy="10" r="4.5"/><circle class="to %s" cx="%s" cy="10" r="4.5"/>`,
				class, from, to, from, class, to))}
	}
	return chart(lines, a.labels(unit))
}

// chartHeight is that of a line's drawing, in pixels.
const chartHeight = 20

// axis is a logarithmic one from 1 to ten to the power of decades.
type axis struct{ decades int }

func logAxis(top float64) axis { return axis{max(1, int(math.Ceil(math.Log10(top)-1e-9)))} }

// at is where a value stands, from 0 to 1; a margin leaves room for its mark.
func (a axis) at(v float64) float64 {
	const margin = 0.02
	x := 0.0
	if v > 1 {
		x = min(1, math.Log10(v)/float64(a.decades))
	}
	return margin + x*(1-2*margin)
}

// grid is a line at each power of ten, from the top down.
func (a axis) grid(height int) string {
	var b strings.Builder
	for d := 0; d <= a.decades; d++ {
		x := percent(a.at(math.Pow10(d)))
		fmt.Fprintf(&b, `<line class="grid" x1="%s" x2="%s" y1="0" y2="%d"/>`, x, x, height)
	}
	return b.String()
}

// labels are the figures under the lines of the grid: at most five of them, for a
// narrow page.
func (a axis) labels(unit string) template.HTML {
	step := (a.decades + 3) / 4
	var b strings.Builder
	b.WriteString(a.grid(4))
	for d := 0; d <= a.decades; d += step {
		anchor, text := "middle", Short(math.Pow10(d))
		switch d {
		case 0:
			anchor, text = "start", "≤1"
		case a.decades:
			anchor = "end"
		}
		fmt.Fprintf(&b, `<text x="%s" y="17" text-anchor="%s">%s</text>`, percent(a.at(math.Pow10(d))), anchor, text)
	}
	return template.HTML(fmt.Sprintf(
		`<li class="axis" aria-hidden="true"><span class="label"></span><span class="value">%s</span><svg height="20">%s</svg></li>`,
		template.HTMLEscapeString(unit), b.String()))
}

type chartLine struct {
	label, link, value string
	drawing            template.HTML
}

func chart(lines []chartLine, foot template.HTML) template.HTML {
	var b strings.Builder
	b.WriteString(`<ul class="chart">`)
	for _, l := range lines {
		label := template.HTMLEscapeString(Printable(l.label))
		if l.link != "" {
			label = fmt.Sprintf(`<a href="%s">%s</a>`, template.HTMLEscapeString(l.link), label)
		}
		fmt.Fprintf(&b, `<li><span class="label">%s</span><span class="value">%s</span><svg height="20" aria-hidden="true">%s</svg></li>`,
			label, template.HTMLEscapeString(Printable(l.value)), l.drawing)
	}
	b.WriteString(string(foot) + `</ul>`)
	return template.HTML(b.String())
}

// percent writes a share as a length of SVG.
func percent(share float64) string { return strconv.FormatFloat(share*100, 'f', 2, 64) + "%" }

// Heat is the class of a share of the whole: heat0, next to nothing, to heat5, half
// and more.
func Heat(share float64) string {
	for i, from := range []float64{0.5, 0.3, 0.15, 0.05, 0.01} {
		if share >= from {
			return "heat" + strconv.Itoa(5-i)
		}
	}
	return "heat0"
}
