package plan

import "strings"

// Title names a node as EXPLAIN's text does, without schemas: Parallel Index Only
// Scan Backward using orders_pkey on orders o; Hash Left Join; Partial
// HashAggregate; Update on orders.
func (n *Node) Title() string {
	text := n.kind()
	if n.Parallel {
		text = "Parallel " + text
	}
	if n.Index != "" {
		if n.Direction == "Backward" {
			text += " Backward"
		}
		if n.Type == "Bitmap Index Scan" {
			return text + " on " + ident(n.Index)
		}
		text += " using " + ident(n.Index)
	}
	if target := n.target(); target != "" {
		text += " on " + target
	}
	return text
}

// kind is a node's type with what it does, one of EXPLAIN's words for it.
func (n *Node) kind() string {
	switch n.Type {
	case "Aggregate":
		partial := ""
		if n.Partial != "" && n.Partial != "Simple" {
			partial = n.Partial + " "
		}
		switch n.Strategy {
		case "Sorted":
			return partial + "GroupAggregate"
		case "Hashed":
			return partial + "HashAggregate"
		case "Mixed":
			return partial + "MixedAggregate"
		}
		return partial + "Aggregate"
	case "SetOp":
		if n.Strategy == "Hashed" {
			return "HashSetOp " + n.Command
		}
		return "SetOp " + n.Command
	case "ModifyTable":
		return n.Operation
	case "Custom Scan":
		return n.Type + " (" + n.Provider + ")"
	case "Nested Loop", "Hash Join", "Merge Join":
		if n.JoinType != "" && n.JoinType != "Inner" {
			return strings.TrimSuffix(n.Type, " Join") + " " + n.JoinType + " Join"
		}
	}
	return n.Type
}

// target is what a node reads or writes, with the alias where it differs.
func (n *Node) target() string {
	name := n.Relation
	for _, other := range []string{n.Function, n.CTE} {
		if name == "" {
			name = other
		}
	}
	switch {
	case name == "" && n.Alias == "":
		return ""
	case name == "":
		return ident(n.Alias)
	case n.Alias != "" && n.Alias != name:
		return ident(name) + " " + ident(n.Alias)
	}
	return ident(name)
}

// Full is schema.name of the relation that a node reads or writes; "" for none.
func (n *Node) Full() string {
	if n.Relation == "" || n.Schema == "" {
		return n.Relation
	}
	return n.Schema + "." + n.Relation
}
