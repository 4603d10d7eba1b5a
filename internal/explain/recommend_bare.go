package explain

import (
	"regexp"
	"slices"

	"github.com/planvet/planvet/catalog"
	"github.com/planvet/planvet/internal/pgast"
)

var (
	wholeNumber = regexp.MustCompile(`^(0|-?[1-9][0-9]{0,8})$`)
	uuidText    = regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$`)
)

// bareColumn takes a cast, or a COALESCE, off a column where that is exact:
//
//  1. at::date = d, for a timestamp without time zone, is at >= d and at < d + 1;
//  2. id::text = '42' is id = 42, where the text is one that an integer, or a uuid, is
//     printed as;
//  3. coalesce(c, 'a') = 'b' is c = 'b', for a text column and other texts.
func (w *rewriter) bareColumn(tree pgast.Stmt) bool {
	changed := false
	eachSelect(tree, func(s *pgast.Select) {
		rel, alias := w.onlyTable(s)
		if rel == nil || s.Where == nil {
			return
		}
		arms := slices.Clone(pgast.Flatten(s.Where, pgast.And))
		for i, a := range arms {
			op, ok := a.(*pgast.Op)
			if !ok || op.Kind != pgast.OpPlain || op.Name != "=" || op.Left == nil {
				continue
			}
			if b := w.bare(rel, alias, op); b != nil {
				arms[i], changed = b, true
			}
		}
		s.Where = and(arms...)
	})
	return changed
}

func (w *rewriter) bare(rel *catalog.Relation, alias string, op *pgast.Op) pgast.Expr {
	column := func(e pgast.Expr) (*pgast.ColumnRef, string) {
		c, ok := e.(*pgast.ColumnRef)
		if !ok || c.Star || len(c.Names) == 2 && c.Names[0] != alias || len(c.Names) > 2 {
			return nil, ""
		}
		col := rel.Column(c.Names[len(c.Names)-1])
		if col == nil {
			return nil, ""
		}
		return c, col.Type
	}
	literal, isLiteral := op.Right.(*pgast.Const)
	if c, ok := op.Right.(*pgast.Cast); ok {
		literal, isLiteral = c.Arg.(*pgast.Const)
	}
	isLiteral = isLiteral && literal.Kind == pgast.ConstString
	switch x := op.Left.(type) {
	case *pgast.Cast:
		c, typ := column(x.Arg)
		to := x.Type.Names[len(x.Type.Names)-1]
		switch {
		case c == nil || x.Type.ArrayDims > 0:
		case to == "date" && typ == "timestamp without time zone":
			_, isParam := pgast.Uncast(op.Right).(*pgast.Param)
			if !isParam && !isLiteral {
				return nil
			}
			day := &pgast.Cast{At: -1, Arg: pgast.Uncast(op.Right), Type: pgast.TypeName{Names: []string{"date"}, At: -1}}
			return and(
				&pgast.Op{At: -1, Name: ">=", Left: c, Right: day},
				&pgast.Op{At: -1, Name: "<", Left: c, Right: &pgast.Op{At: -1, Name: "+", Left: day, Right: one()}})
		case to == "text" && isLiteral && (typ == "bigint" || typ == "integer") && wholeNumber.MatchString(literal.Text):
			return &pgast.Op{At: -1, Name: "=", Left: c, Right: &pgast.Const{At: -1, Kind: pgast.ConstInt, Text: literal.Text}}
		case to == "text" && isLiteral && typ == "uuid" && uuidText.MatchString(literal.Text):
			return &pgast.Op{At: -1, Name: "=", Left: c, Right: literal}
		}
	case *pgast.Coalesce:
		if len(x.Args) != 2 || !isLiteral {
			return nil
		}
		c, typ := column(x.Args[0])
		d, ok := pgast.Uncast(x.Args[1]).(*pgast.Const)
		if c != nil && typ == "text" && ok && d.Kind == pgast.ConstString && d.Text != literal.Text {
			return &pgast.Op{At: -1, Name: "=", Left: c, Right: literal}
		}
	}
	return nil
}
