package predicate

import (
	"slices"
	"strings"

	"github.com/planvet/planvet/internal/pgast"
)

// classify splits the block's clauses into conjuncts of its relations.
func (b *Block) classify() {
	b.reduce()
	b.equate()
	for _, c := range b.clauses {
		seen := map[*Rel]bool{}
		for _, v := range vars(c.expr) {
			if v.Rel == nil || v.Rel.Block != b || seen[v.Rel] || !c.restricts(v.Rel) {
				continue
			}
			seen[v.Rel] = true
			for _, cj := range b.conjuncts(c.expr, v.Rel) {
				cj.Pos = c.pos
				cj.Derived = c.derived
				cj.FromPolicy = c.policy == v.Rel
				v.Rel.Conjuncts = append(v.Rel.Conjuncts, cj)
			}
		}
	}
}

// conjuncts reads one clause as quals on rel. It yields nothing for a clause that
// no index can serve and nothing can be said of.
func (b *Block) conjuncts(e pgast.Expr, rel *Rel) []Conjunct {
	switch e := e.(type) {
	case *pgast.Bool:
		switch e.Kind {
		case pgast.And:
			var out []Conjunct
			for _, a := range e.Args {
				out = append(out, b.conjuncts(a, rel)...)
			}
			return out
		case pgast.Or:
			return b.disjunction(e, rel)
		case pgast.Not:
			if v := b.own(e.Args[0], rel); v != nil && !isOpExpr(e.Args[0]) {
				return []Conjunct{b.bare(e, e.Args[0], rel, "false")}
			}
		}
		return nil
	case *pgast.NullTest:
		op := "is null"
		if e.Not {
			op = "is not null"
		}
		if b.own(e.Arg, rel) == nil {
			return nil
		}
		return []Conjunct{b.bare(e, e.Arg, rel, op)}
	case *pgast.BoolTest:
		if b.own(e.Arg, rel) == nil || e.Test != "TRUE" && e.Test != "FALSE" {
			return nil
		}
		return []Conjunct{b.bare(e, e.Arg, rel, strings.ToLower(e.Test))}
	case *Var:
		return []Conjunct{b.bare(e, e, rel, "true")}
	case *pgast.Op:
		return b.operator(e, rel)
	}
	return nil
}

func isOpExpr(e pgast.Expr) bool {
	switch e.(type) {
	case *Var, *pgast.Cast:
		return false
	}
	return true
}

// own is non-nil when all columns of e are of rel, and there is one.
func (b *Block) own(e pgast.Expr, rel *Rel) *Var {
	vs := vars(e)
	for _, v := range vs {
		if v.Rel != rel || v.Column == "" {
			return nil
		}
	}
	if len(vs) == 0 {
		return nil
	}
	return vs[0]
}

// bare is a qual without a comparand; it never selects by itself.
func (b *Block) bare(whole, key pgast.Expr, rel *Rel, op string) Conjunct {
	c := Conjunct{Expr: whole, Op: op, Kind: Nothing, Sargable: true}
	b.key(&c, key, rel)
	return c
}

// stored is the key for a column: its name, or the expression of a virtual generated
// column, which the planner puts in its place and which alone an index can have.
func stored(v *Var) (column, expr string) {
	if v.Rel != nil && v.Rel.Relation != nil {
		if c := v.Rel.Relation.Column(v.Column); c != nil && c.Virtual && c.Default != "" {
			return "", c.Default
		}
	}
	return v.Column, ""
}

// key sets the key's column or normal form, its type and columns.
func (b *Block) key(c *Conjunct, key pgast.Expr, rel *Rel) {
	r := b.resolver
	key, c.collation = uncollate(key)
	key = r.relabel(key)
	if v, ok := key.(*Var); ok {
		c.Column, c.KeyExpr = stored(v)
	} else {
		c.KeyExpr = r.normal(key, rel)
		var known bool
		if c.mutable, known = r.mutable(key); !known {
			c.Kind, c.unknownKey = Unknown, true
		}
	}
	c.keyNode = key
	c.typ = r.typeOf(key)
	for _, v := range vars(key) {
		if !slices.Contains(c.Columns, v.Column) {
			c.Columns = append(c.Columns, v.Column)
		}
	}
}

var commutators = map[string]string{
	"=": "=", "<>": "<>", "!=": "<>", "<": ">", ">": "<", "<=": ">=", ">=": "<=", "@>": "<@", "<@": "@>", "&&": "&&", "@@": "@@",
	"%": "%",
}

