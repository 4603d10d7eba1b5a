package explain

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/planvet/planvet/internal/plan"
)

var selectiveSeqScan = heuristic{
	Name: "selective-seq-scan",
	Fires: fmt.Sprintf("a sequential scan of %s rows or more in %d blocks or more throws away over %s of them (critical over %s; up to there only where an index "+
		"would at least halve its cost). A statement that needs most rows has none, and neither has a condition that no index can serve",
		num(scannedRows), scannedBlocks, percent(selectiveWarning), percent(selectiveCritical)),
	Source:   "pev2's shares, QuerySense's rows, joe's blocks",
	Severity: "warning, critical by share",
	Advice:   "an index on what the filter compares",
	Needs:    "the size of the table, where the statement was not run",
	find: func(d *diagnosis) {
		for _, n := range d.nodes {
			s, ok := d.selective(n)
			if !ok || d.found(n, nestedLoopSeqScan.Name, wrappedColumn.Name, orAcrossColumns.Name) {
				continue
			}
			severity := Warning
			if s.removed() > selectiveCritical {
				severity = Critical
			} else if !s.indexPays() {
				continue
			}
			d.report(n, finding{severity: severity, message: fmt.Sprintf("%s reads %s rows in %s blocks and keeps %s (%s): no index is used for %s",
				n.Title(), num(s.rows), num(s.blocks), num(s.kept), percent(1-s.removed()), unaliased(n.Filter, n.Alias))})
		}
	},
}

// scan is what one run of a sequential scan read and kept.
type scan struct{ rows, kept, blocks, pages float64 }

func (s scan) removed() float64 { return 1 - s.kept/math.Max(s.rows, 1) }

// indexPays reports whether a bitmap scan that reads each kept row's page would cost
// at most indexPays of reading all, by the planner's default prices: a row 0.01 and its
// condition 0.0025, an index entry 0.005 with its condition 0.0025, and a page from 4
// down to 1 as more of them are read (costsize.c). The pages of rows that lie
// anywhere are those of Mackert and Lohman, without a cache.
func (s scan) indexPays() bool {
	pages := math.Max(s.pages, 1)
	touched := math.Min(pages, 2*pages*s.kept/(2*pages+s.kept))
	perPage := 4 - 3*math.Sqrt(touched/pages)
	index := touched*perPage + s.kept*(0.0075+0.0125)
	return index <= indexPays*(pages+s.rows*0.0125)
}

// selective is a sequential scan that throws most of many rows away by a condition
// that an index could serve.
func (d *diagnosis) selective(n *plan.Node) (s scan, ok bool) {
	if n.Type != "Seq Scan" || !servable(n) {
		return s, false
	}
	t := d.facts.table(n)
	if d.plan.Analyzed() {
		runs := math.Max(1, n.Loops)
		if n.Parallel {
			runs = 1
		}
		s = scan{rows: (n.AllRows() + n.AllRemoved()) / runs, kept: n.AllRows() / runs, blocks: float64(d.steps[n].SelfBlocks) / runs}
		s.pages = s.blocks
		// Without BUFFERS the size is the server's word.
		if s.blocks == 0 && t != nil {
			s.blocks, s.pages = t.Pages, t.Pages
		}
	} else if t != nil && !d.guesses(n) {
		s = scan{rows: t.Rows, kept: n.PlanRows, blocks: t.Pages, pages: t.Pages}
	}
	if s.rows == 0 {
		return s, false
	}
	rows, blocks := s.rows, s.blocks
	if t != nil && t.Root != "" {
		rows, blocks = d.scanned(t.Root)
	}
	return s, rows >= scannedRows && blocks >= scannedBlocks && s.removed() > selectiveWarning
}

// guesses reports whether the planner expects so few rows only because it knows
// nothing of an expression, for which it takes one in 200 (DEFAULT_EQ_SEL in
// selfuncs.h).
func (d *diagnosis) guesses(n *plan.Node) bool {
	for _, c := range plan.Conjuncts(n.Filter) {
		for _, w := range wrapped(c, n.Alias) {
			if !d.facts.table(n).knowsExpression(w.text, n.Alias) && !(w.cast != "" && d.free(n, w)) {
				return true
			}
		}
	}
	return false
}

// scanned is what sequential scans of a partitioned table read of all partitions.
func (d *diagnosis) scanned(root string) (rows, blocks float64) {
	for _, n := range d.nodes {
		t := d.facts.table(n)
		if n.Type != "Seq Scan" || t == nil || t.Root != root {
			continue
		}
		if d.plan.Analyzed() {
			rows, blocks = rows+n.AllRows()+n.AllRemoved(), blocks+float64(d.steps[n].SelfBlocks)
		} else {
			rows, blocks = rows+t.Rows, blocks+t.Pages
		}
	}
	return rows, blocks
}

// servable reports whether an index could serve part of a scan's filter: a conjunct
// on its columns that is no subquery's result.
func servable(n *plan.Node) bool {
	return slices.ContainsFunc(plan.Conjuncts(n.Filter), func(c string) bool {
		return len(plan.Columns(c, n.Alias)) > 0 && !strings.Contains(c, "SubPlan ")
	})
}

