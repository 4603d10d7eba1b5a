package pgast

import (
	"strings"

	pg "github.com/planvet/planvet/internal/pgast/grammar"
)

// stmt converts a statement; nil for nil.
func (c *conv) stmt(n *pg.Node) Stmt {
	if n == nil || n.Node == nil {
		return nil
	}
	switch v := n.Node.(type) {
	case *pg.Node_SelectStmt:
		return c.selectStmt(v.SelectStmt)
	case *pg.Node_InsertStmt:
		return c.insert(v.InsertStmt)
	case *pg.Node_UpdateStmt:
		u := v.UpdateStmt
		s := &Update{At: c.relAt(u.Relation), With: c.with(u.WithClause), Table: c.table(u.Relation),
			Set: c.targets(u.TargetList), From: c.from(u.FromClause), Where: c.expr(u.WhereClause)}
		s.Returning, s.OldNew = c.returning(u)
		return s
	case *pg.Node_DeleteStmt:
		d := v.DeleteStmt
		s := &Delete{At: c.relAt(d.Relation), With: c.with(d.WithClause), Table: c.table(d.Relation),
			Using: c.from(d.UsingClause), Where: c.expr(d.WhereClause)}
		s.Returning, s.OldNew = c.returning(d)
		return s
	case *pg.Node_MergeStmt:
		return c.merge(v.MergeStmt)
	case *pg.Node_VariableSetStmt:
		return c.set(v.VariableSetStmt)
	case *pg.Node_TransactionStmt:
		return &Transaction{At: c.top(), Kind: transactionKind(v.TransactionStmt.Kind)}
	case *pg.Node_ExplainStmt:
		return &Explain{At: c.top(), Query: c.stmt(v.ExplainStmt.Query)}
	case *pg.Node_PrepareStmt:
		return &Prepare{At: c.top(), Name: v.PrepareStmt.Name, Query: c.stmt(v.PrepareStmt.Query)}
	case *pg.Node_DeclareCursorStmt:
		d := v.DeclareCursorStmt
		return &DeclareCursor{At: c.top(), Name: d.Portalname, Hold: d.Options&cursorHold != 0, Query: c.stmt(d.Query)}
	case *pg.Node_ListenStmt:
		return &Listen{At: c.top(), Channel: v.ListenStmt.Conditionname}
	case *pg.Node_CopyStmt:
		return &Copy{At: c.top(), Table: c.table(v.CopyStmt.Relation), Query: c.stmt(v.CopyStmt.Query), From: v.CopyStmt.IsFrom}
	case *pg.Node_CallStmt:
		call, _ := c.expr(&pg.Node{Node: &pg.Node_FuncCall{FuncCall: v.CallStmt.Funccall}}).(*FuncCall)
		return &Call{At: c.top(), Func: call}
	case *pg.Node_DoStmt:
		return c.do(v.DoStmt)
	case *pg.Node_ReturnStmt:
		e := c.expr(v.ReturnStmt.Returnval)
		s := &Select{At: -1, Targets: []Target{{At: -1, Expr: e}}}
		if e != nil {
			s.At, s.Targets[0].At = At(e.Pos()), At(e.Pos())
		}
		return s
	}
	return c.ddl(n)
}

// cursorHold is the grammar's bit for WITH HOLD among a cursor's options.
const cursorHold = 0x0020

// top is the offset of the statement that is being parsed.
func (c *conv) top() At { return At(max(c.base, 0)) }

// relAt is the offset of a data-changing statement: the keyword is not kept by the
// grammar, and inside WITH the statement is not the top, so it is that of the
// relation, or the top where that is unknown.
func (c *conv) relAt(r *pg.RangeVar) At {
	if r == nil {
		return c.top()
	}
	return c.at(r.Location)
}

func (c *conv) insert(v *pg.InsertStmt) Stmt {
	s := &Insert{At: c.relAt(v.Relation), With: c.with(v.WithClause), Table: c.table(v.Relation)}
	s.Returning, s.OldNew = c.returning(v)
	for _, t := range c.targets(v.Cols) {
		s.Columns = append(s.Columns, t.Name)
	}
	switch v.Override {
	case pg.OverridingKind_OVERRIDING_USER_VALUE:
		s.Overriding = "user"
	case pg.OverridingKind_OVERRIDING_SYSTEM_VALUE:
		s.Overriding = "system"
	}
	if v.SelectStmt != nil {
		s.Source = c.selectStmt(v.SelectStmt.GetSelectStmt())
	}
	s.OnConflict = c.onConflict(v.OnConflictClause)
	return s
}

