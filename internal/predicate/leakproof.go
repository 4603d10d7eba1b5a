package predicate

import (
	"github.com/planvet/planvet/internal/pgast"
)

// leaky names the operator or function that keeps a qual of the user's behind the
// policies' quals, "" when all that sees the row's values is leakproof.
//
// PostgreSQL asks each function that gets a column of the row, directly or
// through another call; comparands without columns may be what they like.
func (r *resolver) leaky(c *Conjunct) string {
	if op, ok := c.Expr.(*pgast.Op); ok && !r.leakproof(op.Name, c.typ, r.enumKey(c)) {
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

// leakproof asks pg_proc.proleakproof of the function behind an operator. A type
// that is not known counts as leakproof, unless no operator of the name is: what
// is not known must cause no finding.
func (r *resolver) leakproof(op, typ string, enum bool) bool {
	if enum {
		typ = "anyenum"
	}
	if op == "!=" {
		op = "<>"
	}
	if typ != "" {
		o, ok := r.facts.Resolve(op, typ, typ)
		return !ok && len(r.facts.Operators(op)) > 0 || o.Leakproof
	}
	for _, o := range r.facts.Operators(op) {
		if o.Leakproof {
			return true
		}
	}
	return len(r.facts.Operators(op)) == 0
}