var nestedLoopSeqScan = heuristic{
	Name: "nested-loop-seq-scan",
	Fires: fmt.Sprintf("a nested loop runs a sequential scan %d times or more, over %s rows or more together; or goes through a materialised side that often "+
		"and throws over %s of the pairs away", loopedScans, num(loopedScanRows), percent(selectiveCritical)),
	Source:   "ours",
	Severity: "critical",
	Advice:   "an index on the inner side's join key",
	find: func(d *diagnosis) {
		for _, n := range d.nodes {
			inner := child(n, "Inner")
			if n.Type != "Nested Loop" || inner == nil || inner.Loops < loopedScans {
				continue
			}
			f := finding{severity: Critical, share: d.steps[n].Share + d.below(inner)}
			if inner.Type == "Materialize" {
				pairs := (n.Rows + n.RemovedJoin) * n.Loops
				if n.JoinCond == "" || pairs < loopedScanRows || n.RemovedJoin*n.Loops <= selectiveCritical*pairs {
					continue
				}
				f.message = fmt.Sprintf("%s compares %s pairs of rows and keeps %s: each row of one side goes through all of the other", n.Title(), num(pairs), num(n.AllRows()))
				f.advice = "an index on the inner side's join key; or a join by =, which a hash join serves, and the setting that keeps it away"
				d.report(n, f)
				continue
			}
			scan := inner
			for scan.Type == "Memoize" && len(scan.Children) > 0 {
				scan = scan.Children[0]
			}
			if read := (scan.Rows + scan.Removed) * scan.Loops; scan.Type == "Seq Scan" && scan.Loops >= loopedScans && read >= loopedScanRows {
				f.message = fmt.Sprintf("%s is read %s times by the nested loop above it, %s rows together", scan.Title(), num(scan.Loops), num(read))
				d.report(scan, f)
			}
		}
	},
}

var unboundedResult = heuristic{
	Name:     "unbounded-result",
	Fires:    fmt.Sprintf("%s rows or more of a table go to the client, unfiltered and without LIMIT", num(resultRows)),
	Source:   "joe's rows",
	Severity: "note",
	Advice:   "ask for a page: order by the key, where it is greater than the last one seen, with LIMIT",
	find: func(d *diagnosis) {
		n := d.plan.Root
		for len(n.Children) == 1 && slices.Contains([]string{"Gather", "Gather Merge", "Sort", "Subquery Scan", "Result"}, n.Type) {
			n = n.Children[0]
		}
		rows := d.plan.Root.PlanRows
		if d.plan.Analyzed() {
			rows = d.plan.Root.AllRows()
		}
		if n.Filter != "" || n.IndexCond != "" || rows < resultRows || n.Type != "Seq Scan" && n.Type != "Index Scan" && n.Type != "Index Only Scan" {
			return
		}
		d.report(n, finding{severity: Note, share: d.below(d.plan.Root),
			message: fmt.Sprintf("all %s rows of %s go to the client: the result grows with the table", num(rows), name(n))})
	},
}

var partitionsNotPruned = heuristic{
	Name: "partitions-not-pruned",
	Fires: fmt.Sprintf("more than %d partitions are read, most of which have no row to give, and the condition has the partition key inside a function or a cast",
		unprunedParts),
	Source:   "ours",
	Severity: "warning",
	Advice:   "compare the partition key itself, by a range where a function was: at >= '2026-01-01' and at < '2026-02-01'",
	Needs:    "the partition key",
	find: func(d *diagnosis) {
		parts := map[string][]*plan.Node{}
		var roots []string
		for _, n := range d.nodes {
			t := d.facts.table(n)
			if t == nil || t.Root == "" || !strings.HasSuffix(n.Type, "Scan") || n.Type == "Bitmap Index Scan" {
				continue
			}
			if parts[t.Root] == nil {
				roots = append(roots, t.Root)
			}
			parts[t.Root] = append(parts[t.Root], n)
		}
		for _, root := range roots {
			scans := parts[root]
			hidden := hiddenKey(d.facts.table(scans[0]), scans[0])
			empty, share := 0, 0.0
			for _, n := range scans {
				if n.Rows == 0 {
					empty++
				}
				share += d.below(n)
			}
			if len(scans) <= unprunedParts || hidden == "" || d.plan.Analyzed() && 2*empty <= len(scans) {
				continue
			}
			d.report(above(scans), finding{severity: Warning, share: share, message: fmt.Sprintf(
				"%d partitions of %s are read, %d of them without a row: %s hides the partition key", len(scans), strings.TrimPrefix(root, "public."), empty, hidden)})
		}
	},
}

// hiddenKey is an expression over a partition key that keeps a condition from
// choosing partitions; "" where there is none.
func hiddenKey(t *TableFacts, n *plan.Node) string {
	for _, c := range scanConditions(n) {
		for _, w := range wrapped(c, n.Alias) {
			for _, key := range t.PartitionKeys {
				_, columns, _ := strings.Cut(key, " ")
				if strings.Trim(columns, "()") == w.column {
					return unaliased(w.text, n.Alias)
				}
			}
		}
	}
	return ""
}

// above is the lowest node that all are under.
func above(all []*plan.Node) *plan.Node {
	n := all[0]
	for ; n.Parent != nil; n = n.Parent {
		if !slices.ContainsFunc(all, func(m *plan.Node) bool { return !within(m, n) }) {
			break
		}
	}
	return n
}
