package report

import (
	"cmp"
	_ "embed"
	"fmt"
	"html/template"
	"slices"
	"strings"
	"time"
)

// PlotStyle is the style of plots and of charts of ranges, for a page that has some.
//
//go:embed plot.css
var PlotStyle string

// Plot draws figures over time. What was measured of an interval stands over its whole
// length, as a step; where nothing is known there is nothing. Steps are drawn in a box
// of no fixed width, so that the page decides on it, and texts beside it.
type Plot struct {
	// Name says what is drawn, with its unit.
	Name     string
	From, To time.Time
	// Format writes a value with its unit.
	Format func(float64) string
	Series []Series
	// Stacked piles series up, the first at the bottom; all have the same intervals.
	Stacked bool
	// Whole is set of counts: the axis has no figure between two.
	Whole bool
	// Bottom and Top are ends of the axis that hold whatever the values; a Top of 0
	// leaves it to them.
	Bottom, Top float64
	Limits      []Limit
	Marks       []Mark
}

// Series is one line of a plot.
type Series struct {
	Name string
	// Class is its colour: series1 to series5, or rest.
	Class string
	Spans []Span
}

// Span is a value of an interval. Low and High are nil where no band is known.
type Span struct {
	From, To  time.Time
	Value     float64
	Low, High *float64
}

// Limit is a level that means something: 90 %, max_connections.
type Limit struct {
	At   float64
	Name string
}

// Mark is a moment that explains a break: a reset, a restart.
type Mark struct {
	At   time.Time
	Name string
}

// Pixels of a plot: its height, and what is over the highest line for half a figure.
const (
	plotHeight = 172
	plotHead   = 10
)

// HTML is the plot, with a legend where there are several series.
func (p *Plot) HTML() template.HTML {
	at := p.levels()
	var b strings.Builder
	fmt.Fprintf(&b, `<div class="plot-box"><h3>%s</h3><div class="plot"><svg class="y" width="62" height="%d" aria-hidden="true">`, escape(p.Name), plotHeight)
	for _, v := range at {
		fmt.Fprintf(&b, `<text x="56" y="%.1f" text-anchor="end">%s</text>`, p.pixel(v, at)+4, escape(p.Format(v)))
	}
	fmt.Fprintf(&b, `</svg><svg class="area" height="%d" role="img" aria-label="%s">`, plotHeight, escape(p.summary()))
	for _, v := range at {
		y := p.pixel(v, at)
		fmt.Fprintf(&b, `<line class="grid" x1="0" x2="100%%" y1="%.1f" y2="%.1f"/>`, y, y)
	}
	fmt.Fprintf(&b, `<svg y="%d" width="100%%" height="%d" viewBox="0 0 1000 1000" preserveAspectRatio="none">%s</svg>`, plotHead, plotHeight-plotHead-1, p.drawing(at))
	for _, l := range p.Limits {
		if l.At > at[len(at)-1] {
			continue
		}
		y, text := p.pixel(l.At, at), -4.0
		if y < plotHead+16 { // marks have their names there
			text = 13
		}
		fmt.Fprintf(&b, `<line class="limit" x1="0" x2="100%%" y1="%.1f" y2="%.1f"/><text class="limit-name" x="4" y="%.1f">%s</text>`, y, y, y+text, escape(l.Name))
	}
	for _, m := range p.Marks {
		x := p.share(m.At)
		anchor, dx := "start", 4
		if x > 0.7 {
			anchor, dx = "end", -4
		}
		fmt.Fprintf(&b, `<line class="moment" x1="%[1]s" x2="%[1]s" y1="0" y2="%[2]d"/><text class="moment-name" x="%[1]s" dx="%[3]d" y="9" text-anchor="%[4]s">%[5]s</text>`,
			percent(x), plotHeight, dx, anchor, escape(m.Name))
	}
	b.WriteString(`</svg>` + p.ends(at) + p.timeAxis() + `</div>` + p.legend() + `</div>`)
	return template.HTML(b.String())
}

func escape(s string) string { return template.HTMLEscapeString(Printable(s)) }

// levels are the ticks of the value's axis, from its lower end to its upper.
func (p *Plot) levels() []float64 {
	top := p.Top
	if top == 0 {
		for i := range p.Series {
			for _, s := range p.stacked(i) {
				top = max(top, s.Value)
				if s.High != nil {
					top = max(top, *s.High)
				}
			}
		}
	}
	if top <= p.Bottom {
		top = p.Bottom + 1
	}
	if p.Whole {
		return wholeTicks(p.Bottom, top, 4)
	}
	return ticks(p.Bottom, top, 4)
}

// pixel is where a value stands.
func (p *Plot) pixel(v float64, at []float64) float64 {
	return plotHead + (1-p.height(v, at))*(plotHeight-plotHead-1)
}

