package migrationscan

import (
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/planvet/planvet/catalog"
	"github.com/planvet/planvet/internal/pgast"
)

// maxName is PostgreSQL's NAMEDATALEN without its terminator.
const maxName = 63

// objectName is makeObjectName of PostgreSQL's indexcmds.c: name1_name2_label
// within 63 bytes, the longer of the two names cut first.
func objectName(name1, name2, label string) string {
	overhead := 0
	if name2 != "" {
		overhead++
	}
	if label != "" {
		overhead += len(label) + 1
	}
	n1, n2 := len(name1), len(name2)
	for n1+n2 > maxName-overhead {
		if n1 > n2 {
			n1--
		} else {
			n2--
		}
	}
	out := clip(name1, n1)
	if name2 != "" {
		out += "_" + clip(name2, n2)
	}
	if label != "" {
		out += "_" + label
	}
	return out
}

// clip cuts s to at most n bytes without breaking a character.
func clip(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n]
}

// truncated is a name as the server stores it.
func truncated(name string) string { return clip(name, maxName) }

// freeName is ChooseRelationName and ChooseConstraintName: the first of label,
// label1, label2 … whose name is not taken.
func freeName(name1, name2, label string, taken func(string) bool) string {
	for i := 0; ; i++ {
		l := label
		if i > 0 {
			l += itoa(i)
		}
		if n := objectName(name1, name2, l); !taken(n) {
			return n
		}
	}
}

// joinedColumns is ChooseIndexNameAddition: the columns' names with underscores
// between them, as far as a name can hold.
func joinedColumns(columns []string) string {
	s := ""
	for i, c := range columns {
		if i > 0 {
			s += "_"
		}
		s += c
		if len(s) > maxName {
			break
		}
	}
	return s
}

// indexColumns are the attribute names of an index (ChooseIndexColumnNames): the
// column's, or the name that a select list would give the expression, else expr;
// repeated names get a number.
func indexColumns(elems []pgast.IndexElem, include []string) []string {
	var out []string
	add := func(name string) {
		n := name
		for i := 1; slices.Contains(out, n); i++ {
			num := itoa(i)
			n = clip(name, maxName-len(num)) + num
		}
		out = append(out, n)
	}
	for _, e := range elems {
		switch {
		case e.Column != "":
			add(e.Column)
		default:
			n := columnName(e.Expr)
			if n == "" {
				n = "expr"
			}
			add(n)
		}
	}
	for _, c := range include {
		add(c)
	}
	return out
}

// columnName is FigureColname: the name that a select list gives an expression,
// "" where it would be ?column?.
func columnName(e pgast.Expr) string {
	n, _ := figure(e)
	return n
}

// figure also says how strong a name is: 1 is a type's, 2 any other.
func figure(e pgast.Expr) (string, int) {
	switch x := e.(type) {
	case *pgast.ColumnRef:
		if !x.Star && len(x.Names) > 0 {
			return x.Names[len(x.Names)-1], 2
		}
	case *pgast.Subscript:
		if x.Field != "" && x.Field != "*" {
			return x.Field, 2
		}
		return figure(x.Arg)
	case *pgast.FuncCall:
		if len(x.Name) > 0 {
			return x.Name[len(x.Name)-1], 2
		}
	case *pgast.Op:
		if x.Kind == pgast.OpNullIf {
			return "nullif", 2
		}
	case *pgast.Cast:
		if n, s := figure(x.Arg); s > 1 {
			return n, s
		}
		if len(x.Type.Names) > 0 {
			return x.Type.Names[len(x.Type.Names)-1], 1
		}
	case *pgast.Const:
		if x.Kind == pgast.ConstBool {
			return "bool", 1
		}
	case *pgast.Collate:
		return figure(x.Arg)
	case *pgast.Coalesce:
		return "coalesce", 2
	case *pgast.MinMax:
		if x.Greatest {
			return "greatest", 2
		}
		return "least", 2
	case *pgast.Array:
		return "array", 2
	case *pgast.Row:
		return "row", 2
	case *pgast.ValueFunc:
		name, _, _ := strings.Cut(strings.ToLower(x.Name), "(")
		return name, 2
	case *pgast.Case:
		if x.Else != nil {
			if n, s := figure(x.Else); s > 1 {
				return n, s
			}
		}
		return "case", 1
	case *pgast.SubLink:
		return figureSubLink(x)
	case *pgast.Other:
		return figureOther(x), 2
	}
	return "", 0
}

func figureSubLink(x *pgast.SubLink) (string, int) {
	switch x.Kind {
	case pgast.SubExists:
		return "exists", 2
	case pgast.SubArray:
		return "array", 2
	case pgast.SubScalar:
		if s, ok := x.Query.(*pgast.Select); ok {
			for s.Left != nil {
				s = s.Left
			}
			if len(s.Targets) > 0 {
				if t := s.Targets[0]; t.Name != "" {
					return t.Name, 2
				}
				return figure(s.Targets[0].Expr)
			}
		}
	}
	return "", 0
}

// figureOther names the constructors that the tree has no node for.
func figureOther(x *pgast.Other) string {
	switch x.Kind {
	case "GroupingFunc":
		return "grouping"
	case "JsonObjectConstructor":
		return "json_object"
	case "JsonArrayConstructor", "JsonArrayQueryConstructor":
		return "json_array"
	case "XmlSerialize":
		return "xmlserialize"
	}
	return ""
}

// indexLabel is how the name of an index ends.
func (r *replayer) indexName(rel *catalog.Relation, attrs []string, primary, unique, exclusion bool) string {
	taken := func(n string) bool { return r.nameTaken(rel.Schema, n) }
	takenBoth := func(n string) bool { return taken(n) || r.constraintTaken(rel.Schema, n) }
	table := rel.Name.Name
	switch {
	case primary:
		return freeName(table, "", "pkey", takenBoth)
	case exclusion:
		return freeName(table, joinedColumns(attrs), "excl", takenBoth)
	case unique:
		return freeName(table, joinedColumns(attrs), "key", takenBoth)
	}
	return freeName(table, joinedColumns(attrs), "idx", taken)
}

// constraintName is the name that the server gives a constraint.
func (r *replayer) constraintName(rel *catalog.Relation, column, label string) string {
	return freeName(rel.Name.Name, column, label, func(n string) bool { return r.constraintTaken(rel.Schema, n) })
}
