package explain

import (
	"slices"
	"strconv"
	"strings"

	"github.com/planvet/planvet/catalog"
	"github.com/planvet/planvet/internal/pgast"
)

// rewriter changes statements. Doubt changes nothing: a name that is not resolved, a
// function that may be volatile, an outer join.
type rewriter struct {
	cat  *catalog.Catalog
	args []*string
	// ctes are the names of the statement's WITH queries.
	ctes map[string]bool
}

// eachSelect calls f for each select of a tree, the statement's own first.
func eachSelect(tree pgast.Node, f func(s *pgast.Select)) {
	pgast.Walk(tree, func(n pgast.Node) bool {
		if s, ok := n.(*pgast.Select); ok {
			f(s)
		}
		return true
	})
}

// oneToOne reports whether a select yields a row for each row of FROM and WHERE.
func oneToOne(s *pgast.Select) bool {
	return s.SetOp == "" && s.Values == nil && !s.Distinct && len(s.DistinctOn) == 0 && s.GroupBy == nil && s.Having == nil &&
		len(s.Windows) == 0 && s.Limit == nil && s.Offset == nil && len(s.Locking) == 0 && s.Into == nil
}

// callsFunction reports whether an expression, or a subquery of it, calls a function.
func callsFunction(n pgast.Node) bool {
	found := false
	pgast.Walk(n, func(n pgast.Node) bool {
		_, call := n.(*pgast.FuncCall)
		found = found || call
		return !found
	})
	return found
}

func one() pgast.Expr { return &pgast.Const{At: -1, Kind: pgast.ConstInt, Text: "1"} }

// countToExists: (select count(*) from t where …) > 0 is exists (select 1 from t where
// …), compared with 1 or 0 in each way that asks for a row at all.
func (w *rewriter) countToExists(tree pgast.Stmt) bool {
	changed := false
	pgast.Replace(tree, func(e pgast.Expr) (pgast.Expr, bool) {
		op, ok := e.(*pgast.Op)
		if !ok || op.Kind != pgast.OpPlain || op.Left == nil || op.Schema != "" {
			return nil, false
		}
		sub, number, name := op.Left, op.Right, op.Name
		if _, ok := sub.(*pgast.SubLink); !ok {
			mirror := map[string]string{"<": ">", ">": "<", "<=": ">=", ">=": "<=", "=": "=", "<>": "<>"}
			sub, number, name = op.Right, op.Left, mirror[op.Name]
		}
		s, ok := sub.(*pgast.SubLink)
		c, isConst := number.(*pgast.Const)
		if !ok || s.Kind != pgast.SubScalar || !isConst {
			return nil, false
		}
		q, ok := s.Query.(*pgast.Select)
		if !ok || !oneToOne(q) || len(q.From) == 0 || len(q.Targets) != 1 || !countsRows(q.Targets[0].Expr) {
			return nil, false
		}
		not, ok := map[string]bool{"> 0": false, ">= 1": false, "<> 0": false, "= 0": true, "< 1": true, "<= 0": true}[name+" "+c.Text]
		if !ok {
			return nil, false
		}
		changed = true
		q.Targets, q.OrderBy = []pgast.Target{{At: -1, Expr: one()}}, nil
		var out pgast.Expr = &pgast.SubLink{At: -1, Kind: pgast.SubExists, Query: q}
		if not {
			out = &pgast.Bool{At: -1, Kind: pgast.Not, Args: []pgast.Expr{out}}
		}
		return out, true
	})
	return changed
}

// countsRows reports whether an expression is count(*), or of a constant.
func countsRows(e pgast.Expr) bool {
	f, ok := e.(*pgast.FuncCall)
	if !ok || f.Name[len(f.Name)-1] != "count" || f.Distinct || f.Filter != nil || f.Over != nil {
		return false
	}
	if f.Star {
		return true
	}
	if len(f.Args) != 1 {
		return false
	}
	c, ok := f.Args[0].(*pgast.Const)
	return ok && c.Kind != pgast.ConstNull
}

// notInToNotExists: x not in (select y from t where …) is not exists (select 1 from t
// where … and y = x) where neither x nor y can be NULL.
func (w *rewriter) notInToNotExists(tree pgast.Stmt) bool {
	changed := false
	eachSelect(tree, func(s *pgast.Select) {
		arms := flattened(s.Where)
		for i, a := range arms {
			not, ok := a.(*pgast.Bool)
			if !ok || not.Kind != pgast.Not || len(not.Args) != 1 {
				continue
			}
			in, ok := not.Args[0].(*pgast.SubLink)
			if !ok || in.Kind != pgast.SubAny || in.Op != "=" {
				continue
			}
			q, ok := in.Query.(*pgast.Select)
			if !ok || !oneToOne(q) || q.With != nil || len(q.Targets) != 1 {
				continue
			}
			rel, alias := w.onlyTable(q)
			inner := w.notNull(q, q.Targets[0].Expr)
			outer := w.notNull(s, in.Test)
			if rel == nil || inner == nil || outer == nil || outer.Names[0] == alias {
				continue
			}
			same := &pgast.Op{At: -1, Name: "=", Left: inner, Right: outer}
			q.Where = and(append(flattened(q.Where), same)...)
			q.Targets, q.OrderBy = []pgast.Target{{At: -1, Expr: one()}}, nil
			arms[i] = &pgast.Bool{At: -1, Kind: pgast.Not, Args: []pgast.Expr{&pgast.SubLink{At: -1, Kind: pgast.SubExists, Query: q}}}
			changed = true
		}
		if changed && len(arms) > 0 {
			s.Where = and(arms...)
		}
	})
	return changed
}

func flattened(e pgast.Expr) []pgast.Expr {
	if e == nil {
		return nil
	}
	return slices.Clone(pgast.Flatten(e, pgast.And))
}