func (c *conv) returning(stmt any) ([]Target, OldNew) {
	r := pg.Returning(stmt)
	return c.targets(r.Exprs), OldNew{Old: r.Old, New: r.New}
}

func (c *conv) onConflict(v *pg.OnConflictClause) *OnConflict {
	if v == nil {
		return nil
	}
	o := &OnConflict{Update: v.Action == pg.OnConflictAction_ONCONFLICT_UPDATE,
		Set: c.targets(v.TargetList), UpdateWhere: c.expr(v.WhereClause)}
	if v.Infer != nil {
		o.Targets, o.Where, o.Constraint = c.indexElems(v.Infer.IndexElems), c.expr(v.Infer.WhereClause), v.Infer.Conname
	}
	return o
}

func (c *conv) merge(v *pg.MergeStmt) Stmt {
	m := &Merge{At: c.relAt(v.Relation), With: c.with(v.WithClause), Table: c.table(v.Relation),
		Source: c.fromItem(v.SourceRelation), On: c.expr(v.JoinCondition)}
	for _, n := range v.MergeWhenClauses {
		w := n.GetMergeWhenClause()
		if w == nil {
			continue
		}
		when := pg.When(w)
		x := MergeWhen{Matched: when.Matched, BySource: when.BySource, Cond: c.expr(w.Condition), Targets: c.targets(w.TargetList), Action: "nothing"}
		switch w.CommandType {
		case pg.CmdType_CMD_UPDATE:
			x.Action = "update"
		case pg.CmdType_CMD_DELETE:
			x.Action = "delete"
		case pg.CmdType_CMD_INSERT:
			x.Action = "insert"
			for i, e := range c.exprs(w.Values) {
				if i == len(x.Targets) {
					x.Targets = append(x.Targets, Target{At: At(e.Pos())})
				}
				x.Targets[i].Expr = e
			}
		}
		m.Whens = append(m.Whens, x)
	}
	m.Returning, m.OldNew = c.returning(v)
	return m
}

func (c *conv) set(v *pg.VariableSetStmt) Stmt {
	s := &Set{At: c.top(), Name: strings.ToLower(v.Name), Local: v.IsLocal}
	switch v.Kind {
	case pg.VariableSetKind_VAR_SET_DEFAULT, pg.VariableSetKind_VAR_RESET:
		s.Reset = true
	case pg.VariableSetKind_VAR_RESET_ALL:
		s.Reset, s.Name = true, "all"
	}
	for _, e := range c.exprs(v.Args) {
		switch x := e.(type) {
		case *Const:
			s.Values = append(s.Values, x.Text)
		case *Cast:
			if k, ok := x.Arg.(*Const); ok {
				s.Values = append(s.Values, k.Text)
			}
		case *ColumnRef:
			s.Values = append(s.Values, strings.Join(x.Names, "."))
		}
	}
	return s
}

func transactionKind(k pg.TransactionStmtKind) string {
	switch k {
	case pg.TransactionStmtKind_TRANS_STMT_BEGIN, pg.TransactionStmtKind_TRANS_STMT_START:
		return "begin"
	}
	return strings.ToLower(strings.ReplaceAll(strings.TrimPrefix(k.String(), "TRANS_STMT_"), "_", " "))
}

func (c *conv) do(v *pg.DoStmt) Stmt {
	d := &Do{At: c.top(), Language: "plpgsql", BodyPos: -1}
	for _, n := range v.Args {
		e := n.GetDefElem()
		switch e.GetDefname() {
		case "language":
			d.Language = strings.ToLower(e.Arg.GetString_().GetSval())
		case "as":
			d.Body = e.Arg.GetString_().GetSval()
			d.BodyPos = c.bodyPos(e.Location, d.Body)
		}
	}
	return d
}

// bodyPos is the offset of the first byte of a function's body, which stands in the
// first literal at or after loc; -1 when the literal has escapes.
func (c *conv) bodyPos(loc int32, body string) int {
	if loc < 0 || int(loc) > len(c.src) {
		return -1
	}
	l := &lexer{src: c.src, pos: int(loc)}
	t := l.code()
	if l.is(t, "as") {
		t = l.code()
	}
	start := t.start
	switch t.kind {
	case tokDollar:
		start += strings.IndexByte(c.src[start+1:], '$') + 2
	case tokString:
		start += strings.IndexByte(c.src[start:], '\'') + 1
	default:
		return -1
	}
	if !strings.HasPrefix(c.src[start:], body) {
		return -1
	}
	return start + c.base
}
