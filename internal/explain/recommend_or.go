package explain

import (
	"slices"

	"github.com/planvet/planvet/internal/pgast"
)

// orToUnion: select … where p and (a or b) is select … where p and a, and all of
// select … where p and b and a is not true. What sorts, groups or limits its rows stays
// as it is, and so does what calls functions, which could be volatile.
func (w *rewriter) orToUnion(tree pgast.Stmt) bool {
	s, ok := tree.(*pgast.Select)
	if !ok || !oneToOne(s) || s.With != nil || len(s.OrderBy) > 0 || len(s.From) == 0 || s.Where == nil {
		return false
	}
	for _, t := range s.Targets {
		if callsFunction(t.Expr) {
			return false
		}
	}
	if callsFunction(s.Where) {
		return false
	}
	arms := slices.Clone(pgast.Flatten(s.Where, pgast.And))
	at := slices.IndexFunc(arms, func(e pgast.Expr) bool {
		b, ok := e.(*pgast.Bool)
		return ok && b.Kind == pgast.Or && !optionalFilter(b)
	})
	if at < 0 {
		return false
	}
	ors := pgast.Flatten(arms[at], pgast.Or)
	const most = 3
	if len(ors) > most {
		return false
	}
	var out *pgast.Select
	for i, or := range ors {
		conds := slices.Clone(arms)
		conds[at] = or
		for _, before := range ors[:i] {
			conds = append(conds, &pgast.BoolTest{At: -1, Arg: before, Test: "NOT TRUE"})
		}
		one := *s
		one.Where = and(conds...)
		if out == nil {
			out = &one
			continue
		}
		out = &pgast.Select{At: -1, SetOp: "union", All: true, Left: out, Right: &one}
	}
	*s = *out
	return true
}

// optionalFilter reports whether an OR is a filter that may be left out: $1 is null or …
func optionalFilter(b *pgast.Bool) bool {
	return slices.ContainsFunc(pgast.Flatten(b, pgast.Or), func(e pgast.Expr) bool {
		t, ok := e.(*pgast.NullTest)
		if !ok || t.Not {
			return false
		}
		_, ok = pgast.Uncast(t.Arg).(*pgast.Param)
		return ok
	})
}

// givenFilters: where $1 is not NULL, ($1 is null or c = $1) is c = $1. It needs a value
// for each such parameter.
func (w *rewriter) givenFilters(tree pgast.Stmt) bool {
	changed := false
	eachSelect(tree, func(s *pgast.Select) {
		if s.Where == nil {
			return
		}
		arms := slices.Clone(pgast.Flatten(s.Where, pgast.And))
		for i, a := range arms {
			b, ok := a.(*pgast.Bool)
			if !ok || b.Kind != pgast.Or || !optionalFilter(b) {
				continue
			}
			var rest []pgast.Expr
			for _, e := range pgast.Flatten(b, pgast.Or) {
				t, ok := e.(*pgast.NullTest)
				if ok && !t.Not {
					if p, ok := pgast.Uncast(t.Arg).(*pgast.Param); ok {
						if p.Number > len(w.args) || w.args[p.Number-1] == nil {
							return
						}
						continue
					}
				}
				rest = append(rest, e)
			}
			switch len(rest) {
			case 0:
				return
			case 1:
				arms[i] = rest[0]
			default:
				arms[i] = &pgast.Bool{At: -1, Kind: pgast.Or, Args: rest}
			}
			changed = true
		}
		s.Where = and(arms...)
	})
	return changed
}
