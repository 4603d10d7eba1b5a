package explain

import (
	"fmt"
	"hash/fnv"
	"regexp"
	"slices"
	"strings"

	"github.com/planvet/planvet/catalog"
	"github.com/planvet/planvet/internal/plan"
)

// shaper tells plans for different values apart by the way they work. Conditions hold
// the values, which the planner folds into them, so their kinds count and not their
// texts; partitions that a value prunes make no other way, so they count as their
// table, and all scans of one table under one Append as one.
type shaper struct{ cat *catalog.Catalog }

// shape is a short hash: equal for equal ways.
func (s shaper) shape(p *plan.Plan) string {
	h := fnv.New64a()
	h.Write([]byte(s.node(p.Root)))
	return fmt.Sprintf("%012x", h.Sum64()&(1<<48-1))
}

func (s shaper) node(n *plan.Node) string {
	var below []string
	for _, c := range n.Children {
		t := s.node(c)
		if (n.Type == "Append" || n.Type == "Merge Append") && len(below) > 0 && below[len(below)-1] == t {
			continue
		}
		below = append(below, t)
	}
	if (n.Type == "Append" || n.Type == "Merge Append") && len(below) == 1 {
		return below[0]
	}
	parts := []string{n.Type, n.Strategy, n.JoinType, n.Operation, n.Direction, s.table(n), s.index(n)}
	for _, c := range []struct{ label, text string }{
		{"cond", n.IndexCond}, {"filter", n.Filter}, {"join filter", n.JoinCond}, {"order", n.OrderBy}, {"tid", n.TIDCond},
	} {
		if c.text != "" {
			parts = append(parts, c.label)
		}
	}
	return strings.Join(parts, ";") + "(" + strings.Join(below, ",") + ")"
}

var copied = regexp.MustCompile(`_\d+$`)

// table is what a node reads, a partition as its table.
func (s shaper) table(n *plan.Node) string {
	if n.Relation == "" {
		return ""
	}
	name := catalog.Name{Schema: n.Schema, Name: n.Relation}
	for r := s.cat.Relation(name.Schema, name.Name); r != nil && r.PartitionOf != (catalog.Name{}); r = s.cat.Relation(name.Schema, name.Name) {
		name = r.PartitionOf
	}
	return name.String() + " " + copied.ReplaceAllString(n.Alias, "")
}

// index is the index that a node reads; those of partitions by their keys, since each
// has its own.
func (s shaper) index(n *plan.Node) string {
	heap := heapOf(n) // a bitmap's index scan names no table
	r := s.cat.Relation(heap.Schema, heap.Relation)
	if n.Index == "" || r == nil || r.PartitionOf == (catalog.Name{}) {
		return n.Index
	}
	x := r.Index(n.Index)
	if x == nil {
		return n.Index
	}
	return fmt.Sprint(x.Method, x.Keys, x.Unique)
}

// tenfold is the ratio of costs from which on plans are said to differ.
const tenfold = 10

// compare sets Sensitive: plans for different values work in other ways, or cost
// tenfold.
func (r *Report) compare() {
	var cheap, dear *Plan
	for i := range r.Plans {
		p := &r.Plans[i]
		if i > 0 && p.Label == "generic" && (p.Shape == r.Plans[0].Shape || prunedAway(p.Root)) {
			continue // it counts partitions that are pruned when it runs
		}
		if cheap == nil || p.Cost < cheap.Cost {
			cheap = p
		}
		if dear == nil || p.Cost > dear.Cost {
			dear = p
		}
	}
	if cheap == nil {
		return
	}
	var why []string
	for i := range r.Plans {
		if p := &r.Plans[i]; p.Shape != r.Plans[0].Shape && !prunedAway(p.Root) {
			why = append(why, fmt.Sprintf("%s: %s; %s: %s", valuesOf(r.Plans[0].Label), accesses(r.Plans[0].Root), valuesOf(p.Label), accesses(p.Root)))
			break
		}
	}
	if dear.Cost > tenfold*cheap.Cost {
		why = append(why, fmt.Sprintf("cost %.0f for %s, %.0f for %s", dear.Cost, valuesOf(dear.Label), cheap.Cost, valuesOf(cheap.Label)))
	}
	r.Sensitive, r.SensitiveWhy = len(why) > 0, strings.Join(why, "; ")
}

// prunedAway reports whether all partitions of an Append are pruned: before 16 the plan
// for every value is shown for NULLs, which no partition holds.
func prunedAway(s *Step) bool {
	return s.Type == "Append" && len(s.Children) == 0 || slices.ContainsFunc(s.Children, prunedAway)
}

// valuesOf is a plan's label in a sentence.
func valuesOf(label string) string {
	switch label {
	case "generic":
		return "every value"
	case "given":
		return "the values given"
	}
	return label + " values"
}

// accesses are the ways by which a plan reads tables, at most three.
func accesses(s *Step) string {
	var out []string
	var walk func(*Step)
	walk = func(s *Step) {
		if s.Relation != "" || len(s.Children) == 0 {
			out = append(out, s.Title)
		}
		for _, c := range s.Children {
			walk(c)
		}
	}
	walk(s)
	if len(out) > 3 {
		out = append(out[:3], fmt.Sprintf("%d more", len(out)-3))
	}
	return strings.Join(out, ", ")
}
