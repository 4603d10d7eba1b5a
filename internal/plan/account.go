package plan

import (
	"cmp"
	"slices"
)

// Part is what one node did of a plan's work: with the nodes below it, as EXPLAIN
// prints it times loops, and by itself. The parts of all nodes sum to the whole, and
// none is negative.
type Part struct {
	// MS is time on the clock: of nodes in parallel workers, what the slowest
	// process took.
	MS, SelfMS           float64
	Blocks, SelfBlocks   int64
	SelfRead             int64
	Cost, SelfCost       float64
	Estimated            float64
	estimatedRuns, clock float64
}

// Account divides the plan's time, blocks and cost among its nodes.
//
// What EXPLAIN prints of a node includes the nodes below it, except that
//
//  1. an InitPlan runs where its value is first asked for: in the node whose
//     condition or output mentions it, deepest first; below a Gather, in the Gather,
//     which computes it for the workers. The node that it hangs on includes it no
//     more than every other node on the way;
//  2. a CTE runs in the CTE Scans that read it, not in the node that it hangs on. Of
//     several readers each is charged what it has left, the first one first;
//  3. a CTE that writes and is not read to its end runs after the root is done, and is
//     beside the root's figures;
//  4. times and loops in parallel workers are sums over processes. Time is divided
//     by what makes the sum that of the slowest process;
//  5. times are rounded to a microsecond a loop, so that a child can have more than
//     its parent: children of fewer loops, whose times are exact, come first, and
//     the rest take what is left;
//  6. costs of InitPlans and CTEs are in the node that they hang on, costs of an
//     inner side are of one loop, and a Limit has a part of its child's.
func (p *Plan) Account() map[*Node]*Part {
	out := map[*Node]*Part{}
	p.Walk(func(n *Node) { out[n] = &Part{clock: 1, estimatedRuns: 1} })
	p.Walk(func(n *Node) {
		for _, c := range n.Children {
			out[c].clock, out[c].estimatedRuns = out[n].clock, out[n].estimatedRuns*runs(n, c)
			if gathers(n) && c.Relationship != "InitPlan" {
				out[c].clock = processes(n, c)
			}
		}
		out[n].Estimated = p.estimated(n)
	})
	ms := p.divide(func(n *Node) float64 { return n.TotalMS * n.Loops / out[n].clock }, true, false)
	blocks := p.divide(func(n *Node) float64 { return float64(n.Blocks()) }, true, true)
	read := p.divide(func(n *Node) float64 { return float64(n.Read) }, true, true)
	cost := p.divide(func(n *Node) float64 { return n.TotalCost * out[n].estimatedRuns }, false, false)
	for n, a := range out {
		a.MS, a.SelfMS = n.TotalMS*n.Loops/a.clock, ms[n]
		a.Blocks, a.SelfBlocks, a.SelfRead = n.Blocks(), int64(blocks[n]), int64(read[n])
		a.Cost, a.SelfCost = n.TotalCost, cost[n]
	}
	return out
}

func gathers(n *Node) bool { return n.Type == "Gather" || n.Type == "Gather Merge" }

// processes is by what the summed time of a Gather's child is divided to have the
// slowest process's.
func processes(gather, child *Node) float64 {
	if gather.Loops == 0 || child.Loops == 0 {
		return 1
	}
	sum := child.TotalMS * child.Loops
	leader, slowest := sum, 0.0
	for _, w := range child.PerWorker {
		t := w.TotalMS * w.Loops
		leader -= t
		slowest = max(slowest, t)
	}
	slowest = max(slowest, leader)
	if len(child.PerWorker) == 0 || slowest <= 0 {
		return max(1, child.Loops/gather.Loops)
	}
	return max(1, sum/slowest)
}

// runs is how often a child runs for one run of its parent, as the planner saw it.
func runs(n, child *Node) float64 {
	switch {
	case n.Type == "Nested Loop" && child.Relationship == "Inner" && child.Type != "Materialize":
		for _, c := range n.Children {
			if c.Relationship == "Outer" {
				return max(1, c.PlanRows)
			}
		}
	case child.Relationship == "SubPlan" && !n.hashes(child):
		return max(1, n.PlanRows)
	}
	return 1
}

// hashes reports whether a SubPlan is run once into a hash table.
func (n *Node) hashes(sub *Node) bool { return mentionsAny(n, "hashed "+sub.SubplanName) }

// charge is what one node's figure holds of another's.
type charge struct {
	to     *Node
	amount float64
}

// divide gives each node its own part of a quantity of which raw is what a node has
// with the nodes below it. Executed quantities are charged where plans ran, others
// where they hang; whole ones are integers and stay so.
func (p *Plan) divide(raw func(*Node) float64, executed, whole bool) map[*Node]float64 {
	charges := map[*Node][]charge{}
	payers := map[*Node]int{}
	left := map[*Node]float64{}
	put := func(from, to *Node, amount float64) {
		charges[from] = append(charges[from], charge{to, amount})
		payers[to]++
		left[from] -= amount
	}
	var subplans []*Node
	p.Walk(func(n *Node) {
		left[n] += raw(n)
		for _, c := range n.Children {
			if executed && c.Relationship == "InitPlan" {
				subplans = append(subplans, c)
			} else {
				put(n, c, raw(c))
			}
		}
	})
	budget := map[*Node]float64{p.Root: raw(p.Root)}
	// A reader of a CTE may run an InitPlan that reads the same CTE: what it has left
	// is known only after the InitPlan.
	slices.SortStableFunc(subplans, func(a, b *Node) int {
		switch {
		case a.isCTE() == b.isCTE():
			return 0
		case a.isCTE():
			return 1
		}
		return -1
	})
	for _, sub := range subplans {
		rest := raw(sub)
		for _, payer := range p.runners(sub, func(n *Node) bool { return left[n] >= 0.9*rest }) {
			amount := min(rest, max(0, left[payer]))
			put(payer, sub, amount)
			rest -= amount
		}
		if sub.Type == "ModifyTable" && sub.isCTE() {
			budget[sub] = rest
		}
	}
	self := map[*Node]float64{}
	spend := func(n *Node) {
		rest, scale := budget[n], 1.0
		if r := raw(n); !whole && r > 0 {
			scale = min(1, budget[n]/r)
		}
		due := charges[n]
		slices.SortStableFunc(due, func(a, b charge) int { return cmp.Compare(a.to.Loops, b.to.Loops) })
		for _, c := range due {
			amount := min(rest, max(0, c.amount*scale))
			budget[c.to] += amount
			rest -= amount
		}
		self[n] = rest
	}
	p.inOrder(charges, payers, spend)
	return self
}

// inOrder calls f for each node after all that are charged for it.
func (p *Plan) inOrder(charges map[*Node][]charge, payers map[*Node]int, f func(*Node)) {
	var all, ready []*Node
	p.Walk(func(n *Node) {
		all = append(all, n)
		if payers[n] == 0 {
			ready = append(ready, n)
		}
	})
	done := map[*Node]bool{}
	for {
		for len(ready) > 0 {
			n := ready[0]
			ready = ready[1:]
			if done[n] {
				continue
			}
			done[n] = true
			f(n)
			for _, c := range charges[n] {
				if payers[c.to]--; payers[c.to] == 0 {
					ready = append(ready, c.to)
				}
			}
		}
		// Two InitPlans that seem to wait for each other, from a text misread.
		i := slices.IndexFunc(all, func(n *Node) bool { return !done[n] })
		if i < 0 {
			return
		}
		ready = append(ready, all[i])
	}
}
