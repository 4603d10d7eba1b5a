package pgast

// Walk visits n and everything below it, parents first; f returning false keeps it
// from going below that node. Visited are *T pointers of expressions, statements,
// FROM items and *CTE; Target, SortBy, When, ColumnDef, Constraint, TypeName and
// other plain structs are not visited themselves, what they hold is. Order is that
// of the text, WITH first.
func Walk(n Node, f func(Node) bool) {
	w := walker{f}
	w.node(n)
}

type walker struct{ f func(Node) bool }

func (w walker) node(n Node) {
	if isNil(n) || !w.f(n) {
		return
	}
	switch v := n.(type) {
	case Expr:
		w.exprChildren(v)
	case FromItem:
		w.fromChildren(v)
	case *CTE:
		w.stmt(v.Query)
	case Stmt:
		w.stmtChildren(v)
	}
}

// isNil tells also the typed nil pointers that optional fields hold.
func isNil(n Node) bool {
	switch v := n.(type) {
	case nil:
		return true
	case *Select:
		return v == nil
	case *Table:
		return v == nil
	case *FuncCall:
		return v == nil
	}
	return false
}

func (w walker) expr(e Expr) {
	if e != nil {
		w.node(e)
	}
}

func (w walker) stmt(s Stmt) {
	if s != nil {
		w.node(s)
	}
}

func (w walker) exprs(es []Expr) {
	for _, e := range es {
		w.expr(e)
	}
}

func (w walker) exprChildren(e Expr) {
	switch v := e.(type) {
	case *Op:
		w.expr(v.Left)
		w.expr(v.Right)
	case *Bool:
		w.exprs(v.Args)
	case *NullTest:
		w.expr(v.Arg)
	case *BoolTest:
		w.expr(v.Arg)
	case *SubLink:
		w.expr(v.Test)
		w.stmt(v.Query)
	case *FuncCall:
		w.exprs(v.Args)
		w.sorts(v.OrderBy)
		w.expr(v.Filter)
		if v.Over != nil {
			w.window(*v.Over)
		}
	case *Case:
		w.expr(v.Arg)
		for _, x := range v.Whens {
			w.expr(x.Cond)
			w.expr(x.Result)
		}
		w.expr(v.Else)
	case *Coalesce:
		w.exprs(v.Args)
	case *MinMax:
		w.exprs(v.Args)
	case *Cast:
		w.expr(v.Arg)
	case *Array:
		w.exprs(v.Elems)
	case *Row:
		w.exprs(v.Args)
	case *List:
		w.exprs(v.Items)
	case *Subscript:
		w.expr(v.Arg)
		w.expr(v.Lower)
		w.expr(v.Upper)
	case *Collate:
		w.expr(v.Arg)
	case *Other:
		w.exprs(v.Args)
	}
}

func (w walker) fromChildren(n FromItem) {
	switch v := n.(type) {
	case *Subquery:
		w.stmt(v.Query)
	case *FuncTable:
		w.exprs(v.Calls)
	case *Join:
		w.from(v.Left)
		w.from(v.Right)
		w.expr(v.On)
	}
}

func (w walker) from(f FromItem) {
	if f != nil {
		w.node(f)
	}
}

func (w walker) froms(fs []FromItem) {
	for _, f := range fs {
		w.from(f)
	}
}

func (w walker) sorts(ss []SortBy) {
	for _, s := range ss {
		w.expr(s.Expr)
	}
}

func (w walker) window(v Window) {
	w.exprs(v.PartitionBy)
	w.sorts(v.OrderBy)
}

func (w walker) targets(ts []Target) {
	for _, t := range ts {
		w.expr(t.Path)
		w.expr(t.Expr)
	}
}

func (w walker) with(v *With) {
	if v == nil {
		return
	}
	for i := range v.CTEs {
		w.node(&v.CTEs[i])
	}
}

func (w walker) table(t *Table) {
	if t != nil {
		w.node(t)
	}
}

