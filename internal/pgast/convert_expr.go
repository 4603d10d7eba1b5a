package pgast

import (
	"strconv"
	"strings"

	pg "github.com/planvet/planvet/internal/pgast/grammar"
)

// conv turns a pg_query tree of one statement into ours.
type conv struct {
	// src is the parsed text; base is added to each location.
	src  string
	base int
	err  *Error
}

func (c *conv) at(loc int32) At {
	if loc < 0 {
		return -1
	}
	return At(int(loc) + c.base)
}

// leftmost is where an expression begins whose own location (loc) is that of its
// operator and whose left operand is e.
func (c *conv) leftmost(loc int32, e Expr) At {
	at := c.at(loc)
	if e != nil && e.Pos() >= 0 && (at < 0 || e.Pos() < int(at)) {
		return At(e.Pos())
	}
	return at
}

func (c *conv) exprs(ns []*pg.Node) []Expr {
	if len(ns) == 0 {
		return nil
	}
	out := make([]Expr, 0, len(ns))
	for _, n := range ns {
		if e := c.expr(n); e != nil {
			out = append(out, e)
		}
	}
	return out
}

// expr converts an expression; nil for nil.
func (c *conv) expr(n *pg.Node) Expr {
	if n == nil || n.Node == nil {
		return nil
	}
	switch v := n.Node.(type) {
	case *pg.Node_AConst:
		return c.constant(v.AConst)
	case *pg.Node_ColumnRef:
		return c.columnRef(v.ColumnRef)
	case *pg.Node_ParamRef:
		return &Param{At: c.at(v.ParamRef.Location), Number: int(v.ParamRef.Number)}
	case *pg.Node_AExpr:
		return c.operator(v.AExpr)
	case *pg.Node_BoolExpr:
		return c.boolExpr(v.BoolExpr)
	case *pg.Node_NullTest:
		arg := c.expr(v.NullTest.Arg)
		return &NullTest{At: c.leftmost(v.NullTest.Location, arg), Arg: arg,
			Not: v.NullTest.Nulltesttype == pg.NullTestType_IS_NOT_NULL}
	case *pg.Node_BooleanTest:
		arg := c.expr(v.BooleanTest.Arg)
		test := strings.ReplaceAll(strings.TrimPrefix(v.BooleanTest.Booltesttype.String(), "IS_"), "_", " ")
		return &BoolTest{At: c.leftmost(v.BooleanTest.Location, arg), Arg: arg, Test: test}
	case *pg.Node_SubLink:
		return c.subLink(v.SubLink)
	case *pg.Node_FuncCall:
		return c.funcCall(v.FuncCall)
	case *pg.Node_SqlvalueFunction:
		return c.valueFunc(v.SqlvalueFunction)
	case *pg.Node_CaseExpr:
		return c.caseExpr(v.CaseExpr)
	case *pg.Node_CoalesceExpr:
		return &Coalesce{At: c.at(v.CoalesceExpr.Location), Args: c.exprs(v.CoalesceExpr.Args)}
	case *pg.Node_MinMaxExpr:
		return &MinMax{At: c.at(v.MinMaxExpr.Location), Greatest: v.MinMaxExpr.Op == pg.MinMaxOp_IS_GREATEST,
			Args: c.exprs(v.MinMaxExpr.Args)}
	case *pg.Node_TypeCast:
		arg := c.expr(v.TypeCast.Arg)
		return &Cast{At: c.leftmost(v.TypeCast.Location, arg), Arg: arg, Type: c.typeName(v.TypeCast.TypeName)}
	case *pg.Node_CollateClause:
		arg := c.expr(v.CollateClause.Arg)
		return &Collate{At: c.leftmost(v.CollateClause.Location, arg), Arg: arg, Name: names(v.CollateClause.Collname)}
	case *pg.Node_AArrayExpr:
		return &Array{At: c.at(v.AArrayExpr.Location), Elems: c.exprs(v.AArrayExpr.Elements)}
	case *pg.Node_RowExpr:
		return &Row{At: c.at(v.RowExpr.Location), Args: c.exprs(v.RowExpr.Args)}
	case *pg.Node_List:
		l := &List{At: -1, Items: c.exprs(v.List.Items)}
		if len(l.Items) > 0 {
			l.At = At(l.Items[0].Pos())
		}
		return l
	case *pg.Node_AIndirection:
		return c.indirection(c.expr(v.AIndirection.Arg), v.AIndirection.Indirection)
	case *pg.Node_SetToDefault:
		return &Default{At: c.at(v.SetToDefault.Location)}
	}
	return c.other(n)
}

