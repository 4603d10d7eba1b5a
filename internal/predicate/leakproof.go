package predicate

import (
	"strings"

	"github.com/planvet/planvet/internal/pgast"
)

// leaky names the operator or function that keeps a qual of the user's behind the
// policies' quals, "" when all that sees the row's values is leakproof.
//
// PostgreSQL asks each function that gets a column of the row, directly or
// through another call; comparands without columns may be what they like.
func (r *resolver) leaky(c *Conjunct) string {
	if op, ok := c.Expr.(*pgast.Op); ok && !leakproofOp(op.Name, c.typ, r.enumKey(c)) {
		return operatorName(op.Name, c.typ)
	}
	found := ""
	each(c.keyNode, func(x pgast.Expr) bool {
		if found != "" {
			return false
		}
		switch x := x.(type) {
		case *pgast.FuncCall:
			found = x.Name[len(x.Name)-1] // none that an index expression would use is leakproof
		case *pgast.Op:
			found = operatorName(x.Name, r.typeOf(x.Left))
		case *pgast.Cast:
			if r.relabel(x) == pgast.Expr(x) {
				found = "cast to " + typeName(x.Type)
			}
		}
		return true
	})
	return found
}

func operatorName(op, typ string) string {
	if typ == "" {
		return op
	}
	return op + " on " + typ
}

func (r *resolver) enumKey(c *Conjunct) bool {
	v, ok := c.keyNode.(*Var)
	return ok && r.enum(v.Rel, v.Column)
}

// leakproofOp follows pg_proc.proleakproof of the comparison operators; a type that
// is not known counts as leakproof, so that it causes no finding.
func leakproofOp(op, typ string, enum bool) bool {
	if enum {
		return false
	}
	switch op {
	case "=", "<>", "!=", "<", "<=", ">", ">=":
	default:
		return false
	}
	if strings.HasSuffix(typ, "[]") {
		return false
	}
	switch typ {
	case "numeric", "jsonb", "citext", "record", "tsvector", "int4range", "int8range", "numrange", "tsrange",
		"tstzrange", "daterange", "hstore", "ltree":
		return false
	}
	return true
}
