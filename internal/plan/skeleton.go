package plan

import (
	"crypto/sha256"
	"fmt"
	"slices"
	"strings"
)

// Skeleton is a plan's nodes in its order, a line each, two blanks deeper a level: what
// a node is, what it reads and by which index. Join order is the order of the lines. It
// has no figures and no conditions, so that a plan for other values, or over more rows,
// has the same as long as the planner decides alike.
func (p *Plan) Skeleton() []string {
	var lines []string
	p.skeleton(func(n *Node, depth int) {
		lines = append(lines, strings.Repeat("  ", depth)+n.Title())
	})
	return lines
}

// Fingerprint is a hash of the skeleton, with the schemas of what is read: 16 hexadecimal
// digits.
func (p *Plan) Fingerprint() string {
	h := sha256.New()
	p.skeleton(func(n *Node, depth int) { fmt.Fprintf(h, "%d %s in %s\n", depth, n.Title(), n.Schema) })
	return fmt.Sprintf("%x", h.Sum(nil)[:8])
}

func (p *Plan) skeleton(line func(n *Node, depth int)) {
	var walk func(n *Node, depth int)
	walk = func(n *Node, depth int) {
		line(n, depth)
		for _, c := range n.Children {
			walk(c, depth+1)
		}
	}
	walk(p.Root, 0)
}

// DiffLine is a line of two skeletons: Op is '-' where only the first has it, '+' where
// only the second, ' ' where both.
type DiffLine struct {
	Op   byte
	Text string
}

// DiffSkeletons is a longest common subsequence of two skeletons with what is not in it,
// lines of the first before those of the second.
func DiffSkeletons(a, b []string) []DiffLine {
	// common[i][j] is how many lines a[i:] and b[j:] share in order.
	common := make([][]int, len(a)+1)
	for i := range common {
		common[i] = make([]int, len(b)+1)
	}
	for i, x := range slices.Backward(a) {
		for j, y := range slices.Backward(b) {
			if x == y {
				common[i][j] = common[i+1][j+1] + 1
			} else {
				common[i][j] = max(common[i+1][j], common[i][j+1])
			}
		}
	}
	var out []DiffLine
	i, j := 0, 0
	for i < len(a) || j < len(b) {
		switch {
		case i < len(a) && j < len(b) && a[i] == b[j]:
			out = append(out, DiffLine{' ', a[i]})
			i, j = i+1, j+1
		case j == len(b) || i < len(a) && common[i+1][j] >= common[i][j+1]:
			out = append(out, DiffLine{'-', a[i]})
			i++
		default:
			out = append(out, DiffLine{'+', b[j]})
			j++
		}
	}
	return out
}
