package predicate

import (
	"slices"

	"github.com/planvet/planvet/internal/pgast"
)

// member names a column of a relation at a level of outer joins.
type member struct {
	rel    *Rel
	column string
}

// class is a set of columns that are equal in every row that a level yields.
type class struct {
	members []*Var
	// fixed is a value known when the block starts that all of them equal, from
	// the clause that says so.
	fixed pgast.Expr
	from  *clause
	at    []*outerJoin
}

// equivalence holds the classes of a block. Since a column only makes a class at
// its own level (both stacks are equal), the level needs no key.
type equivalence struct {
	of    map[member]*class
	order []*class
	// stated are the pairs and constants that clauses already say.
	stated map[[2]member]bool
}

// maxClass bounds the pairs that a class without a constant yields.
const maxClass = 12

// equate closes the block's equalities: a column inherits the comparisons of those
// that it equals by a chain of clauses.
//
//  1. Each clause a = b whose columns stand at its own level joins two classes; a
//     clause a = constant fixes one. ON clauses across an outer join do neither.
//  2. A class with a constant yields column = constant for each member without.
//  3. A class without yields column = column for pairs of different relations.
//  4. An ON clause across an outer join hands a constant to its nullable side.
func (b *Block) equate() {
	q := &equivalence{of: map[member]*class{}, stated: map[[2]member]bool{}}
	for _, c := range b.clauses {
		if op := equality(c.expr); op != nil {
			q.state(b, c, op)
		}
	}
	var extra []*clause
	emit := func(v *Var, e pgast.Expr, from *clause, at []*outerJoin) {
		extra = append(extra, &clause{
			expr: &pgast.Op{At: -1, Kind: pgast.OpPlain, Name: "=", Left: v, Right: e},
			pos:  from.pos, at: at, policy: from.policy, derived: true,
		})
	}
	for _, cl := range q.order {
		if q.of[memberOf(cl.members[0])] != cl {
			continue // joined into another one
		}
		for i, v := range cl.members {
			if !isNil(cl.fixed) {
				if !q.stated[[2]member{memberOf(v)}] {
					emit(v, cl.fixed, cl.from, cl.at)
				}
				continue
			}
			if len(cl.members) > maxClass {
				break
			}
			for _, w := range cl.members[i+1:] {
				if v.Rel != w.Rel && !q.stated[[2]member{memberOf(v), memberOf(w)}] {
					emit(v, w, cl.from, cl.at)
				}
			}
		}
	}
	for _, c := range b.clauses {
		op := equality(c.expr)
		if op == nil {
			continue
		}
		for _, p := range [][2]pgast.Expr{{op.Left, op.Right}, {op.Right, op.Left}} {
			v, w := b.column(p[0]), b.column(p[1])
			if v == nil || w == nil || !c.restricts(v.Rel) || c.restricts(w.Rel) {
				continue
			}
			if cl := q.of[memberOf(w)]; cl != nil && !isNil(cl.fixed) {
				emit(v, cl.fixed, c, c.at)
			}
		}
	}
	b.clauses = append(b.clauses, extra...)
}

func memberOf(v *Var) member { return member{v.Rel, v.Column} }

func equality(e pgast.Expr) *pgast.Op {
	if op, ok := e.(*pgast.Op); ok && op.Kind == pgast.OpPlain && op.Name == "=" && !isNil(op.Left) {
		return op
	}
	return nil
}

// state takes in one equality clause.
func (q *equivalence) state(b *Block, c *clause, op *pgast.Op) {
	l, r := b.column(op.Left), b.column(op.Right)
	switch {
	case l != nil && r != nil:
		if !c.restricts(l.Rel) || !c.restricts(r.Rel) {
			return
		}
		x, y := q.class(l, c), q.class(r, c)
		q.stated[[2]member{memberOf(l), memberOf(r)}] = true
		q.stated[[2]member{memberOf(r), memberOf(l)}] = true
		if x == y {
			return
		}
		if isNil(x.fixed) {
			x.fixed = y.fixed
			if !isNil(y.fixed) {
				x.from = y.from
			}
		}
		for _, v := range y.members {
			q.of[memberOf(v)] = x
		}
		x.members = append(x.members, y.members...)
	case l != nil && b.fixed(op.Right):
		q.fix(l, op.Right, c)
	case r != nil && b.fixed(op.Left):
		q.fix(r, op.Left, c)
	}
}

func (q *equivalence) fix(v *Var, e pgast.Expr, c *clause) {
	if !c.restricts(v.Rel) {
		return
	}
	cl := q.class(v, c)
	if isNil(cl.fixed) {
		cl.fixed, cl.from = e, c
	}
	q.stated[[2]member{memberOf(v)}] = true
}

func (q *equivalence) class(v *Var, c *clause) *class {
	m := memberOf(v)
	if cl := q.of[m]; cl != nil {
		return cl
	}
	cl := &class{members: []*Var{v}, from: c, at: slices.Clone(c.at)}
	q.of[m] = cl
	q.order = append(q.order, cl)
	return cl
}

// column is the column of this block that e is, through casts that change nothing;
// nil for anything else.
func (b *Block) column(e pgast.Expr) *Var {
	v, ok := b.resolver.relabel(e).(*Var)
	if !ok || v.Rel == nil || v.Rel.Block != b || v.Column == "" {
		return nil
	}
	return v
}

// fixed reports whether e has one value for a whole run of the block.
func (b *Block) fixed(e pgast.Expr) bool {
	if isNil(e) || b.resolver.volatile(e) {
		return false
	}
	for _, v := range vars(e) {
		if v.Rel == nil || v.Rel.Block == b {
			return false
		}
	}
	return true
}
