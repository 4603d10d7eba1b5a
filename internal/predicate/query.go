package predicate

import (
	"cmp"
	"slices"
	"strconv"

	"github.com/planvet/planvet/internal/pgast"
)

// query resolves a statement into a block of its own and returns its outputs.
func (r *resolver) query(stmt pgast.Stmt, outer *scope, parent *Block) (*Block, []outCol) {
	b := r.newBlock(stmt, parent)
	if r.nest > maxNesting {
		r.unresolved("a subquery nested too deep")
		b.open = true
		return b, nil
	}
	r.nest++
	defer func() { r.nest-- }()
	var out []outCol
	switch s := stmt.(type) {
	case *pgast.Select:
		if s.SetOp != "" {
			out = r.setOp(b, s, outer)
			break
		}
		out, b.open = r.selectInto(b, s, outer, nil)
	case *pgast.Update:
		sc := r.queryScope(b, outer, s.With, stmt)
		rel := r.target(b, sc, s.Table, "update")
		for _, f := range s.From {
			r.from(b, sc, f, nil)
		}
		r.quals(b, sc, s.Where, nil)
		for _, t := range s.Set {
			r.bind(sc, t.Expr)
		}
		out = r.returning(b, sc, s.Returning, rel)
	case *pgast.Delete:
		sc := r.queryScope(b, outer, s.With, stmt)
		rel := r.target(b, sc, s.Table, "delete")
		for _, f := range s.Using {
			r.from(b, sc, f, nil)
		}
		r.quals(b, sc, s.Where, nil)
		out = r.returning(b, sc, s.Returning, rel)
	case *pgast.Insert:
		out = r.insert(b, s, outer)
	case *pgast.Merge:
		sc := r.queryScope(b, outer, s.With, stmt)
		nb := []*outerJoin{{anti: true}} // unmatched source rows stay
		r.from(b, sc, s.Source, nil)
		tsc := &scope{parent: sc, block: b, ctes: sc.ctes}
		if rel := r.table(b, tsc, s.Table, nb); rel != nil {
			rel.Target = true
		}
		r.quals(b, tsc, s.On, nb)
		for _, w := range s.Whens {
			r.bind(tsc, w.Cond)
		}
		out = r.returning(b, tsc, s.Returning, nil)
	default:
		b.open = true
	}
	return b, out
}

func (r *resolver) queryScope(b *Block, outer *scope, w *pgast.With, stmt pgast.Node) *scope {
	sc := &scope{parent: outer, block: b, query: true}
	if outer != nil {
		sc.ctes = outer.ctes
	}
	r.with(sc, w, stmt)
	return sc
}

func (r *resolver) target(b *Block, sc *scope, t *pgast.Table, command string) *Rel {
	rel := r.table(b, sc, t, nil)
	if rel == nil {
		return nil
	}
	rel.Target = true
	if rel.Security {
		r.retarget(b, rel, command)
	}
	return rel
}

func (r *resolver) returning(b *Block, sc *scope, ts []pgast.Target, rel *Rel) []outCol {
	out, open := r.outputs(sc, ts)
	b.open = b.open || open
	return out
}

func (r *resolver) insert(b *Block, s *pgast.Insert, outer *scope) []outCol {
	sc := r.queryScope(b, outer, s.With, s)
	if s.Source != nil {
		src, _ := r.query(s.Source, sc, b)
		b.children = append(b.children, src)
	}
	// The new row is at hand: RETURNING and DO UPDATE read no table by its columns.
	cr := r.cat.Resolve(s.Table.Schema, s.Table.Name, r.o.SearchPath)
	row := &source{alias: s.Table.RefName(), relation: s.Table.Name, open: true}
	ex := &source{alias: "excluded", open: true}
	if cr != nil {
		for _, c := range cr.Columns {
			row.cols = append(row.cols, outCol{name: c.Name})
		}
		ex.cols = row.cols
	}
	sc.sources = append(sc.sources, row, ex)
	if s.OnConflict != nil {
		for _, t := range s.OnConflict.Set {
			r.bind(sc, t.Expr)
		}
	}
	out, open := r.outputs(sc, s.Returning)
	b.open = b.open || open
	return out
}

func (r *resolver) setOp(b *Block, s *pgast.Select, outer *scope) []outCol {
	sc := r.queryScope(b, outer, s.With, s)
	b.noPush = s.Limit != nil || s.Offset != nil
	var out []outCol
	for i, side := range []*pgast.Select{s.Left, s.Right} {
		child, cols := r.query(side, sc, b)
		b.children = append(b.children, child)
		b.sets = append(b.sets, child.arms(cols)...)
		b.open = b.open || child.open
		if i == 0 {
			out = cols
		}
	}
	r.limit(b, sc, s)
	return out
}

// arms are the plain selects of a block that may be a set operation.
func (b *Block) arms(out []outCol) []arm {
	if b.sets != nil {
		return b.sets
	}
	return []arm{{block: b, cols: slices.Clone(out)}}
}

