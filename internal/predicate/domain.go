package predicate

import (
	"regexp"
	"strings"

	"github.com/planvet/planvet/catalog"
	"github.com/planvet/planvet/internal/pgast"
)

// maxDomain is the number of values up to which a CHECK list says that a column
// cannot select much.
const maxDomain = 30

// lowDomain reports whether a column can hold a few values only: boolean, an enum,
// a CHECK (c IN (…)).
func (r *resolver) lowDomain(rel *Rel, column string) bool {
	if rel == nil || rel.Relation == nil {
		return false
	}
	if r.columnType(rel, column) == "boolean" || r.enum(rel, column) {
		return true
	}
	if classNames.MatchString(column) && !keyed(rel.Relation, column) {
		return true
	}
	for _, c := range rel.Relation.Constraints {
		if c.Kind == catalog.Check && strings.Contains(c.Expr, column) && listed(r.text(c.Expr), column) {
			return true
		}
	}
	return false
}

// absent reports whether a qual asks for the empty text in a column whose default it
// is. Like IS NULL it keeps the rows that have none.
func (r *resolver) absent(rel *Rel, c *Conjunct) bool {
	k, ok := pgast.Uncast(c.Comparand).(*pgast.Const)
	if !ok || k.Kind != pgast.ConstString || k.Text != "" || c.Column == "" || rel == nil || rel.Relation == nil {
		return false
	}
	col := rel.Relation.Column(c.Column)
	return col != nil && strings.HasPrefix(col.Default, "''")
}

// classNames are names of columns that sort rows into a few classes. An index on
// one of them alone serves nobody, so that we would rather miss the one that does.
var classNames = regexp.MustCompile(`(?i)(^|_)(type|kind|status|state|category|role|frequency|level|mode|method|provider|platform|locale|lang|language|currency|gender|priority|visibility|severity|environment)$|^(is|has)_`)

// keyed reports whether a column is a foreign key or a unique key by itself.
func keyed(t *catalog.Relation, column string) bool {
	for _, c := range t.Constraints {
		if len(c.Columns) == 1 && c.Columns[0] == column && (c.Kind == catalog.ForeignKey || c.Kind == catalog.Unique || c.Kind == catalog.PrimaryKey) {
			return true
		}
	}
	return false
}

// listed reports whether a CHECK compares the column with a short list.
func listed(e pgast.Expr, column string) bool {
	for _, c := range conjunction(e) {
		ok, n := true, 0
		for _, a := range pgast.Flatten(c, pgast.Or) {
			op, isOp := a.(*pgast.Op)
			if nt, isNull := a.(*pgast.NullTest); isNull && !nt.Not && columnName(nt.Arg) == column {
				continue
			}
			if !isOp || op.Name != "=" || columnName(op.Left) != column {
				ok = false
				break
			}
			n += values(op.Right)
		}
		if ok && n > 0 && n <= maxDomain {
			return true
		}
	}
	return false
}

// columnName is the name of a plain column, through casts; "" for anything else.
func columnName(e pgast.Expr) string {
	if c, ok := pgast.Uncast(e).(*pgast.ColumnRef); ok && !c.Star && len(c.Names) > 0 {
		return c.Names[len(c.Names)-1]
	}
	if v, ok := pgast.Uncast(e).(*Var); ok {
		return v.Column
	}
	return ""
}

// values counts the constants of a list; a constant is one.
func values(e pgast.Expr) int {
	switch e := pgast.Uncast(e).(type) {
	case *pgast.List:
		return len(e.Items)
	case *pgast.Array:
		return len(e.Elems)
	case *pgast.Const:
		if strings.HasPrefix(e.Text, "{") {
			return 1 + strings.Count(e.Text, ",")
		}
		return 1
	}
	return 0
}
