package pgast

import (
	"strings"

	pg "github.com/planvet/planvet/internal/pgast/grammar"
)

func (c *conv) selectStmt(v *pg.SelectStmt) *Select {
	if v == nil {
		return nil
	}
	s := &Select{At: -1, With: c.with(v.WithClause), All: v.All, OrderBy: c.sortBy(v.SortClause),
		Offset: c.expr(v.LimitOffset), WithTies: v.LimitOption == pg.LimitOption_LIMIT_OPTION_WITH_TIES}
	if k, ok := c.expr(v.LimitCount).(*Const); !ok || k.Kind != ConstNull { // LIMIT ALL is NULL
		s.Limit = c.expr(v.LimitCount)
	}
	s.Locking = locking(v.LockingClause)
	switch v.Op {
	case pg.SetOperation_SETOP_UNION:
		s.SetOp = "union"
	case pg.SetOperation_SETOP_INTERSECT:
		s.SetOp = "intersect"
	case pg.SetOperation_SETOP_EXCEPT:
		s.SetOp = "except"
	}
	if s.SetOp != "" {
		s.Left, s.Right = c.selectStmt(v.Larg), c.selectStmt(v.Rarg)
		s.At = s.Left.At
		return s
	}
	for _, row := range v.ValuesLists {
		s.Values = append(s.Values, c.exprs(row.GetList().GetItems()))
	}
	c.distinct(v, s)
	s.Targets = c.targets(v.TargetList)
	s.From = c.from(v.FromClause)
	s.Where = c.expr(v.WhereClause)
	s.GroupBy, s.GroupDistinct = c.exprs(v.GroupClause), v.GroupDistinct
	s.Having = c.expr(v.HavingClause)
	for _, n := range v.WindowClause {
		if w := n.GetWindowDef(); w != nil {
			x := NamedWindow{Name: w.Name, Window: c.window(w)}
			x.Window.Name = ""
			s.Windows = append(s.Windows, x)
		}
	}
	if v.IntoClause != nil {
		s.Into = c.table(v.IntoClause.Rel)
		s.IntoTemp = v.IntoClause.GetRel().GetRelpersistence() == "t"
	}
	s.At = c.selectPos(s)
	return s
}

func (c *conv) distinct(v *pg.SelectStmt, s *Select) {
	if len(v.DistinctClause) == 0 {
		return
	}
	if on := c.exprs(v.DistinctClause); len(on) > 0 {
		s.DistinctOn = on
		return
	}
	s.Distinct = true
}

// selectPos finds the SELECT or VALUES keyword before the first item, since the
// grammar does not keep its place; -1 when it is not near.
func (c *conv) selectPos(s *Select) At {
	first, word := -1, "select"
	switch {
	case len(s.Values) > 0 && len(s.Values[0]) > 0:
		first, word = s.Values[0][0].Pos(), "values"
	case len(s.Targets) > 0:
		first = s.Targets[0].Pos()
		if len(s.DistinctOn) > 0 && s.DistinctOn[0].Pos() < first {
			first = s.DistinctOn[0].Pos()
		}
	}
	first -= c.base
	if first < 0 || first > len(c.src) {
		return -1
	}
	near := strings.ToLower(c.src[max(0, first-256):first])
	i := strings.LastIndex(near, word)
	if i < 0 || len(near) != first-max(0, first-256) {
		return -1
	}
	return At(max(0, first-256) + i + c.base)
}

func locking(ns []*pg.Node) []Locking {
	var out []Locking
	for _, n := range ns {
		l := n.GetLockingClause()
		if l == nil {
			continue
		}
		k := Locking{SkipLocked: l.WaitPolicy == pg.LockWaitPolicy_LockWaitSkip,
			NoWait: l.WaitPolicy == pg.LockWaitPolicy_LockWaitError}
		switch l.Strength {
		case pg.LockClauseStrength_LCS_FORUPDATE:
			k.Strength = "update"
		case pg.LockClauseStrength_LCS_FORNOKEYUPDATE:
			k.Strength = "no key update"
		case pg.LockClauseStrength_LCS_FORSHARE:
			k.Strength = "share"
		default:
			k.Strength = "key share"
		}
		for _, r := range l.LockedRels {
			k.Of = append(k.Of, r.GetRangeVar().GetRelname())
		}
		out = append(out, k)
	}
	return out
}

