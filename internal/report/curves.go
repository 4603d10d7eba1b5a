package report

import (
	"fmt"
	"html/template"
	"math"
	"strings"
)

// Curves draws values over numbers: a histogram, a quantile function, rounds one after
// the other. Lines are drawn in a box of no fixed width, so that the page decides on it,
// dots and texts beside it.
type Curves struct {
	// Name says what is drawn.
	Name   string
	X, Y   Axis
	Series []Curve
	// Limits are levels of Y, Bands parts of it, drawn behind; Marks are places on X.
	Limits []Limit
	Bands  []Band
	Marks  []Place
	// Summary says in words what is seen, for who does not.
	Summary string
}

// Curve is one line, or one set of dots.
type Curve struct {
	Name string
	// Class is its colour: series1 to series5, or rest.
	Class  string
	Points [][2]float64 // x ascending
	// Step holds a value until the next one's x, as a histogram does; Filled fills what
	// is under the line; Dots draws points and no line.
	Step, Filled, Dots bool
}

// Place is a place on the horizontal axis that means something; a Name of "" is a line alone.
type Place struct {
	At   float64
	Name string
}

// Axis is one axis of Curves.
type Axis struct {
	Low, High float64
	// Log makes it logarithmic; Low is over 0 then.
	Log bool
	// Ticks are its figures; none leaves them to Low and High, which round numbers then
	// enclose.
	Ticks []Tick
	// Format writes a figure where there are no ticks.
	Format func(float64) string
}

// Tick is one figure of an axis.
type Tick struct {
	At   float64
	Text string
}

// laid has ticks, of which the outer ones enclose what there is.
func (a Axis) laid(n int) Axis {
	if a.Log {
		a.Low = max(a.Low, 1e-9)
		a.High = max(a.High, a.Low*1.01)
	}
	if a.Ticks != nil {
		return a
	}
	at := ticks(a.Low, a.High, n)
	if a.Log {
		at = logTicks(a.Low, a.High)
	}
	a.Low, a.High = min(a.Low, at[0]), max(a.High, at[len(at)-1])
	for _, v := range at {
		a.Ticks = append(a.Ticks, Tick{v, a.Format(v)})
	}
	return a
}

// share is where a value stands, from 0 to 1.
func (a *Axis) share(v float64) float64 {
	x := (v - a.Low) / (a.High - a.Low)
	if a.Log {
		x = math.Log(max(v, a.Low)/a.Low) / math.Log(a.High/a.Low)
	}
	if math.IsNaN(x) {
		return 0
	}
	return min(max(x, 0), 1)
}

