package explain

import (
	"slices"

	"github.com/planvet/planvet/internal/plan"
)

// tree is a plan as steps, numbered in the order in which EXPLAIN prints them.
func tree(p *plan.Plan) *Step {
	root, _ := steps(p)
	return root
}

// steps is a plan as steps and the step of each node.
func steps(p *plan.Plan) (*Step, map[*plan.Node]*Step) {
	b := &stepper{plan: p, parts: p.Account(), steps: map[*plan.Node]*Step{}}
	for _, a := range b.parts {
		b.ms, b.blocks, b.cost = b.ms+a.SelfMS, b.blocks+a.SelfBlocks, b.cost+a.SelfCost
	}
	return b.step(p.Root), b.steps
}

type stepper struct {
	plan  *plan.Plan
	parts map[*plan.Node]*plan.Part
	steps map[*plan.Node]*Step
	// ms, blocks and cost are the whole that steps have their share of.
	ms, cost float64
	blocks   int64
}

func (b *stepper) step(n *plan.Node) *Step {
	a := b.parts[n]
	s := &Step{ID: len(b.steps) + 1, Title: n.Title(), Type: n.Type, Role: role(n), Relation: n.Full(), Index: n.Index,
		Cost: n.TotalCost, Estimated: a.Estimated, Conditions: conditions(n), Details: details(n)}
	b.steps[n] = s
	if b.plan.Analyzed() {
		s.Rows, s.Loops, s.Removed, s.Never = n.AllRows(), n.Loops, n.AllRemoved(), n.Loops == 0
		s.MS, s.SelfMS = a.MS, a.SelfMS
		s.Blocks, s.SelfBlocks, s.SelfRead = a.Blocks, a.SelfBlocks, a.SelfRead
		s.Factor = factor(b.plan, n, a.Estimated)
	}
	s.Share, s.BlockShare = b.share(a), ratio(float64(a.SelfBlocks), float64(b.blocks))
	for _, c := range n.Children {
		s.Children = append(s.Children, b.step(c))
	}
	return s
}

// share is a part of the plan's time where nodes were timed, else of its blocks,
// else of its cost.
func (b *stepper) share(a *plan.Part) float64 {
	switch {
	case b.ms > 0:
		return ratio(a.SelfMS, b.ms)
	case b.blocks > 0:
		return ratio(float64(a.SelfBlocks), float64(b.blocks))
	}
	return ratio(a.SelfCost, b.cost)
}

func ratio(part, whole float64) float64 {
	if whole <= 0 {
		return 0
	}
	return part / whole
}

// factor is how many times more rows came than were expected; 0 where the node says
// nothing of rows: a bitmap has blocks and dead rows too. Before 18 rows a loop are rounded to whole ones: of 0 in 1000
// loops, up to 499 may have come.
func factor(p *plan.Plan, n *plan.Node, estimated float64) float64 {
	if n.Loops == 0 || estimated <= 0 || slices.Contains([]string{"Bitmap Index Scan", "BitmapAnd", "BitmapOr", "ModifyTable"}, n.Type) {
		return 0
	}
	rows, unsure := n.AllRows(), 0.0
	if n.Loops > 1 {
		unsure = n.Loops * 0.5
		if p.Decimals {
			unsure = n.Loops * 0.005
		}
	}
	// A planner never expects less than one row a loop.
	least := max(1, n.Loops)
	switch low, high := max(rows-unsure, least), max(rows+unsure, least); {
	case estimated < low:
		return low / estimated
	case estimated > high:
		return high / estimated
	}
	return 1
}

// role is what a node is to its parent where that is not plain.
func role(n *plan.Node) string {
	switch {
	case n.SubplanName != "":
		return n.SubplanName
	case n.Relationship == "Inner":
		return "inner"
	}
	return ""
}

func conditions(n *plan.Node) []Condition {
	var out []Condition
	for _, c := range []Condition{
		{"Index Cond", n.IndexCond}, {"Order By", n.OrderBy}, {"Recheck Cond", n.Recheck}, {"TID Cond", n.TIDCond},
		{"Hash Cond", n.HashCond}, {"Merge Cond", n.MergeCond}, {"Join Filter", n.JoinCond}, {"Run Condition", n.RunCondition},
		{"Conflict Filter", n.Conflict}, {"One-Time Filter", n.OneTime}, {"Filter", n.Filter},
	} {
		if c.Text != "" {
			out = append(out, c)
		}
	}
	return out
}
