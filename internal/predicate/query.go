package predicate

import (
	"slices"
	"strconv"

	"github.com/planvet/planvet/catalog"
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
		b.noPush = b.noPush || window || set
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
	switch e := uncast(t.Expr).(type) {
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
	if v, ok := e.(*Var); ok {
		o.Column = v.Column
	} else {
		o.KeyExpr = r.normal(e, o.Rel)
	}
	return o
}

func (r *resolver) limit(b *Block, sc *scope, s *pgast.Select) {
	if s.Limit == nil {
		return
	}
	b.Limit = true
	switch e := uncast(s.Limit).(type) {
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

// with puts CTEs in scope. A CTE is merged into its user as PostgreSQL does it:
// used once, not recursive, a plain select, not asked to be materialized.
func (r *resolver) with(sc *scope, w *pgast.With, stmt pgast.Node) {
	if w == nil {
		return
	}
	uses := map[string]int{}
	pgast.Walk(stmt, func(n pgast.Node) bool {
		if t, ok := n.(*pgast.Table); ok && t.Schema == "" {
			uses[t.Name]++
		}
		return true
	})
	for i := range w.CTEs {
		c := &w.CTEs[i]
		d := &cte{name: c.Name, query: c.Query, cols: c.Columns, env: sc.ctes, outer: sc}
		_, sel := c.Query.(*pgast.Select)
		recursive := w.Recursive && mentions(c.Query, c.Name)
		d.inline = sel && !recursive && (c.Materialized == "not materialized" && uses[c.Name] == 1 ||
			c.Materialized == "" && uses[c.Name] == 1)
		if !d.inline && (uses[c.Name] > 0 || !sel) { // an unused select never runs
			r.computeCTE(sc, d, recursive)
		}
		sc.ctes = &cteScope{parent: sc.ctes, cte: d}
	}
}

func mentions(q pgast.Stmt, name string) bool {
	found := false
	pgast.Walk(q, func(n pgast.Node) bool {
		if t, ok := n.(*pgast.Table); ok && t.Schema == "" && t.Name == name {
			found = true
		}
		return !found
	})
	return found
}

// computeCTE resolves a CTE that is computed apart. In a recursive one the second
// arm sees the rows that the first arm found.
func (r *resolver) computeCTE(sc *scope, d *cte, recursive bool) {
	outer := &scope{parent: sc.parent, block: sc.block, ctes: d.env}
	sel, _ := d.query.(*pgast.Select)
	if !recursive || sel == nil || sel.SetOp == "" {
		if recursive {
			outer.ctes = &cteScope{parent: d.env, cte: d}
			d.working = true
		}
		d.block, d.out = r.query(d.query, outer, sc.block)
		sc.block.children = append(sc.block.children, d.block)
		rename(d.out, d.cols)
		d.working = false
		return
	}
	d.block = r.newBlock(d.query, sc.block)
	sc.block.children = append(sc.block.children, d.block)
	inner := &scope{parent: outer.parent, block: d.block, ctes: d.env, query: true}
	r.with(inner, sel.With, sel)
	base, cols := r.query(sel.Left, inner, d.block)
	d.block.children = append(d.block.children, base)
	d.base = base
	d.out = slices.Clone(cols)
	rename(d.out, d.cols)
	inner.ctes = &cteScope{parent: inner.ctes, cte: d}
	d.working = true
	d.block.sets = base.arms(cols)
	step, stepCols := r.query(sel.Right, inner, d.block)
	d.working = false
	d.block.children = append(d.block.children, step)
	d.block.sets = append(d.block.sets, step.arms(stepCols)...)
	d.block.open = base.open
}

func (r *resolver) scanCTE(b *Block, sc *scope, t *pgast.Table, d *cte, nb []*outerJoin) {
	names := t.ColAliases
	if d.inline {
		outer := &scope{parent: d.outer.parent, block: b, ctes: d.env}
		if len(names) == 0 {
			names = d.cols
		}
		r.derive(b, sc, outer, d.query, t.RefName(), names, nb, t)
		return
	}
	from := d.block
	if d.working && d.base != nil {
		from = d.base // the rows found so far are as few as those found first
	}
	rel := &Rel{Alias: t.RefName(), Pos: r.at(t), derived: &derived{block: from}}
	src := &source{alias: t.RefName(), relation: t.Name}
	out := slices.Clone(d.out)
	rename(out, names)
	src.cols, src.open = r.handles(rel, out), d.block == nil || d.block.open
	src.rel = r.addRel(b, rel, nb)
	sc.sources = append(sc.sources, src)
}

// normal is the normal form of an expression on one relation.
func (r *resolver) normal(e pgast.Expr, rel *Rel) string {
	if rel == nil || rel.Relation == nil {
		return pgast.Format(unbind(e))
	}
	return pgast.Normal(unbind(e), env{r.cat, r.o.SearchPath}, pgast.Name{Schema: rel.Relation.Schema, Name: rel.Relation.Name.Name})
}

// env answers pgast.Normal's questions from the catalog.
type env struct {
	cat  *catalog.Catalog
	path []string
}

func (e env) Relation(schema, name string) (string, bool) {
	if r := e.cat.Resolve(schema, name, e.path); r != nil {
		return r.Schema, true
	}
	return "", false
}

func (e env) Function(schema, name string) (string, bool) {
	if fs := e.cat.ResolveFunctions(schema, name, e.path); len(fs) > 0 {
		return fs[0].Schema, true
	}
	return "", false
}

func (e env) Type(schema, name string) (string, bool) {
	if t := e.cat.ResolveType(schema, name, e.path); t != nil {
		return t.Schema, true
	}
	return "", false
}

func (e env) ColumnType(schema, rel, col string) string {
	if r := e.cat.Relation(schema, rel); r != nil {
		if c := r.Column(col); c != nil {
			return c.Type
		}
	}
	return ""
}

func itoa(n int) string { return strconv.Itoa(n) }
