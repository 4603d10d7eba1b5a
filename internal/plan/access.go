package plan

import (
	"regexp"
	"strings"
)

// IndexDef is what the judgement needs to know of an index. Keys are as
// pg_get_indexdef(oid, n, false) prints them: a quoted column or an expression,
// under the search_path that the plan was made with.
type IndexDef struct {
	Name    string
	Method  string
	Keys    []string
	Partial bool
}

// Indexes are definitions by the schema and name of the index, schema.name.
type Indexes map[string]IndexDef

// Relation names the relation whose access is judged.
type Relation struct {
	Schema, Table string
	// Alias is the name by which the statement refers to it; "" takes any.
	Alias string
	// Parts are its partitions and inheriting tables, all levels, as schema.name.
	Parts map[string]bool
	// Leaves counts those of them that hold rows; 0 for a plain table.
	Leaves int
}

// Access is one scan of a relation, judged.
type Access struct {
	Node *Node
	// Path is set when the scan goes through an access path.
	Path bool
	// Unknown is set when that cannot be told: a foreign or custom scan, an index
	// condition that no key explains.
	Unknown bool
	// Why says it in words: orders: condition on leading key tenant_id of orders_tenant_idx.
	Why string
}

// Judgement is the structural answer for a relation.
type Judgement struct {
	// Found is false when the plan does not read the relation.
	Found bool
	// Path is set when every scan of the relation goes through an access path, or
	// pruning leaves only the partitions asked for.
	Path bool
	// Unknown is set when some scan cannot be judged and none is known to lack a path.
	Unknown bool
	// Why is the reason of the first scan that decided.
	Why      string
	Accesses []Access
}

// Accesses returns the scans of a relation in plan order, unjudged.
func (p *Plan) Accesses(schema, table, alias string) []Access {
	return p.scans(Relation{Schema: schema, Table: table, Alias: alias})
}

func (p *Plan) scans(rel Relation) []Access {
	var out []Access
	p.Walk(func(n *Node) {
		if n.Reads(rel) {
			out = append(out, Access{Node: n})
		}
	})
	return out
}

var numbered = regexp.MustCompile(`_\d+$`)

// Reads reports whether a node scans the relation. Where a name occurs more than
// once, and for partitions, the server adds _1, _2 … to the alias.
func (n *Node) Reads(rel Relation) bool {
	if n.Relation == "" || !strings.HasSuffix(n.Type, "Scan") {
		return false
	}
	same := n.Relation == rel.Table && (rel.Schema == "" || n.Schema == "" || n.Schema == rel.Schema)
	if !same && !rel.Parts[n.Schema+"."+n.Relation] {
		return false
	}
	return rel.Alias == "" || n.Alias == rel.Alias || numbered.ReplaceAllString(n.Alias, "") == rel.Alias
}

// Describe names a scan as a reader of plans would: Seq Scan on orders; Index
// Scan using orders_pkey on orders.
func (n *Node) Describe() string {
	text := n.Type
	switch {
	case n.Type == "Bitmap Heap Scan":
		if x := bitmapIndexes(n); len(x) > 0 {
			text += " using " + strings.Join(x, ", ")
		}
	case n.Index != "":
		text += " using " + n.Index
	}
	if n.Relation != "" {
		text += " on " + n.Relation
	}
	return text
}

func bitmapIndexes(n *Node) []string {
	var out []string
	n.Walk(func(m *Node) {
		if m.Type == "Bitmap Index Scan" {
			out = append(out, m.Index)
		}
	})
	return out
}
