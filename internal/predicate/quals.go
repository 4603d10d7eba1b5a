package predicate

import (
	"slices"

	"github.com/planvet/planvet/internal/pgast"
)

// quals adds a WHERE or ON condition to the block, one clause a conjunct. EXISTS,
// NOT EXISTS and IN at this level are joins to the planner, and here: what they
// read becomes relations of the block.
func (r *resolver) quals(b *Block, sc *scope, e pgast.Expr, nb []*outerJoin) {
	for _, c := range conjunction(canonical(e)) {
		if r.nest < maxNesting && r.pullUp(b, sc, c, nb) {
			continue
		}
		b.addClause(r, r.bind(sc, c), nb)
	}
}

// pullUp merges a subquery that the planner turns into a semi or anti join.
func (r *resolver) pullUp(b *Block, sc *scope, e pgast.Expr, nb []*outerJoin) bool {
	anti := false
	if n, ok := e.(*pgast.Bool); ok && n.Kind == pgast.Not && len(n.Args) == 1 {
		anti, e = true, n.Args[0]
	}
	s, ok := e.(*pgast.SubLink)
	if !ok {
		return false
	}
	sel, ok := s.Query.(*pgast.Select)
	if !ok {
		return false
	}
	switch {
	case s.Kind == pgast.SubExists:
		bare := existsCore(sel)
		if bare == nil {
			return false
		}
		if anti {
			nb = append(slices.Clone(nb), &outerJoin{anti: true})
		}
		r.merge(b, sc, bare, nb)
		return true
	case s.Kind == pgast.SubAny && s.Op == "=" && !anti:
		return r.pullUpIn(b, sc, s, sel, nb)
	}
	return false
}

// existsCore is what EXISTS depends on of its subselect: FROM and WHERE. It is nil
// when the subselect is more than that.
func existsCore(s *pgast.Select) *pgast.Select {
	c := *s
	c.Targets, c.OrderBy, c.Limit, c.Distinct, c.DistinctOn = nil, nil, nil, false, nil
	if c.Having == nil {
		for _, t := range s.Targets {
			if agg, _, _ := calls(t.Expr); agg {
				return nil
			}
		}
		c.GroupBy = nil
	}
	if l, ok := s.Limit.(*pgast.Const); ok && l.Text == "0" || !simple(&c) {
		return nil
	}
	return &c
}

// merge resolves a subselect into b as a semi join.
func (r *resolver) merge(b *Block, sc *scope, s *pgast.Select, nb []*outerJoin) []outCol {
	n := len(b.Rels)
	r.nest++
	out, _ := r.selectInto(b, s, sc, nb)
	r.nest--
	for _, rel := range b.Rels[n:] {
		rel.semi = true
	}
	return out
}

func (r *resolver) pullUpIn(b *Block, sc *scope, s *pgast.SubLink, sel *pgast.Select, nb []*outerJoin) bool {
	var tests []pgast.Expr
	if row, ok := s.Test.(*pgast.Row); ok {
		tests = row.Args
	} else {
		tests = []pgast.Expr{s.Test}
	}
	var out []outCol
	var bound []pgast.Expr
	for _, t := range tests {
		bound = append(bound, r.bind(sc, t))
	}
	core := *sel
	core.OrderBy = nil
	if core.Limit == nil {
		core.Distinct = false // a semi join needs no distinct rows
	}
	if simple(&core) {
		out = r.merge(b, sc, &core, nb)
	} else {
		inner := &scope{block: b, parent: sc, ctes: sc.ctes}
		r.derive(b, inner, sc, sel, "", nil, nb, s)
		out = inner.sources[len(inner.sources)-1].cols
		b.Rels[len(b.Rels)-1].semi = true
	}
	for i, t := range bound {
		if i >= len(out) || isNil(out[i].expr) {
			continue
		}
		b.addClause(r, &pgast.Op{At: s.At, Kind: pgast.OpPlain, Name: "=", Left: t, Right: out[i].expr}, nb)
	}
	return true
}

// reduce turns outer joins into inner ones where a clause above is strict in a
// relation of the nullable side, to a fixpoint.
func (b *Block) reduce() {
	for changed := true; changed; {
		changed = false
		for _, c := range b.clauses {
			at := active(c.at)
			for _, rel := range strictRels(c.expr) {
				if rel.Block != b {
					continue
				}
				// Joins of the relation below the clause's own level lose their mark.
				under := active(rel.nullBy)
				if len(under) <= len(at) || !slices.Equal(under[:len(at)], at) {
					continue
				}
				for _, j := range under[len(at):] {
					if !j.anti {
						j.reduced, changed = true, true
					}
				}
			}
		}
	}
}

func active(js []*outerJoin) []*outerJoin {
	var out []*outerJoin
	for _, j := range js {
		if !j.reduced {
			out = append(out, j)
		}
	}
	return out
}

// restricts reports whether a clause may restrict scans of rel.
func (c *clause) restricts(rel *Rel) bool {
	return slices.Equal(active(c.at), active(rel.nullBy))
}

// strictRels lists relations that, were all their columns null, would keep the
// clause from being true.
func strictRels(e pgast.Expr) []*Rel {
	switch e := e.(type) {
	case *Var:
		if e.Rel != nil {
			return []*Rel{e.Rel}
		}
	case *pgast.Op:
		switch e.Kind {
		case pgast.OpDistinct, pgast.OpNotDistinct, pgast.OpNullIf:
			return nil
		case pgast.OpAny, pgast.OpIn, pgast.OpAll:
			return strictRels(e.Left)
		}
		return append(strictRels(e.Left), strictRels(e.Right)...)
	case *pgast.NullTest:
		if e.Not {
			return strictRels(e.Arg)
		}
	case *pgast.BoolTest:
		if e.Test == "TRUE" || e.Test == "FALSE" {
			return strictRels(e.Arg)
		}
	case *pgast.Cast:
		return strictRels(e.Arg)
	case *pgast.Collate:
		return strictRels(e.Arg)
	case *pgast.FuncCall:
		if strictCall(e) {
			var out []*Rel
			for _, a := range e.Args {
				out = append(out, strictRels(a)...)
			}
			return out
		}
	case *pgast.List:
		var out []*Rel
		for _, a := range e.Items {
			out = append(out, strictRels(a)...)
		}
		return out
	case *pgast.Bool:
		if len(e.Args) == 0 {
			return nil
		}
		out := strictRels(e.Args[0])
		for _, a := range e.Args[1:] {
			next := strictRels(a)
			if e.Kind == pgast.And {
				out = append(out, next...)
				continue
			}
			out = slices.DeleteFunc(out, func(r *Rel) bool { return !slices.Contains(next, r) })
		}
		return out
	case *subquery:
		if e.Kind == pgast.SubAny && !isNil(e.Test) {
			return strictRels(e.Test)
		}
	}
	return nil
}