func (c *conv) constant(v *pg.A_Const) Expr {
	out := &Const{At: c.at(v.Location)}
	if v.Isnull {
		return out
	}
	switch x := v.Val.(type) {
	case *pg.A_Const_Ival:
		out.Kind, out.Text = ConstInt, strconv.FormatInt(int64(x.Ival.GetIval()), 10)
	case *pg.A_Const_Fval:
		out.Kind, out.Text = ConstFloat, x.Fval.GetFval()
	case *pg.A_Const_Boolval:
		out.Kind, out.Text = ConstBool, strconv.FormatBool(x.Boolval.GetBoolval())
	case *pg.A_Const_Sval:
		out.Kind, out.Text = ConstString, x.Sval.GetSval()
	case *pg.A_Const_Bsval:
		out.Kind, out.Text = ConstBit, x.Bsval.GetBsval()
	}
	return out
}

func (c *conv) columnRef(v *pg.ColumnRef) Expr {
	out := &ColumnRef{At: c.at(v.Location)}
	for _, f := range v.Fields {
		switch x := f.Node.(type) {
		case *pg.Node_String_:
			out.Names = append(out.Names, x.String_.Sval)
		case *pg.Node_AStar:
			out.Star = true
		}
	}
	return out
}

var opKinds = map[pg.A_Expr_Kind]OpKind{
	pg.A_Expr_Kind_AEXPR_OP: OpPlain, pg.A_Expr_Kind_AEXPR_OP_ANY: OpAny, pg.A_Expr_Kind_AEXPR_OP_ALL: OpAll,
	pg.A_Expr_Kind_AEXPR_DISTINCT: OpDistinct, pg.A_Expr_Kind_AEXPR_NOT_DISTINCT: OpNotDistinct,
	pg.A_Expr_Kind_AEXPR_NULLIF: OpNullIf, pg.A_Expr_Kind_AEXPR_IN: OpIn, pg.A_Expr_Kind_AEXPR_LIKE: OpLike,
	pg.A_Expr_Kind_AEXPR_ILIKE: OpILike, pg.A_Expr_Kind_AEXPR_SIMILAR: OpSimilar,
	pg.A_Expr_Kind_AEXPR_BETWEEN: OpBetween, pg.A_Expr_Kind_AEXPR_NOT_BETWEEN: OpNotBetween,
	pg.A_Expr_Kind_AEXPR_BETWEEN_SYM: OpBetweenSymmetric, pg.A_Expr_Kind_AEXPR_NOT_BETWEEN_SYM: OpNotBetweenSymmetric,
}

func (c *conv) operator(v *pg.A_Expr) Expr {
	op := &Op{Kind: opKinds[v.Kind], Left: c.expr(v.Lexpr), Right: c.expr(v.Rexpr)}
	op.At = c.leftmost(v.Location, op.Left)
	name := names(v.Name)
	if len(name) > 0 {
		op.Name = name[len(name)-1]
		op.Schema = strings.Join(name[:len(name)-1], ".")
	}
	return op
}

func (c *conv) boolExpr(v *pg.BoolExpr) Expr {
	out := &Bool{Kind: And, Args: c.exprs(v.Args)}
	switch v.Boolop {
	case pg.BoolExprType_OR_EXPR:
		out.Kind = Or
	case pg.BoolExprType_NOT_EXPR:
		out.Kind, out.At = Not, c.at(v.Location)
		return out
	}
	var first Expr
	if len(out.Args) > 0 {
		first = out.Args[0]
	}
	out.At = c.leftmost(v.Location, first)
	return out
}

func (c *conv) subLink(v *pg.SubLink) Expr {
	out := &SubLink{Test: c.expr(v.Testexpr), Query: c.stmt(v.Subselect)}
	switch v.SubLinkType {
	case pg.SubLinkType_EXISTS_SUBLINK:
		out.Kind = SubExists
	case pg.SubLinkType_ALL_SUBLINK:
		out.Kind = SubAll
	case pg.SubLinkType_ANY_SUBLINK:
		out.Kind = SubAny
	case pg.SubLinkType_ARRAY_SUBLINK:
		out.Kind = SubArray
	default:
		out.Kind = SubScalar
	}
	if out.Kind == SubAny || out.Kind == SubAll {
		out.Op = "="
		if name := names(v.OperName); len(name) > 0 {
			out.Op = name[len(name)-1]
		}
	}
	out.At = c.leftmost(v.Location, out.Test)
	return out
}

