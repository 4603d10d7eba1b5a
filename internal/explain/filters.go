package explain

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/planvet/planvet/internal/plan"
)

var wrappedColumn = heuristic{
	Name: "wrapped-column",
	Fires: "a scan that is selective as where selective-seq-scan is critical compares a column inside a function, an expression or a cast that changes its type; " +
		"varchar as text is none",
	Source:   "selective-seq-scan's",
	Severity: "critical",
	Advice:   "compare the column itself, with a value of its type; or an index on the expression",
	Needs:    "types of columns, for casts",
	find: func(d *diagnosis) {
		for _, n := range d.nodes {
			s, ok := d.selective(n)
			if !ok || s.removed() <= selectiveCritical {
				continue
			}
			w, ok := d.hiding(n)
			if !ok {
				continue
			}
			advice := "compare " + w.column + " itself; or create an index on (" + unaliased(w.text, n.Alias) + ")"
			switch t := d.facts.table(n); {
			case w.cast == "date" && t != nil && strings.HasPrefix(t.Types[w.column], "timestamp"):
				advice = fmt.Sprintf("compare %[1]s by a range, %[1]s >= the day and %[1]s < the day after, with an index on %[1]s", w.column)
			case w.cast != "" && t != nil:
				advice = fmt.Sprintf("hand over a value of the type of %s, %s, and not of %s; or create an index on (%s)",
					w.column, t.Types[w.column], w.cast, unaliased(w.text, n.Alias))
			}
			d.report(n, finding{severity: Critical, advice: advice, message: fmt.Sprintf(
				"%s reads %s rows and keeps %s: %s is no column, so that an index on %s cannot serve it",
				n.Title(), num(s.rows), num(s.kept), unaliased(w.text, n.Alias), w.column)})
		}
	},
}

// hiding is the expression that hides a column from indexes, where every conjunct
// that an index could serve is such a one.
func (d *diagnosis) hiding(n *plan.Node) (wrap, bool) {
	var first *wrap
	for _, c := range plan.Conjuncts(n.Filter) {
		if len(plan.Arms(c)) > 1 {
			return wrap{}, false
		}
		all := wrapped(c, n.Alias)
		all = slices.DeleteFunc(all, func(w wrap) bool { return w.cast != "" && d.free(n, w) })
		if len(all) == 0 {
			if servable(&plan.Node{Filter: c, Alias: n.Alias}) && selects(c) {
				return wrap{}, false
			}
			continue
		}
		if first == nil {
			first = &all[0]
		}
	}
	if first == nil {
		return wrap{}, false
	}
	return *first, true
}

// free reports whether a cast changes nothing (varchar as text), or may not.
func (d *diagnosis) free(n *plan.Node, w wrap) bool {
	t := d.facts.table(n)
	if t == nil || t.Types[w.column] == "" {
		return true
	}
	texts := []string{"character varying", "text", "name", "citext"}
	return slices.Contains(texts, t.Types[w.column]) && slices.Contains(append(texts, "bpchar"), w.cast)
}

// selects reports whether a conjunct chooses few rows as a rule: an equality, a range.
func selects(conjunct string) bool {
	_, op, _ := plan.Sides(conjunct)
	return op != "" && op != "IS" && op != "<>"
}

var orAcrossColumns = heuristic{
	Name: "or-across-columns",
	Fires: "a scan that is selective as in selective-seq-scan, or a generic plan's scan of as many rows, has an OR over different columns, " +
		"or the idiom ($1 is null or a = $1), which a generic plan cannot serve by index",
	Source:   "selective-seq-scan's",
	Severity: "warning",
	Advice:   "an index for each arm, or a UNION of one statement an arm",
	Needs:    "the size of the table, where the statement was not run",
	find: func(d *diagnosis) {
		for _, n := range d.nodes {
			if n.Type != "Seq Scan" {
				continue
			}
			if c := optional(n.Filter); c != "" {
				if t := d.facts.table(n); t != nil && (t.Rows < scannedRows || t.Pages < scannedBlocks) || t == nil && !d.plan.Analyzed() {
					continue
				}
				d.report(n, finding{severity: Warning, message: fmt.Sprintf("%s reads all of the table whatever is asked for: %s is for every value", n.Title(), unaliased(c, n.Alias)),
					advice: "a statement for each set of filters that is given; or plan_cache_mode = force_custom_plan for this one"})
				continue
			}
			s, ok := d.selective(n)
			if !ok || s.removed() <= selectiveCritical {
				continue
			}
			for _, c := range plan.Conjuncts(n.Filter) {
				if columns := armColumns(c, n.Alias); len(columns) > 1 {
					d.report(n, finding{severity: Warning, advice: "an index on each of " + list(columns) + ", which a BitmapOr joins; or a UNION of one statement an arm",
						message: fmt.Sprintf("%s reads %s rows and keeps %s: the arms of %s need an index each", n.Title(), num(s.rows), num(s.kept), unaliased(c, n.Alias))})
					break
				}
			}
		}
	},
}

var nullOr = regexp.MustCompile(`^\(*\$\d+\)?(::[a-z ]+)? IS NULL$`)

// optional is a conjunct that holds where a parameter is NULL; "" for none.
func optional(filter string) string {
	for _, c := range plan.Conjuncts(filter) {
		arms := plan.Arms(c)
		if len(arms) > 1 && slices.ContainsFunc(arms, nullOr.MatchString) {
			return c
		}
	}
	return ""
}

// armColumns are the columns of an OR whose arms are each on columns of the table,
// where not all are on the same.
func armColumns(conjunct, alias string) []string {
	arms := plan.Arms(conjunct)
	if len(arms) < 2 || strings.Contains(conjunct, "SubPlan ") {
		return nil
	}
	var out []string
	for _, a := range arms {
		columns := plan.Columns(a, alias)
		if len(columns) == 0 || !selects(plan.Conjuncts(a)[0]) {
			return nil
		}
		for _, c := range columns {
			if !slices.Contains(out, c) {
				out = append(out, c)
			}
		}
	}
	return out
}
