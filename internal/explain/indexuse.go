package explain

import (
	"github.com/planvet/planvet/internal/plan"
)

// indexes tell of each index that the plan reads, in the order of its steps, and then
// of those of its tables that it does not read. Partitions have as many as their
// table each, and are not asked for those.
func (d *diagnosis) indexes() []IndexUse {
	out := []IndexUse{}
	read := map[*IndexFacts]bool{}
	var visit func(n *plan.Node)
	visit = func(n *plan.Node) {
		if n.Index != "" {
			x := d.indexOf(n)
			read[x] = true
			out = append(out, d.use(n, x))
		}
		for _, c := range n.Children {
			visit(c)
		}
	}
	visit(d.plan.Root)
	for i := range d.facts.Indexes {
		x := &d.facts.Indexes[i]
		if t := d.facts.Tables[x.Schema+"."+x.Table]; read[x] || t != nil && t.Root != "" && t.Root != x.Schema+"."+x.Table {
			continue
		}
		out = append(out, IndexUse{Index: x.Name, Relation: x.Schema + "." + x.Table, Keys: x.Keys})
	}
	return out
}

// use is what a node does with the index that it reads; x is nil where nothing is
// known of it.
func (d *diagnosis) use(n *plan.Node, x *IndexFacts) IndexUse {
	heap := heapOf(n)
	u := IndexUse{
		Index: n.Index, Relation: heap.Full(), Keys: []string{}, Step: d.steps[n].ID, Condition: n.IndexCond, Filter: heap.Filter,
		HeapFetches: n.HeapFetches, Searches: n.IndexSearches, Rows: n.AllRows(),
	}
	if x == nil {
		return u
	}
	u.Keys = x.Keys
	found, _ := x.Match(n.IndexCond, heap.Alias)
	has := map[int]bool{}
	for _, k := range found {
		has[k] = true
	}
	u.Leading = has[0]
	for i, k := range x.Keys {
		if !has[i] {
			u.UnusedKeys = append(u.UnusedKeys, k)
		}
	}
	return u
}
