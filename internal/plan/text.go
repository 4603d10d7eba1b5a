package plan

import (
	"fmt"
	"strings"
)

// Text is a plan as EXPLAIN prints it: a line a node, its conditions below it. Actual rows
// and times are there where it was run.
func (p *Plan) Text() []string {
	var lines []string
	p.skeleton(func(n *Node, depth int) {
		indent, arrow := strings.Repeat("      ", depth), ""
		if depth > 0 {
			indent, arrow = strings.Repeat("      ", depth-1)+"  ", "->  "
		}
		figures := fmt.Sprintf("cost=%.2f..%.2f rows=%.0f width=%.0f", n.StartupCost, n.TotalCost, n.PlanRows, n.PlanWidth)
		if p.Analyzed() {
			figures += fmt.Sprintf(") (actual rows=%.0f loops=%.0f", n.Rows, n.Loops)
		}
		if n.SubplanName != "" {
			lines = append(lines, indent+n.SubplanName)
		}
		lines = append(lines, indent+arrow+n.Title()+"  ("+figures+")")
		below := indent + strings.Repeat(" ", len(arrow)) + "  "
		for _, c := range []struct{ label, text string }{
			{"Index Cond", n.IndexCond}, {"Recheck Cond", n.Recheck}, {"TID Cond", n.TIDCond},
			{"Order By", n.OrderBy}, {"Hash Cond", n.HashCond}, {"Merge Cond", n.MergeCond}, {"Join Filter", n.JoinCond},
			{"Sort Key", strings.Join(n.SortKey, ", ")}, {"Presorted Key", strings.Join(n.Presorted, ", ")},
			{"Group Key", strings.Join(n.GroupKey, ", ")}, {"Cache Key", n.CacheKey},
			{"One-Time Filter", n.OneTime}, {"Filter", n.Filter}, {"Conflict Filter", n.Conflict},
		} {
			if c.text != "" {
				lines = append(lines, below+c.label+": "+c.text)
			}
		}
	})
	return lines
}
