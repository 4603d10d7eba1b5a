package rlscheck

import (
	"slices"

	"github.com/planvet/planvet/catalog"
	"github.com/planvet/planvet/internal/pgast"
	"github.com/planvet/planvet/internal/predicate"
)

// firstSub is where the parameters begin that stand for subselects that run once,
// firstOuter where those begin that stand for columns of rows around a subselect.
const (
	firstSub   = 1 << 28
	firstOuter = 1 << 29
)

// connect joins conditions without nesting a connective in its like.
func connect(kind pgast.BoolKind, es []pgast.Expr) pgast.Expr {
	if len(es) == 1 {
		return es[0]
	}
	var args []pgast.Expr
	for _, e := range es {
		args = append(args, arguments(kind, e)...)
	}
	return &pgast.Bool{At: -1, Kind: kind, Args: args}
}

// arguments are the operands of nested connectives of a kind.
func arguments(kind pgast.BoolKind, e pgast.Expr) []pgast.Expr {
	b, ok := e.(*pgast.Bool)
	if !ok || b.Kind != kind {
		return []pgast.Expr{e}
	}
	var out []pgast.Expr
	for _, a := range b.Args {
		out = append(out, arguments(kind, a)...)
	}
	return out
}

// scan is the policy as a condition on its table alone. Subqueries are not merged
// into the scan by the planner: what runs once is a parameter, the rest no index
// serves. An arm of an OR that reads no column keeps the others from an index.
func (c *checker) scan(p *policy, sets bool) pgast.Expr {
	p.settle()
	number := firstSub
	return pgast.ReplaceExpr(p.expr, func(e pgast.Expr) (pgast.Expr, bool) {
		if or, ok := e.(*pgast.Bool); ok && or.Kind == pgast.Or {
			for i, arm := range or.Args {
				if c.free(p.top, arm) {
					or.Args[i] = opaque(p.rel)
				}
			}
		}
		s, ok := e.(*pgast.SubLink)
		if !ok {
			return nil, false
		}
		number++
		param := &pgast.Param{At: s.At, Number: number}
		once := !p.top.reads(c.cat, s.Query)
		switch {
		case once && (s.Kind == pgast.SubScalar || s.Kind == pgast.SubArray):
			return param, true
		case sets && c.ownSet(p, s):
			return &pgast.Op{At: s.At, Kind: pgast.OpAny, Name: "=", Left: s.Test, Right: param}, true
		}
		return opaque(p.rel), true
	})
}

// free reports whether an arm of an OR reads no column; false drops out of an OR.
func (c *checker) free(f *frame, arm pgast.Expr) bool {
	if k, ok := arm.(*pgast.Const); ok && k.Kind == pgast.ConstBool && k.Text == "false" {
		return false
	}
	return !f.reads(c.cat, arm)
}

// analyze asks for the access path of a condition on a table.
func (c *checker) analyze(cat *catalog.Catalog, rel *catalog.Relation, where pgast.Expr) *predicate.Rel {
	q := &pgast.Select{At: -1,
		Targets: []pgast.Target{{At: -1, Expr: &pgast.Const{At: -1, Kind: pgast.ConstInt, Text: "1"}}},
		From:    []pgast.FromItem{&pgast.Table{At: -1, Schema: rel.Schema, Name: rel.Name.Name}},
		Where:   where,
	}
	a := predicate.Analyze(cat, q, predicate.Options{Sizes: c.sizes})
	if len(a.Blocks) == 0 || len(a.Blocks[0].Rels) == 0 {
		return nil
	}
	return a.Blocks[0].Rels[0]
}

// inner analyses the subselect of a frame by itself: columns of the rows around it
// are known when it starts.
func (c *checker) inner(rel *catalog.Relation, pol *catalog.Policy, i int) *predicate.Analysis {
	p := c.parsePolicy(rel, pol)
	if p == nil || i >= len(p.frames) {
		return nil
	}
	g := p.frames[i]
	outer := map[*pgast.ColumnRef]bool{}
	g.each(g.query, func(e pgast.Node) {
		g.refs(c.cat, e, func(r *pgast.ColumnRef, h *frame) {
			if h.depth < g.depth {
				outer[r] = true
			}
		})
	})
	p.settle()
	number := firstOuter
	pgast.Replace(g.query, func(e pgast.Expr) (pgast.Expr, bool) {
		if r, ok := e.(*pgast.ColumnRef); ok && outer[r] {
			number++
			return &pgast.Param{At: r.At, Number: number}, true
		}
		return nil, false
	})
	return predicate.Analyze(c.cat, g.query, predicate.Options{Sizes: c.sizes})
}

