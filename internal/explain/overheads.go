package explain

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/planvet/planvet/internal/plan"
)

var jitOverhead = heuristic{
	Name: "jit-overhead",
	Fires: fmt.Sprintf("compiling expressions takes over %s of an execution of under %d ms, or over %d ms",
		percent(jitShare), jitQueryMS, jitMS),
	Source:   "ours",
	Severity: "warning",
	Advice:   "alter role … set jit = off; or a jit_above_cost above the cost of this plan",
	find: func(d *diagnosis) {
		share := d.plan.JITMS / math.Max(d.total(), 1e-9)
		if d.plan.JITMS == 0 || (share <= jitShare || d.plan.ExecutionMS >= jitQueryMS) && d.plan.JITMS <= jitMS {
			return
		}
		d.report(nil, finding{severity: Warning, share: share,
			message: fmt.Sprintf("JIT compiles %s functions in %s of an execution of %s", num(d.plan.JITFunctions), millis(d.plan.JITMS), millis(d.plan.ExecutionMS)),
			advice:  fmt.Sprintf("alter role … set jit = off; or a jit_above_cost above %s, the cost of this plan", num(d.plan.Root.TotalCost))})
	},
}

var planningTime = heuristic{
	Name:     "planning-time",
	Fires:    fmt.Sprintf("planning takes longer than execution and over %d ms, or looks into over %s blocks", planningMS, num(planningBlocks)),
	Source:   "ours",
	Severity: "warning",
	Advice:   "a prepared statement, whose generic plan is kept; fewer joins, indexes or partitions to choose from",
	Needs:    "the partition tree, for the advice",
	find: func(d *diagnosis) {
		p := d.plan
		if !p.Analyzed() || (p.PlanningMS <= p.ExecutionMS || p.PlanningMS <= planningMS) && p.PlanningBlocks <= planningBlocks {
			return
		}
		f := finding{severity: Warning, share: p.PlanningMS / math.Max(d.total(), 1e-9),
			message: fmt.Sprintf("planning takes %s and %s blocks, execution %s", millis(p.PlanningMS), num(float64(p.PlanningBlocks)), millis(p.ExecutionMS))}
		parts := map[string]int{}
		most := ""
		for n := range d.steps {
			if t := d.facts.table(n); t != nil && t.Root != "" {
				if parts[t.Root]++; parts[t.Root] > parts[most] || parts[t.Root] == parts[most] && t.Root < most {
					most = t.Root
				}
			}
		}
		if parts[most] > unprunedParts {
			f.message += fmt.Sprintf(": %d partitions of %s are planned", parts[most], strings.TrimPrefix(most, "public."))
			f.advice = "a condition on the partition key that is known when planning, so that partitions are left out; a prepared statement; fewer and larger partitions"
		}
		d.report(nil, f)
	},
}

var workersNotLaunched = heuristic{
	Name:     "workers-not-launched",
	Fires:    "a Gather gets fewer workers than were planned",
	Source:   "the node's own word",
	Severity: "note, warning where it gets none",
	Advice:   "more max_parallel_workers and max_worker_processes, or fewer queries in parallel: the plan was priced with the workers",
	find: func(d *diagnosis) {
		for _, n := range d.nodes {
			if n.Planned == 0 || n.Loops == 0 || n.Workers >= n.Planned {
				continue
			}
			f := finding{severity: Note, share: d.below(n), message: fmt.Sprintf("%s gets %s of %s workers", n.Title(), num(n.Workers), num(n.Planned))}
			if n.Workers == 0 {
				f.severity = Warning
			}
			d.report(n, f)
		}
	},
}

var parallelSkew = heuristic{
	Name: "parallel-skew",
	Fires: fmt.Sprintf("one of three processes or more has over %d times the rows of the median one, of %s rows or more, from half of its share of the blocks at most, in a Gather of %d ms or more. "+
		"More rows from more blocks are a process that started first", skewRatio, num(skewRows), skewGatherMS),
	Source:   "ours",
	Severity: "note",
	Advice:   "the work is in few blocks: spread it, or fewer workers for the table",
	find: func(d *diagnosis) {
		for _, n := range d.nodes {
			top := child(n, "Outer")
			if n.Planned == 0 || top == nil || d.steps[n].MS < skewGatherMS {
				continue
			}
			// An aggregate gives a row a group in each process; what it reads tells.
			for top.Type == "Aggregate" && len(top.Children) > 0 {
				top = top.Children[len(top.Children)-1]
			}
			all := perProcess(top)
			rows, blocks := 0.0, 0.0
			for _, p := range all {
				rows, blocks = rows+p.rows, blocks+p.blocks
			}
			if len(all) < 3 || rows < skewRows {
				continue
			}
			slices.SortFunc(all, func(a, b process) int { return cmp.Compare(a.rows, b.rows) })
			most, median := all[len(all)-1], all[len(all)/2]
			if most.rows > skewRatio*math.Max(median.rows, 1) && most.rows/rows > 2*most.blocks/math.Max(blocks, 1) {
				d.report(top, finding{severity: Note, share: d.below(n), message: fmt.Sprintf(
					"%s: one of %d processes has %s of %s rows, so that the others wait", top.Title(), len(all), num(most.rows), num(rows))})
			}
		}
	},
}

