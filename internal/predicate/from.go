package predicate

import (
	"slices"

	"github.com/planvet/planvet/catalog"
	"github.com/planvet/planvet/internal/pgast"
)

// from resolves an item of FROM into the block: its relations and ON clauses go
// to the block, its names to the scope.
func (r *resolver) from(b *Block, sc *scope, item pgast.FromItem, nb []*outerJoin) {
	switch it := item.(type) {
	case *pgast.Table:
		r.table(b, sc, it, nb)
	case *pgast.Subquery:
		r.subselect(b, sc, it, nb)
	case *pgast.FuncTable:
		r.function(b, sc, it, nb)
	case *pgast.Join:
		r.join(b, sc, it, nb)
	}
}

func (r *resolver) join(b *Block, sc *scope, j *pgast.Join, nb []*outerJoin) {
	left, right, on := nb, nb, nb
	switch j.Kind {
	case pgast.JoinLeft:
		right = append(slices.Clone(nb), &outerJoin{})
		on = right
	case pgast.JoinRight:
		left = append(slices.Clone(nb), &outerJoin{})
		on = left
	case pgast.JoinFull:
		left = append(slices.Clone(nb), &outerJoin{})
		right = append(slices.Clone(nb), &outerJoin{})
		on = append(slices.Clone(nb), &outerJoin{anti: true}) // restricts neither side
	}
	// The join's sides are resolved in scopes of their own, so that an unqualified
	// name in ON means one of theirs; the names go up when the join is done.
	sub := &scope{parent: sc, block: b, ctes: sc.ctes}
	r.from(b, sub, j.Left, left)
	mid, midMerged := len(sub.sources), len(sub.merged)
	r.from(b, sub, j.Right, right)
	using := j.Using
	if j.Natural {
		using = natural(sub.sources[:mid], sub.sources[mid:])
	}
	for _, name := range using {
		l := find(sub.merged[:midMerged], sub.sources[:mid], name)
		rt := find(sub.merged[midMerged:], sub.sources[mid:], name)
		if l == nil || rt == nil {
			continue
		}
		l, rt = place(l, j.At), place(rt, j.At)
		b.addClause(r, &pgast.Op{At: -1, Kind: pgast.OpPlain, Name: "=", Left: l, Right: rt}, on)
		m := l
		if j.Kind == pgast.JoinRight {
			m = rt
		}
		sub.merged = append([]outCol{{name, m}}, sub.merged...)
		midMerged++
	}
	if !isNil(j.On) {
		r.quals(b, sub, j.On, on)
	}
	if j.Alias != "" {
		s := &source{alias: j.Alias}
		s.cols = append(s.cols, sub.merged...)
		for _, x := range sub.sources {
			s.cols = append(s.cols, x.cols...)
			s.open = s.open || x.open
		}
		sc.sources = append(sc.sources, s)
		return
	}
	sc.sources = append(sc.sources, sub.sources...)
	sc.merged = append(sc.merged, sub.merged...)
}

// place gives a column the position of the join that names it by USING.
func place(e pgast.Expr, at pgast.At) pgast.Expr {
	if v, ok := e.(*Var); ok {
		n := *v
		n.At = at
		return &n
	}
	return e
}

func find(merged []outCol, sources []*source, name string) pgast.Expr {
	for _, m := range merged {
		if m.name == name {
			return m.expr
		}
	}
	for _, s := range sources {
		if e, ok := s.column(name); ok {
			return e
		}
	}
	return nil
}

func natural(left, right []*source) []string {
	var out []string
	for _, s := range left {
		for _, c := range s.cols {
			if find(nil, right, c.name) != nil && !slices.Contains(out, c.name) {
				out = append(out, c.name)
			}
		}
	}
	return out
}

