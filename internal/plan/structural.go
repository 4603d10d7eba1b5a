package plan

// Structural judges how a plan reaches a relation, DESIGN.md's first level. The
// plan must have been made with enable_seqscan, enable_hashjoin and
// enable_mergejoin off. ordered says that the statement needs an order (ORDER BY
// with LIMIT, min, max), so that an index that gives it is a path.
func Structural(p *Plan, rel Relation, indexes map[string]IndexDef, ordered bool) Judgement {
	return Judgement{}
}

func (p *Plan) scans(rel Relation) []Access { return nil }
