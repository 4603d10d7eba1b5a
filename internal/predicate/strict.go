package predicate

import (
	"github.com/planvet/planvet/internal/pgast"
)

// notNull reports whether a being true keeps x from being null.
func (p *prover) notNull(a, x pgast.Expr) bool {
	switch a := a.(type) {
	case *pgast.NullTest:
		return a.Not && sameExpr(a.Arg, x)
	case *pgast.BoolTest:
		return (a.Test == "TRUE" || a.Test == "FALSE") && p.strictIn(a.Arg, x)
	case *pgast.Op:
		switch a.Kind {
		case pgast.OpDistinct, pgast.OpNotDistinct, pgast.OpNullIf:
			return false
		case pgast.OpAny, pgast.OpIn:
			return p.strictIn(a.Left, x)
		case pgast.OpAll:
			return false // true for an empty array
		}
		return p.strictIn(a, x)
	case *pgast.Bool:
		return a.Kind == pgast.Not && len(a.Args) == 1 && p.strictIn(a.Args[0], x)
	}
	return p.strictIn(a, x) // a bare boolean
}

// strictIn reports whether e is null whenever x is.
func (p *prover) strictIn(e, x pgast.Expr) bool {
	if isNil(e) {
		return false
	}
	if sameExpr(e, x) {
		return true
	}
	switch e := e.(type) {
	case *pgast.Op:
		// Operators of the core are strict, but for these: -> on jsonb and the like
		// are strict as well, || of arrays is not.
		if e.Name == "||" || e.Kind == pgast.OpDistinct || e.Kind == pgast.OpNotDistinct || e.Kind == pgast.OpNullIf ||
			e.Schema != "" {
			return false
		}
		if e.Kind == pgast.OpAny || e.Kind == pgast.OpIn || e.Kind == pgast.OpAll {
			return e.Kind != pgast.OpAll && p.strictIn(e.Left, x)
		}
		return p.strictIn(e.Left, x) || p.strictIn(e.Right, x)
	case *pgast.Cast:
		return p.strictIn(e.Arg, x)
	case *pgast.Collate:
		return p.strictIn(e.Arg, x)
	case *pgast.FuncCall:
		if len(e.Name) == 1 || e.Name[0] == "pg_catalog" {
			if strictFunctions[e.Name[len(e.Name)-1]] {
				for _, a := range e.Args {
					if p.strictIn(a, x) {
						return true
					}
				}
			}
		}
	}
	return false
}

// truthTest is a test of a boolean: its value, and whether null passes too.
type truthTest struct{ truth, orNull bool }

// boolean reads x, NOT x, x = true, x IS TRUE, x IS NOT FALSE and so on.
func boolean(e pgast.Expr) (pgast.Expr, truthTest, bool) {
	switch e := e.(type) {
	case *pgast.BoolTest:
		switch e.Test {
		case "TRUE":
			return e.Arg, truthTest{truth: true}, true
		case "FALSE":
			return e.Arg, truthTest{}, true
		case "NOT TRUE":
			return e.Arg, truthTest{orNull: true}, true
		case "NOT FALSE":
			return e.Arg, truthTest{truth: true, orNull: true}, true
		}
	case *pgast.ColumnRef:
		return e, truthTest{truth: true}, true
	case *pgast.FuncCall:
		return e, truthTest{truth: true}, true
	case *pgast.Bool:
		if e.Kind == pgast.Not && len(e.Args) == 1 {
			if k, t, ok := boolean(e.Args[0]); ok && !t.orNull {
				if _, isTest := e.Args[0].(*pgast.BoolTest); !isTest {
					return k, truthTest{truth: !t.truth}, true
				}
			}
		}
	case *pgast.Op:
		if c, ok := uncast(e.Right).(*pgast.Const); ok && c.Kind == pgast.ConstBool && e.Kind == pgast.OpPlain && !isNil(e.Left) {
			switch e.Name {
			case "=":
				return e.Left, truthTest{truth: c.Text == "true"}, true
			case "<>", "!=":
				return e.Left, truthTest{truth: c.Text != "true"}, true
			}
		}
	}
	return nil, truthTest{}, false
}