// HTML is the drawing, with a legend where there are several series.
func (c *Curves) HTML() template.HTML {
	x, y := c.X.laid(6), c.Y.laid(4)
	pixel := func(v float64) float64 { return plotHead + (1-y.share(v))*(plotHeight-plotHead-1) }
	var b strings.Builder
	fmt.Fprintf(&b, `<div class="plot-box"><h4>%s</h4><div class="plot"><svg class="y" width="62" height="%d" aria-hidden="true">`, escape(c.Name), plotHeight)
	for _, t := range y.Ticks {
		fmt.Fprintf(&b, `<text x="56" y="%.1f" text-anchor="end">%s</text>`, pixel(t.At)+4, escape(t.Text))
	}
	label := c.Name
	if c.Summary != "" {
		label += ": " + c.Summary
	}
	fmt.Fprintf(&b, `</svg><svg class="area" height="%d" role="img" aria-label="%s">`, plotHeight, escape(label))
	for _, band := range c.Bands {
		top, bottom := pixel(band.To), pixel(band.From)
		fmt.Fprintf(&b, `<rect class="zone %s" x="0" width="100%%" y="%.1f" height="%.1f"/>`, template.HTMLEscapeString(band.Class), top, max(bottom-top, 0))
	}
	for _, t := range y.Ticks {
		fmt.Fprintf(&b, `<line class="grid" x1="0" x2="100%%" y1="%[1]s" y2="%[1]s"/>`, coordinate(pixel(t.At)))
	}
	named := -1.0
	for _, m := range c.Marks {
		at := x.share(m.At)
		if m.Name != "" && at-named < 0.1 {
			m.Name = "" // it would stand on the one before
		} else if m.Name != "" {
			named = at
		}
		anchor, dx := "start", 4
		if at > 0.7 {
			anchor, dx = "end", -4
		}
		fmt.Fprintf(&b, `<line class="moment" x1="%[1]s" x2="%[1]s" y1="0" y2="%[2]d"/><text class="moment-name" x="%[1]s" dx="%[3]d" y="9" text-anchor="%[4]s">%[5]s</text>`,
			percent(at), plotHeight, dx, anchor, escape(m.Name))
	}
	fmt.Fprintf(&b, `<svg y="%d" width="100%%" height="%d" viewBox="0 0 1000 1000" preserveAspectRatio="none">%s</svg>`, plotHead, plotHeight-plotHead-1, c.lines(&x, &y))
	for _, s := range c.Series {
		if !s.Dots {
			continue
		}
		for _, p := range s.Points {
			fmt.Fprintf(&b, `<circle class="dot %s" cx="%s" cy="%s" r="3.5"/>`, template.HTMLEscapeString(s.Class), percent(x.share(p[0])), coordinate(pixel(p[1])))
		}
	}
	for _, l := range c.Limits {
		at, text := pixel(l.At), -4.0
		if at < plotHead+16 {
			text = 13
		}
		fmt.Fprintf(&b, `<line class="limit" x1="0" x2="100%%" y1="%[1]s" y2="%[1]s"/><text class="limit-name" x="4" y="%[2]s">%[3]s</text>`, coordinate(at), coordinate(at+text), escape(l.Name))
	}
	b.WriteString(`</svg><svg class="x" height="20" aria-hidden="true">`)
	for i, t := range x.Ticks {
		at, anchor, class := x.share(t.At), "middle", ""
		switch {
		case at < 0.04:
			anchor = "start"
		case at > 0.96:
			anchor = "end"
		}
		if i%2 == 1 {
			class = ` class="odd"`
		}
		fmt.Fprintf(&b, `<line class="grid" x1="%[1]s" x2="%[1]s" y1="0" y2="4"/><text%[2]s x="%[1]s" y="16" text-anchor="%[3]s">%[4]s</text>`, percent(at), class, anchor, escape(t.Text))
	}
	b.WriteString(`</svg></div>` + c.legend() + `</div>`)
	return template.HTML(b.String())
}

// lines is what is inside of the box: 1000 wide and high, from its upper left.
func (c *Curves) lines(x, y *Axis) string {
	var fills, lines strings.Builder
	for _, s := range c.Series {
		if s.Dots || len(s.Points) == 0 {
			continue
		}
		var d strings.Builder
		for i, p := range s.Points {
			px, py := coordinate(1000*x.share(p[0])), coordinate(1000*(1-y.share(p[1])))
			switch {
			case i == 0:
				fmt.Fprintf(&d, "M%s %s", px, py)
			case s.Step:
				fmt.Fprintf(&d, "H%sV%s", px, py)
			default:
				fmt.Fprintf(&d, "L%s %s", px, py)
			}
		}
		class := template.HTMLEscapeString(s.Class)
		if s.Filled {
			first, last := s.Points[0], s.Points[len(s.Points)-1]
			fmt.Fprintf(&fills, `<path class="under %s" d="%sL%s 1000L%s 1000Z"/>`, class, d.String(), coordinate(1000*x.share(last[0])), coordinate(1000*x.share(first[0])))
		}
		fmt.Fprintf(&lines, `<path class="line %s" d="%s"/>`, class, d.String())
	}
	return fills.String() + lines.String()
}

func (c *Curves) legend() string {
	if len(c.Series) < 2 {
		return ""
	}
	var b strings.Builder
	b.WriteString(`<ul class="plot-legend always" aria-hidden="true">`)
	for _, s := range c.Series {
		fmt.Fprintf(&b, `<li><svg width="10" height="10"><rect class="swatch %s" width="10" height="10" rx="2"/></svg> %s</li>`, template.HTMLEscapeString(s.Class), escape(Shorten(s.Name, 48)))
	}
	return b.String() + `</ul>`
}
