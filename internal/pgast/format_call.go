package pgast

func (f *formatter) boolean(v *Bool) {
	if v.Kind == Not {
		f.w("NOT ")
		if len(v.Args) == 1 {
			f.operand(v.Args[0])
		}
		return
	}
	for i, a := range v.Args {
		if i > 0 {
			f.w(choose(v.Kind == And, " AND ", " OR "))
		}
		if _, nested := a.(*Bool); nested {
			f.paren(a)
		} else {
			f.boolArg(a)
		}
	}
}

// boolArg writes an argument of AND or OR, below which all other operators bind.
func (f *formatter) boolArg(a Expr) {
	switch a.(type) {
	case *Op, *NullTest, *BoolTest, *SubLink:
		f.expr(a)
	default:
		f.operand(a)
	}
}

func (f *formatter) subLink(v *SubLink) {
	if v.Test != nil {
		f.operand(v.Test)
		switch {
		case v.Kind == SubAll:
			f.w(" ", v.Op, " ALL ")
		case v.Op == "=":
			f.w(" IN ")
		default:
			f.w(" ", v.Op, " ANY ")
		}
	}
	switch v.Kind {
	case SubExists:
		f.w("EXISTS ")
	case SubArray:
		f.w("ARRAY")
	}
	f.w("(")
	f.stmt(v.Query)
	f.w(")")
}

func (f *formatter) funcCall(v *FuncCall) {
	f.w(quoteFunc(v.Name), "(", choose(v.Distinct, "DISTINCT ", ""), choose(v.Star, "*", ""))
	for i, a := range v.Args {
		if i > 0 {
			f.w(", ")
		}
		if v.Variadic && i == len(v.Args)-1 {
			f.w("VARIADIC ")
		}
		if i < len(v.ArgNames) && v.ArgNames[i] != "" {
			f.w(quoteIdent(v.ArgNames[i]), " => ")
		}
		f.expr(a)
	}
	if len(v.OrderBy) > 0 && !v.Within {
		f.w(choose(len(v.Args) > 0, " ", ""))
		f.orderBy(v.OrderBy)
	}
	f.w(")")
	if v.Within {
		f.w(" WITHIN GROUP (")
		f.orderBy(v.OrderBy)
		f.w(")")
	}
	if v.Filter != nil {
		f.w(" FILTER (WHERE ")
		f.expr(v.Filter)
		f.w(")")
	}
	if v.Over != nil {
		f.w(" OVER ")
		f.window(*v.Over)
	}
}

func (f *formatter) window(v Window) {
	if v.Name != "" {
		f.w(quoteIdent(v.Name))
		return
	}
	f.w("(")
	sep := ""
	if v.Base != "" {
		f.w(quoteIdent(v.Base))
		sep = " "
	}
	if len(v.PartitionBy) > 0 {
		f.w(sep, "PARTITION BY ")
		f.list(v.PartitionBy)
		sep = " "
	}
	if len(v.OrderBy) > 0 {
		f.w(sep)
		f.orderBy(v.OrderBy)
		sep = " "
	}
	if v.Frame != "" {
		f.w(sep, v.Frame)
	}
	f.w(")")
}

func (f *formatter) caseExpr(v *Case) {
	f.w("CASE")
	if v.Arg != nil {
		f.w(" ")
		f.expr(v.Arg)
	}
	for _, x := range v.Whens {
		f.w(" WHEN ")
		f.expr(x.Cond)
		f.w(" THEN ")
		f.expr(x.Result)
	}
	if v.Else != nil {
		f.w(" ELSE ")
		f.expr(v.Else)
	}
	f.w(" END")
}

func (f *formatter) subscript(v *Subscript) {
	switch v.Arg.(type) {
	case *Subscript, *Param:
		f.expr(v.Arg)
	case *ColumnRef:
		if v.Field != "" { // without parentheses it would be a table's column
			f.paren(v.Arg)
		} else {
			f.expr(v.Arg)
		}
	default:
		f.paren(v.Arg)
	}
	switch {
	case v.Field == "*":
		f.w(".*")
	case v.Field != "":
		f.w(".", quoteIdent(v.Field))
	default:
		f.w("[")
		f.expr(v.Lower)
		if v.Slice {
			f.w(":")
			f.expr(v.Upper)
		}
		f.w("]")
	}
}

func (f *formatter) other(v *Other) {
	if v.Kind != "GroupingSet" {
		f.w(v.Text)
		return
	}
	switch v.Text {
	case "rollup":
		f.w("ROLLUP")
	case "cube":
		f.w("CUBE")
	case "sets":
		f.w("GROUPING SETS")
	}
	f.w("(")
	f.list(v.Args)
	f.w(")")
}

func choose(cond bool, yes, no string) string {
	if cond {
		return yes
	}
	return no
}