// operator reads key op comparand, or comparand op key.
func (b *Block) operator(e *pgast.Op, rel *Rel) []Conjunct {
	switch e.Kind {
	case pgast.OpBetween:
		l, ok := e.Right.(*pgast.List)
		if !ok || len(l.Items) != 2 {
			return nil
		}
		lo := &pgast.Op{At: e.At, Name: ">=", Left: e.Left, Right: l.Items[0]}
		hi := &pgast.Op{At: e.At, Name: "<=", Left: e.Left, Right: l.Items[1]}
		return append(b.operator(lo, rel), b.operator(hi, rel)...)
	case pgast.OpPlain, pgast.OpAny, pgast.OpIn, pgast.OpLike, pgast.OpILike, pgast.OpSimilar:
	case pgast.OpAll:
		if b.own(e.Left, rel) == nil {
			return nil
		}
		c := b.bare(e, e.Left, rel, "<>")
		c.Sargable = false
		return []Conjunct{c}
	case pgast.OpDistinct, pgast.OpNotDistinct:
		return nil // no index serves IS NOT DISTINCT FROM
	default:
		return nil
	}
	if isNil(e.Left) || e.Name == "<>" || e.Name == "!=" || strings.HasPrefix(e.Name, "!~") {
		if !isNil(e.Left) && b.own(e.Left, rel) != nil {
			c := b.bare(e, e.Left, rel, "<>")
			if c.Sargable = false; c.typ == "boolean" && e.Kind == pgast.OpPlain && (e.Name == "<>" || e.Name == "!=") && b.fixed(e.Right) {
				c.Op, c.Sargable = "false", true // for a value at hand, it is the other one
			}
			return []Conjunct{c}
		}
		return nil
	}
	if lrow, ok := e.Left.(*pgast.Row); ok && e.Kind == pgast.OpPlain {
		return b.rows(e, lrow, rel)
	}
	left, right, op := e.Left, e.Right, e.Name
	if b.own(left, rel) == nil {
		com, ok := commutators[op]
		if !ok || e.Kind != pgast.OpPlain || b.own(right, rel) == nil {
			return nil
		}
		left, right, op = right, left, com
	}
	c := Conjunct{Expr: e, Op: op, Comparand: right, Sargable: true}
	b.key(&c, left, rel)
	if _, named := uncollate(right); c.collation == "" {
		c.collation = named
	}
	if v, ok := right.(*Var); ok && c.collation == "" && c.Column != "" && v.Rel != nil && v.Rel.Relation != nil &&
		ownCollation(v.Rel, v.Column) != ownCollation(rel, c.Column) {
		c.Sargable = false // collations that differ make none, and no index is in that
	}
	if c.unknownKey || !b.comparand(&c, e, right, rel) {
		return nil
	}
	c.Pattern = pattern(e)
	if c.typ == "bytea" && c.Pattern == InfixPattern {
		c.Sargable = false // trigrams are of text
	}
	b.judge(&c, rel)
	return []Conjunct{c}
}

// comparand classifies the other side; false when it depends on the row itself, or
// on a column that could not be bound.
func (b *Block) comparand(c *Conjunct, e *pgast.Op, right pgast.Expr, rel *Rel) bool {
	for _, v := range vars(right) {
		switch {
		case v.Rel == nil || v.Rel == rel:
			return false
		case v.Rel.Block != b:
			c.Outer = true
			c.OtherColumn = v.Column
		case !slices.Contains(c.needs, v.Rel):
			c.needs = append(c.needs, v.Rel)
		}
	}
	if b.resolver.volatile(right) {
		c.Sargable = false
	}
	if len(c.needs) > 0 {
		c.Kind, c.FromJoin, c.Other = OtherRelation, true, c.needs[0]
		if v, ok := pgast.Uncast(right).(*Var); ok {
			c.OtherColumn = v.Column
		}
	} else {
		switch x := pgast.Uncast(right).(type) {
		case *pgast.Const:
			c.Kind = Constant
			if x.Kind == pgast.ConstNull {
				return false // never true
			}
		case *subquery:
			c.Kind = Subquery
		default:
			c.Kind = Param
			if literal(right) {
				c.Kind = Constant
			}
		}
	}
	if e.Kind == pgast.OpIn || e.Kind == pgast.OpAny {
		if e.Name != "=" && e.Kind == pgast.OpIn {
			return false
		}
		if c.Kind != OtherRelation {
			c.Kind = ArrayOf
		}
		c.Array = true
		if a := elements(right); a != nil {
			c.values = a
		}
		return true
	}
	if t := b.resolver.typeOf(right); castsKey(c.typ, t) {
		c.casts = t
		c.Sargable = false
	}
	return true
}

// elements are the items of a written list; nil for a parameter.
func elements(e pgast.Expr) []pgast.Expr {
	switch e := pgast.Uncast(e).(type) {
	case *pgast.List:
		return e.Items
	case *pgast.Array:
		return e.Elems
	}
	return nil
}

// castsKey reports whether comparing a column of type key with a value of type t
// makes the server cast the column, which no index on the column then serves.
func castsKey(key, t string) bool {
	switch family(key) {
	case "integer":
		return t == "numeric" || family(t) == "float"
	case "numeric":
		return family(t) == "float"
	case "character":
		return family(t) == "text"
	case "citext":
		return t == "text" || t == "character varying"
	}
	return false
}

// literal reports whether e is made of literals alone.
func literal(e pgast.Expr) bool {
	ok, some := true, false
	each(e, func(x pgast.Expr) bool {
		switch x.(type) {
		case *pgast.Param, *Var, *subquery, *pgast.FuncCall, *pgast.ValueFunc:
			ok = false
		case *pgast.Const:
			some = true
		}
		return ok
	})
	return ok && some
}
