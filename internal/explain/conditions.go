package explain

import (
	"regexp"
	"strings"

	"github.com/planvet/planvet/internal/plan"
)

// scanConditions are the conjuncts that decide which rows a scan gives. Of a bitmap
// scan the condition is rechecked on the heap, and stands there too.
func scanConditions(n *plan.Node) []string {
	var out []string
	for _, c := range []string{n.IndexCond, n.Recheck, n.Filter} {
		out = append(out, plan.Conjuncts(c)...)
	}
	return out
}

// wrap is a column inside an expression that hides it from an index on the column.
type wrap struct {
	// text is the expression, column the column in it.
	text, column string
	// cast is the type that the column is cast to, where that is all.
	cast string
}

var castColumn = regexp.MustCompile(`^\((.*)\)::([a-z_"][^()]*(?:\([^()]*\))?)$`)

// wrapped are the expressions over one column of an alias that a conjunct compares
// with something else. Arms of an OR are looked at one by one.
func wrapped(conjunct, alias string) []wrap {
	var out []wrap
	for _, arm := range plan.Arms(conjunct) {
		left, op, right := plan.Sides(arm)
		if op == "" || op == "IS" || strings.Contains(arm, "SubPlan ") {
			continue
		}
		for i, side := range []string{left, right} {
			other := []string{right, left}[i]
			columns := plan.Columns(side, alias)
			if len(columns) != 1 || len(plan.Columns(other, alias)) > 0 || plainOperand(side, alias) == columns[0] {
				continue
			}
			w := wrap{text: side, column: columns[0]}
			if m := castColumn.FindStringSubmatch(side); m != nil && plainOperand(m[1], alias) == columns[0] {
				w.cast = m[2]
			}
			out = append(out, w)
		}
	}
	return out
}

// plainOperand is an operand without its alias and outer parentheses.
func plainOperand(operand, alias string) string {
	return strings.Trim(unaliased(operand, alias), "()")
}

// unaliased takes an alias off the columns of an expression.
func unaliased(expr, alias string) string { return plan.Unprefix(expr, alias) }
