package predicate

import (
	"slices"

	"github.com/planvet/planvet/catalog/builtin"
	"github.com/planvet/planvet/internal/pgast"
)

// notNull reports whether a being true keeps x from being null.
func (p *prover) notNull(a, x pgast.Expr) bool {
	switch a := a.(type) {
	case *pgast.NullTest:
		return a.Not && sameExpr(a.Arg, x)
	case *pgast.BoolTest:
		return false // it is so, and PostgreSQL does not see it
	case *pgast.Op:
		if _, truth, ok := boolean(a); ok && !truth {
			return false // x = false is NOT x
		}
		switch a.Kind {
		case pgast.OpDistinct, pgast.OpNotDistinct, pgast.OpNullIf:
			return false
		case pgast.OpAny, pgast.OpIn:
			return p.strictIn(a.Left, x) || a.Kind == pgast.OpAny && p.strictIn(a.Right, x)
		case pgast.OpAll:
			// For an empty array it is true whatever stands on the left.
			return p.strictIn(a.Right, x) || p.values && isParam(a.Right) && p.strictIn(a.Left, x)
		}
		return p.strictIn(a, x)
	case *pgast.Bool:
		return false // NOT that stayed is nothing that PostgreSQL looks into
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
		if strictCall(e) {
			for _, a := range e.Args {
				if p.strictIn(a, x) {
					return true
				}
			}
		}
	}
	return false
}

// strictCall reports whether a function of the core returns null for a null argument.
func strictCall(f *pgast.FuncCall) bool {
	if len(f.Name) != 1 && f.Name[0] != "pg_catalog" {
		return false
	}
	name := f.Name[len(f.Name)-1]
	all := builtin.For(builtin.Oldest).FunctionCalled(name, len(f.Args))
	return len(all) > 0 && !slices.ContainsFunc(all, func(fn builtin.Func) bool { return !fn.Strict })
}

// boolean reads x and x = true as x being true, NOT x and x = false as x being
// false. IS TRUE and the like are not among them: PostgreSQL knows them as
// themselves only.
func boolean(e pgast.Expr) (key pgast.Expr, truth, ok bool) {
	switch e := e.(type) {
	case *pgast.ColumnRef, *pgast.FuncCall:
		return e, true, true
	case *pgast.Bool:
		if e.Kind == pgast.Not && len(e.Args) == 1 {
			k, t, ok := boolean(e.Args[0])
			return k, !t, ok
		}
	case *pgast.Op:
		if x := plainBoolean(e); x != pgast.Expr(e) {
			return boolean(x)
		}
	}
	return nil, false, false
}
