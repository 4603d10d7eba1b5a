package pgast

import (
	"strings"
)

// Format writes n back as SQL on one line: any Expr, FromItem, Select, Insert,
// Update, Delete or Merge. Parsing the result gives n again, positions apart, but
// for INSERT columns with subscripts. It is empty for other statements.
func Format(n Node) string {
	if isNil(n) {
		return ""
	}
	f := &formatter{}
	f.node(n)
	return f.b.String()
}

func (f *formatter) node(n Node) {
	switch v := n.(type) {
	case Expr:
		f.expr(v)
	case FromItem:
		f.fromItem(v)
	case Stmt:
		f.stmt(v)
	}
}

type formatter struct {
	b strings.Builder
	// anon is set where a fingerprint's text is written.
	anon *anonymous
}

func (f *formatter) w(s ...string) {
	for _, x := range s {
		f.b.WriteString(x)
	}
}

// operand writes e so that it can stand beside any operator.
func (f *formatter) operand(e Expr) {
	switch v := e.(type) {
	case *ColumnRef, *Param, *FuncCall, *ValueFunc, *Coalesce, *MinMax, *Array, *Case, *Default:
	case *Const:
		if f.anon == nil && strings.HasPrefix(v.Text, "-") && v.Kind != ConstString {
			f.paren(e)
			return
		}
	case *SubLink:
		if v.Kind == SubAny || v.Kind == SubAll {
			f.paren(e)
			return
		}
	case *Cast:
		switch v.Arg.(type) {
		case *Const, *ColumnRef, *Param, *FuncCall, *Cast:
		default:
			f.paren(e)
			return
		}
	case *Subscript, *Row:
	default:
		f.paren(e)
		return
	}
	f.expr(e)
}

func (f *formatter) paren(e Expr) {
	f.w("(")
	f.expr(e)
	f.w(")")
}

// flat writes a list whose length a fingerprint does not see.
func (f *formatter) flat(es []Expr) {
	if f.anon != nil {
		f.anonList(es)
		return
	}
	f.list(es)
}

func (f *formatter) list(es []Expr) {
	for i, e := range es {
		if i > 0 {
			f.w(", ")
		}
		f.expr(e)
	}
}

func (f *formatter) expr(e Expr) {
	switch v := e.(type) {
	case nil:
	case *ColumnRef:
		f.columnRef(v)
	case *Const:
		f.w(f.constText(v))
	case *Param:
		if f.anon != nil {
			f.w("?")
			return
		}
		f.w("$", itoa(int32(v.Number)))
	case *Op:
		f.op(v)
	case *Bool:
		f.boolean(v)
	case *NullTest:
		f.operand(v.Arg)
		f.w(" IS ", choose(v.Not, "NOT ", ""), "NULL")
	case *BoolTest:
		f.operand(v.Arg)
		f.w(" IS ", v.Test)
	case *SubLink:
		f.subLink(v)
	case *FuncCall:
		f.funcCall(v)
	case *ValueFunc:
		f.w(v.Name)
	case *Case:
		f.caseExpr(v)
	case *Coalesce:
		f.w("COALESCE(")
		f.list(v.Args)
		f.w(")")
	case *MinMax:
		f.w(choose(v.Greatest, "GREATEST(", "LEAST("))
		f.list(v.Args)
		f.w(")")
	case *Cast:
		f.operand(v.Arg)
		f.w("::", formatType(v.Type))
	case *Array:
		f.w("ARRAY[")
		f.flat(v.Elems)
		f.w("]")
	case *Row:
		f.w("ROW(")
		f.list(v.Args)
		f.w(")")
	case *List:
		f.w("(")
		f.flat(v.Items)
		f.w(")")
	case *Subscript:
		f.subscript(v)
	case *Collate:
		f.operand(v.Arg)
		f.w(" COLLATE ", quoteNames(v.Name))
	case *Default:
		f.w("DEFAULT")
	case *Other:
		f.other(v)
	}
}

func (f *formatter) columnRef(v *ColumnRef) {
	if f.anon != nil {
		f.w(f.anon.column(v))
		return
	}
	f.w(quoteNames(v.Names))
	if v.Star {
		if len(v.Names) > 0 {
			f.w(".")
		}
		f.w("*")
	}
}

func (f *formatter) constText(v *Const) string {
	switch {
	case v.Kind == ConstNull:
		return "NULL"
	case f.anon != nil:
		return "?"
	}
	switch v.Kind {
	case ConstString:
		return quoteString(v.Text)
	case ConstBit:
		if v.Text == "" {
			return "B''"
		}
		return v.Text[:1] + "'" + v.Text[1:] + "'"
	}
	return v.Text
}

var betweenWords = map[OpKind]string{OpBetween: " BETWEEN ", OpNotBetween: " NOT BETWEEN ",
	OpBetweenSymmetric: " BETWEEN SYMMETRIC ", OpNotBetweenSymmetric: " NOT BETWEEN SYMMETRIC "}

func (f *formatter) op(v *Op) {
	switch v.Kind {
	case OpNullIf:
		f.w("NULLIF(")
		f.list([]Expr{v.Left, v.Right})
		f.w(")")
		return
	case OpPlain:
		if v.Left == nil {
			f.w(opName(v), " ")
			f.operand(v.Right)
			return
		}
	}
	f.operand(v.Left)
	switch v.Kind {
	case OpPlain:
		f.w(" ", opName(v), " ")
		f.operand(v.Right)
	case OpAny, OpAll:
		f.w(" ", opName(v), choose(v.Kind == OpAny, " ANY (", " ALL ("))
		// A subquery here would be another node, so it gets its own parentheses.
		if _, sub := v.Right.(*SubLink); sub {
			f.paren(v.Right)
		} else {
			f.expr(v.Right)
		}
		f.w(")")
	case OpDistinct:
		f.w(" IS DISTINCT FROM ")
		f.operand(v.Right)
	case OpNotDistinct:
		f.w(" IS NOT DISTINCT FROM ")
		f.operand(v.Right)
	case OpIn:
		f.w(choose(v.Name == "<>", " NOT IN ", " IN "))
		f.expr(v.Right)
	case OpLike:
		f.w(choose(strings.HasPrefix(v.Name, "!"), " NOT LIKE ", " LIKE "))
		f.operand(v.Right)
	case OpILike:
		f.w(choose(strings.HasPrefix(v.Name, "!"), " NOT ILIKE ", " ILIKE "))
		f.operand(v.Right)
	case OpSimilar:
		f.similar(v)
	default:
		f.between(v)
	}
}

func (f *formatter) between(v *Op) {
	f.w(betweenWords[v.Kind])
	if l, ok := v.Right.(*List); ok && len(l.Items) == 2 {
		f.operand(l.Items[0])
		f.w(" AND ")
		f.operand(l.Items[1])
	}
}

// similar writes SIMILAR TO without the function that the grammar wraps around its
// pattern.
func (f *formatter) similar(v *Op) {
	f.w(choose(strings.HasPrefix(v.Name, "!"), " NOT SIMILAR TO ", " SIMILAR TO "))
	call, ok := v.Right.(*FuncCall)
	if !ok || last(call.Name) != "similar_to_escape" || len(call.Args) == 0 {
		f.operand(v.Right)
		return
	}
	f.operand(call.Args[0])
	if len(call.Args) > 1 {
		f.w(" ESCAPE ")
		f.operand(call.Args[1])
	}
}

func opName(v *Op) string {
	if v.Schema != "" {
		return "OPERATOR(" + quoteNames(strings.Split(v.Schema, ".")) + "." + v.Name + ")"
	}
	return v.Name
}
