package plan

import (
	"fmt"
	"strings"
)

// Shape is a plan without its figures: nodes, what they read, by which index, on
// which conditions and in which order. Two plans of one statement with equal shapes
// do the same work in the same way, whatever the costs.
func (p *Plan) Shape() string {
	var b strings.Builder
	p.Root.shape(&b, 0)
	return b.String()
}

func (n *Node) shape(b *strings.Builder, depth int) {
	fmt.Fprintf(b, "%*s%s", 2*depth, "", n.Type)
	for _, part := range []struct{ label, text string }{
		{"", n.Strategy}, {"", n.JoinType}, {"", n.Operation}, {"", n.Relationship}, {"as ", n.SubplanName},
		{"on ", n.Schema + "." + n.Relation}, {"alias ", n.Alias}, {"using ", n.Index}, {"", n.Direction},
		{"index cond ", n.IndexCond}, {"recheck ", n.Recheck}, {"filter ", n.Filter}, {"join filter ", n.JoinCond},
		{"hash cond ", n.HashCond}, {"merge cond ", n.MergeCond}, {"tid cond ", n.TIDCond}, {"once ", n.OneTime},
		{"sort ", strings.Join(n.SortKey, ", ")}, {"presorted ", strings.Join(n.Presorted, ", ")}, {"order ", n.OrderBy},
	} {
		if part.text != "" && part.text != "." {
			b.WriteString("; " + part.label + part.text)
		}
	}
	b.WriteByte('\n')
	for _, c := range n.Children {
		c.shape(b, depth+1)
	}
}
