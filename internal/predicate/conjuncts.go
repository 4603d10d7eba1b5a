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

// key sets the key's column or normal form, its type and columns.
func (b *Block) key(c *Conjunct, key pgast.Expr, rel *Rel) {
	r := b.resolver
	key = r.relabel(key)
	if v, ok := key.(*Var); ok {
		c.Column = v.Column
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
	case pgast.OpDistinct, pgast.OpNotDistinct:
		return nil // no index serves IS NOT DISTINCT FROM
	default:
		return nil
	}
	if isNil(e.Left) || e.Name == "<>" || e.Name == "!=" || strings.HasPrefix(e.Name, "!~") {
		if !isNil(e.Left) && b.own(e.Left, rel) != nil {
			c := b.bare(e, e.Left, rel, "<>")
			c.Sargable = false
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
	if c.unknownKey || !b.comparand(&c, e, right, rel) {
		return nil
	}
	c.Pattern = pattern(e)
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
		if v, ok := uncast(right).(*Var); ok {
			c.OtherColumn = v.Column
		}
	} else {
		switch x := uncast(right).(type) {
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
	switch e := uncast(e).(type) {
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

// rows reads a row comparison: (a, b) = (x, y) is two equalities, and
// (a, b) > (x, y) is served by an index that leads with a.
func (b *Block) rows(e *pgast.Op, left *pgast.Row, rel *Rel) []Conjunct {
	right, ok := e.Right.(*pgast.Row)
	if !ok || len(right.Args) != len(left.Args) || len(left.Args) == 0 {
		return nil
	}
	if e.Name == "=" {
		var out []Conjunct
		for i := range left.Args {
			out = append(out, b.operator(&pgast.Op{At: e.At, Name: "=", Left: left.Args[i], Right: right.Args[i]}, rel)...)
		}
		return out
	}
	out := b.operator(&pgast.Op{At: e.At, Name: e.Name, Left: left.Args[0], Right: right.Args[0]}, rel)
	for i := range out {
		out[i].Row = nil
		for _, a := range left.Args {
			if v, ok := b.resolver.relabel(a).(*Var); ok && v.Rel == rel {
				out[i].Row = append(out[i].Row, v.Column)
			}
		}
		out[i].Expr = e
	}
	return out
}

// disjunction reads an OR: it is usable only when every arm is. An arm without a
// column of the relation, beside one that has some, is either the optional-filter
// idiom ($1 IS NULL OR c = $1) or about another relation.
func (b *Block) disjunction(e *pgast.Bool, rel *Rel) []Conjunct {
	c := Conjunct{Expr: e, Op: "or", Kind: Nothing, Sargable: true}
	for _, a := range flatten(e, pgast.Or) {
		if b.fixed(a) && len(vars(a)) == 0 {
			c.Optional = true // a plan made for the value drops the arm, or the rest
			continue
		}
		arm := b.conjuncts(a, rel)
		if len(arm) == 0 {
			c.Sargable = false
		}
		c.Or = append(c.Or, arm)
		for _, x := range arm {
			for _, n := range x.Columns {
				if !slices.Contains(c.Columns, n) {
					c.Columns = append(c.Columns, n)
				}
			}
			for _, n := range x.needs {
				if !slices.Contains(c.needs, n) {
					c.needs = append(c.needs, n)
				}
			}
			c.Outer = c.Outer || x.Outer
		}
	}
	c.FromJoin = len(c.needs) > 0
	if len(c.Or) == 0 {
		return nil
	}
	c.Selects = Yes
	for _, arm := range c.Or {
		best := No
		for _, x := range arm {
			best = max(best, x.Selects)
		}
		c.Selects = min(c.Selects, best)
	}
	if c.Optional {
		c.Selects = min(c.Selects, Maybe)
	}
	return []Conjunct{c}
}

// judge says how surely the qual keeps few rows.
func (b *Block) judge(c *Conjunct, rel *Rel) {
	r := b.resolver
	switch c.Op {
	case "=":
		c.Selects = Yes
		if c.Column != "" && r.lowDomain(rel, c.Column) || c.Column == "" && c.typ == "boolean" {
			c.Selects, c.LowDomain = Maybe, true
			if c.typ == "boolean" {
				c.Selects = No
			}
		} else if c.Kind == Constant && token(c.Comparand) || c.values != nil && tokens(c.values) {
			c.Selects, c.LowDomain = Maybe, true
		}
	case "<", "<=", ">", ">=", "~~", "~~*", "~", "~*", "&&", "?", "?|", "?&", "%", "<@":
		c.Selects = Maybe
	case "@@", "@>", "@@@", "@?":
		c.Selects = Yes
		if c.Kind == Constant {
			c.Selects = Maybe // a tag written in the code
		}
	default:
		c.Kind, c.Sargable = Unknown, false
	}
	if c.Pattern == ExactPattern {
		c.Selects = Yes
	}
	if c.mutable != "" {
		c.Selects = min(c.Selects, Maybe)
	}
	c.Leaky = r.leaky(c)
}

// token reports whether a literal looks like the value of a status or type column:
// written in the code, a short word or a small number. Such an equality keeps a
// share of the table that the code does not tell.
func token(e pgast.Expr) bool {
	c, ok := uncast(e).(*pgast.Const)
	if !ok {
		return false
	}
	switch c.Kind {
	case pgast.ConstInt:
		return len(c.Text) <= 2
	case pgast.ConstString:
		return len(c.Text) <= 24 && !strings.ContainsAny(c.Text, "@. ")
	}
	return c.Kind == pgast.ConstBool
}

func tokens(es []pgast.Expr) bool {
	for _, e := range es {
		if !token(e) {
			return false
		}
	}
	return len(es) > 0
}

// pattern reads the comparand of LIKE, ILIKE and ~.
func pattern(e *pgast.Op) Pattern {
	switch e.Name {
	case "~~", "~~*", "~", "~*":
	default:
		return NoPattern
	}
	first := uncast(e.Right)
	for {
		op, ok := first.(*pgast.Op)
		if !ok || op.Name != "||" || isNil(op.Left) {
			break
		}
		first = uncast(op.Left)
	}
	whole := first == uncast(e.Right)
	c, ok := first.(*pgast.Const)
	if !ok {
		if whole {
			return UnknownPattern
		}
		return PrefixPattern // $1 || '%'
	}
	t := c.Text
	if e.Name == "~" || e.Name == "~*" {
		if strings.HasPrefix(t, "^") && len(t) > 1 {
			return PrefixPattern
		}
		return InfixPattern
	}
	switch i := strings.IndexAny(t, "%_"); {
	case i == 0:
		return InfixPattern
	case i < 0 && whole:
		return ExactPattern
	}
	return PrefixPattern
}
