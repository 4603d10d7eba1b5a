package explain

import (
	"slices"
	"time"

	"github.com/planvet/planvet/internal/plan"
)

// slowRun is the time of a first run from which on a statement is not run again.
const slowRun = 2 * time.Second

// warmBudget is the time of all warm runs after which no further one begins.
const warmBudget = 10 * time.Second

// timed runs a statement: once cold, up to k times warm without a clock in the nodes,
// which costs time itself, and once more with it for the tree. What is slow is run
// once, and its tree has blocks instead of times.
func timed(explain func(plan.Request) (*plan.Plan, error), r plan.Request, k int) (*Timing, *plan.Plan, error) {
	r.Analyze, r.Timing = true, false
	first, err := explain(r)
	if err != nil {
		return nil, nil, err
	}
	t := &Timing{Cold: runOf(first), Warm: runOf(first), Each: []float64{}}
	if spent(first) > slowRun {
		return t, first, nil
	}
	var planning []float64
	var runs []Run
	for begin := time.Now(); t.Runs < k && time.Since(begin) < warmBudget; t.Runs++ {
		p, err := explain(r)
		if err != nil {
			return nil, nil, err
		}
		runs = append(runs, runOf(p))
		t.Each, planning = append(t.Each, p.ExecutionMS), append(planning, p.PlanningMS)
	}
	if len(runs) > 0 {
		slices.SortStableFunc(runs, func(a, b Run) int { return int(1e6*a.ExecutionMS) - int(1e6*b.ExecutionMS) })
		t.Warm = runs[len(runs)/2]
		t.Warm.ExecutionMS, t.Warm.PlanningMS = medianOf(t.Each), medianOf(planning)
	}
	r.Timing = true
	last, err := explain(r)
	return t, last, err
}

func spent(p *plan.Plan) time.Duration {
	return time.Duration((p.PlanningMS + p.ExecutionMS) * float64(time.Millisecond))
}

func runOf(p *plan.Plan) Run {
	r := Run{PlanningMS: p.PlanningMS, ExecutionMS: p.ExecutionMS, Read: p.Root.Read}
	r.Hit = p.Blocks() - r.Read
	return r
}

// minBlocks is the number of blocks under which a hit ratio says nothing.
const minBlocks = 100

// planOf is a plan as the report has it.
func planOf(label string, p *plan.Plan, s shaper) Plan {
	out := Plan{Label: label, Analyzed: p.Analyzed(), Cost: p.Root.TotalCost, Shape: s.shape(p), PlanningMS: p.PlanningMS, Root: tree(p)}
	if !out.Analyzed {
		return out
	}
	out.ExecutionMS, out.Blocks = p.ExecutionMS, p.Blocks()
	if out.Blocks >= minBlocks {
		ratio := 1 - float64(p.Root.Read)/float64(out.Blocks)
		out.HitRatio = &ratio
	}
	return out
}
