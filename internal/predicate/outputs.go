package predicate

import (
	"strconv"

	"github.com/planvet/planvet/internal/pgast"
)

// outputs binds a select list; stars are expanded.
func (r *resolver) outputs(sc *scope, ts []pgast.Target) (out []outCol, open bool) {
	for _, t := range ts {
		c, ok := t.Expr.(*pgast.ColumnRef)
		if ok && c.Star {
			for _, s := range sc.sources {
				if !s.named(c.Names) {
					continue
				}
				for _, col := range s.cols {
					if !systemColumn(col.name) {
						out = append(out, col)
					}
				}
				open = open || s.open
			}
			continue
		}
		if sub, ok := t.Expr.(*pgast.Subscript); ok && sub.Field == "*" {
			r.bind(sc, sub.Arg)
			open = true // the fields of a composite value
			continue
		}
		out = append(out, outCol{outputName(t), r.bind(sc, t.Expr)})
	}
	return out, open
}

func systemColumn(n string) bool {
	return n == "ctid" || n == "tableoid" || n == "xmin" || n == "xmax"
}

func outputName(t pgast.Target) string {
	if t.Name != "" {
		return t.Name
	}
	switch e := pgast.Uncast(t.Expr).(type) {
	case *pgast.ColumnRef:
		if len(e.Names) > 0 {
			return e.Names[len(e.Names)-1]
		}
	case *pgast.FuncCall:
		return e.Name[len(e.Name)-1]
	case *pgast.Coalesce:
		return "coalesce"
	case *pgast.Case:
		return "case"
	case *pgast.SubLink:
		if e.Kind == pgast.SubExists {
			return "exists"
		}
	}
	return "?column?"
}

// outputRef binds an item of GROUP BY, DISTINCT ON and ORDER BY, which may be an
// output's number or name.
func (r *resolver) outputRef(sc *scope, e pgast.Expr, out []outCol, ts []pgast.Target) pgast.Expr {
	if c, ok := e.(*pgast.Const); ok && c.Kind == pgast.ConstInt {
		if n, err := strconv.Atoi(c.Text); err == nil && n >= 1 && n <= len(out) && len(ts) == len(out) {
			return out[n-1].expr
		}
		return constant(pgast.ConstNull, "")
	}
	if c, ok := e.(*pgast.ColumnRef); ok && len(c.Names) == 1 {
		for i, t := range ts {
			if t.Name == c.Names[0] && len(ts) == len(out) {
				return out[i].expr
			}
		}
	}
	return r.bind(sc, e)
}

func (r *resolver) order(b *Block, sc *scope, s *pgast.Select, out []outCol) {
	for i, o := range s.OrderBy {
		if i == 0 {
			b.OrderPos = r.at(o.Expr)
		}
		e := r.outputRef(sc, o.Expr, out, s.Targets)
		item := r.orderItem(e)
		item.Desc, item.NullsFirst, item.Pos = o.Desc, o.NullsFirst, r.at(o.Expr)
		if o.Using != "" {
			item.Rel = nil
		}
		b.OrderBy = append(b.OrderBy, item)
	}
	if len(s.OrderBy) > 0 || b.Grouped || len(s.Targets) != 1 {
		return
	}
	f, ok := s.Targets[0].Expr.(*pgast.FuncCall)
	if !ok {
		if c, isCo := s.Targets[0].Expr.(*pgast.Coalesce); isCo && len(c.Args) > 0 {
			f, ok = c.Args[0].(*pgast.FuncCall)
		}
	}
	if ok && len(f.Args) == 1 && f.Over == nil && f.Filter == nil && (f.Name[len(f.Name)-1] == "min" || f.Name[len(f.Name)-1] == "max") {
		item := r.orderItem(r.bind(sc, f.Args[0]))
		item.Desc, item.Pos = f.Name[len(f.Name)-1] == "max", r.at(f)
		b.OrderBy, b.OrderPos, b.MinMax = []Order{item}, item.Pos, true
	}
}

func (r *resolver) orderItem(e pgast.Expr) Order {
	var o Order
	vs := vars(e)
	if len(vs) == 0 || isNil(e) {
		return o
	}
	for _, v := range vs {
		if v.Rel != vs[0].Rel || v.Rel == nil {
			return o
		}
	}
	o.Rel = vs[0].Rel
	e, o.Collation = uncollate(e)
	if v, ok := e.(*Var); ok {
		o.Column, o.KeyExpr = stored(v)
		return o
	}
	if what, _ := r.mutable(e); what != "" || hasParam(e) {
		return Order{} // no index can hold it
	}
	o.KeyExpr = r.normal(e, o.Rel)
	return o
}

func hasParam(e pgast.Expr) bool {
	found := false
	each(e, func(x pgast.Expr) bool {
		found = found || isParam(x)
		return !found
	})
	return found
}

func (r *resolver) limit(b *Block, sc *scope, s *pgast.Select) {
	if s.Limit == nil {
		return
	}
	b.Limit = true
	switch e := pgast.Uncast(s.Limit).(type) {
	case *pgast.Const:
		if n, err := strconv.ParseInt(e.Text, 10, 64); err == nil {
			b.LimitRows = n
		} else if e.Kind == pgast.ConstNull {
			b.Limit = false
		}
	default:
		r.bind(sc, s.Limit)
	}
}
