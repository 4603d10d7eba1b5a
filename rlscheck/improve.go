package rlscheck

import (
	"strings"

	"github.com/planvet/planvet/catalog"
	"github.com/planvet/planvet/internal/pgast"
)

// improve is the ALTER POLICY that removes a policy's findings:
//
//  1. the largest expression around a bare call that reads no column and compares
//     nothing goes into a scalar subselect, which runs once a statement;
//  2. a subselect around a comparison with the row, (SELECT f() = x), has done
//     nothing but hide x from indexes: it goes;
//  3. where rls-unindexed-predicate asks for it, x IN (SELECT …) becomes
//     x = ANY (ARRAY(SELECT …)), which an index on x serves.
//
// It is "" when nothing changes, or a type that has to be written is not known.
func (c *checker) improve(rel *catalog.Relation, pol *catalog.Policy) string {
	p := c.parsePolicy(rel, pol)
	if p == nil {
		return ""
	}
	before := pgast.Format(p.expr)
	w := wrapper{bare: map[*pgast.FuncCall]*call{}}
	for _, b := range p.bare {
		w.bare[b.node] = b
	}
	e := pgast.ReplaceExpr(p.expr, w.replace)
	if w.failed {
		return ""
	}
	e = pgast.ReplaceExpr(e, unwrap)
	if c.sets[pol] {
		e = pgast.ReplaceExpr(e, func(e pgast.Expr) (pgast.Expr, bool) {
			s, ok := e.(*pgast.SubLink)
			if ok && c.ownSet(p, s) {
				set := &pgast.SubLink{At: s.At, Kind: pgast.SubArray, Query: s.Query}
				return &pgast.Op{At: s.At, Kind: pgast.OpAny, Name: "=", Left: s.Test, Right: set}, true
			}
			return e, ok
		})
	}
	after := pgast.Format(e)
	if after == before {
		return ""
	}
	return "alter policy " + quoted(pol.Name) + " on " + quoted(rel.Schema, rel.Name.Name) + " using (" + after + ")"
}

// unwrap takes a comparison of the row's columns out of a subselect without FROM.
func unwrap(e pgast.Expr) (pgast.Expr, bool) {
	s, ok := e.(*pgast.SubLink)
	if !ok || s.Kind != pgast.SubScalar {
		return nil, false
	}
	q, ok := s.Query.(*pgast.Select)
	if !ok || len(q.Targets) != 1 || pgast.Format(q) != pgast.Format(&pgast.Select{At: -1, Targets: q.Targets}) {
		return nil, false
	}
	inner := q.Targets[0].Expr
	switch inner.(type) {
	case *pgast.Op, *pgast.Bool, *pgast.NullTest:
	default:
		return nil, false
	}
	reads := false
	pgast.Walk(inner, func(n pgast.Node) bool {
		switch n.(type) {
		case *pgast.ColumnRef:
			reads = true
		case *pgast.SubLink:
			return false
		}
		return !reads
	})
	if !reads {
		return nil, false
	}
	return pgast.ReplaceExpr(inner, unwrap), true
}

// wrapper puts bare calls into subselects.
type wrapper struct {
	bare   map[*pgast.FuncCall]*call
	failed bool
}

func (w *wrapper) replace(e pgast.Expr) (pgast.Expr, bool) {
	if op, ok := e.(*pgast.Op); ok && (op.Kind == pgast.OpAny || op.Kind == pgast.OpAll) {
		w.array(op)
		return nil, false
	}
	if !w.wraps(e) {
		return nil, false
	}
	return w.once(e), true
}

// array wraps the array of = ANY (…): there, a subselect alone would be read as a
// set of rows, a cast tells that it is one array.
func (w *wrapper) array(op *pgast.Op) {
	if !w.wraps(op.Right) {
		return
	}
	switch a := op.Right.(type) {
	case *pgast.Cast:
		a.Arg = w.once(a.Arg)
	case *pgast.FuncCall:
		typ := ""
		if b := w.bare[a]; b != nil {
			typ = b.result
		} else if strings.HasSuffix(a.Name[len(a.Name)-1], "string_to_array") {
			typ = "text[]"
		}
		if !strings.HasSuffix(typ, "[]") {
			w.failed = true
			return
		}
		op.Right = typed(w.once(a), typ)
	default:
		w.failed = true
	}
}

// once puts e into a scalar subselect; its calls need no wrapping any more.
func (w *wrapper) once(e pgast.Expr) pgast.Expr {
	pgast.Walk(e, func(n pgast.Node) bool {
		if call, ok := n.(*pgast.FuncCall); ok {
			delete(w.bare, call)
		}
		return true
	})
	q := &pgast.Select{At: -1, Targets: []pgast.Target{{At: -1, Expr: e}}}
	return &pgast.SubLink{At: -1, Kind: pgast.SubScalar, Query: q}
}

// wraps reports whether e is to be wrapped: it holds a bare call, reads no column,
// has no subquery, and is no comparison.
func (w *wrapper) wraps(e pgast.Expr) bool {
	switch e := e.(type) {
	case *pgast.Op:
		switch e.Name {
		case "->", "->>", "#>", "#>>", "||", "+", "-", "*", "/":
		default:
			return false
		}
	case *pgast.FuncCall, *pgast.Cast, *pgast.Coalesce, *pgast.Subscript, *pgast.MinMax:
	default:
		return false
	}
	found, free := false, true
	pgast.Walk(e, func(n pgast.Node) bool {
		switch n := n.(type) {
		case *pgast.ColumnRef, *pgast.SubLink:
			free = false
		case *pgast.FuncCall:
			found = found || w.bare[n] != nil
		}
		return free
	})
	return found && free
}
