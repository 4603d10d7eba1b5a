package plan

// IndexDef is what the judgement needs to know of an index. Keys are as
// pg_get_indexdef(oid, n, false) prints them: a quoted column or an expression.
type IndexDef struct {
	Name    string
	Method  string
	Keys    []string
	Partial bool
}

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
	// Why says it in words: seq scan on orders; index scan using … on leading key ….
	Why string
}

// Accesses returns the scans of a relation, in plan order, unjudged.
func (p *Plan) Accesses(schema, table, alias string) []Access {
	return p.scans(Relation{Schema: schema, Table: table, Alias: alias})
}

// Judgement is the structural answer for a relation.
type Judgement struct {
	// Found is false when the plan does not read the relation.
	Found bool
	// Path is set when every scan of the relation goes through an access path.
	Path bool
	// Unknown is set when some scan cannot be judged.
	Unknown  bool
	Accesses []Access
}