func (c *conv) with(v *pg.WithClause) *With {
	if v == nil {
		return nil
	}
	w := &With{Recursive: v.Recursive}
	for _, n := range v.Ctes {
		t := n.GetCommonTableExpr()
		if t == nil {
			continue
		}
		cte := CTE{At: c.at(t.Location), Name: t.Ctename, Columns: names(t.Aliascolnames), Query: c.stmt(t.Ctequery)}
		switch t.Ctematerialized {
		case pg.CTEMaterialize_CTEMaterializeAlways:
			cte.Materialized = "materialized"
		case pg.CTEMaterialize_CTEMaterializeNever:
			cte.Materialized = "not materialized"
		}
		cte.Extra = c.cteExtra(t)
		w.CTEs = append(w.CTEs, cte)
	}
	return w
}

func (c *conv) cteExtra(t *pg.CommonTableExpr) string {
	var b strings.Builder
	if s := t.SearchClause; s != nil {
		b.WriteString(" SEARCH DEPTH")
		if s.SearchBreadthFirst {
			b.Reset()
			b.WriteString(" SEARCH BREADTH")
		}
		b.WriteString(" FIRST BY " + quoteList(names(s.SearchColList)) + " SET " + quoteIdent(s.SearchSeqColumn))
	}
	if s := t.CycleClause; s != nil {
		b.WriteString(" CYCLE " + quoteList(names(s.CycleColList)) + " SET " + quoteIdent(s.CycleMarkColumn))
		b.WriteString(" TO " + Format(c.expr(s.CycleMarkValue)) + " DEFAULT " + Format(c.expr(s.CycleMarkDefault)))
		b.WriteString(" USING " + quoteIdent(s.CyclePathColumn))
	}
	return strings.TrimSpace(b.String())
}

func (c *conv) targets(ns []*pg.Node) []Target {
	var out []Target
	for _, n := range ns {
		if r := n.GetResTarget(); r != nil {
			out = append(out, c.target(r))
		}
	}
	return out
}

func (c *conv) target(r *pg.ResTarget) Target {
	t := Target{At: c.at(r.Location), Name: r.Name}
	if m := r.Val.GetMultiAssignRef(); m != nil {
		if row := m.Source.GetRowExpr(); row != nil && int(m.Colno) <= len(row.Args) && len(row.Args) == int(m.Ncolumns) {
			t.Expr = c.expr(row.Args[m.Colno-1])
		}
	}
	if t.Expr == nil {
		t.Expr = c.expr(r.Val)
	}
	if len(r.Indirection) > 0 {
		t.Path = c.indirection(&ColumnRef{At: t.At, Names: []string{r.Name}}, r.Indirection)
	}
	return t
}

// The bits of a window frame's options, from PostgreSQL's parsenodes.h.
const (
	frameNonDefault = 1 << iota
	frameRange
	frameRows
	frameGroups
	frameBetween
	frameStartUnboundedPreceding
	frameEndUnboundedPreceding
	frameStartUnboundedFollowing
	frameEndUnboundedFollowing
	frameStartCurrentRow
	frameEndCurrentRow
	frameStartOffsetPreceding
	frameEndOffsetPreceding
	frameStartOffsetFollowing
	frameEndOffsetFollowing
	frameExcludeCurrentRow
	frameExcludeGroup
	frameExcludeTies
)

func (c *conv) frame(v *pg.WindowDef) string {
	o := int(v.FrameOptions)
	if o&frameNonDefault == 0 {
		return ""
	}
	unit := "RANGE"
	switch {
	case o&frameRows != 0:
		unit = "ROWS"
	case o&frameGroups != 0:
		unit = "GROUPS"
	}
	text := unit + " " + frameBound(o, Format(c.expr(v.StartOffset)))
	if o&frameBetween != 0 {
		// The end's bits stand one place above the start's.
		text = unit + " BETWEEN " + frameBound(o, Format(c.expr(v.StartOffset))) + " AND " +
			frameBound(o>>1, Format(c.expr(v.EndOffset)))
	}
	switch {
	case o&frameExcludeCurrentRow != 0:
		text += " EXCLUDE CURRENT ROW"
	case o&frameExcludeGroup != 0:
		text += " EXCLUDE GROUP"
	case o&frameExcludeTies != 0:
		text += " EXCLUDE TIES"
	}
	return text
}

func frameBound(o int, offset string) string {
	switch {
	case o&frameStartUnboundedPreceding != 0:
		return "UNBOUNDED PRECEDING"
	case o&frameStartUnboundedFollowing != 0:
		return "UNBOUNDED FOLLOWING"
	case o&frameStartCurrentRow != 0:
		return "CURRENT ROW"
	case o&frameStartOffsetPreceding != 0:
		return offset + " PRECEDING"
	}
	return offset + " FOLLOWING"
}
