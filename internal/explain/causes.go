package explain

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/planvet/planvet/internal/plan"
)

// parameter is a value that the planner does not know: $1 of a generic plan, or what
// an InitPlan will give ($0, and (InitPlan 1).col1 since 17).
var (
	parameter     = regexp.MustCompile(`\$\d+`)
	initPlanValue = regexp.MustCompile(`\$\d+|\(InitPlan [^)]*\)\.col\d+`)
)

// Causes that are the statistics' fault, whatever the statement.
const (
	staleCause      = "stale statistics: "
	correlatedCause = "correlated columns: "
)

// patternOperators are LIKE, ILIKE and regular expressions as plans write them.
var patternOperators = []string{"~~", "~~*", "!~~", "!~~*", "~", "~*", "!~", "!~*"}

// cause tells why a step's rows were misestimated, as far as that can be told, and
// what to do about it. Checked in turn are
//
//  1. statistics that are stale or missing;
//  2. a value that was not known when the plan was made;
//  3. an expression or a pattern, of which there are no statistics;
//  4. several columns, which the planner takes for independent.
//
// What is left is one column whose values the sample does not tell.
func (d *diagnosis) cause(n *plan.Node) (cause, advice string) {
	if n.Relation == "" {
		return d.causeWithoutTable(n)
	}
	table, t := name(n), d.facts.table(n)
	if t != nil {
		if why := t.stale(); why != "" {
			return staleCause + table + " " + why, "analyze " + table + "; and let autovacuum analyse it more often if that comes back"
		}
	}
	conds := scanConditions(n)
	text := strings.Join(conds, " AND ")
	switch {
	case d.facts.Generic && parameter.MatchString(text):
		return "a parameter: the plan is for every value, and expects an average one of " + text,
			"compare the plans for frequent and rare values; plan_cache_mode = force_custom_plan for this statement where they differ"
	case initPlanValue.MatchString(text):
		return "a value that is computed when the query runs, so that the planner expects an average one: " + text,
			"hand the value over as a parameter or a literal where it is known before"
	}
	var columns []string
	for _, c := range conds {
		for _, w := range wrapped(c, n.Alias) {
			if !t.knowsExpression(w.text, n.Alias) && !d.indexed(n, w.text) {
				bare := unaliased(w.text, n.Alias)
				return "an expression without statistics: " + bare, d.expressionAdvice(table, bare)
			}
		}
		if _, op, _ := plan.Sides(c); slices.Contains(patternOperators, op) {
			return "a pattern, of whose matches there are no statistics: " + unaliased(c, n.Alias),
				"an index that finds the pattern's rows (trigrams), so that the estimate matters less"
		}
		for _, col := range plan.Columns(c, n.Alias) {
			if !slices.Contains(columns, col) {
				columns = append(columns, col)
			}
		}
	}
	switch {
	case len(columns) > 1:
		return d.correlated(table, t, columns)
	case len(columns) == 1:
		return "", fmt.Sprintf("alter table %s alter column %s set statistics 1000; analyze %s", table, columns[0], table)
	}
	return "", ""
}

func (d *diagnosis) correlated(table string, t *TableFacts, columns []string) (cause, advice string) {
	all := list(columns)
	if t != nil {
		for _, x := range t.Extended {
			if !contains(x.Columns, columns) {
				continue
			}
			if !x.Built {
				return "statistics " + x.Name + " on " + all + " are declared and not filled", "analyze " + table
			}
			return "", fmt.Sprintf("alter statistics %s set statistics 1000; analyze %s", x.Name, table)
		}
	}
	return correlatedCause + all + " of " + table + " are taken for independent of each other",
		fmt.Sprintf("create statistics %s (dependencies, mcv) on %s from %s; analyze %s",
			statisticsName(table, columns), strings.Join(columns, ", "), table, table)
}

func statisticsName(table string, columns []string) string {
	_, bare, ok := strings.Cut(table, ".")
	if !ok {
		bare = table
	}
	s := strings.ReplaceAll(bare+"_"+strings.Join(columns, "_"), `"`, "")
	if regexp.MustCompile(`^[a-z_][a-z0-9_]*$`).MatchString(s) {
		return s
	}
	return quoted(s)
}

