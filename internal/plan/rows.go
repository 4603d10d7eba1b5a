package plan

import "slices"

// estimated are the rows that the planner expected of a node in the loops that it
// had: an estimate is of one loop, and of one process where processes share the
// work.
func (p *Plan) estimated(n *Node) float64 {
	loops := n.Loops
	if !p.Analyzed() {
		return n.PlanRows
	}
	if g := n.gather(); g != nil && n.partial() && n.Partial != "Partial" {
		// A partition of a Parallel Append may be read by some of the processes only.
		runs := 1.0
		for _, c := range g.Children {
			if c.Relationship != "InitPlan" && c.Loops > 0 {
				runs = c.Loops / max(1, g.Loops)
			}
		}
		if loops > 0 {
			loops = max(1, loops/runs) * share(g.Planned)
		}
	}
	return n.PlanRows * loops
}

// share is by what the planner divides the rows of a parallel scan: the leader
// helps the less the more workers there are (get_parallel_divisor in costsize.c).
func share(workers float64) float64 {
	if leader := 1 - 0.3*workers; leader > 0 {
		return workers + leader
	}
	return workers
}

// gather is the node that collects from the workers that n runs in; nil for none.
func (n *Node) gather() *Node {
	for below, up := n, n.Parent; up != nil; below, up = up, up.Parent {
		if below.Relationship == "InitPlan" {
			return nil
		}
		if gathers(up) {
			return up
		}
	}
	return nil
}

// partial reports whether each process has a part of the node's rows.
func (n *Node) partial() bool {
	if n.Parallel {
		return true
	}
	return slices.ContainsFunc(n.Children, func(c *Node) bool {
		return c.Relationship != "InitPlan" && c.Relationship != "SubPlan" && c.partial()
	})
}