// simple reports whether the planner pulls a subquery up into the query around it.
func simple(s *pgast.Select) bool {
	if s.SetOp != "" || s.Values != nil || s.Distinct || len(s.DistinctOn) > 0 || s.GroupBy != nil ||
		s.Having != nil || s.OrderBy != nil || s.Limit != nil || s.Offset != nil || s.Locking != nil || len(s.From) == 0 {
		return false
	}
	for _, t := range s.Targets {
		if agg, window, set := calls(t.Expr); agg || window || set {
			return false
		}
	}
	return true
}

// calls tells what kinds of calls are in an expression.
func calls(e pgast.Expr) (aggregate, window, set bool) {
	each(e, func(x pgast.Expr) bool {
		f, ok := x.(*pgast.FuncCall)
		if !ok {
			return true
		}
		name := f.Name[len(f.Name)-1]
		switch {
		case f.Over != nil:
			window = true
		case f.Star, f.Distinct, f.Filter != nil, f.Within, len(f.OrderBy) > 0, aggregates[name]:
			aggregate = true
		case setReturning[name]:
			set = true
		}
		return true
	})
	return aggregate, window, set
}

var aggregates = set("array_agg", "avg", "bit_and", "bit_or", "bit_xor", "bool_and", "bool_or", "count", "every",
	"json_agg", "jsonb_agg", "json_object_agg", "jsonb_object_agg", "max", "min", "range_agg", "string_agg", "sum",
	"xmlagg", "corr", "covar_pop", "covar_samp", "stddev", "stddev_pop", "stddev_samp", "variance", "var_pop",
	"var_samp", "percentile_cont", "percentile_disc", "mode", "any_value", "st_union", "st_collect", "st_extent")

var setReturning = set("unnest", "generate_series", "jsonb_array_elements", "json_array_elements",
	"jsonb_array_elements_text", "json_array_elements_text", "jsonb_each", "json_each", "jsonb_each_text",
	"json_each_text", "jsonb_object_keys", "json_object_keys", "regexp_split_to_table", "regexp_matches",
	"string_to_table", "generate_subscripts", "jsonb_path_query", "jsonb_populate_recordset")

func set(names ...string) map[string]bool {
	m := make(map[string]bool, len(names))
	for _, n := range names {
		m[n] = true
	}
	return m
}

// selectInto resolves a plain select into b, which may be the block around it.
func (r *resolver) selectInto(b *Block, s *pgast.Select, outer *scope, nb []*outerJoin) (out []outCol, open bool) {
	sc := r.queryScope(b, outer, s.With, s)
	if s.Values != nil {
		for i, row := range s.Values {
			for j, e := range row {
				r.bind(sc, e)
				if i == 0 {
					out = append(out, outCol{name: "column" + itoa(j+1)})
				}
			}
		}
		return out, false
	}
	for _, f := range s.From {
		r.from(b, sc, f, nb)
	}
	r.quals(b, sc, s.Where, nb)
	out, open = r.outputs(sc, s.Targets)
	if b.Stmt != pgast.Node(s) {
		return out, open // merged: the rest is absent by simple()
	}
	for _, t := range s.Targets {
		agg, window, set := calls(t.Expr)
		b.Aggregated = b.Aggregated || agg
		b.noPush = b.noPush || set
		if window {
			r.windows(b, sc, s, t.Expr)
		}
	}
	for _, g := range s.GroupBy {
		b.groupBy = append(b.groupBy, r.outputRef(sc, g, out, s.Targets))
	}
	if s.Distinct && len(s.DistinctOn) == 0 {
		for _, o := range out {
			b.distinct = append(b.distinct, o.expr)
		}
	}
	for _, d := range s.DistinctOn {
		b.distinct = append(b.distinct, r.outputRef(sc, d, out, s.Targets))
	}
	b.Grouped = len(s.GroupBy) > 0
	b.Aggregated = b.Aggregated || b.Grouped || s.Having != nil
	b.noPush = b.noPush || s.Limit != nil || s.Offset != nil || s.Locking != nil
	r.bind(sc, s.Having)
	r.order(b, sc, s, out)
	r.limit(b, sc, s)
	return out, open
}

// windows notes by what the window functions of an expression divide the rows: a
// qual on that may be applied before them.
func (r *resolver) windows(b *Block, sc *scope, s *pgast.Select, e pgast.Expr) {
	each(e, func(x pgast.Expr) bool {
		f, ok := x.(*pgast.FuncCall)
		if !ok || f.Over == nil {
			return true
		}
		by := f.Over.PartitionBy
		for name := cmp.Or(f.Over.Name, f.Over.Base); name != "" && len(by) == 0; {
			i := slices.IndexFunc(s.Windows, func(w pgast.NamedWindow) bool { return w.Name == name })
			if i < 0 {
				break
			}
			by, name = s.Windows[i].PartitionBy, s.Windows[i].Base
		}
		var bound []pgast.Expr
		for _, p := range by {
			bound = append(bound, r.bind(sc, p))
		}
		b.windows = append(b.windows, bound)
		return true
	})
}

func itoa(n int) string { return strconv.Itoa(n) }
