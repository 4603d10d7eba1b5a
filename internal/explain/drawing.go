package explain

import (
	"fmt"
	"math"
	"strings"
)

// node is a step of the drawn plan, with the lines that lead to it.
type node struct {
	*Step
	plan *Plan
	// Edge is the class of its line to its parent, Trunk of the line that goes on to
	// its later siblings, "" for the last.
	Edge, Trunk string
	// Deep is the class of nodes that are indented less, so that they keep room.
	Deep string
	// Below counts the steps below.
	Below int
	Kids  []*node
}

const (
	// maxEdge is the class of the widest line.
	maxEdge = 8
	// From these depths on nodes are indented less, and hardly.
	deep, deeper = 8, 14
)

// rootNode is the whole drawing of a plan.
func rootNode(p *Plan) *node { return drawNode(p.Root, p, 0) }

func drawNode(s *Step, p *Plan, depth int) *node {
	n := &node{Step: s, plan: p, Edge: edge(s, p), Deep: indentation(depth)}
	n.Kids = make([]*node, len(s.Children))
	widest := "" // of the later siblings
	for i := len(s.Children) - 1; i >= 0; i-- {
		kid := drawNode(s.Children[i], p, depth+1)
		kid.Trunk = strings.Replace(widest, "edge", "trunk", 1)
		widest = max(widest, kid.Edge)
		n.Kids[i], n.Below = kid, n.Below+1+kid.Below
	}
	return n
}

func indentation(depth int) string {
	switch {
	case depth >= deeper:
		return "deep deeper"
	case depth >= deep:
		return "deep"
	}
	return ""
}

// nodes are the steps of a plan one by one, without lines.
func nodes(p *Plan) []*node {
	var out []*node
	for _, s := range stepList(p) {
		out = append(out, &node{Step: s, plan: p})
	}
	return out
}

// Analyzed reports whether the figures are of a run.
func (n *node) Analyzed() bool { return n.plan.Analyzed }

// edge is the class of a step's line: its width goes by the power of ten of its rows,
// from 0 for none to 8 for ten million and more.
func edge(s *Step, p *Plan) string {
	rows := s.Estimated
	if p.Analyzed {
		rows = s.Rows
	}
	if rows < 1 {
		return "edge0"
	}
	return fmt.Sprintf("edge%d", min(maxEdge, 1+int(math.Log10(rows)+1e-9)))
}
