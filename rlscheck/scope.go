package rlscheck

import (
	"slices"

	"github.com/planvet/planvet/catalog"
	"github.com/planvet/planvet/internal/pgast"
)

// frame is one level of row sources: the policy's table, then the FROM lists of
// the subselects around a place.
type frame struct {
	parent  *frame
	depth   int // 0 is the policy's own table
	sources []source
	query   *pgast.Select // nil for the policy's table
	// correlated is set when the subselect reads columns of a frame around it.
	correlated bool
	ctes       map[string]bool
}

// source is one row source of a frame.
type source struct {
	alias, schema string
	rel           *catalog.Relation // nil for derived ones
	columns       []string
	open          bool // its columns are not all known
}

func (s *source) has(column string) bool {
	if s.rel != nil && s.rel.Column(column) != nil {
		return true
	}
	return slices.Contains(s.columns, column)
}

// tableFrame is the frame of a policy's own table.
func tableFrame(r *catalog.Relation) *frame {
	return &frame{sources: []source{{alias: r.Name.Name, schema: r.Schema, rel: r, open: r.Stub || len(r.Columns) == 0}}}
}

// queryFrame is the frame of a subselect's FROM list.
func queryFrame(cat *catalog.Catalog, parent *frame, q *pgast.Select) *frame {
	f := &frame{parent: parent, depth: parent.depth + 1, query: q, ctes: map[string]bool{}}
	for p := parent; p != nil; p = p.parent {
		for n := range p.ctes {
			f.ctes[n] = true
		}
	}
	if q.With != nil {
		for _, c := range q.With.CTEs {
			f.ctes[c.Name] = true
		}
	}
	for _, item := range q.From {
		f.from(cat, item)
	}
	return f
}

func (f *frame) from(cat *catalog.Catalog, item pgast.FromItem) {
	switch t := item.(type) {
	case *pgast.Table:
		s := source{alias: t.RefName(), schema: t.Schema}
		if t.Alias != "" {
			s.schema = ""
		}
		if t.Schema != "" || !f.ctes[t.Name] {
			s.rel = cat.Resolve(t.Schema, t.Name, nil)
		}
		if len(t.ColAliases) > 0 {
			s.columns = t.ColAliases
		}
		s.open = s.rel == nil || s.rel.Stub || len(s.rel.Columns) == 0
		f.sources = append(f.sources, s)
	case *pgast.Subquery:
		s := source{alias: t.Alias, columns: t.ColAliases}
		if q, ok := t.Query.(*pgast.Select); ok && len(s.columns) == 0 {
			s.columns, s.open = outputs(q)
		}
		f.sources = append(f.sources, s)
	case *pgast.FuncTable:
		f.sources = append(f.sources, source{alias: t.Alias, columns: append([]string{t.Alias}, t.ColAliases...), open: len(t.ColAliases) == 0})
	case *pgast.Join:
		f.from(cat, t.Left)
		f.from(cat, t.Right)
	}
}

// outputs are the named columns of a subselect; open when some are not known.
func outputs(q *pgast.Select) (names []string, open bool) {
	for q.SetOp != "" && q.Left != nil {
		q = q.Left
	}
	for _, t := range q.Targets {
		ref, isRef := t.Expr.(*pgast.ColumnRef)
		switch {
		case t.Name != "":
			names = append(names, t.Name)
		case isRef && !ref.Star && len(ref.Names) > 0:
			names = append(names, ref.Names[len(ref.Names)-1])
		default:
			open = true
		}
	}
	return names, open
}

var systemColumns = map[string]bool{"ctid": true, "xmin": true, "xmax": true, "cmin": true, "cmax": true, "tableoid": true}

// resolve returns the frame whose row a column belongs to. A name that nothing
// has goes to the innermost frame whose columns are not all known, else to f: it
// then counts as a column, which keeps rules silent.
func (f *frame) resolve(ref *pgast.ColumnRef) *frame {
	if len(ref.Names) == 0 {
		return f
	}
	if len(ref.Names) > 1 || ref.Star {
		n := len(ref.Names) - 1
		if ref.Star {
			n++
		}
		alias, schema := ref.Names[n-1], ""
		if n > 1 {
			schema = ref.Names[n-2]
		}
		for g := f; g != nil; g = g.parent {
			for i := range g.sources {
				if s := &g.sources[i]; s.alias == alias && (schema == "" || s.schema == "" || s.schema == schema) {
					return g
				}
			}
		}
		return f
	}
	name := ref.Names[0]
	var open *frame
	for g := f; g != nil; g = g.parent {
		for i := range g.sources {
			s := &g.sources[i]
			if s.has(name) || s.alias == name || systemColumns[name] {
				return g
			}
			if s.open && open == nil {
				open = g
			}
		}
	}
	if open != nil {
		return open
	}
	return f
}

// refs visits the columns in e, those in its subqueries included, with the frame
// that each belongs to; frames of subqueries inside e are below f.
func (f *frame) refs(cat *catalog.Catalog, e pgast.Node, visit func(*pgast.ColumnRef, *frame)) {
	pgast.Walk(e, func(n pgast.Node) bool {
		switch n := n.(type) {
		case *pgast.ColumnRef:
			visit(n, f.resolve(n))
		case *pgast.Select:
			g := queryFrame(cat, f, n)
			g.each(n, func(e pgast.Node) { g.refs(cat, e, visit) })
			return false
		}
		return true
	})
}

// each hands on what stands directly in a select: f is its frame.
func (f *frame) each(q *pgast.Select, visit func(pgast.Node)) {
	expr := func(e pgast.Expr) {
		if e != nil {
			visit(e)
		}
	}
	if q.With != nil {
		for _, c := range q.With.CTEs {
			visit(c.Query)
		}
	}
	if q.SetOp != "" {
		visit(q.Left)
		visit(q.Right)
	}
	for _, t := range q.Targets {
		expr(t.Expr)
	}
	for _, t := range q.From {
		visit(t)
	}
	expr(q.Where)
	for _, e := range slices.Concat(q.GroupBy, []pgast.Expr{q.Having, q.Limit, q.Offset}, q.DistinctOn) {
		expr(e)
	}
	for _, s := range q.OrderBy {
		expr(s.Expr)
	}
	for _, row := range q.Values {
		for _, e := range row {
			expr(e)
		}
	}
}

// reads reports whether e reads a column of f or of a frame around it.
func (f *frame) reads(cat *catalog.Catalog, e pgast.Node) bool {
	found := false
	f.refs(cat, e, func(_ *pgast.ColumnRef, g *frame) {
		if g.depth <= f.depth {
			found = true
		}
	})
	return found
}
