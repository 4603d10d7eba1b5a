package pgast

import (
	"strconv"
	"strings"

	pg "github.com/planvet/planvet/internal/pgast/grammar"
)

func (c *conv) table(v *pg.RangeVar) *Table {
	if v == nil {
		return nil
	}
	t := &Table{At: c.at(v.Location), Schema: v.Schemaname, Name: v.Relname, Only: !v.Inh}
	t.Alias, t.ColAliases = alias(v.Alias)
	return t
}

func alias(a *pg.Alias) (string, []string) {
	if a == nil {
		return "", nil
	}
	return a.Aliasname, names(a.Colnames)
}

func (c *conv) from(ns []*pg.Node) []FromItem {
	var out []FromItem
	for _, n := range ns {
		if f := c.fromItem(n); f != nil {
			out = append(out, f)
		}
	}
	return out
}

func (c *conv) fromItem(n *pg.Node) FromItem {
	if n == nil {
		return nil
	}
	switch v := n.Node.(type) {
	case *pg.Node_RangeVar:
		return c.table(v.RangeVar)
	case *pg.Node_JoinExpr:
		return c.join(v.JoinExpr)
	case *pg.Node_RangeSubselect:
		s := &Subquery{Query: c.stmt(v.RangeSubselect.Subquery), Lateral: v.RangeSubselect.Lateral}
		s.Alias, s.ColAliases = alias(v.RangeSubselect.Alias)
		s.At = -1
		if s.Query != nil {
			s.At = At(s.Query.Pos())
		}
		return s
	case *pg.Node_RangeFunction:
		return c.rangeFunction(v.RangeFunction)
	case *pg.Node_RangeTableSample:
		return c.sample(v.RangeTableSample)
	case *pg.Node_RangeTableFunc:
		x := v.RangeTableFunc
		bare := &pg.RangeTableFunc{Docexpr: x.Docexpr, Rowexpr: x.Rowexpr, Namespaces: x.Namespaces, Columns: x.Columns}
		return c.fromTable("RangeTableFunc", pg.FromTable{Alias: x.Alias, Lateral: x.Lateral, Location: x.Location,
			Bare: &pg.Node{Node: &pg.Node_RangeTableFunc{RangeTableFunc: bare}}})
	}
	if t, ok := pg.JSONTable(n); ok {
		return c.fromTable("JsonTable", t)
	}
	return &FuncTable{At: -1, Calls: []Expr{c.other(n)}}
}

// fromTable converts a table function that has a grammar of its own: XMLTABLE, JSON_TABLE.
func (c *conv) fromTable(kind string, t pg.FromTable) FromItem {
	f := &FuncTable{At: c.at(t.Location), Lateral: t.Lateral}
	f.Alias, f.ColAliases = alias(t.Alias)
	o := &Other{At: f.At, Kind: kind, Text: deparseFrom(t.Bare)}
	c.operand(t.Bare.ProtoReflect(), &o.Args)
	f.Calls = []Expr{o}
	return f
}

func (c *conv) sample(v *pg.RangeTableSample) FromItem {
	f := c.fromItem(v.Relation)
	t, ok := f.(*Table)
	if !ok {
		return f
	}
	t.Sample = true
	call := &FuncCall{Name: names(v.Method), Args: c.exprs(v.Args)}
	t.SampleText = Format(call)
	if v.Repeatable != nil {
		t.SampleText += " REPEATABLE (" + Format(c.expr(v.Repeatable)) + ")"
	}
	return t
}

func (c *conv) rangeFunction(v *pg.RangeFunction) FromItem {
	f := &FuncTable{At: -1, Lateral: v.Lateral, Ordinality: v.Ordinality, RowsFrom: v.IsRowsfrom}
	for _, n := range v.Functions {
		items := n.GetList().GetItems()
		if len(items) == 0 {
			continue
		}
		f.Calls = append(f.Calls, c.expr(items[0]))
		if f.At < 0 && f.Calls[0] != nil {
			f.At = At(f.Calls[0].Pos())
		}
	}
	f.Alias, f.ColAliases = alias(v.Alias)
	for _, n := range v.Coldeflist {
		if d := n.GetColumnDef(); d != nil {
			f.ColAliases = append(f.ColAliases, d.Colname)
			f.ColTypes = append(f.ColTypes, c.typeName(d.TypeName))
		}
	}
	return f
}

var joinKinds = map[pg.JoinType]JoinKind{
	pg.JoinType_JOIN_INNER: JoinInner, pg.JoinType_JOIN_LEFT: JoinLeft,
	pg.JoinType_JOIN_RIGHT: JoinRight, pg.JoinType_JOIN_FULL: JoinFull,
}

func (c *conv) join(v *pg.JoinExpr) FromItem {
	j := &Join{At: -1, Kind: joinKinds[v.Jointype], Natural: v.IsNatural, Left: c.fromItem(v.Larg),
		Right: c.fromItem(v.Rarg), Using: names(v.UsingClause), On: c.expr(v.Quals)}
	if j.Kind == JoinInner && !j.Natural && j.On == nil && j.Using == nil {
		j.Kind = JoinCross
	}
	j.Alias, j.ColAliases = alias(v.Alias)
	j.UsingAlias, _ = alias(v.JoinUsingAlias)
	if j.Left != nil {
		j.At = At(j.Left.Pos())
	}
	return j
}

func (c *conv) typeName(v *pg.TypeName) TypeName {
	if v == nil {
		return TypeName{At: -1}
	}
	t := TypeName{At: c.at(v.Location), Names: names(v.Names), ArrayDims: len(v.ArrayBounds), SetOf: v.Setof, PctType: v.PctType}
	if len(t.Names) == 2 && t.Names[0] == "pg_catalog" && t.Names[1] == "json" && c.written(v.Location, "json") {
		t.Names = t.Names[1:] // a keyword since PostgreSQL 17; a name before
	}
	for _, m := range v.Typmods {
		switch e := c.expr(m).(type) {
		case *Const:
			t.Mods = append(t.Mods, choose(e.Kind == ConstString, quoteString(e.Text), e.Text))
		case *ColumnRef:
			t.Mods = append(t.Mods, strings.Join(e.Names, "."))
		case nil:
		default:
			t.Mods = append(t.Mods, Format(e))
		}
	}
	return t
}

// written reports whether a word stands at loc of the source, in either case.
func (c *conv) written(loc int32, word string) bool {
	return loc >= 0 && int(loc)+len(word) <= len(c.src) && strings.EqualFold(c.src[loc:int(loc)+len(word)], word)
}

// boundText is a partition's bound as the server prints it.
func (c *conv) boundText(b *pg.PartitionBoundSpec) string {
	switch {
	case b == nil:
		return ""
	case b.IsDefault:
		return "DEFAULT"
	case b.Strategy == "h":
		return "FOR VALUES WITH (modulus " + strconv.Itoa(int(b.Modulus)) + ", remainder " + strconv.Itoa(int(b.Remainder)) + ")"
	case b.Strategy == "l":
		return "FOR VALUES IN (" + c.datums(b.Listdatums) + ")"
	}
	return "FOR VALUES FROM (" + c.datums(b.Lowerdatums) + ") TO (" + c.datums(b.Upperdatums) + ")"
}

func (c *conv) datums(ns []*pg.Node) string {
	var out []string
	for _, e := range c.exprs(ns) {
		text := Format(e)
		if r, ok := e.(*ColumnRef); ok && (text == "minvalue" || text == "maxvalue") && len(r.Names) == 1 {
			text = strings.ToUpper(text)
		}
		out = append(out, text)
	}
	return strings.Join(out, ", ")
}
