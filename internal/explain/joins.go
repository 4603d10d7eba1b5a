package explain

import (
	"fmt"
	"math"
	"strings"

	"github.com/planvet/planvet/internal/plan"
)

var manyNestedLoops = heuristic{
	Name: "many-nested-loops",
	Fires: fmt.Sprintf("a nested loop runs its inner side %d times or more, in over %s of the query, and reads more than twice the blocks that the inner table has; "+
		"and either it expected a third of the loops at most, or hash joins are off. A loop that the planner chose knowing its rows is none",
		manyLoops, percent(manyLoopsShare)),
	Source:   "ours",
	Severity: "warning",
	Advice:   "a hash join: the estimate of the outer side, enable_hashjoin, or work_mem keep it away",
	Needs:    "the size of the inner table",
	find: func(d *diagnosis) {
		for _, n := range d.nodes {
			inner, outer := child(n, "Inner"), child(n, "Outer")
			if n.Type != "Nested Loop" || inner == nil || inner.Loops < manyLoops || d.found(n, misestimateDrivesJoin.Name) {
				continue
			}
			share := d.steps[n].Share + d.below(inner)
			t := d.facts.table(inner)
			if share <= manyLoopsShare || t == nil || d.found(inner, nestedLoopSeqScan.Name) {
				continue
			}
			why := ""
			switch {
			case d.plan.Settings["enable_hashjoin"] == "off":
				why = "enable_hashjoin is off"
			case inner.Loops >= 3*outer.PlanRows*math.Max(1, n.Loops):
				why = num(outer.PlanRows*math.Max(1, n.Loops)) + " loops were expected"
			}
			if blocks := float64(inner.Blocks()); why != "" && blocks > 2*t.Pages {
				d.report(n, finding{severity: Warning, share: share, message: fmt.Sprintf(
					"%s runs %s %s times and reads %s blocks of a table that has %s: %s", n.Title(), inner.Title(), num(inner.Loops), num(blocks), num(t.Pages), why)})
			}
		}
	},
}

var memoizeMisses = heuristic{
	Name: "memoize-misses",
	Fires: fmt.Sprintf("a Memoize of %d lookups or more finds under %s of them, or evicts entries and finds under %s",
		memoizeLookups, percent(memoizeHits), percent(memoizeFull)),
	Source:   "ours",
	Severity: "warning",
	Advice:   "more work_mem where entries are evicted; alter table … alter column … set (n_distinct = …), then analyze, where the planner expects fewer values than there are",
	find: func(d *diagnosis) {
		for _, n := range d.nodes {
			hits, misses, evictions, overflows := n.Cache()
			found := hits / math.Max(1, hits+misses)
			if n.Type != "Memoize" || hits+misses < memoizeLookups || found >= memoizeFull || found >= memoizeHits && evictions == 0 {
				continue
			}
			why := "its keys hardly come twice"
			if evictions+overflows > 0 {
				why = num(evictions+overflows) + " entries did not fit into its memory"
			}
			d.report(n, finding{severity: Warning, share: d.below(n), message: fmt.Sprintf(
				"Memoize on %s finds %s of %s lookups: %s", n.CacheKey, percent(found), num(hits+misses), why)})
		}
	},
}

var subplanPerRow = heuristic{
	Name:     "subplan-per-row",
	Fires:    fmt.Sprintf("a subquery runs %d times or more, once for each row, and not once into a hash table", subplanLoops),
	Source:   "ours",
	Severity: "warning",
	Advice:   "a join, or LATERAL, in the place of the subquery",
	find: func(d *diagnosis) {
		for _, n := range d.nodes {
			if n.Relationship != "SubPlan" || n.Loops < subplanLoops || n.Parent == nil {
				continue
			}
			f := finding{severity: Warning, share: d.below(n), message: fmt.Sprintf("%s runs %s times, once for each row of %s", n.SubplanName, num(n.Loops), n.Parent.Title())}
			if r := d.facts.relation(n.Parent); r != nil && r.RLSEnabled && strings.Contains(n.Parent.Filter, n.SubplanName) && d.ofPolicy(n) {
				f.advice = "the policy asks for each row: compare the column with what a subselect gives once, column in (select … where user_id = (select auth.uid()))"
			}
			d.report(n, f)
		}
	},
}

// ofPolicy reports whether a subquery reads a table that the statement's text does
// not name, so that a policy brought it.
func (d *diagnosis) ofPolicy(n *plan.Node) bool {
	found := false
	n.Walk(func(m *plan.Node) {
		found = found || m.Relation != "" && d.facts.SQL != "" && !strings.Contains(d.facts.SQL, m.Relation)
	})
	return found
}
