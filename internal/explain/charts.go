package explain

import (
	"cmp"
	"fmt"
	"html/template"
	"math"
	"slices"
	"strings"

	"github.com/planvet/planvet/internal/report"
)

// chartSteps is how many steps a chart shows.
const chartSteps = 12

// timeChart is own work by step, the heaviest first.
func timeChart(p *Plan) template.HTML {
	list := slices.DeleteFunc(stepList(p), func(s *Step) bool { return s.Never })
	of := shareOf(p)
	value := func(s *Step) (float64, string) {
		switch of {
		case "time":
			return s.SelfMS, report.MS(s.SelfMS)
		case "blocks":
			return float64(s.SelfBlocks), report.Plural(int(s.SelfBlocks), "block")
		}
		return s.Share * p.Cost, "cost " + report.Figure(s.Share*p.Cost)
	}
	slices.SortStableFunc(list, func(a, b *Step) int {
		x, _ := value(a)
		y, _ := value(b)
		return cmp.Compare(y, x)
	})
	var bars []report.Bar
	for _, s := range list[:min(len(list), chartSteps)] {
		amount, text := value(s)
		bars = append(bars, report.Bar{
			Label: stepLabel(s), Value: text + ", " + report.Percent(s.Share), Link: stepLink(s), Amount: amount, Class: report.Heat(s.Share),
		})
	}
	if rest := list[min(len(list), chartSteps):]; len(rest) > 0 {
		sum, share := 0.0, 0.0
		for _, s := range rest {
			x, _ := value(s)
			sum, share = sum+x, share+s.Share
		}
		bars = append(bars, report.Bar{Label: report.Plural(len(rest), "other step"), Value: report.Percent(share), Amount: sum})
	}
	return report.Bars(bars)
}

// rowChart is estimated and actual rows by step, those most wrong first; "" where no
// step ran.
func rowChart(p *Plan) template.HTML {
	if !p.Analyzed {
		return ""
	}
	list := slices.DeleteFunc(stepList(p), func(s *Step) bool { return s.Never })
	off := func(s *Step) float64 {
		if s.Factor <= 0 {
			return 0
		}
		return math.Abs(math.Log(s.Factor))
	}
	slices.SortStableFunc(list, func(a, b *Step) int { return cmp.Compare(off(b), off(a)) })
	var pairs []report.Pair
	for _, s := range list[:min(len(list), chartSteps)] {
		value := arrow(s, true)
		if f := factorText(s); f != "" {
			value += ", " + f
		}
		pairs = append(pairs, report.Pair{
			Label: stepLabel(s), Value: value, Link: stepLink(s), From: s.Estimated, To: s.Rows, Class: misestimated(s),
		})
	}
	return report.Pairs(pairs, "rows, logarithmic")
}

func stepLabel(s *Step) string { return fmt.Sprintf("%d %s", s.ID, line(s.Title)) }

func stepLink(s *Step) string { return fmt.Sprintf("#step-%d", s.ID) }

// effectBars are a recommendation's figures before and after, a chart a unit.
func effectBars(rec Recommendation) []template.HTML {
	var out []template.HTML
	for _, c := range comparisons(rec.Before, rec.After) {
		class, after := "", strings.TrimPrefix(c.text(c.After), "cost ")
		switch {
		case c.After < c.Before:
			class = "good"
		case c.After > c.Before:
			class = "bad"
		}
		if g := c.gain(); g != "" {
			after += ", " + g
		}
		out = append(out, report.Bars([]report.Bar{
			{Label: c.Unit + " before", Value: strings.TrimPrefix(c.text(c.Before), "cost "), Amount: c.Before},
			{Label: c.Unit + " after", Value: after, Amount: c.After, Class: class},
		}))
	}
	return out
}

// accessLine is how the table was and is read, where that changes.
func accessLine(rec Recommendation) string {
	if rec.Before == nil || rec.After == nil || rec.Before.Access == rec.After.Access {
		return ""
	}
	return line(rec.Before.Access) + " → " + line(rec.After.Access)
}

func armBars(o *Overhead) template.HTML {
	class := map[string]string{"enforced": "bad", "ideal": "good"}
	var bars []report.Bar
	for _, a := range arms(o) {
		bars = append(bars, report.Bar{
			Label: a.Name + ": " + a.What, Amount: a.MS, Class: class[a.Name],
			Value: fmt.Sprintf("%s, %s", report.MS(a.MS), report.Plural(int(a.Blocks), "block")),
		})
	}
	return report.Bars(bars)
}

// cell is one of a table, with its heading: a narrow page shows rows as lists.
type cell struct {
	Head, Text string
	Right      bool
}

type cellTable struct {
	Columns []report.Column
	Rows    [][]cell
}

// planTable compares the plans.
func planTable(r *Report) cellTable {
	columns, rows := planRows(r)
	t := cellTable{Columns: columns}
	for _, row := range rows {
		var cells []cell
		for i, text := range row {
			cells = append(cells, cell{columns[i].Title, text, columns[i].Right})
		}
		t.Rows = append(t.Rows, cells)
	}
	return t
}

func treeOf(p *Plan) (string, error) {
	var b strings.Builder
	err := treeText(&b, p, planWidth)
	return b.String(), err
}
