package explain

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/planvet/planvet/catalog"
	"github.com/planvet/planvet/internal/plan"
)

var triggerTime = heuristic{
	Name: "trigger-time",
	Fires: fmt.Sprintf("triggers take over %s of the execution; of a foreign key, only where no index leads with the columns of the referencing table, as the check of a new row costs what it must",
		percent(triggerShare)),
	Source:   "ours",
	Severity: "warning",
	Advice:   "look at what the trigger does for each row; a statement trigger with transition tables does it once",
	Needs:    "foreign keys and their indexes, for those",
	find: func(d *diagnosis) {
		sum, at := 0.0, plan.Trigger{}
		advice := ""
		for _, t := range d.plan.Triggers {
			if t.Constraint != "" {
				table, columns := d.unindexedKey(t)
				if table == "" {
					continue
				}
				if t.MS > at.MS {
					advice = fmt.Sprintf("create index concurrently on %s (%s): each row deleted or changed in %s looks for its rows", table, strings.Join(columns, ", "), t.Relation)
				}
			} else if t.MS > at.MS {
				advice = ""
			}
			sum += t.MS
			if t.MS > at.MS {
				at = t
			}
		}
		if sum == 0 || sum <= triggerShare*d.plan.ExecutionMS {
			return
		}
		what := "trigger " + at.Name
		if at.Constraint != "" {
			what = "constraint " + at.Constraint
		}
		d.report(nil, finding{severity: Warning, share: sum / math.Max(d.total(), 1e-9), advice: advice, message: fmt.Sprintf(
			"%s on %s is called %s times and takes %s of %s", what, at.Relation, num(at.Calls), millis(at.MS), millis(d.plan.ExecutionMS))})
	},
}

// unindexedKey is the referencing side of a trigger's foreign key, where no index
// leads with its columns.
func (d *diagnosis) unindexedKey(t plan.Trigger) (table string, columns []string) {
	if d.facts.Catalog == nil {
		return "", nil
	}
	for _, r := range d.facts.Catalog.Relations() {
		for _, c := range r.Constraints {
			if c.Kind != catalog.ForeignKey || c.Name != t.Constraint || c.References.Name != t.Relation {
				continue
			}
			if !slices.ContainsFunc(r.Indexes, func(x *catalog.Index) bool { return leads(x, c.Columns) }) {
				return r.Name.Short(), c.Columns
			}
		}
	}
	return "", nil
}

// leads reports whether the first keys of an index are these columns in some order.
func leads(x *catalog.Index, columns []string) bool {
	if len(x.Keys) < len(columns) || x.Predicate != "" {
		return false
	}
	for _, k := range x.Keys[:len(columns)] {
		if !slices.Contains(columns, k.Column) {
			return false
		}
	}
	return true
}

var walPerRowWritten = heuristic{
	Name: "write-amplification",
	Fires: fmt.Sprintf("a write makes over %d bytes of WAL a row, and over %d times the row's width, and over %s in all; "+
		"or updates a table of whose %s updates or more under %s changed no index", walPerRow, walWidths, kib(walBytes/1024), num(hotUpdates), percent(hotShare)),
	Source:   "ours",
	Severity: "note",
	Advice:   "fewer indexes on the table; a fillfactor under 100, so that new versions fit beside the old",
	Needs:    "counts of updates, for the second form",
	find: func(d *diagnosis) {
		for _, n := range d.nodes {
			if n.Type != "ModifyTable" {
				continue
			}
			rows, width := 0.0, 0.0
			for _, c := range n.Children {
				if c.Relationship != "InitPlan" && c.Relationship != "SubPlan" {
					rows, width = rows+c.AllRows(), max(width, c.PlanWidth)
				}
			}
			each := float64(n.WALBytes) / math.Max(1, rows)
			if n.WALBytes > walBytes && each > walPerRow && each > walWidths*width {
				f := finding{severity: Note, share: d.steps[n].Share, message: fmt.Sprintf(
					"%s makes %s bytes of WAL a row, %s in all", n.Title(), num(each), kib(float64(n.WALBytes)/1024))}
				if n.WALImages > 0 {
					f.message += fmt.Sprintf(", %s full pages among it: the first change of a page after a checkpoint", num(float64(n.WALImages)))
				}
				d.report(n, f)
				continue
			}
			if t := d.facts.table(n); t != nil && n.Operation == "Update" && t.Updates >= hotUpdates && t.HOT < hotShare*t.Updates {
				d.report(n, finding{severity: Note, share: d.steps[n].Share, message: fmt.Sprintf(
					"%s of %s updates of %s changed its indexes too", num(t.Updates-t.HOT), num(t.Updates), name(n))})
			}
		}
	},
}