// expressionAdvice is how an expression gets statistics: of its own since 14, and of
// an index on it before.
func (d *diagnosis) expressionAdvice(table, expr string) string {
	if d.facts.Major == 0 || d.facts.Major >= 14 {
		return fmt.Sprintf("create statistics %s on (%s) from %s; analyze %s; an index on the expression has statistics too", statisticsName(table, []string{"expr"}), expr, table, table)
	}
	return fmt.Sprintf("an index on (%s), which has statistics of its own, then analyze %s", expr, table)
}

func (d *diagnosis) causeWithoutTable(n *plan.Node) (cause, advice string) {
	switch n.Type {
	case "Append", "Merge Append":
		// Each part is off by too few rows to be told of alone.
		for _, c := range n.Children {
			if c.Relation != "" && !d.steps[c].Never {
				return d.cause(c)
			}
		}
	case "Recursive Union", "WorkTable Scan":
		return "a recursion, whose rows the planner guesses from its first step",
			"put the recursion's result into a temporary table and analyse it, where a join depends on it"
	case "Function Scan", "Table Function Scan", "ProjectSet":
		return "a function whose rows the planner takes from its ROWS", "alter function … rows, with the number that it usually returns; or a support function"
	case "Aggregate", "Unique":
		if len(n.GroupKey) > 1 {
			return "the number of groups of several columns: " + strings.Join(n.GroupKey, ", "), "create statistics (ndistinct) on the columns, where they are of one table; analyze it"
		}
		return "the number of groups", "a larger statistics target for the column that is grouped by"
	}
	if child(n, "Inner") == nil {
		return "", ""
	}
	pairs := len(plan.Conjuncts(n.HashCond)) + len(plan.Conjuncts(n.MergeCond)) + len(plan.Conjuncts(n.JoinCond))
	if pairs > 1 {
		return "a join on several conditions, which are taken for independent of each other",
			"create statistics (dependencies, ndistinct) on the joined columns of either table, and analyse them"
	}
	return "a join whose values match unevenly", "a larger statistics target for the joined columns, so that frequent values are known on both sides"
}

// stale says how old statistics are; "" where they are good, or nothing is known.
//
// A session's changes reach the server's counts up to a second after they were made,
// so that an ANALYZE in between does not take them back: the rows of a bulk load are
// counted twice then. More rows by count in a file that has not grown are these.
func (t *TableFacts) stale() string {
	rows := max(t.Rows, t.Live, 1)
	late := t.Live > 1.05*t.Rows && t.PagesNow > 0 && t.PagesNow <= 1.05*t.Pages
	switch {
	case t.Rows < 0 || t.Never && t.Rows == 0 && t.Pages == 0:
		return "was never analysed"
	case !late && t.Changed > staleShare*rows && t.Changed >= misestimateRows:
		return fmt.Sprintf("has had %s of %s rows changed since the last ANALYZE", num(t.Changed), num(rows))
	}
	return ""
}

// knowsExpression reports whether extended statistics are on an expression.
func (t *TableFacts) knowsExpression(expr, alias string) bool {
	if t == nil {
		return false
	}
	bare := unaliased(expr, alias)
	return slices.ContainsFunc(t.Extended, func(x ExtendedStatistics) bool {
		return x.Built && slices.ContainsFunc(x.Expressions, func(e string) bool { return sameExpression(e, bare) })
	})
}

// indexed reports whether an index of a node's table is on an expression.
func (d *diagnosis) indexed(n *plan.Node, expr string) bool {
	bare := unaliased(expr, n.Alias)
	return slices.ContainsFunc(d.facts.Indexes, func(x IndexFacts) bool {
		return x.Schema == n.Schema && x.Table == n.Relation && slices.ContainsFunc(x.Keys, func(k string) bool { return sameExpression(k, bare) })
	})
}

func sameExpression(a, b string) bool {
	bare := func(s string) string { return strings.NewReplacer("(", "", ")", "", " ", "").Replace(s) }
	return bare(a) == bare(b)
}

func contains(all, wanted []string) bool {
	return !slices.ContainsFunc(wanted, func(w string) bool { return !slices.Contains(all, w) })
}
