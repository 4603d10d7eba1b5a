package plan

import (
	"cmp"
	"regexp"
	"slices"
	"strings"
)

// isCTE reports whether a node is the plan of a WITH query.
func (n *Node) isCTE() bool { return strings.HasPrefix(n.SubplanName, "CTE ") }

// runners are the nodes in which an InitPlan or a CTE ran, see Account. Of an InitPlan
// that is the first for which fits says that it can be, and otherwise all that may.
func (p *Plan) runners(sub *Node, fits func(*Node) bool) []*Node {
	if sub.isCTE() {
		return p.readers(sub)
	}
	var all []*Node
	for _, n := range mentioning(sub) {
		for ; n != sub.Parent; n = n.Parent {
			all = append(all, belowGather(n, sub.Parent))
		}
	}
	all = append(all, sub.Parent)
	// Those that mention it come before the nodes between them and where it hangs.
	slices.SortStableFunc(all, func(a, b *Node) int { return cmp.Compare(rank(a, sub), rank(b, sub)) })
	if i := slices.IndexFunc(all, fits); i >= 0 {
		return all[i : i+1]
	}
	return all
}

func rank(n, sub *Node) int {
	switch {
	case gathers(n) || mentionsAny(n, names(sub)...):
		return 0
	case n == sub.Parent:
		return 2
	}
	return 1
}

// belowGather is the Gather above n and not above top, or n.
func belowGather(n, top *Node) *Node {
	for up := n; ; up = up.Parent {
		if gathers(up) {
			return up
		}
		if up == top {
			return n
		}
	}
}

// readers are the CTE Scans of a WITH query in plan order. Its name is looked up
// from the inside: the nearest of that name is meant.
func (p *Plan) readers(cte *Node) []*Node {
	var out []*Node
	cte.Parent.Walk(func(n *Node) {
		if n.Type == "CTE Scan" && n.Definition() == cte {
			out = append(out, n)
		}
	})
	return out
}

// Definition is the plan of the WITH query that a CTE Scan reads; nil for none.
func (n *Node) Definition() *Node {
	var below *Node
	for up := n; up != nil; below, up = up, up.Parent {
		for _, c := range up.Children {
			if c != below && c.SubplanName == "CTE "+n.CTE {
				return c
			}
		}
	}
	return nil
}

// mentioning are the nodes whose texts have the value of an InitPlan, children
// before parents: in nodes above, it is handed up as computed below.
func mentioning(sub *Node) []*Node {
	want := names(sub)
	var out []*Node
	var visit func(*Node)
	visit = func(n *Node) {
		if n == sub {
			return
		}
		for _, c := range n.Children {
			visit(c)
		}
		if n != sub.Parent && mentionsAny(n, want...) {
			out = append(out, n)
		}
	}
	visit(sub.Parent)
	return out
}

var returns = regexp.MustCompile(`^(.*) \(returns (.*)\)$`)

// names are how other nodes write the value of an InitPlan: $0, and (InitPlan 1)
// since 17.
func names(sub *Node) []string {
	if m := returns.FindStringSubmatch(sub.SubplanName); m != nil {
		return strings.Split(m[2], ",")
	}
	return []string{"(" + sub.SubplanName + ")"}
}

func mentionsAny(n *Node, names ...string) bool {
	for _, text := range n.texts() {
		for _, name := range names {
			for rest := text; ; {
				i := strings.Index(rest, name)
				if i < 0 {
					break
				}
				rest = rest[i+len(name):]
				// $1 is not in $10.
				if rest == "" || rest[0] < '0' || rest[0] > '9' {
					return true
				}
			}
		}
	}
	return false
}

// texts are the expressions of a node.
func (n *Node) texts() []string {
	return slices.Concat(n.Output, n.SortKey, n.GroupKey, []string{n.IndexCond, n.OrderBy, n.Recheck, n.Filter, n.JoinCond,
		n.HashCond, n.MergeCond, n.TIDCond, n.OneTime, n.RunCondition, n.Conflict, n.Call, n.CacheKey})
}