// height is where a value stands, from 0 at the bottom to 1.
func (p *Plot) height(v float64, at []float64) float64 {
	low, high := at[0], at[len(at)-1]
	return min(max((v-low)/(high-low), 0), 1)
}

// share is where a moment stands, from 0 at the left to 1.
func (p *Plot) share(t time.Time) float64 {
	if all := p.To.Sub(p.From); all > 0 {
		return min(max(float64(t.Sub(p.From))/float64(all), 0), 1)
	}
	return 0
}

// stacked are the spans of a series, on top of those below it where the plot is
// stacked.
func (p *Plot) stacked(i int) []Span {
	if !p.Stacked || i == 0 {
		return p.Series[i].Spans
	}
	out := slices.Clone(p.Series[i].Spans)
	for k, below := range p.stacked(i - 1) {
		out[k].Value += below.Value
	}
	return out
}

// drawing is what is inside of the box: 1000 wide and high, from its upper left.
func (p *Plot) drawing(at []float64) string {
	x := func(t time.Time) string { return coordinate(1000 * p.share(t)) }
	y := func(v float64) string { return coordinate(1000 * (1 - p.height(v, at))) }
	var b strings.Builder
	for i := len(p.Series) - 1; i >= 0; i-- {
		spans, class := p.stacked(i), template.HTMLEscapeString(p.Series[i].Class)
		var line, area, band strings.Builder
		for k, s := range spans {
			joined := k > 0 && spans[k-1].To.Equal(s.From)
			if joined {
				fmt.Fprintf(&line, "V%sH%s", y(s.Value), x(s.To))
			} else {
				fmt.Fprintf(&line, "M%s %sH%s", x(s.From), y(s.Value), x(s.To))
			}
			floor := at[0]
			if p.Stacked && i > 0 {
				floor = p.stacked(i - 1)[k].Value
			}
			fmt.Fprintf(&area, "M%s %sV%sH%sV%sZ", x(s.From), y(floor), y(s.Value), x(s.To), y(floor))
			if s.Low != nil && s.High != nil && *s.High > *s.Low {
				fmt.Fprintf(&band, "M%s %sV%sH%sV%sZ", x(s.From), y(*s.Low), y(*s.High), x(s.To), y(*s.Low))
			}
		}
		switch {
		case p.Stacked:
			fmt.Fprintf(&b, `<path class="fill %s" d="%s"/>`, class, area.String())
		case len(p.Series) == 1:
			fmt.Fprintf(&b, `<path class="under %s" d="%s"/>`, class, area.String())
		}
		if band.Len() > 0 {
			fmt.Fprintf(&b, `<path class="band %s" d="%s"/>`, class, band.String())
		}
		fmt.Fprintf(&b, `<path class="line %s" d="%s"/>`, class, line.String())
	}
	for _, r := range p.rows() {
		left, right := p.share(r.from), p.share(r.to)
		fmt.Fprintf(&b, `<rect class="hit" x="%s" width="%s" height="1000"><title>%s</title></rect>`, coordinate(1000*left), coordinate(1000*(right-left)), escape(p.tooltip(r)))
	}
	return b.String()
}

// coordinate writes a length of the box without what nobody sees.
func coordinate(v float64) string {
	return strings.TrimSuffix(fmt.Sprintf("%.1f", v), ".0")
}

// row is one interval with the values of all series; nil where there is none.
type row struct {
	from, to time.Time
	values   []*float64
}

func (p *Plot) rows() []row {
	var out []row
	index := map[[2]int64]int{}
	for i, s := range p.Series {
		for k := range s.Spans {
			span := &s.Spans[k]
			key := [2]int64{span.From.UnixNano(), span.To.UnixNano()}
			n, ok := index[key]
			if !ok {
				n = len(out)
				index[key] = n
				out = append(out, row{span.From, span.To, make([]*float64, len(p.Series))})
			}
			out[n].values[i] = &span.Value
		}
	}
	slices.SortFunc(out, func(a, b row) int { return a.from.Compare(b.from) })
	return out
}

func (p *Plot) tooltip(r row) string {
	text := p.interval(r)
	for i, v := range r.values {
		if v != nil {
			text += " · " + p.Series[i].Name + ": " + p.Format(*v)
		}
	}
	return text
}

func (p *Plot) interval(r row) string {
	layout := "15:04"
	if r.to.Sub(r.from) < 2*time.Minute {
		layout = time.TimeOnly
	}
	if p.To.Sub(p.From) > 12*time.Hour {
		layout = "2 Jan " + layout
	}
	return r.from.UTC().Format(layout) + " to " + r.to.UTC().Format(layout)
}

