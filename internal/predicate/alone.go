package predicate

import (
	"github.com/planvet/planvet/internal/pgast"
)

// Alone is a select that reads the relation by its own conditions and nothing
// else, with the statement's parameters. It is "" where the relation stands alone
// already, where its gap is a join's, and where a condition cannot be written by
// itself.
//
// A planner without sequential scans may walk another relation of the statement
// whole and probe this one from there: that is no access path, and it does not
// show when the statement is asked as it is.
func (rel *Rel) Alone() string {
	if rel.Gap == nil || rel.Gap.Kind != GapWhere || rel.Relation == nil {
		return ""
	}
	others := false
	for _, r := range rel.Block.Rels {
		others = others || r != rel
	}
	if !others {
		return ""
	}
	where := &pgast.Bool{At: -1, Kind: pgast.And}
	for i := range rel.Conjuncts {
		c := &rel.Conjuncts[i]
		if len(c.needs) > 0 || c.Outer || c.FromPolicy {
			continue
		}
		e, ok := rel.write(c.Expr)
		if !ok {
			return ""
		}
		where.Args = append(where.Args, e)
	}
	if len(where.Args) == 0 {
		return ""
	}
	sel := &pgast.Select{
		At:      -1,
		Targets: []pgast.Target{{At: -1, Expr: constant(pgast.ConstInt, "1")}},
		From:    []pgast.FromItem{&pgast.Table{At: -1, Schema: rel.Relation.Schema, Name: rel.Relation.Name.Name, Alias: rel.Alias}},
		Where:   where,
	}
	if len(where.Args) == 1 {
		sel.Where = where.Args[0]
	}
	return pgast.Format(sel)
}

// write turns a bound condition back into SQL over the relation's alias.
func (rel *Rel) write(e pgast.Expr) (pgast.Expr, bool) {
	ok := true
	out := rewrite(e, func(x pgast.Expr) pgast.Expr {
		switch x := x.(type) {
		case *Var:
			ok = ok && x.Rel == rel && x.Column != ""
			return &pgast.ColumnRef{At: -1, Names: []string{rel.Alias, x.Column}}
		case *subquery:
			ok = false
			return x
		case *pgast.Param:
			ok = ok && x.Number > 0
		}
		return nil
	})
	return out, ok
}
