package pgast

import (
	"strconv"
	"strings"

	pg "github.com/planvet/planvet/internal/pgast/grammar"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// other converts an expression that has no node of its own: its SQL is kept as
// text and its operands, found through the protobuf description, can be walked.
func (c *conv) other(n *pg.Node) Expr {
	m := n.ProtoReflect()
	field := m.WhichOneof(m.Descriptor().Oneofs().ByName("node"))
	if field == nil {
		return nil
	}
	out := &Other{At: -1, Kind: string(field.Message().Name())}
	inner := m.Get(field).Message()
	if loc := inner.Descriptor().Fields().ByName("location"); loc != nil {
		out.At = c.at(int32(inner.Get(loc).Int()))
	}
	switch v := n.Node.(type) {
	case *pg.Node_GroupingSet:
		kind := strings.TrimPrefix(v.GroupingSet.Kind.String(), "GROUPING_SET_")
		out.Text, out.Args = strings.ToLower(kind), c.exprs(v.GroupingSet.Content)
		return out
	case *pg.Node_MultiAssignRef:
		m := v.MultiAssignRef
		out.Text = strconv.Itoa(int(m.Colno)) + "/" + strconv.Itoa(int(m.Ncolumns))
		if m.Colno == 1 { // each has the same source; it is walked once
			out.Args = c.exprs([]*pg.Node{m.Source})
		}
		return out
	case *pg.Node_CurrentOfExpr:
		out.Text = "CURRENT OF " + quoteIdent(v.CurrentOfExpr.CursorName)
		return out
	}
	out.Text = deparseExpr(n)
	c.operands(inner, &out.Args)
	return out
}

// operands appends the expressions directly below m.
func (c *conv) operands(m protoreflect.Message, out *[]Expr) {
	fields := m.Descriptor().Fields()
	for i := 0; i < fields.Len(); i++ {
		f := fields.Get(i)
		if f.Message() == nil || !m.Has(f) {
			continue
		}
		if !f.IsList() {
			c.operand(m.Get(f).Message(), out)
			continue
		}
		l := m.Get(f).List()
		for j := 0; j < l.Len(); j++ {
			c.operand(l.Get(j).Message(), out)
		}
	}
}

func (c *conv) operand(m protoreflect.Message, out *[]Expr) {
	n, ok := m.Interface().(*pg.Node)
	if !ok {
		switch m.Interface().(type) {
		case *pg.TypeName, *pg.Alias:
		default:
			c.operands(m, out)
		}
		return
	}
	switch v := n.Node.(type) {
	case nil:
		return
	case *pg.Node_String_, *pg.Node_TypeName, *pg.Node_DefElem, *pg.Node_Integer:
		return
	case *pg.Node_ResTarget:
		c.operand(v.ResTarget.Val.ProtoReflect(), out)
		return
	case *pg.Node_List:
		for _, x := range v.List.Items {
			c.operand(x.ProtoReflect(), out)
		}
		return
	case *pg.Node_SelectStmt:
		*out = append(*out, &SubLink{At: -1, Kind: SubScalar, Query: c.stmt(n)})
		return
	}
	inner := m.Get(m.WhichOneof(m.Descriptor().Oneofs().ByName("node"))).Message()
	if partNodes[string(inner.Descriptor().Name())] {
		c.operands(inner, out)
		return
	}
	if e := c.expr(n); e != nil {
		*out = append(*out, e)
	}
}

// partNodes are no expressions themselves but hold some; those of JSON_TABLE and
// JSON_VALUE are of PostgreSQL 17.
var partNodes = map[string]bool{
	"RangeTableFunc": true, "JsonTable": true,
	"JsonKeyValue": true, "JsonValueExpr": true, "RangeTableFuncCol": true, "SortBy": true,
	"JsonArgument": true, "JsonTableColumn": true, "JsonTablePathSpec": true, "JsonBehavior": true,
}

// deparseExpr is the SQL of an expression as pg_query writes it; empty when it
// cannot.
func deparseExpr(n *pg.Node) string {
	return deparseSelect(&pg.SelectStmt{
		LimitOption: pg.LimitOption_LIMIT_OPTION_DEFAULT, Op: pg.SetOperation_SETOP_NONE,
		TargetList: []*pg.Node{{Node: &pg.Node_ResTarget{ResTarget: &pg.ResTarget{Val: n}}}}}, "SELECT ")
}

// deparseFrom is the SQL of a FROM item as pg_query writes it.
func deparseFrom(n *pg.Node) string {
	return deparseSelect(&pg.SelectStmt{
		LimitOption: pg.LimitOption_LIMIT_OPTION_DEFAULT, Op: pg.SetOperation_SETOP_NONE,
		FromClause: []*pg.Node{proto.Clone(n).(*pg.Node)}}, "SELECT FROM ")
}

func deparseSelect(s *pg.SelectStmt, head string) string {
	text, err := pg.Deparse(&pg.ParseResult{Stmts: []*pg.RawStmt{
		{Stmt: &pg.Node{Node: &pg.Node_SelectStmt{SelectStmt: s}}}}})
	if err != nil {
		return ""
	}
	return strings.TrimSpace(strings.TrimPrefix(text, strings.TrimSpace(head)))
}
