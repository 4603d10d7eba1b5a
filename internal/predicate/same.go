package predicate

import (
	"slices"

	"github.com/planvet/planvet/internal/pgast"
)

// sameExpr reports whether two expressions read the same, but for positions and
// casts on literals.
func sameExpr(a, b pgast.Expr) bool {
	if isNil(a) || isNil(b) {
		return isNil(a) && isNil(b)
	}
	if c, ok := pgast.Uncast(a).(*pgast.Const); ok {
		d, ok := pgast.Uncast(b).(*pgast.Const)
		return ok && c.Text == d.Text && c.Kind == d.Kind
	}
	switch a := a.(type) {
	case *pgast.ColumnRef:
		b, ok := b.(*pgast.ColumnRef)
		return ok && slices.Equal(a.Names, b.Names) && a.Star == b.Star
	case *pgast.Op:
		b, ok := b.(*pgast.Op)
		return ok && a.Kind == b.Kind && a.Name == b.Name && a.Schema == b.Schema && sameExpr(a.Left, b.Left) && sameExpr(a.Right, b.Right)
	case *pgast.Bool:
		b, ok := b.(*pgast.Bool)
		return ok && a.Kind == b.Kind && slices.EqualFunc(a.Args, b.Args, sameExpr)
	case *pgast.NullTest:
		b, ok := b.(*pgast.NullTest)
		return ok && a.Not == b.Not && sameExpr(a.Arg, b.Arg)
	case *pgast.BoolTest:
		b, ok := b.(*pgast.BoolTest)
		return ok && a.Test == b.Test && sameExpr(a.Arg, b.Arg)
	case *pgast.FuncCall:
		b, ok := b.(*pgast.FuncCall)
		return ok && baseName(a.Name) == baseName(b.Name) && len(a.OrderBy)+len(b.OrderBy) == 0 && a.Over == nil && b.Over == nil &&
			slices.EqualFunc(a.Args, b.Args, sameExpr) && a.Star == b.Star && a.Distinct == b.Distinct &&
			isNil(a.Filter) && isNil(b.Filter)
	case *pgast.Cast:
		b, ok := b.(*pgast.Cast)
		return ok && typeName(a.Type) == typeName(b.Type) && slices.Equal(a.Type.Mods, b.Type.Mods) && sameExpr(a.Arg, b.Arg)
	case *pgast.Coalesce:
		b, ok := b.(*pgast.Coalesce)
		return ok && slices.EqualFunc(a.Args, b.Args, sameExpr)
	case *pgast.List:
		b, ok := b.(*pgast.List)
		return ok && slices.EqualFunc(a.Items, b.Items, sameExpr)
	case *pgast.Array:
		b, ok := b.(*pgast.Array)
		return ok && slices.EqualFunc(a.Elems, b.Elems, sameExpr)
	case *pgast.Row:
		b, ok := b.(*pgast.Row)
		return ok && slices.EqualFunc(a.Args, b.Args, sameExpr)
	case *pgast.Collate:
		b, ok := b.(*pgast.Collate)
		return ok && slices.Equal(a.Name, b.Name) && sameExpr(a.Arg, b.Arg)
	case *pgast.ValueFunc:
		b, ok := b.(*pgast.ValueFunc)
		return ok && a.Name == b.Name
	case *pgast.Subscript:
		b, ok := b.(*pgast.Subscript)
		return ok && a.Field == b.Field && a.Slice == b.Slice && sameExpr(a.Arg, b.Arg) &&
			sameExpr(a.Lower, b.Lower) && sameExpr(a.Upper, b.Upper)
	}
	return false // parameters, subqueries: never known to be the same
}

// baseName is a function's name without pg_catalog.
func baseName(n []string) string {
	if len(n) > 1 && n[0] == "pg_catalog" {
		n = n[1:]
	}
	out := ""
	for _, p := range n {
		out += "." + p
	}
	return out
}
