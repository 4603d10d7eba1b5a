package plan

import (
	"fmt"
	"slices"
)

// Structural judges how a plan reaches a relation, DESIGN.md's first level. The
// plan must have been made with enable_seqscan, enable_hashjoin and
// enable_mergejoin off. A scan goes through an access path when
//
//  1. a condition stands on the leading key of a btree, hash or spgist index, or on
//     any key of a gin, gist, brin or bloom index; IS NOT NULL selects
//     nothing and is no condition;
//  2. or its index is partial, so that the statement implies the predicate;
//  3. or ordered is set, which says that the statement needs an order (ORDER BY
//     with LIMIT, min, max), and the scan hands its rows to the Limit in the order
//     of the index;
//  4. or it fetches rows by their TID.
//
// An intersection of bitmaps needs one such scan, a union needs all. A
// partitioned table is reached too when pruning left at least half of the partitions
// out. Names of nodes are no evidence, and neither are conditions on later keys alone: with
// seqscan off the planner walks a whole index rather than the table.
func Structural(p *Plan, rel Relation, indexes Indexes, ordered bool) Judgement {
	j := Judgement{Accesses: p.scans(rel)}
	if len(j.Accesses) == 0 {
		return j
	}
	j.Found, j.Path = true, true
	for i := range j.Accesses {
		a := &j.Accesses[i]
		judge(a, indexes, ordered)
		if !a.Path && (j.Path || j.Unknown && !a.Unknown) {
			j.Unknown, j.Why = a.Unknown, a.Why
		}
		j.Path = j.Path && a.Path
	}
	if j.Path {
		j.Why = j.Accesses[0].Why
		return j
	}
	if left := leaves(j.Accesses); rel.Leaves > 0 && 2*left <= rel.Leaves {
		j.Path, j.Unknown = true, false
		j.Why = fmt.Sprintf("pruning leaves %d of %d partitions", left, rel.Leaves)
	}
	return j
}

// leaves counts the relations that are scanned: a partition may be scanned twice.
func leaves(all []Access) int {
	seen := map[string]bool{}
	for _, a := range all {
		seen[a.Node.Schema+"."+a.Node.Relation] = true
	}
	return len(seen)
}

func judge(a *Access, indexes Indexes, ordered bool) {
	n := a.Node
	switch n.Type {
	case "Seq Scan", "Sample Scan":
		a.Why = n.Describe()
	case "Tid Scan", "Tid Range Scan":
		a.Path, a.Why = true, "rows are fetched by their TID"
	case "Bitmap Heap Scan":
		// An InitPlan of the heap scan, a policy's (select …), stands before its input.
		i := slices.IndexFunc(n.Children, func(c *Node) bool { return c.Relationship == "Outer" })
		if i < 0 {
			a.Unknown, a.Why = true, "a bitmap scan without an index"
			return
		}
		*a = bitmap(n, n.Children[i], indexes)
	case "Index Scan", "Index Only Scan":
		*a = condition(n, n, indexes)
		if !a.Path && ordered && givesOrder(n) {
			a.Path, a.Unknown, a.Why = true, false, n.Index+" gives the order"
		}
	default:
		a.Unknown, a.Why = true, "a "+n.Type+" cannot be judged"
	}
}

// bitmap judges a tree of bitmaps below the heap scan.
func bitmap(heap, n *Node, indexes Indexes) Access {
	switch n.Type {
	case "Bitmap Index Scan":
		return condition(heap, n, indexes)
	case "BitmapAnd":
		out := Access{Node: heap}
		for _, c := range n.Children {
			if a := bitmap(heap, c, indexes); a.Path || !out.Unknown {
				out = a
			}
			if out.Path {
				break
			}
		}
		return out
	case "BitmapOr":
		out := Access{Node: heap, Path: true}
		for _, c := range n.Children {
			a := bitmap(heap, c, indexes)
			if !a.Path {
				return a
			}
			out.Why = a.Why
		}
		return out
	}
	return Access{Node: heap, Unknown: true, Why: "a " + n.Type + " cannot be judged"}
}

// condition judges the index condition of an index scan on the heap's relation.
func condition(heap, scan *Node, indexes Indexes) Access {
	a := Access{Node: heap}
	def, ok := indexes[heap.Schema+"."+scan.Index]
	if !ok {
		a.Unknown, a.Why = true, "index "+scan.Index+" is not known"
		return a
	}
	keys, unexplained := conditionKeys(scan.IndexCond, heap.Alias, def.Keys)
	anyKey := slices.Contains([]string{"gin", "gist", "brin", "bloom"}, def.Method)
	switch {
	case anyKey && len(keys) > 0:
		a.Path, a.Why = true, "condition on key "+def.Keys[keys[0]]+" of "+def.Name
	case slices.Contains(keys, 0):
		a.Path, a.Why = true, "condition on leading key "+def.Keys[0]+" of "+def.Name
	case def.Partial:
		a.Path, a.Why = true, "the predicate of "+def.Name+" is implied"
	case unexplained:
		a.Unknown, a.Why = true, "a condition of "+def.Name+" is on none of its keys"
	case len(keys) > 0:
		a.Why = "conditions only on later keys of " + def.Name
	default:
		a.Why = "no condition, all of " + def.Name + " is walked"
	}
	return a
}

// givesOrder reports whether a scan's rows come to a Limit in the scan's order.
func givesOrder(n *Node) bool {
	for child, up := n, n.Parent; up != nil; child, up = up, up.Parent {
		switch up.Type {
		case "Limit":
			return true
		case "Result", "Subquery Scan", "LockRows", "Merge Append", "Gather Merge", "Unique", "Append", "ProjectSet":
		case "Nested Loop":
			if child.Relationship != "Outer" {
				return false
			}
		default:
			return false
		}
	}
	return false
}