func and(arms ...pgast.Expr) pgast.Expr {
	switch len(arms) {
	case 0:
		return nil
	case 1:
		return arms[0]
	}
	return &pgast.Bool{At: -1, Kind: pgast.And, Args: arms}
}

// onlyTable is the only item of FROM where that is a table, and its alias.
func (w *rewriter) onlyTable(s *pgast.Select) (*catalog.Relation, string) {
	if len(s.From) != 1 {
		return nil, ""
	}
	t, ok := s.From[0].(*pgast.Table)
	if !ok || len(t.ColAliases) > 0 || w.isCTE(t) {
		return nil, ""
	}
	r := w.cat.Resolve(t.Schema, t.Name, nil)
	if r == nil || !r.IsTable() || t.Sample {
		return nil, ""
	}
	return r, t.RefName()
}

// isCTE reports whether a table's name is that of a CTE anywhere in the statement.
func (w *rewriter) isCTE(t *pgast.Table) bool { return t.Schema == "" && w.ctes[t.Name] }

// newRewriter reads the names that are no tables.
func newRewriter(cat *catalog.Catalog, tree pgast.Stmt, args []*string) *rewriter {
	w := &rewriter{cat: cat, args: args, ctes: map[string]bool{}}
	pgast.Walk(tree, func(n pgast.Node) bool {
		switch n := n.(type) {
		case *pgast.Select:
			w.know(n.With)
		case *pgast.Insert:
			w.know(n.With)
		case *pgast.Update:
			w.know(n.With)
		case *pgast.Delete:
			w.know(n.With)
		case *pgast.Merge:
			w.know(n.With)
		}
		return true
	})
	return w
}

func (w *rewriter) know(with *pgast.With) {
	if with != nil {
		for _, c := range with.CTEs {
			w.ctes[c.Name] = true
		}
	}
}

// notNull is a column of a select's tables that is never NULL, qualified by its
// table's alias; nil for everything else. Tables are those of a list or inner joins.
func (w *rewriter) notNull(s *pgast.Select, e pgast.Expr) *pgast.ColumnRef {
	c, ok := e.(*pgast.ColumnRef)
	if !ok || c.Star || len(c.Names) == 0 || len(c.Names) > 2 {
		return nil
	}
	var out *pgast.ColumnRef
	found, inner := 0, true
	var look func(f pgast.FromItem)
	look = func(f pgast.FromItem) {
		switch f := f.(type) {
		case *pgast.Table:
			r := w.cat.Resolve(f.Schema, f.Name, nil)
			if r == nil || len(f.ColAliases) > 0 || w.isCTE(f) {
				inner = false
				return
			}
			if len(c.Names) == 2 && c.Names[0] != f.RefName() {
				return
			}
			col := r.Column(c.Names[len(c.Names)-1])
			if col == nil {
				return
			}
			found++
			if col.NotNull && r.IsTable() {
				out = &pgast.ColumnRef{At: -1, Names: []string{f.RefName(), col.Name}}
			}
		case *pgast.Join:
			if f.Kind != pgast.JoinInner || f.Alias != "" || f.Natural || len(f.Using) > 0 {
				inner = false
				return
			}
			look(f.Left)
			look(f.Right)
		default:
			inner = false
		}
	}
	for _, f := range s.From {
		look(f)
	}
	if !inner || found != 1 {
		return nil
	}
	return out
}

// distinctOverKey: what has a key among its columns is distinct.
func (w *rewriter) distinctOverKey(tree pgast.Stmt) bool {
	changed := false
	eachSelect(tree, func(s *pgast.Select) {
		if !s.Distinct || len(s.DistinctOn) > 0 || s.GroupBy != nil || s.SetOp != "" || len(s.Windows) > 0 {
			return
		}
		rel, alias := w.onlyTable(s)
		if rel == nil || rel.Kind == catalog.MaterializedView {
			return
		}
		var cols []string
		for _, t := range s.Targets {
			if callsFunction(t.Expr) {
				return
			}
			if c, ok := t.Expr.(*pgast.ColumnRef); ok && (len(c.Names) < 2 || c.Names[len(c.Names)-2] == alias) {
				if c.Star {
					for _, x := range rel.Columns {
						cols = append(cols, x.Name)
					}
				} else {
					cols = append(cols, c.Names[len(c.Names)-1])
				}
			}
		}
		for _, k := range rel.Constraints {
			key := k.Kind == catalog.PrimaryKey
			if k.Kind == catalog.Unique {
				key = !slices.ContainsFunc(k.Columns, func(c string) bool { return rel.Column(c) == nil || !rel.Column(c).NotNull })
			}
			if key && !slices.ContainsFunc(k.Columns, func(c string) bool { return !slices.Contains(cols, c) }) && !w.hasChildren(rel) {
				s.Distinct, changed = false, true
				return
			}
		}
	})
	return changed
}

// hasChildren reports whether other tables inherit from one: its key does not hold
// for theirs.
func (w *rewriter) hasChildren(rel *catalog.Relation) bool {
	return slices.ContainsFunc(w.cat.Relations(), func(r *catalog.Relation) bool { return slices.Contains(r.Inherits, rel.Name) })
}

// number is a constant's or a given parameter's value.
func (w *rewriter) number(e pgast.Expr) (int64, bool) {
	text := ""
	switch x := pgast.Uncast(e).(type) {
	case *pgast.Const:
		text = x.Text
	case *pgast.Param:
		if x.Number > len(w.args) || w.args[x.Number-1] == nil {
			return 0, false
		}
		text = *w.args[x.Number-1]
	}
	n, err := strconv.ParseInt(strings.TrimSpace(text), 10, 64)
	return n, err == nil
}