func (r *resolver) table(b *Block, sc *scope, t *pgast.Table, nb []*outerJoin) *Rel {
	if t.Schema == "" {
		for e := sc.ctes; e != nil; e = e.parent {
			if e.cte.name == t.Name {
				r.scanCTE(b, sc, t, e.cte, nb)
				return nil
			}
		}
	}
	path := r.o.SearchPath
	if r.view {
		path = nil
	}
	cr := r.cat.Resolve(t.Schema, t.Name, path)
	src := &source{schema: t.Schema, relation: t.Name, alias: t.RefName()}
	rel := &Rel{Alias: t.RefName(), Pos: r.at(t), only: t.Only}
	if cr == nil || cr.Stub {
		if !systemName(t) {
			r.unresolved("relation " + qualified(t))
		}
		rel.derived = &derived{}
		src.open = true
		src.rel = r.addRel(b, rel, nb)
		sc.sources = append(sc.sources, src)
		return src.rel
	}
	src.schema = cr.Schema
	if cr.Kind == catalog.View {
		r.expandView(b, sc, t, cr, nb)
		return nil
	}
	rel.Relation = cr
	r.addRel(b, rel, nb)
	src.rel = rel
	for i, c := range cr.Columns {
		name := c.Name
		if i < len(t.ColAliases) {
			name = t.ColAliases[i]
		}
		src.cols = append(src.cols, outCol{name, r.variable(t, rel, c.Name)})
	}
	for _, sys := range []string{"ctid", "tableoid", "xmin", "xmax"} {
		src.cols = append(src.cols, outCol{sys, r.variable(t, rel, sys)})
	}
	src.open = len(cr.Columns) == 0
	sc.sources = append(sc.sources, src)
	r.policies(b, rel, "select", nb)
	return rel
}

func (r *resolver) variable(t pgast.Node, rel *Rel, name string) *Var {
	return &Var{ColumnRef: pgast.ColumnRef{At: pgast.At(r.at(t)), Names: []string{rel.Alias, name}}, Rel: rel, Column: name}
}

func systemName(t *pgast.Table) bool {
	return t.Schema == "pg_catalog" || t.Schema == "information_schema" || len(t.Name) > 3 && t.Name[:3] == "pg_"
}

func qualified(t *pgast.Table) string {
	if t.Schema != "" {
		return t.Schema + "." + t.Name
	}
	return t.Name
}

// expandView resolves a view as the subquery that it is. Its columns have the
// position of the view's name.
func (r *resolver) expandView(b *Block, sc *scope, t *pgast.Table, v *catalog.Relation, nb []*outerJoin) {
	var stmt pgast.Stmt
	opaque := v.Query == "" || r.nest > maxNesting || r.views > maxViews
	if !opaque {
		var err error
		stmt, err = pgast.Parse(v.Query)
		opaque = err != nil
	}
	if opaque {
		src := &source{schema: v.Schema, relation: t.Name, alias: t.RefName(), open: true}
		src.rel = r.addRel(b, &Rel{Alias: t.RefName(), Pos: r.at(t), derived: &derived{}}, nb)
		sc.sources = append(sc.sources, src)
		return
	}
	r.views++
	pos, view, o := r.pos, r.view, r.o
	r.pos, r.view = r.at(t), true
	if !v.SecurityInvoker {
		r.o.RoleKnown = false // the view's owner reads the tables
	}
	r.o.Variables = nil
	names := t.ColAliases
	if len(names) == 0 {
		for _, c := range v.Columns {
			names = append(names, c.Name)
		}
	}
	outer := &scope{block: b}
	r.derive(b, sc, outer, stmt, t.RefName(), names, nb, t)
	src := sc.sources[len(sc.sources)-1]
	src.schema, src.relation = v.Schema, t.Name
	r.pos, r.view, r.o = pos, view, o
}

func (r *resolver) subselect(b *Block, sc *scope, s *pgast.Subquery, nb []*outerJoin) {
	outer := sc
	if !s.Lateral {
		outer = &scope{parent: enclosing(sc), block: b, ctes: sc.ctes}
	}
	r.derive(b, sc, outer, s.Query, s.Alias, s.ColAliases, nb, s)
}

// enclosing is the scope around the query that sc belongs to; what a subquery
// without LATERAL may refer to.
func enclosing(sc *scope) *scope {
	for s := sc; s != nil; s = s.parent {
		if s.query {
			return s.parent
		}
	}
	return nil
}

func rename(cols []outCol, names []string) {
	for i := range cols {
		if i < len(names) {
			cols[i].name = names[i]
		}
	}
}
