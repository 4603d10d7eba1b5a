package predicate

import (
	"slices"

	"github.com/planvet/planvet/internal/pgast"
)

// with puts CTEs in scope. A CTE is merged into its user as PostgreSQL does it:
// used once or NOT MATERIALIZED, not recursive, a plain select.
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
		d.inline = sel && !recursive && (c.Materialized == "not materialized" || c.Materialized == "" && uses[c.Name] == 1)
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
