package predicate

import (
	"strings"

	"github.com/planvet/planvet/internal/pgast"
)

// implied reports whether the relation's quals imply a partial index's predicate.
func (b *Block) implied(rel *Rel, predicate string) bool {
	pred := b.resolver.text(predicate)
	if isNil(pred) {
		return false
	}
	if rel.known == nil {
		rel.known = []pgast.Expr{}
		if b.MinMax && b.sortRel() == rel { // a null is neither the least nor the greatest
			if c := b.OrderBy[0].Column; c != "" {
				rel.known = append(rel.known, &pgast.NullTest{At: -1, Arg: &pgast.ColumnRef{At: -1, Names: []string{c}}, Not: true})
			}
		}
		for _, c := range b.clauses {
			if c.restricts(rel) {
				if e := b.known(c.expr, rel); !isNil(e) {
					rel.known = append(rel.known, e)
				}
			}
		}
	}
	return mayImply(rel.known, pred, b.resolver.types(rel))
}

// known is a clause as a qual on one relation, in the normal form of the catalog's
// texts: columns of others are unknown values.
func (b *Block) known(e pgast.Expr, rel *Rel) pgast.Expr {
	mine, ok := false, true
	flat := rewrite(e, func(x pgast.Expr) pgast.Expr {
		switch x := x.(type) {
		case *pgast.Op:
			if t := b.otherOperator(x, rel); t != nil {
				mine = true
				return t
			}
		case *Var:
			if x.Rel == rel && x.Column != "" {
				mine = true
				return &pgast.ColumnRef{At: x.At, Names: []string{x.Column}}
			}
			return &pgast.FuncCall{At: -1, Name: []string{"now"}} // of the row that is joined: no value to plan with
		case *subquery:
			if x.Kind != pgast.SubScalar {
				ok = false
			}
			return &pgast.FuncCall{At: -1, Name: []string{"now"}} // known when the statement runs
		}
		return nil
	})
	if !mine || !ok {
		return nil
	}
	text := pgast.Normal(flat, env{b.resolver.cat, b.resolver.o.SearchPath},
		pgast.Name{Schema: rel.Relation.Schema, Name: rel.Relation.Name.Name})
	n, err := pgast.ParseExpr(strings.ReplaceAll(text, "$0", "$1"))
	if err != nil {
		return flat
	}
	return n
}

// otherOperator is a comparison of a column with a literal or a parameter whose type
// is written and makes it another operator than the column's own: its value says
// nothing then. It is nil for other comparisons.
func (b *Block) otherOperator(e *pgast.Op, rel *Rel) pgast.Expr {
	if e.Kind != pgast.OpPlain || isNil(e.Left) {
		return nil
	}
	v, ok := e.Left.(*Var)
	c, cast := e.Right.(*pgast.Cast)
	if !ok || !cast || v.Rel != rel || v.Column == "" || len(vars(c)) > 0 {
		return nil
	}
	key, t := b.resolver.columnType(rel, v.Column), typeName(c.Type)
	if b.resolver.enum(rel, v.Column) || key == t || family(key) == family(t) && (family(t) == "integer" || family(t) == "text") ||
		key == "numeric" && family(t) == "integer" || family(key) == "" {
		return nil
	}
	return &pgast.Op{At: e.At, Name: e.Name, Left: &pgast.ColumnRef{At: v.At, Names: []string{v.Column}}, Right: &pgast.FuncCall{At: -1, Name: []string{"now"}}}
}