// summary says in words what the plot shows.
func (p *Plot) summary() string {
	text := p.Name
	for _, s := range p.Series {
		if len(s.Spans) == 0 {
			continue
		}
		least := slices.MinFunc(s.Spans, func(a, b Span) int { return cmp.Compare(a.Value, b.Value) })
		most := slices.MaxFunc(s.Spans, func(a, b Span) int { return cmp.Compare(a.Value, b.Value) })
		text += fmt.Sprintf("; %s: %s to %s, last %s", s.Name, p.Format(least.Value), p.Format(most.Value), p.Format(s.Spans[len(s.Spans)-1].Value))
	}
	return text
}

// timeAxis is the axis of UTC. A narrow page shows every other figure.
func (p *Plot) timeAxis() string {
	at, layout := timeTicks(p.From, p.To, 7)
	if layout == time.TimeOnly { // longer figures need more room
		at, layout = timeTicks(p.From, p.To, 4)
	}
	var b strings.Builder
	b.WriteString(`<svg class="x" height="20" aria-hidden="true">`)
	for i, t := range at {
		x, anchor, class := p.share(t), "middle", ""
		switch {
		case x < 0.04:
			anchor = "start"
		case x > 0.96:
			anchor = "end"
		}
		if i%2 == 1 {
			class = ` class="odd"`
		}
		text := t.Format(layout)
		if layout == "15:04" && text == "00:00" {
			text = t.Format("2 Jan")
		}
		fmt.Fprintf(&b, `<line class="grid" x1="%[1]s" x2="%[1]s" y1="0" y2="4"/><text%[2]s x="%[1]s" y="16" text-anchor="%[3]s">%[4]s</text>`, percent(x), class, anchor, text)
	}
	return b.String() + `</svg>`
}

// ends are the names of series beside their last values, where there is room; they are
// moved apart so that each can be read.
func (p *Plot) ends(at []float64) string {
	if len(p.Series) < 2 {
		return ""
	}
	type end struct {
		y           float64
		name, class string
	}
	const apart = 15
	var all []end
	for i, s := range p.Series {
		spans := p.stacked(i)
		if len(spans) == 0 {
			continue
		}
		v := spans[len(spans)-1].Value
		if p.Stacked { // in the middle of its band
			v -= s.Spans[len(spans)-1].Value / 2
		}
		all = append(all, end{p.pixel(v, at), s.Name, s.Class})
	}
	slices.SortStableFunc(all, func(a, b end) int { return cmp.Compare(a.y, b.y) })
	for i := 1; i < len(all); i++ {
		all[i].y = max(all[i].y, all[i-1].y+apart)
	}
	floor := float64(plotHeight - 4)
	for i := len(all) - 1; i >= 0; i-- {
		all[i].y = min(all[i].y, floor)
		floor = all[i].y - apart
	}
	var b strings.Builder
	fmt.Fprintf(&b, `<svg class="ends" height="%d" aria-hidden="true">`, plotHeight)
	for _, e := range all {
		fmt.Fprintf(&b, `<rect class="swatch %s" x="6" y="%.1f" width="10" height="10" rx="2"/><text x="21" y="%.1f">%s</text>`,
			template.HTMLEscapeString(e.class), e.y-5, e.y+4, escape(Shorten(e.name, 24)))
	}
	return b.String() + `</svg>`
}

func (p *Plot) legend() string {
	if len(p.Series) < 2 {
		return ""
	}
	var b strings.Builder
	b.WriteString(`<ul class="plot-legend" aria-hidden="true">`)
	shown := slices.Clone(p.Series)
	if p.Stacked { // the uppermost first
		slices.Reverse(shown)
	}
	for _, s := range shown {
		fmt.Fprintf(&b, `<li><svg width="10" height="10"><rect class="swatch %s" width="10" height="10" rx="2"/></svg> %s</li>`, template.HTMLEscapeString(s.Class), escape(Shorten(s.Name, 48)))
	}
	return b.String() + `</ul>`
}

// Figures are the plot's values as a table, to be opened.
func (p *Plot) Figures() template.HTML {
	var b strings.Builder
	b.WriteString(`<details class="values"><summary>Figures</summary><div class="scroll" tabindex="0" role="region" aria-label="` + escape("Figures: "+p.Name) + `"><table><thead><tr><th scope="col">UTC</th>`)
	for _, s := range p.Series {
		fmt.Fprintf(&b, `<th scope="col" class="n">%s</th>`, escape(Shorten(s.Name, 32)))
	}
	b.WriteString(`</tr></thead><tbody>`)
	for _, r := range p.rows() {
		fmt.Fprintf(&b, `<tr><th scope="row">%s</th>`, escape(p.interval(r)))
		for _, v := range r.values {
			text := ""
			if v != nil {
				text = p.Format(*v)
			}
			fmt.Fprintf(&b, `<td class="n">%s</td>`, escape(text))
		}
		b.WriteString(`</tr>`)
	}
	b.WriteString(`</tbody></table></div></details>`)
	return template.HTML(b.String())
}
