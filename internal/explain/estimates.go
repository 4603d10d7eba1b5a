package explain

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/planvet/planvet/internal/plan"
)

var rowMisestimate = heuristic{
	Name: "row-misestimate",
	Fires: fmt.Sprintf("a step gives %d times more or fewer rows than the planner expected (warning from %d, critical from %d), %d rows at least; "+
		"of several, the deepest. Fewer count only below a join, and not where a LIMIT, a semi join or a merge join may have stopped the step. "+
		"A step on which no choice of the planner depends counts where statistics are stale or columns correlated",
		misestimateNote, misestimateWarning, misestimateCritical, misestimateRows),
	Source:   "pev2's factors and rows",
	Severity: "note, warning, critical by factor",
	Advice:   "analyze the table; a larger statistics target where that does not help",
	Needs:    "the last ANALYZE, rows changed since, extended statistics, for the cause",
	find: func(d *diagnosis) {
		for _, n := range d.misestimated() {
			s := d.steps[n]
			by, more := math.Max(s.Factor, 1/s.Factor), "more"
			if s.Factor < 1 {
				more = "fewer"
			}
			severity := Note
			switch {
			case by > misestimateCritical:
				severity = Critical
			case by > misestimateWarning:
				severity = Warning
			}
			cause, advice := d.cause(n)
			if !d.matters(n) && !strings.HasPrefix(cause, staleCause) && !strings.HasPrefix(cause, correlatedCause) {
				continue
			}
			d.report(n, finding{
				severity: severity, share: d.dependent(n), cause: cause, advice: advice,
				message: fmt.Sprintf("%s: %s rows where %s were expected, %s times %s; what stands above it was chosen for the wrong number",
					n.Title(), num(s.Rows), num(s.Estimated), num(by), more),
			})
		}
	},
}

var misestimateDrivesJoin = heuristic{
	Name:     "misestimate-drives-join",
	Fires:    fmt.Sprintf("more rows than expected, as in row-misestimate, on the outer side of a nested loop make its inner side run %d times or more", drivenLoops),
	Source:   "ours",
	Severity: "warning",
	Advice:   "correct the estimate first: a hash join takes the place of the loop by itself",
	find: func(d *diagnosis) {
		for _, n := range d.misestimated() {
			if d.steps[n].Factor < 1 {
				continue
			}
			for c, up := n, n.Parent; up != nil; c, up = up, up.Parent {
				inner := child(up, "Inner")
				if up.Type != "Nested Loop" || c.Relationship != "Outer" || inner == nil || inner.Loops < drivenLoops {
					continue
				}
				d.report(up, finding{
					severity: Warning, share: d.steps[up].Share + d.below(inner),
					message: fmt.Sprintf("%s runs its inner side %s times, expected were %s: the rows of step %d were misestimated",
						up.Title(), num(inner.Loops), num(child(up, "Outer").PlanRows*up.Loops), d.steps[n].ID),
				})
				break
			}
		}
	},
}

// misestimated are the steps whose rows were misestimated, each the deepest of its
// branch: what it hands up misleads those above.
func (d *diagnosis) misestimated() []*plan.Node {
	if !d.plan.Analyzed() {
		return nil
	}
	var out []*plan.Node
	var visit func(n *plan.Node) (off bool)
	visit = func(n *plan.Node) bool {
		deeper := false
		for _, c := range n.Children {
			off := visit(c)
			// A CTE's rows reach the step that reads it, not the one that it hangs on.
			deeper = deeper || off && c.Relationship != "InitPlan" && c.Relationship != "SubPlan"
		}
		if n.Type == "CTE Scan" {
			if def := n.Definition(); def != nil {
				deeper = deeper || slices.ContainsFunc(out, func(m *plan.Node) bool { return within(m, def) })
			}
		}
		if deeper {
			return true
		}
		if !d.off(n) {
			return false
		}
		if guessed(n) && !d.drives(n) {
			return false
		}
		out = append(out, n)
		return true
	}
	visit(d.plan.Root)
	return out
}

