package pgast

import (
	"strconv"
)

func (n *normalizer) outputs(es []Expr, s *Select, outputFirst bool) []Expr {
	var out []Expr
	for _, e := range es {
		out = append(out, n.output(e, s, outputFirst))
	}
	return out
}

// output is a key of ORDER BY, GROUP BY or DISTINCT ON: a number or an alias means
// an item of the select list.
func (n *normalizer) output(e Expr, s *Select, outputFirst bool) Expr {
	switch v := e.(type) {
	case *Const:
		if i, err := strconv.Atoi(v.Text); err == nil && v.Kind == ConstInt && i >= 1 && i <= len(s.Targets) {
			return n.expr(s.Targets[i-1].Expr, true)
		}
	case *ColumnRef:
		if len(v.Names) != 1 || v.Star || !outputFirst && n.find(v) != nil {
			break
		}
		for _, t := range s.Targets {
			if t.Name == v.Names[0] {
				return n.expr(t.Expr, true)
			}
		}
	}
	return n.expr(e, true)
}

// targets normalises a select list: names are kept where the expression alone would
// not give them.
func (n *normalizer) targets(ts []Target) []Target {
	var out []Target
	for _, t := range ts {
		if c, ok := t.Expr.(*ColumnRef); ok && c.Star {
			if cols := n.star(c); cols != nil {
				out = append(out, cols...)
				continue
			}
		}
		name := outputName(t)
		x := Target{Expr: n.expr(t.Expr, false), Name: name}
		if c, ok := x.Expr.(*ColumnRef); ok && (c.Star || last(c.Names) == name) || name == "?column?" {
			x.Name = ""
		}
		out = append(out, x)
	}
	return out
}

// star writes * out where all relations' columns are known.
func (n *normalizer) star(c *ColumnRef) []Target {
	l, ok := n.env.(ColumnLister)
	if !ok {
		return nil
	}
	var out []Target
	for _, it := range n.scope.items {
		if len(c.Names) > 0 && last(c.Names) != it.ref {
			continue
		}
		cols := it.cols
		if cols == nil && it.rel != "" {
			cols = l.Columns(it.schema, it.rel)
		}
		if cols == nil {
			return nil
		}
		for _, col := range cols {
			out = append(out, Target{Expr: &ColumnRef{Names: []string{it.alias, col}}})
		}
	}
	return out
}

// outputNames are the columns of a query, nil when a star hides them.
func (n *normalizer) outputNames(s *Select) []string {
	for s != nil && s.SetOp != "" {
		s = s.Left
	}
	if s == nil || len(s.Targets) == 0 {
		return nil
	}
	var out []string
	for _, t := range s.Targets {
		if c, ok := t.Expr.(*ColumnRef); ok && c.Star {
			return nil
		}
		out = append(out, outputName(t))
	}
	return out
}

// outputName is the name of a select item, as PostgreSQL's FigureColname picks it.
func outputName(t Target) string {
	if t.Name != "" {
		return t.Name
	}
	return figureName(t.Expr)
}

func figureName(e Expr) string {
	switch v := e.(type) {
	case *ColumnRef:
		return last(v.Names)
	case *FuncCall:
		return last(v.Name)
	case *Subscript:
		if v.Field != "" && v.Field != "*" {
			return v.Field
		}
		return figureName(v.Arg)
	case *Cast:
		if s := figureName(v.Arg); s != "?column?" {
			return s
		}
		return last(v.Type.Names)
	case *Collate:
		return figureName(v.Arg)
	case *Coalesce:
		return "coalesce"
	case *Array:
		return "array"
	case *Row:
		return "row"
	case *MinMax:
		return choose(v.Greatest, "greatest", "least")
	case *Case:
		if v.Else != nil {
			if s := figureName(v.Else); s != "?column?" {
				return s
			}
		}
		return "case"
	case *Op:
		if v.Kind == OpNullIf {
			return "nullif"
		}
	case *ValueFunc:
		return valueFuncName(v.Name)
	case *SubLink:
		switch v.Kind {
		case SubExists:
			return "exists"
		case SubArray:
			return "array"
		case SubScalar:
			if s, ok := v.Query.(*Select); ok && len(s.Targets) == 1 {
				return outputName(s.Targets[0])
			}
		}
	}
	return "?column?"
}
