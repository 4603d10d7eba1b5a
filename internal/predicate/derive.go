package predicate

import (
	"slices"

	"github.com/planvet/planvet/internal/pgast"
)

// derive adds a subquery as a row source: merged into the block when the planner
// would pull it up, otherwise as a block of its own.
func (r *resolver) derive(b *Block, sc, outer *scope, q pgast.Stmt, alias string, names []string, nb []*outerJoin, at pgast.Node) {
	src := &source{alias: alias}
	if sel, ok := q.(*pgast.Select); ok && simple(sel) && r.nest < maxNesting {
		r.nest++
		src.cols, src.open = r.selectInto(b, sel, outer, nb)
		r.nest--
		src.rename(names)
		sc.sources = append(sc.sources, src)
		return
	}
	rel := &Rel{Alias: alias, Pos: r.at(at)}
	if sel, ok := q.(*pgast.Select); ok && sel.Values != nil {
		r.values(b, outer, sel, rel, src)
	} else {
		child, out := r.query(q, outer, b)
		b.children = append(b.children, child)
		rel.derived = &derived{block: child, out: child.arms(out), push: true}
		for _, v := range child.outer {
			if v.Rel.Block == b && !slices.Contains(rel.derived.needs, v.Rel) {
				rel.derived.needs = append(rel.derived.needs, v.Rel)
			}
		}
		src.cols, src.open = r.handles(rel, out), child.open
	}
	src.rel = r.addRel(b, rel, nb)
	src.rename(names)
	if rel.derived != nil {
		for i := range rel.derived.out {
			rename(rel.derived.out[i].cols, names)
		}
		for i, c := range src.cols { // the handles follow the new names
			if v, ok := c.expr.(*Var); ok && v.Rel == rel {
				src.cols[i].expr = &Var{ColumnRef: v.ColumnRef, Rel: rel, Column: c.name}
			}
		}
	}
	sc.sources = append(sc.sources, src)
}

// handles are the columns of a derived relation as the block around it sees them.
func (r *resolver) handles(rel *Rel, out []outCol) []outCol {
	cols := make([]outCol, len(out))
	for i, c := range out {
		v := &Var{ColumnRef: pgast.ColumnRef{At: -1, Names: []string{rel.Alias, c.name}}, Rel: rel, Column: c.name}
		cols[i] = outCol{c.name, v}
	}
	return cols
}

func (s *source) rename(names []string) { rename(s.cols, names) }

func (r *resolver) values(b *Block, outer *scope, sel *pgast.Select, rel *Rel, src *source) {
	inner := &scope{parent: outer, block: b, ctes: outer.ctes}
	var out []outCol
	for i, row := range sel.Values {
		for j, e := range row {
			r.bind(inner, e)
			if i == 0 {
				out = append(out, outCol{name: "column" + itoa(j+1)})
			}
		}
	}
	rel.derived = &derived{few: Yes}
	src.cols = r.handles(rel, out)
}

func (r *resolver) function(b *Block, sc *scope, f *pgast.FuncTable, nb []*outerJoin) {
	rel := &Rel{Alias: f.Alias, Pos: r.at(f), derived: &derived{few: Yes}}
	for _, c := range f.Calls {
		e := r.bind(sc, c)
		for _, v := range vars(e) {
			if v.Rel != nil && v.Rel.Block == b && !slices.Contains(rel.derived.needs, v.Rel) {
				rel.derived.needs = append(rel.derived.needs, v.Rel)
			}
		}
		if fc, ok := c.(*pgast.FuncCall); ok {
			if n := fc.Name[len(fc.Name)-1]; rel.Alias == "" {
				rel.Alias = n
			}
		}
	}
	src := &source{alias: rel.Alias}
	var out []outCol
	names := f.ColAliases
	if len(names) == 0 && len(f.Calls) == 1 {
		names = r.functionColumns(f, rel.Alias)
	}
	for _, n := range names {
		out = append(out, outCol{name: n})
	}
	src.cols = r.handles(rel, out)
	src.open = len(f.ColAliases) == 0 || f.Ordinality
	src.rel = r.addRel(b, rel, nb)
	sc.sources = append(sc.sources, src)
}

// functionColumns are the columns of a set-returning function: its OUT names, or
// the alias for a function of one column.
func (r *resolver) functionColumns(f *pgast.FuncTable, alias string) []string {
	fc, ok := f.Calls[0].(*pgast.FuncCall)
	if !ok {
		return nil
	}
	schema := ""
	if len(fc.Name) > 1 {
		schema = fc.Name[len(fc.Name)-2]
	}
	for _, fn := range r.cat.ResolveFunctions(schema, fc.Name[len(fc.Name)-1], r.o.SearchPath) {
		if len(fn.OutNames) > 0 {
			return fn.OutNames
		}
	}
	switch fc.Name[len(fc.Name)-1] {
	case "unnest", "generate_series", "regexp_split_to_table", "string_to_table", "generate_subscripts":
		return []string{alias}
	case "jsonb_array_elements", "json_array_elements", "jsonb_array_elements_text", "json_array_elements_text":
		return []string{alias, "value"}
	}
	return nil
}
