package explain

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/planvet/planvet/internal/plan"
	"github.com/planvet/planvet/rules"
)

// diagnose looks for the faults of a plan and tells what it does with indexes. root
// is the plan as tree gives it; the steps are told their findings. facts may be nil.
//
// A finding weighs as much as the part of the query that it concerns: of time where
// nodes were timed, else of blocks, else of cost. Under leastShare it is not told, and a
// query under leastMS is left alone.
func diagnose(p *plan.Plan, root *Step, facts *Facts) ([]Finding, []IndexUse) {
	d := newDiagnosis(p, root, facts)
	uses := d.indexes()
	if d.worthwhile() {
		for i := range heuristics {
			d.rule = &heuristics[i]
			d.rule.find(d)
		}
	}
	return d.ranked(), uses
}

// diagnosis is one plan under examination.
type diagnosis struct {
	plan  *plan.Plan
	facts *Facts
	steps map[*plan.Node]*Step
	nodes []*plan.Node
	// rule is the heuristic at work.
	rule     *heuristic
	findings []Finding
	// always are those of the findings that are told however small their share is.
	always []bool
}

func newDiagnosis(p *plan.Plan, root *Step, facts *Facts) *diagnosis {
	d := &diagnosis{plan: p, facts: facts, steps: map[*plan.Node]*Step{}}
	if d.facts == nil {
		d.facts = &Facts{}
	}
	var pair func(n *plan.Node, s *Step)
	pair = func(n *plan.Node, s *Step) {
		d.steps[n] = s
		if !s.Never {
			d.nodes = append(d.nodes, n)
		}
		for i, c := range n.Children {
			pair(c, s.Children[i])
		}
	}
	pair(p.Root, root)
	return d
}

// worthwhile reports whether the query is long enough to look at.
func (d *diagnosis) worthwhile() bool {
	if !d.plan.Analyzed() {
		return d.plan.Root.TotalCost >= leastCost
	}
	return d.total() >= leastMS
}

// total is planning and execution in milliseconds.
func (d *diagnosis) total() float64 { return d.plan.PlanningMS + d.plan.ExecutionMS }

// finding is what a heuristic says of one place.
type finding struct {
	severity string
	// share is the part of the query; 0 takes that of the node alone.
	share float64
	// always tells it however small the share is.
	always                 bool
	message, advice, cause string
}

// report adds a finding of the heuristic at work; n is nil for the plan as a whole.
func (d *diagnosis) report(n *plan.Node, f finding) {
	out := Finding{Heuristic: d.rule.Name, Severity: f.severity, Share: f.share, Message: f.message, Advice: f.advice, Cause: f.cause}
	if s := d.steps[n]; s != nil {
		out.Step = s.ID
		if f.share == 0 {
			out.Share = s.Share
		}
	}
	out.Share = min(1, out.Share)
	if out.Advice == "" {
		out.Advice = d.rule.Advice
	}
	d.findings = append(d.findings, out)
	d.always = append(d.always, f.always)
}

// found reports whether a heuristic has a finding at a node already.
func (d *diagnosis) found(n *plan.Node, names ...string) bool {
	return slices.ContainsFunc(d.findings, func(f Finding) bool {
		return f.Step == d.steps[n].ID && slices.Contains(names, f.Heuristic)
	})
}

// ranked are the findings, heaviest first and the graver first among equals, with
// IDs that the steps know.
func (d *diagnosis) ranked() []Finding {
	grave := []string{Critical, Warning, Note}
	told := d.merged()
	slices.SortStableFunc(told, func(a, b Finding) int {
		return cmp.Or(
			cmp.Compare(math.Round(b.Share*100), math.Round(a.Share*100)),
			cmp.Compare(slices.Index(grave, a.Severity), slices.Index(grave, b.Severity)),
			cmp.Compare(a.Step, b.Step), cmp.Compare(a.Heuristic, b.Heuristic))
	})
	out := []Finding{}
	for i, f := range told {
		f.ID = i + 1
		for _, s := range d.steps {
			if s.ID == f.Step {
				s.Findings = append(s.Findings, f.ID)
			}
		}
		out = append(out, f)
	}
	return out
}

// merged are the findings that weigh enough. One that several partitions of a table
// have is told once, of the heaviest, and weighs as much as all.
func (d *diagnosis) merged() []Finding {
	roots := map[int]string{}
	own := map[int]float64{}
	for n, s := range d.steps {
		own[s.ID] = s.Share
		if t := d.facts.table(n); t != nil && t.Root != "" {
			roots[s.ID] = t.Root
		}
	}
	type group struct{ heuristic, root string }
	members := map[group][]Finding{}
	var out []Finding
	for i, f := range d.findings {
		if g := (group{f.Heuristic, roots[f.Step]}); g.root != "" {
			members[g] = append(members[g], f)
		} else if f.Share >= leastShare || d.always[i] {
			out = append(out, f)
		}
	}
	for g, all := range members {
		f := slices.MaxFunc(all, func(a, b Finding) int {
			return cmp.Or(cmp.Compare(a.Share, b.Share), cmp.Compare(b.Step, a.Step))
		})
		if len(all) > 1 {
			sum := 0.0
			for _, x := range all {
				sum += own[x.Step]
			}
			f.Share = min(1, max(f.Share, sum))
			f.Message += fmt.Sprintf("; and so on in %d more partitions of %s", len(all)-1, strings.TrimPrefix(g.root, "public."))
		}
		if f.Share >= leastShare {
			out = append(out, f)
		}
	}
	return out
}

// below is the share of a node and all nodes under it.
func (d *diagnosis) below(n *plan.Node) float64 {
	share := d.steps[n].Share
	for _, c := range n.Children {
		share += d.below(c)
	}
	return share
}

// child is a node's input of a kind: Outer, Inner; nil for none.
func child(n *plan.Node, relationship string) *plan.Node {
	for _, c := range n.Children {
		if c.Relationship == relationship {
			return c
		}
	}
	return nil
}

// within reports whether n is top or under it.
func within(n, top *plan.Node) bool {
	for ; n != nil; n = n.Parent {
		if n == top {
			return true
		}
	}
	return false
}

// name is a relation as messages call it: without the schema public.
func name(n *plan.Node) string {
	if n.Schema != "" && n.Schema != "public" {
		return n.Full()
	}
	return n.Relation
}

// num writes a count: 1,234,567.
func num(v float64) string { return rules.Thousands(int64(math.Round(v))) }

// millis writes a time.
func millis(v float64) string {
	if v < 10 {
		return fmt.Sprintf("%.2f ms", v)
	}
	return num(v) + " ms"
}

func percent(v float64) string { return fmt.Sprintf("%.0f %%", v*100) }

// kib writes a size given in KiB.
func kib(v float64) string {
	switch {
	case v >= 10*1024:
		return num(v/1024) + " MiB"
	case v >= 1024:
		return fmt.Sprintf("%.1f MiB", v/1024)
	}
	return num(v) + " KiB"
}

// list writes names: a, b and c.
func list(all []string) string {
	if len(all) < 2 {
		return strings.Join(all, "")
	}
	return strings.Join(all[:len(all)-1], ", ") + " and " + all[len(all)-1]
}