// reached reports whether a scan needs no further index.
func reached(scan *predicate.Rel) bool { return scan.Small || scan.Path != nil }

// served lists the parameters that an index's keys are compared with when a table
// is scanned by where: in each arm, where the index serves an OR.
func (c *checker) served(rel *catalog.Relation, where pgast.Expr) map[int]bool {
	out := map[int]bool{}
	scan := c.analyze(c.cat, rel, where)
	if scan == nil || scan.Path == nil {
		return out
	}
	if !conditions(scan.Path, out) {
		return out
	}
	for _, e := range arguments(pgast.And, where) {
		b, ok := e.(*pgast.Bool)
		if !ok || b.Kind != pgast.Or {
			continue
		}
		for _, arm := range b.Args {
			for n := range c.served(rel, arm) {
				out[n] = true
			}
		}
	}
	return out
}

// conditions adds the parameters of a path's index conditions to out, and reports
// whether an OR is among them.
func conditions(path *predicate.Path, out map[int]bool) (or bool) {
	if path == nil {
		return false
	}
	for _, c := range path.Used {
		or = or || len(c.Or) > 0
		if c.Comparand == nil {
			continue
		}
		pgast.Walk(c.Comparand, func(n pgast.Node) bool {
			if p, ok := n.(*pgast.Param); ok {
				out[p.Number] = true
			}
			return true
		})
	}
	return or
}

// serve marks the bare calls that are index conditions wherever the policy is
// used: those run once a scan.
func (c *checker) serve(p *policy) map[*call]bool {
	out := map[*call]bool{}
	for _, b := range p.bare {
		if b.frame.depth > 0 {
			i := slices.Index(p.frames, b.frame)
			if i >= 0 {
				out[b] = servedInside(c.inner(p.rel, p.Policy, i), b.param)
			}
		}
	}
	for i, u := range c.uses(p.rel, p.Policy) {
		paths := c.state(p.rel, u).served()
		for _, b := range p.bare {
			if b.frame.depth == 0 {
				out[b] = paths[b.param] && (i == 0 || out[b])
			}
		}
	}
	return out
}

// narrowed reports whether, wherever the policy is used, an index finds the rows by
// a value of the session, and leaves few of them.
func (c *checker) narrowed(p *policy) bool {
	uses := c.uses(p.rel, p.Policy)
	return len(uses) > 0 && !slices.ContainsFunc(uses, func(u use) bool {
		s := c.state(p.rel, u)
		return len(s.served()) == 0 || c.left(p.rel, s.scan().Path) >= predicate.SmallRows
	})
}

// left estimates how many rows an index condition leaves: a row of the parent, by the
// foreign key, has its share of the table. What is in no foreign key is taken for the
// session's own.
func (c *checker) left(rel *catalog.Relation, path *predicate.Path) int64 {
	rows, _ := c.sizes.Rows(rel)
	if path == nil {
		return rows
	}
	least := rows
	for i := range path.Used {
		least = min(least, rows/max(c.distinct(rel, path.Used[i].Column, rows, 0), 1))
	}
	return least
}

// distinct estimates how many values a column has: as many as the row that it refers
// to, at the end of a chain of foreign keys, has rows; else unknown.
func (c *checker) distinct(rel *catalog.Relation, column string, unknown int64, depth int) int64 {
	const chain = 8
	for _, k := range rel.Constraints {
		i := slices.Index(k.Columns, column)
		parent := c.cat.Relation(k.References.Schema, k.References.Name)
		if k.Kind != catalog.ForeignKey || i < 0 || parent == nil || depth == chain {
			continue
		}
		rows, _ := c.sizes.Rows(parent)
		if len(k.Columns) == 1 || i >= len(k.RefColumns) {
			return rows
		}
		if n := c.distinct(parent, k.RefColumns[i], -1, depth+1); n >= 0 {
			return n
		}
	}
	return unknown
}

func servedInside(a *predicate.Analysis, param int) bool {
	if a == nil {
		return false
	}
	for _, b := range a.Blocks {
		for _, r := range b.Rels {
			found := map[int]bool{}
			if conditions(r.Path, found); found[param] {
				return true
			}
		}
	}
	return false
}
