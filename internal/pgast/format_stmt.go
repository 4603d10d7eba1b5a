package pgast

import (
	"strings"
)

func (f *formatter) stmt(s Stmt) {
	if f.anon != nil {
		f.anon.enter(fromOf(s))
		defer f.anon.leave()
	}
	switch v := s.(type) {
	case *Select:
		f.selectStmt(v)
	case *Insert:
		f.insert(v)
	case *Update:
		f.update(v)
	case *Delete:
		f.delete(v)
	case *Merge:
		f.merge(v)
	}
}

// fromOf are the relations that a statement brings into scope.
func fromOf(s Stmt) []FromItem {
	switch v := s.(type) {
	case *Select:
		return v.From
	case *Insert:
		return []FromItem{v.Table}
	case *Update:
		return append([]FromItem{v.Table}, v.From...)
	case *Delete:
		return append([]FromItem{v.Table}, v.Using...)
	case *Merge:
		return []FromItem{v.Table, v.Source}
	}
	return nil
}

func (f *formatter) with(v *With) {
	if v == nil {
		return
	}
	f.w("WITH ", choose(v.Recursive, "RECURSIVE ", ""))
	for i, c := range v.CTEs {
		f.w(choose(i > 0, ", ", ""), quoteIdent(c.Name))
		if len(c.Columns) > 0 {
			f.w("(", quoteList(c.Columns), ")")
		}
		f.w(" AS ")
		if c.Materialized != "" {
			f.w(strings.ToUpper(c.Materialized), " ")
		}
		f.w("(")
		f.stmt(c.Query)
		f.w(")", choose(c.Extra != "", " ", ""), c.Extra)
	}
	f.w(" ")
}

func (f *formatter) selectStmt(v *Select) {
	f.with(v.With)
	switch {
	case v.SetOp != "":
		f.arm(v.Left)
		f.w(" ", strings.ToUpper(v.SetOp), choose(v.All, " ALL ", " "))
		f.arm(v.Right)
	case v.Values != nil:
		f.w("VALUES ")
		if f.anon != nil {
			f.anonRows(v.Values)
			break
		}
		for i, row := range v.Values {
			f.w(choose(i > 0, ", ", ""), "(")
			f.list(row)
			f.w(")")
		}
	default:
		f.selectCore(v)
	}
	if len(v.OrderBy) > 0 {
		f.w(" ")
		f.orderBy(v.OrderBy)
	}
	f.limit(v)
	for _, l := range v.Locking {
		f.w(" FOR ", strings.ToUpper(l.Strength))
		if len(l.Of) > 0 {
			f.w(" OF ", quoteList(l.Of))
		}
		f.w(choose(l.SkipLocked, " SKIP LOCKED", ""), choose(l.NoWait, " NOWAIT", ""))
	}
}

func (f *formatter) limit(v *Select) {
	if v.Limit != nil && !v.WithTies {
		f.w(" LIMIT ")
		f.expr(v.Limit)
	}
	if v.Offset != nil {
		f.w(" OFFSET ")
		f.expr(v.Offset)
	}
	if v.Limit != nil && v.WithTies {
		f.w(" FETCH FIRST (")
		f.expr(v.Limit)
		f.w(") ROWS WITH TIES")
	}
}

// arm writes an operand of UNION and the like.
func (f *formatter) arm(s *Select) {
	if s.SetOp == "" && s.With == nil && s.OrderBy == nil && s.Limit == nil && s.Offset == nil && s.Locking == nil {
		f.stmt(s)
		return
	}
	f.w("(")
	f.stmt(s)
	f.w(")")
}

func (f *formatter) selectCore(v *Select) {
	f.w("SELECT")
	if v.Distinct {
		f.w(" DISTINCT")
	}
	if len(v.DistinctOn) > 0 {
		f.w(" DISTINCT ON (")
		f.list(v.DistinctOn)
		f.w(")")
	}
	if len(v.Targets) > 0 {
		f.w(" ")
		f.targets(v.Targets)
	}
	if v.Into != nil {
		f.w(" INTO ")
		f.fromItem(v.Into)
	}
	f.from(" FROM ", v.From)
	f.where(" WHERE ", v.Where)
	if len(v.GroupBy) > 0 {
		f.w(" GROUP BY ", choose(v.GroupDistinct, "DISTINCT ", ""))
		f.list(v.GroupBy)
	}
	f.where(" HAVING ", v.Having)
	for i, x := range v.Windows {
		f.w(choose(i > 0, ", ", " WINDOW "), quoteIdent(x.Name), " AS ")
		f.window(x.Window)
	}
}

