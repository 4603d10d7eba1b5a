package querytrace

import (
	"fmt"
	"strings"

	"github.com/planvet/planvet/internal/slope"
)

// explain says what is wrong with a statement: what, how often, who, after what.
func explain(sizes []int, g *groupOf, tx []*groupOf) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %s\n    %s\n", headline(sizes, g), figures(sizes, g.calls), clip(g.shown))
	for _, s := range g.sites {
		if s.calls[len(sizes)-1] > 0 {
			fmt.Fprintf(&b, "  sent at %s\n", chain(s.stack))
		}
	}
	if p := g.parent; p != nil {
		what := "as many times as there are rows of"
		if g.verdict.Link == slope.SameGrowth {
			what = "once more for each further row of"
		}
		fmt.Fprintf(&b, "  %s (%s)\n    %s\n", what, figures(sizes, p.rows), clip(p.shown))
		fmt.Fprintf(&b, "  sent at %s\n", chain(p.sites[0].stack))
	}
	if len(tx) > 0 {
		var kinds []string
		for _, g := range tx {
			kinds = append(kinds, g.text)
		}
		fmt.Fprintf(&b, "  %s grow with it\n", strings.Join(kinds, ", "))
	}
	return strings.TrimSuffix(b.String(), "\n")
}

func headline(sizes []int, g *groupOf) string {
	last := len(sizes) - 1
	switch g.verdict.Growth {
	case slope.Bounded:
		return fmt.Sprintf("one statement an item, bounded: it stops at %.0f", g.calls[last])
	case slope.Hidden:
		return fmt.Sprintf("sizes beyond a bound of %.0f rows decide nothing, use sizes below it", g.calls[last])
	}
	return fmt.Sprintf("%.2f statements an item", g.verdict.PerItem)
}

func explainSlower(sizes []int, g *groupOf) string {
	advice := ""
	if len(sizes) == 2 {
		advice = "; a third size between them tells a bound from slow growth"
	}
	return fmt.Sprintf("grows, by %.2f statements an item: %s%s\n    %s", g.verdict.PerItem, figures(sizes, g.calls), advice, clip(g.shown))
}

// together finds a loop whose statements differ from item to item, so that each of them
// grows by less than the limit.
func together(sizes []int, slower []*groupOf, limit float64) string {
	if len(slower) < 2 {
		return ""
	}
	sum := make([]float64, len(sizes))
	for _, g := range slower {
		for run, n := range g.calls {
			sum[run] += n
		}
	}
	v := slope.Judge(sizes, slope.Series{Calls: sum, Rows: sum}, nil, limit)
	if v.Growth != slope.PerItem {
		return ""
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%.2f statements an item, of %d shapes: %s\n", v.PerItem, len(slower), figures(sizes, sum))
	for _, g := range slower {
		fmt.Fprintf(&b, "    %s\n  sent at %s\n", clip(g.shown), chain(g.sites[0].stack))
	}
	return strings.TrimSuffix(b.String(), "\n")
}

// figures is "2 at n=2, 20 at n=20".
func figures(sizes []int, counts []float64) string {
	parts := make([]string, len(sizes))
	for i, n := range sizes {
		parts[i] = fmt.Sprintf("%.0f at n=%d", counts[i], n)
	}
	return strings.Join(parts, ", ")
}

// chain is the nearest frames of a stack, a function once.
func chain(stack []Frame) string {
	const most = 3
	var parts []string
	last := ""
	for _, f := range stack {
		if f.Func == last || len(parts) == most {
			continue
		}
		last = f.Func
		parts = append(parts, f.String())
	}
	if parts == nil {
		return Frame{}.String()
	}
	return strings.Join(parts, ", by ")
}