func (c *conv) funcCall(v *pg.FuncCall) Expr {
	out := &FuncCall{At: c.at(v.Location), Name: names(v.Funcname), Star: v.AggStar, Distinct: v.AggDistinct,
		Variadic: v.FuncVariadic, Within: v.AggWithinGroup, OrderBy: c.sortBy(v.AggOrder), Filter: c.expr(v.AggFilter)}
	for i, a := range v.Args {
		if x, ok := a.Node.(*pg.Node_NamedArgExpr); ok {
			if out.ArgNames == nil {
				out.ArgNames = make([]string, len(v.Args))
			}
			out.ArgNames[i] = x.NamedArgExpr.Name
			a = x.NamedArgExpr.Arg
		}
		out.Args = append(out.Args, c.expr(a))
	}
	if v.Over != nil {
		w := c.window(v.Over)
		out.Over = &w
	}
	return out
}

func (c *conv) valueFunc(v *pg.SQLValueFunction) Expr {
	name := strings.TrimPrefix(v.Op.String(), "SVFOP_")
	if strings.HasSuffix(name, "_N") {
		name = strings.TrimSuffix(name, "_N") + "(" + strconv.Itoa(int(v.Typmod)) + ")"
	}
	return &ValueFunc{At: c.at(v.Location), Name: name}
}

func (c *conv) caseExpr(v *pg.CaseExpr) Expr {
	out := &Case{At: c.at(v.Location), Arg: c.expr(v.Arg), Else: c.expr(v.Defresult)}
	for _, n := range v.Args {
		if w := n.GetCaseWhen(); w != nil {
			out.Whens = append(out.Whens, When{Cond: c.expr(w.Expr), Result: c.expr(w.Result)})
		}
	}
	return out
}

// indirection wraps arg in a Subscript for each .field, .* or [index] of path.
func (c *conv) indirection(arg Expr, path []*pg.Node) Expr {
	for _, n := range path {
		s := &Subscript{At: -1, Arg: arg}
		if arg != nil {
			s.At = At(arg.Pos())
		}
		switch x := n.Node.(type) {
		case *pg.Node_String_:
			s.Field = x.String_.Sval
		case *pg.Node_AStar:
			s.Field = "*"
		case *pg.Node_AIndices:
			s.Slice = x.AIndices.IsSlice
			s.Lower, s.Upper = c.expr(x.AIndices.Lidx), c.expr(x.AIndices.Uidx)
			if !s.Slice { // a plain index comes as the upper bound
				s.Lower, s.Upper = s.Upper, nil
			}
		}
		arg = s
	}
	return arg
}

func (c *conv) window(v *pg.WindowDef) Window {
	return Window{Name: v.Name, Base: v.Refname, PartitionBy: c.exprs(v.PartitionClause),
		OrderBy: c.sortBy(v.OrderClause), Frame: c.frame(v)}
}

func (c *conv) sortBy(ns []*pg.Node) []SortBy {
	var out []SortBy
	for _, n := range ns {
		s := n.GetSortBy()
		if s == nil {
			continue
		}
		e := c.expr(s.Node)
		o := SortBy{At: c.leftmost(s.Location, e), Expr: e, Desc: s.SortbyDir == pg.SortByDir_SORTBY_DESC}
		o.NullsFirst = o.Desc
		switch s.SortbyNulls {
		case pg.SortByNulls_SORTBY_NULLS_FIRST:
			o.NullsFirst = true
		case pg.SortByNulls_SORTBY_NULLS_LAST:
			o.NullsFirst = false
		}
		if s.SortbyDir == pg.SortByDir_SORTBY_USING {
			o.Using = last(names(s.UseOp))
		}
		out = append(out, o)
	}
	return out
}

// names are the strings of a list of String nodes.
func names(ns []*pg.Node) []string {
	if len(ns) == 0 {
		return nil
	}
	out := make([]string, 0, len(ns))
	for _, n := range ns {
		if s, ok := n.Node.(*pg.Node_String_); ok {
			out = append(out, s.String_.Sval)
		}
	}
	return out
}

func last(s []string) string {
	if len(s) == 0 {
		return ""
	}
	return s[len(s)-1]
}
