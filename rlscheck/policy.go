package rlscheck

import (
	"slices"

	"github.com/planvet/planvet/catalog"
	"github.com/planvet/planvet/catalog/builtin"
	"github.com/planvet/planvet/internal/pgast"
)

// policy is a policy's USING expression taken apart:
//
//  1. each subselect with a FROM list is a frame of its own; one without runs where
//     it stands when it reads a column of a frame around it, else once;
//  2. a call that reads no column of any frame and is not immutable is bare when it
//     stands where rows are looked at: the policy's rows, or those of a frame;
//  3. a call of a user's function that reads the policy's row is a row call.
type policy struct {
	*catalog.Policy
	rel  *catalog.Relation
	expr pgast.Expr
	top  *frame
	bare []*call
	rows []*call
	// frames are the subselects with a FROM list, in order.
	frames []*frame
}

// call is one call in a policy.
type call struct {
	callee
	node  *pgast.FuncCall
	frame *frame
	// param is the number of the parameter that stands for a bare call in analyses.
	param int
}

// perPolicy is how many parameters a policy may have: their numbers are a policy's
// own, so that all policies of a table can stand in one condition.
const perPolicy = 1000

// parsePolicy parses a policy's USING afresh, so that its tree may be changed; nil
// when there is none, or it cannot be read.
func (c *checker) parsePolicy(rel *catalog.Relation, p *catalog.Policy) *policy {
	if !p.HasUsing {
		return nil
	}
	first, known := c.numbers[p]
	if !known {
		first = 1 + perPolicy*len(c.numbers)
		c.numbers[p] = first
	}
	e, err := pgast.ParseExpr(p.Using)
	if err != nil || e == nil {
		return nil
	}
	out := &policy{Policy: p, rel: rel, expr: e, top: tableFrame(rel)}
	v := visitor{c: c, p: out, next: first}
	v.visit(e, out.top, true)
	return out
}

type visitor struct {
	c    *checker
	p    *policy
	next int
}

// visit takes e apart. perRow tells whether it runs for rows of f.
func (v *visitor) visit(e pgast.Node, f *frame, perRow bool) {
	pgast.Walk(e, func(n pgast.Node) bool {
		switch n := n.(type) {
		case *pgast.SubLink:
			if n.Test != nil {
				v.visit(n.Test, f, perRow)
			}
			if q, ok := n.Query.(*pgast.Select); ok {
				v.query(q, f, perRow, n.Kind == pgast.SubExists)
			}
			return false
		case *pgast.FuncCall:
			return !perRow || !v.call(n, f)
		}
		return true
	})
}

// call notes a call, and reports whether what is below it needs no look.
func (v *visitor) call(n *pgast.FuncCall, f *frame) bool {
	fn := v.c.fns.of(n)
	columns, outermost := false, false
	f.refs(v.c.cat, n, func(_ *pgast.ColumnRef, g *frame) {
		columns = columns || g.depth <= f.depth
		outermost = outermost || g.depth == 0
	})
	switch {
	case columns:
		if outermost && !fn.inlined && !fn.platform && (fn.user != nil || !fn.known) {
			v.p.rows = append(v.p.rows, &call{callee: fn, node: n, frame: f})
		}
		return false
	case !fn.perRow() || len(v.p.bare) == perPolicy:
		return false
	}
	v.p.bare = append(v.p.bare, &call{callee: fn, node: n, frame: f, param: v.next})
	v.next++
	return true
}

// perRow reports whether a call without columns is worth wrapping: it is neither
// folded to a constant nor one of PostgreSQL's own cheap ones.
func (c callee) perRow() bool {
	switch {
	case !c.known, c.setting:
		return true
	case c.platform:
		return c.volatility != builtin.Immutable
	}
	return c.user != nil && c.volatility != builtin.Immutable && !c.user.ReturnsSet
}

func (v *visitor) query(q *pgast.Select, f *frame, perRow, exists bool) {
	if q.With != nil {
		for _, c := range q.With.CTEs {
			if s, ok := c.Query.(*pgast.Select); ok {
				v.query(s, f, perRow, false)
			}
		}
	}
	if q.SetOp != "" {
		v.query(q.Left, f, perRow, exists)
		v.query(q.Right, f, perRow, exists)
		return
	}
	g := queryFrame(v.c.cat, f, q)
	g.each(q, func(e pgast.Node) {
		g.refs(v.c.cat, e, func(_ *pgast.ColumnRef, h *frame) { g.correlated = g.correlated || h.depth < g.depth })
	})
	if len(q.From) == 0 {
		perRow = perRow && g.correlated
	} else {
		perRow = true
		v.p.frames = append(v.p.frames, g)
		for _, item := range q.From {
			v.from(item, g)
		}
	}
	if !exists {
		for _, t := range q.Targets {
			if t.Expr != nil {
				v.visit(t.Expr, g, perRow)
			}
		}
	}
	if q.Where != nil {
		v.visit(q.Where, g, perRow)
	}
}

func (v *visitor) from(item pgast.FromItem, g *frame) {
	switch t := item.(type) {
	case *pgast.Join:
		v.from(t.Left, g)
		v.from(t.Right, g)
		if t.On != nil {
			v.visit(t.On, g, true)
		}
	case *pgast.Subquery:
		if q, ok := t.Query.(*pgast.Select); ok {
			v.query(q, g, true, false)
		}
	}
}

// settle puts parameters in the place of bare calls, so that an analysis shows
// which of them an index compares with. A volatile call can be no index condition
// and becomes opaque.
func (p *policy) settle() {
	byNode := map[*pgast.FuncCall]*call{}
	for _, b := range p.bare {
		byNode[b.node] = b
	}
	p.expr = pgast.ReplaceExpr(p.expr, func(e pgast.Expr) (pgast.Expr, bool) {
		n, ok := e.(*pgast.FuncCall)
		if !ok || byNode[n] == nil {
			return nil, false
		}
		b := byNode[n]
		if b.known && b.volatility == builtin.Volatile {
			return opaque(p.rel), true
		}
		return typed(&pgast.Param{At: n.At, Number: b.param}, b.result), true
	})
}

// typed casts e to a type as it is printed.
func typed(e pgast.Expr, typ string) pgast.Expr {
	if typ == "" {
		return e
	}
	cast, err := pgast.ParseExpr("null::" + typ)
	if c, ok := cast.(*pgast.Cast); ok && err == nil {
		c.Arg = e
		return c
	}
	return e
}

// opaque is a condition on a row that no index serves.
func opaque(rel *catalog.Relation) pgast.Expr {
	column := "ctid"
	if len(rel.Columns) > 0 {
		column = rel.Columns[0].Name
	}
	return &pgast.FuncCall{At: -1, Name: []string{"planvet", "opaque"},
		Args: []pgast.Expr{&pgast.ColumnRef{At: -1, Names: []string{column}}}}
}

// columnsOf lists the policy's own columns in an expression, sorted.
func (c *checker) columnsOf(p *policy, e pgast.Node, f *frame) []string {
	var out []string
	f.refs(c.cat, e, func(r *pgast.ColumnRef, g *frame) {
		if name := r.Names; g.depth == 0 && !r.Star && len(name) > 0 && p.rel.Column(name[len(name)-1]) != nil {
			out = append(out, name[len(name)-1])
		}
	})
	slices.Sort(out)
	return slices.Compact(out)
}