func (w walker) stmtChildren(s Stmt) {
	switch v := s.(type) {
	case *Select:
		w.selectChildren(v)
	case *Insert:
		w.with(v.With)
		w.table(v.Table)
		if v.Source != nil {
			w.node(v.Source)
		}
		if o := v.OnConflict; o != nil {
			w.keys(o.Targets)
			w.expr(o.Where)
			w.targets(o.Set)
			w.expr(o.UpdateWhere)
		}
		w.targets(v.Returning)
	case *Update:
		w.with(v.With)
		w.table(v.Table)
		w.targets(v.Set)
		w.froms(v.From)
		w.expr(v.Where)
		w.targets(v.Returning)
	case *Delete:
		w.with(v.With)
		w.table(v.Table)
		w.froms(v.Using)
		w.expr(v.Where)
		w.targets(v.Returning)
	case *Merge:
		w.with(v.With)
		w.table(v.Table)
		w.from(v.Source)
		w.expr(v.On)
		for _, x := range v.Whens {
			w.expr(x.Cond)
			w.targets(x.Targets)
		}
		w.targets(v.Returning)
	case *Explain:
		w.stmt(v.Query)
	case *Prepare:
		w.stmt(v.Query)
	case *DeclareCursor:
		w.stmt(v.Query)
	case *Copy:
		w.table(v.Table)
		w.stmt(v.Query)
	case *Call:
		if v.Func != nil {
			w.node(v.Func)
		}
	default:
		w.ddlChildren(s)
	}
}

func (w walker) selectChildren(v *Select) {
	w.with(v.With)
	if v.Left != nil {
		w.node(v.Left)
	}
	if v.Right != nil {
		w.node(v.Right)
	}
	for _, row := range v.Values {
		w.exprs(row)
	}
	w.exprs(v.DistinctOn)
	w.targets(v.Targets)
	w.table(v.Into)
	w.froms(v.From)
	w.expr(v.Where)
	w.exprs(v.GroupBy)
	w.expr(v.Having)
	for _, x := range v.Windows {
		w.window(x.Window)
	}
	w.sorts(v.OrderBy)
	w.expr(v.Limit)
	w.expr(v.Offset)
}

func (w walker) ddlChildren(s Stmt) {
	switch v := s.(type) {
	case *CreateTable:
		for i := range v.Columns {
			w.column(&v.Columns[i])
		}
		w.constraints(v.Constraints)
		if v.PartitionBy != nil {
			w.keys(v.PartitionBy.Keys)
		}
	case *CreateTableAs:
		w.stmt(v.Query)
	case *CreateView:
		w.stmt(v.Query)
	case *AlterTable:
		for i := range v.Cmds {
			w.column(v.Cmds[i].Column)
			if c := v.Cmds[i].Constraint; c != nil {
				w.constraints([]Constraint{*c})
			}
			w.expr(v.Cmds[i].Expr)
		}
	case *CreateIndex:
		w.keys(v.Keys)
		w.expr(v.Where)
	case *CreatePolicy:
		w.expr(v.Using)
		w.expr(v.Check)
	case *AlterPolicy:
		w.expr(v.Using)
		w.expr(v.Check)
	case *CreateFunction:
		for _, x := range v.Stmts {
			w.stmt(x)
		}
	case *CreateType:
		for i := range v.Columns {
			w.column(&v.Columns[i])
		}
	case *CreateDomain:
		w.constraints(v.Constraints)
	case *CreateSchema:
		for _, x := range v.Elements {
			w.stmt(x)
		}
	}
}

func (w walker) column(d *ColumnDef) {
	if d != nil {
		w.constraints(d.Constraints)
	}
}

func (w walker) constraints(cs []Constraint) {
	for i := range cs {
		w.expr(cs[i].Expr)
		w.keys(cs[i].Elems)
		w.expr(cs[i].Where)
	}
}

func (w walker) keys(ks []IndexElem) {
	for i := range ks {
		w.expr(ks[i].Expr)
	}
}