// off reports whether a step's own rows were misestimated.
func (d *diagnosis) off(n *plan.Node) bool {
	s := d.steps[n]
	if s.Never || s.Factor == 0 || math.Max(s.Rows, s.Estimated) < misestimateRows {
		return false
	}
	if s.Factor > misestimateNote {
		return !rereads(n)
	}
	// Rows that did not come cost nothing by themselves: they misled a join at most.
	return 1/s.Factor > misestimateNote && !early(n) && d.drives(n)
}

// guessed are nodes whose rows no statistics tell: a recursion's, a function's; groups
// matter only to what stands above.
func guessed(n *plan.Node) bool {
	return slices.Contains([]string{"Recursive Union", "WorkTable Scan", "Function Scan", "Table Function Scan", "ProjectSet", "Aggregate", "SetOp", "Unique"}, n.Type)
}

// drives reports whether a join stands above a step.
func (d *diagnosis) drives(n *plan.Node) bool {
	for c, up := n, n.Parent; up != nil; c, up = up, up.Parent {
		if child(up, "Inner") != nil && (c.Relationship == "Outer" || c.Relationship == "Inner") && up.Type != "Recursive Union" && up.Type != "SetOp" {
			return true
		}
	}
	return false
}

// matters reports whether the planner could have chosen otherwise, had it known a
// step's rows: the scan itself, where it is by index, or a join, a sort or a hash
// table above. Where nothing hangs on them only a cause that misleads other
// statements as well is worth a word.
func (d *diagnosis) matters(n *plan.Node) bool {
	if n.Index != "" || n.Type == "Bitmap Heap Scan" || d.drives(n) {
		return true
	}
	for up := n.Parent; up != nil; up = up.Parent {
		if up.Type == "Sort" || up.Type == "Incremental Sort" || up.Type == "Aggregate" && up.Strategy == "Hashed" || gathers(up) {
			return true
		}
	}
	return false
}

func gathers(n *plan.Node) bool { return n.Type == "Gather" || n.Type == "Gather Merge" }

// rereads reports whether a merge join above goes back over rows of a step, which
// counts them again.
func rereads(n *plan.Node) bool {
	for c, up := n, n.Parent; up != nil; c, up = up, up.Parent {
		if up.Type == "Merge Join" && c.Relationship == "Inner" {
			return true
		}
	}
	return false
}

// early reports whether a step may have been stopped before its last row, so that
// fewer than expected say nothing.
func early(n *plan.Node) bool {
	for c, up := n, n.Parent; up != nil; c, up = up, up.Parent {
		switch {
		case c.SubplanName != "":
			return true // EXISTS stops, and a CTE's readers may
		case up.Type == "Limit" || up.Type == "Merge Join":
			return true
		case up.Type == "Nested Loop" && c.Relationship == "Inner" && (up.JoinType == "Semi" || up.JoinType == "Anti" || up.InnerUnique):
			return true
		case up.Type == "Hash Join" && c.Relationship == "Outer" && emptied(child(up, "Inner")):
			return true
		case up.Type == "Sort" || up.Type == "Hash" || up.Type == "Aggregate" && up.Strategy != "Sorted":
			return false
		}
	}
	return false
}

// emptied reports whether a hash table had no row, which ends the join.
func emptied(hash *plan.Node) bool { return hash == nil || hash.AllRows() == 0 }

// dependent is the share of a step and of what depends on its rows: each step above
// it, and the inner sides of nested loops that it drives.
func (d *diagnosis) dependent(n *plan.Node) float64 {
	share := d.below(n)
	for c, up := n, n.Parent; up != nil; c, up = up, up.Parent {
		share += d.steps[up].Share
		if inner := child(up, "Inner"); inner != nil && up.Type == "Nested Loop" && c.Relationship == "Outer" {
			share += d.below(inner)
		}
	}
	return share
}