// process is one process's part of a node.
type process struct{ rows, blocks float64 }

// perProcess are the parts of a node, the leader's first.
func perProcess(n *plan.Node) []process {
	out := []process{{n.AllRows(), float64(n.Blocks())}}
	for _, w := range n.PerWorker {
		p := process{w.Rows * w.Loops, float64(w.Hit + w.Read)}
		out[0].rows, out[0].blocks = math.Max(0, out[0].rows-p.rows), out[0].blocks-p.blocks
		out = append(out, p)
	}
	return out
}

var largeOffset = heuristic{
	Name:     "large-offset",
	Fires:    fmt.Sprintf("%s rows or more are made below a LIMIT that returns less than one in %d of them", num(offsetRows), offsetRatio),
	Source:   "ours",
	Severity: "warning",
	Advice:   "keyset pages: where (key) > (the last one seen) order by key limit n",
	find: func(d *diagnosis) {
		for _, n := range d.nodes {
			below := child(n, "Outer")
			if n.Type != "Limit" || below == nil || below.AllRows() < offsetRows || below.AllRows() <= offsetRatio*math.Max(n.AllRows(), 1) {
				continue
			}
			d.report(n, finding{severity: Warning, share: d.below(n), message: fmt.Sprintf(
				"%s rows are made to skip them and return %s: each further page costs more", num(below.AllRows()), num(n.AllRows()))})
		}
	},
}

var ioBound = heuristic{
	Name:     "io-bound",
	Fires:    fmt.Sprintf("over %d blocks come from outside of shared buffers, and waiting for them is over %s of the execution (with track_io_timing)", readBlocks, percent(readShare)),
	Source:   "joe's blocks; share ours",
	Severity: "note",
	Advice:   "read fewer blocks: a covering index, a partition; or a cache that holds them",
	find: func(d *diagnosis) {
		root := d.plan.Root
		share := root.ReadMS() / math.Max(d.plan.ExecutionMS, 1e-9)
		if root.Read <= readBlocks || share <= readShare {
			return
		}
		most := root
		for _, n := range d.nodes {
			if d.steps[n].SelfRead > d.steps[most].SelfRead {
				most = n
			}
		}
		d.report(most, finding{severity: Note, share: share, message: fmt.Sprintf(
			"%s of %s are spent waiting for %s blocks that were not in shared buffers", millis(root.ReadMS()), millis(d.plan.ExecutionMS), num(float64(root.Read)))})
	},
}

var disabledNode = heuristic{
	Name:     "disabled-method",
	Fires:    "the plan has a step of a kind that a setting forbids, or was made with enable_… off. Before 18 its costs are not comparable with others",
	Source:   "the node's own word; before 18 its cost of 1e10",
	Severity: "note",
	Advice:   "reset the setting; where the method is forbidden for a reason, give the planner another way",
	find: func(d *diagnosis) {
		var off []string
		for k, v := range d.plan.Settings {
			if strings.HasPrefix(k, "enable_") && v == "off" && !defaultsOff[k] {
				off = append(off, k)
			}
		}
		slices.Sort(off)
		why := ""
		if len(off) > 0 {
			why = "off: " + list(off)
		}
		for _, n := range d.nodes {
			if !n.Disabled && !d.priced(n) {
				continue
			}
			message := n.Title() + " is forbidden by a setting, and used because there is no other way"
			if why != "" {
				message += ": " + why
			}
			d.report(n, finding{severity: Note, share: d.below(n), always: true, message: message})
			return
		}
		if why != "" {
			d.report(nil, finding{severity: Note, always: true, message: "the plan was made with methods that settings forbid, " + why})
		}
	},
}

// defaultsOff are methods that are off unless asked for.
var defaultsOff = map[string]bool{"enable_partitionwise_join": true, "enable_partitionwise_aggregate": true}

// priced reports whether a node, and no node below it, has the price of forbidden
// ones.
func (d *diagnosis) priced(n *plan.Node) bool {
	return n.TotalCost >= disableCost && !slices.ContainsFunc(n.Children, func(c *plan.Node) bool { return c.TotalCost >= disableCost })
}
