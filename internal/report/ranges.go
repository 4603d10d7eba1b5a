package report

import (
	"fmt"
	"html/template"
	"math"
	"strings"
)

// Range is one line of a chart of values with their intervals.
type Range struct {
	Label, Value, Link string
	Points             []Point
	// Ticks are bounds of the line's own: a target, a threshold.
	Ticks []float64
}

// Point is a value with its confidence interval.
type Point struct {
	At, Low, High float64
	// Class is its colour: series1 to series5, good, warn, bad; with hollow, its shape.
	Class string
}

// Scale is the axis of a chart of ranges.
type Scale struct {
	// Log makes it logarithmic; values are over 0 then.
	Log bool
	// Low and High are what it reaches at least; a High of 0 leaves it to the values.
	Low, High float64
	// Format writes a figure of the axis, Unit what they are.
	Format func(float64) string
	Unit   string
	// Bands are parts of it that mean something, drawn behind.
	Bands []Band
}

// Band is a part of a scale: good, warn, bad.
type Band struct {
	From, To float64
	Class    string
}

// Ranges draws values with whiskers on one axis. Values over the axis stand at its end.
func Ranges(lines []Range, s Scale) template.HTML {
	at := s.ticks(lines)
	x := func(v float64) string { return percent(s.share(v, at)) }
	var grid strings.Builder
	for _, b := range s.Bands {
		from, to := s.share(b.From, at), s.share(b.To, at)
		fmt.Fprintf(&grid, `<rect class="zone %s" x="%s" width="%s" height="%d"/>`, template.HTMLEscapeString(b.Class), percent(from), percent(to-from), chartHeight)
	}
	for _, v := range at {
		fmt.Fprintf(&grid, `<line class="grid" x1="%[1]s" x2="%[1]s" y1="0" y2="%[2]d"/>`, x(v), chartHeight)
	}
	out := make([]chartLine, len(lines))
	for i, l := range lines {
		var b strings.Builder
		b.WriteString(grid.String())
		for _, v := range l.Ticks {
			fmt.Fprintf(&b, `<line class="bound" x1="%[1]s" x2="%[1]s" y1="2" y2="18"/>`, x(v))
		}
		for _, p := range l.Points {
			class := template.HTMLEscapeString(p.Class)
			if p.High > p.Low {
				fmt.Fprintf(&b, `<line class="whisker %s" x1="%s" x2="%s" y1="10" y2="10"/>`, class, x(p.Low), x(p.High))
			}
			fmt.Fprintf(&b, `<circle class="dot %s" cx="%s" cy="10" r="4.5"/>`, class, x(p.At))
		}
		out[i] = chartLine{l.Label, l.Link, l.Value, template.HTML(b.String())}
	}
	return chart(out, s.axis(at))
}

// ticks are the figures of the axis, from its lower end to its upper.
func (s *Scale) ticks(lines []Range) []float64 {
	low, high := s.Low, s.High
	for _, l := range lines {
		for _, p := range l.Points {
			if s.High == 0 {
				high = max(high, p.At, p.High)
			}
			if s.Log && p.At > 0 && (low == 0 || p.At < low) {
				low = p.At
			}
			if s.Log && p.Low > 0 {
				low = min(low, p.Low)
			}
		}
		if s.High == 0 {
			for _, v := range l.Ticks {
				high = max(high, v)
			}
		}
	}
	if !s.Log {
		return ticks(low, high, 5)
	}
	if low <= 0 {
		low = 1
	}
	return logTicks(low, max(high, low*1.01))
}

// share is where a value stands; a margin leaves room for its mark.
func (s *Scale) share(v float64, at []float64) float64 {
	const margin = 0.02
	low, high := at[0], at[len(at)-1]
	x := (v - low) / (high - low)
	if s.Log {
		x = math.Log(max(v, low)/low) / math.Log(high/low)
	}
	return margin + min(max(x, 0), 1)*(1-2*margin)
}

func (s *Scale) axis(at []float64) template.HTML {
	every := (len(at) + 5) / 6
	var b strings.Builder
	for i, v := range at {
		x := percent(s.share(v, at))
		fmt.Fprintf(&b, `<line class="grid" x1="%[1]s" x2="%[1]s" y1="0" y2="4"/>`, x)
		if i%every != 0 {
			continue
		}
		anchor, class := "middle", ""
		if i/every%2 == 1 {
			class = ` class="odd"`
		}
		switch i {
		case 0:
			anchor = "start"
		case len(at) - 1:
			anchor = "end"
		}
		fmt.Fprintf(&b, `<text%s x="%s" y="17" text-anchor="%s">%s</text>`, class, x, anchor, escape(s.Format(v)))
	}
	return template.HTML(fmt.Sprintf(`<li class="axis" aria-hidden="true"><span class="label"></span><span class="value">%s</span><svg height="20">%s</svg></li>`,
		template.HTMLEscapeString(s.Unit), b.String()))
}