func (f *formatter) where(word string, e Expr) {
	if e != nil {
		f.w(word)
		f.expr(e)
	}
}

// targets writes a select or RETURNING list.
func (f *formatter) targets(ts []Target) {
	for i, t := range ts {
		f.w(choose(i > 0, ", ", ""))
		f.expr(t.Expr)
		if t.Name != "" && f.anon == nil {
			f.w(" AS ", quoteIdent(t.Name))
		}
	}
}

func (f *formatter) returning(ts []Target, names OldNew) {
	if len(ts) == 0 {
		return
	}
	f.w(" RETURNING ")
	var as []string
	if names.Old != "" {
		as = append(as, "OLD AS "+quoteIdent(names.Old))
	}
	if names.New != "" {
		as = append(as, "NEW AS "+quoteIdent(names.New))
	}
	if as != nil {
		f.w("WITH (", strings.Join(as, ", "), ") ")
	}
	f.targets(ts)
}

func (f *formatter) orderBy(ss []SortBy) {
	f.w("ORDER BY ")
	for i, s := range ss {
		f.w(choose(i > 0, ", ", ""))
		f.expr(s.Expr)
		if s.Using != "" {
			f.w(" USING ", s.Using)
		}
		f.w(choose(s.Desc, " DESC", ""))
		if s.NullsFirst != s.Desc {
			f.w(choose(s.NullsFirst, " NULLS FIRST", " NULLS LAST"))
		}
	}
}

func (f *formatter) from(word string, items []FromItem) {
	for i, x := range items {
		f.w(choose(i > 0, ", ", word))
		f.fromItem(x)
	}
}

func (f *formatter) fromItem(n FromItem) {
	switch v := n.(type) {
	case *Table:
		f.w(choose(v.Only, "ONLY ", ""))
		if v.Schema != "" {
			f.w(quoteIdent(v.Schema), ".")
		}
		f.w(quoteIdent(v.Name))
		f.alias(v.Alias, v.ColAliases)
		if v.Sample {
			f.w(" TABLESAMPLE ", v.SampleText)
		}
	case *Subquery:
		f.w(choose(v.Lateral, "LATERAL ", ""), "(")
		f.stmt(v.Query)
		f.w(")")
		f.alias(v.Alias, v.ColAliases)
	case *FuncTable:
		f.funcTable(v)
	case *Join:
		f.join(v)
	}
}

func (f *formatter) alias(name string, cols []string) {
	if name == "" || f.anon != nil {
		return
	}
	f.w(" AS ", quoteIdent(name))
	if len(cols) > 0 {
		f.w("(", quoteList(cols), ")")
	}
}

func (f *formatter) funcTable(v *FuncTable) {
	f.w(choose(v.Lateral, "LATERAL ", ""), choose(v.RowsFrom, "ROWS FROM(", ""))
	f.list(v.Calls)
	f.w(choose(v.RowsFrom, ")", ""), choose(v.Ordinality, " WITH ORDINALITY", ""))
	if len(v.ColTypes) == 0 {
		f.alias(v.Alias, v.ColAliases)
		return
	}
	f.w(" AS ")
	if v.Alias != "" && f.anon == nil {
		f.w(quoteIdent(v.Alias))
	}
	f.w("(")
	// A column definition list replaces the aliases; the types belong to the last.
	first := len(v.ColAliases) - len(v.ColTypes)
	for i, t := range v.ColTypes {
		f.w(choose(i > 0, ", ", ""), quoteIdent(v.ColAliases[first+i]), " ", formatType(t))
	}
	f.w(")")
}

var joinText = map[JoinKind]string{JoinInner: "JOIN ", JoinLeft: "LEFT JOIN ", JoinRight: "RIGHT JOIN ",
	JoinFull: "FULL JOIN ", JoinCross: "CROSS JOIN "}

func (f *formatter) join(v *Join) {
	if v.Alias != "" {
		f.w("(")
	}
	f.fromItem(v.Left)
	f.w(" ", choose(v.Natural, "NATURAL ", ""), joinText[v.Kind])
	if r, ok := v.Right.(*Join); ok && r.Alias == "" {
		f.w("(")
		f.fromItem(r)
		f.w(")")
	} else {
		f.fromItem(v.Right)
	}
	if len(v.Using) > 0 {
		f.w(" USING (", quoteList(v.Using), ")")
		f.alias(v.UsingAlias, nil)
	}
	f.where(" ON ", v.On)
	if v.Alias != "" {
		f.w(")")
		f.alias(v.Alias, v.ColAliases)
	}
}
