package explain

import (
	"fmt"
	"math"
	"slices"

	"github.com/planvet/planvet/internal/plan"
)

var sortSpill = heuristic{
	Name:     "sort-spill",
	Fires:    "a sort writes to disk",
	Source:   "the sort's own word; the memory it wants is two to three times the disk it took",
	Severity: "warning",
	Advice:   "an index that gives the order, or more work_mem",
	find: func(d *diagnosis) {
		for _, n := range d.nodes {
			kb := n.Spilled()
			if n.Type != "Sort" && n.Type != "Incremental Sort" || kb == 0 {
				continue
			}
			d.report(n, finding{severity: Warning,
				message: fmt.Sprintf("%s by %s writes %s to disk: it does not fit into work_mem%s", n.Title(), list(n.SortKey), kib(kb), d.workMem()),
				advice:  fmt.Sprintf("an index that gives the order; or work_mem of %s for this statement, three times what it wrote; or fewer and narrower columns", kib(3*kb))})
		}
	},
}

// workMem is the setting where it is not the default.
func (d *diagnosis) workMem() string {
	if v := d.plan.Settings["work_mem"]; v != "" {
		return " (" + v + ")"
	}
	return ""
}

var hashBatches = heuristic{
	Name:     "hash-batches",
	Fires:    "the hash table of a join needs more than one batch, so that both sides are written to disk and read again",
	Source:   "pev2",
	Severity: "warning",
	Advice:   "more work_mem or hash_mem_multiplier, or a smaller side to hash",
	find: func(d *diagnosis) {
		for _, n := range d.nodes {
			if n.Type != "Hash" || n.Batches <= 1 || n.Parent == nil {
				continue
			}
			why := "it does not fit into work_mem" + d.workMem()
			if n.OriginalBatches > 0 && n.Batches > n.OriginalBatches {
				why = fmt.Sprintf("%s batches were planned, and more rows came", num(n.OriginalBatches))
			}
			d.report(n, finding{severity: Warning, share: d.steps[n].Share + d.steps[n.Parent].Share,
				message: fmt.Sprintf("%s of %s rows needs %s batches: %s", n.Title(), num(n.AllRows()), num(n.Batches), why),
				advice:  fmt.Sprintf("work_mem times hash_mem_multiplier of about %s, its %s batches of %s each; or fewer columns on that side", kib(n.PeakKB*n.Batches), num(n.Batches), kib(n.PeakKB))})
		}
	},
}

var aggregateSpill = heuristic{
	Name:     "aggregate-spill",
	Fires:    "a hash aggregate writes groups to disk",
	Source:   "the node's own word",
	Severity: "warning",
	Advice:   "more work_mem or hash_mem_multiplier; or an index that gives the groups in order",
	find: func(d *diagnosis) {
		for _, n := range d.nodes {
			if kb := n.Spilled(); n.Type == "Aggregate" && kb > 0 {
				d.report(n, finding{severity: Warning, message: fmt.Sprintf("%s writes %s to disk: it does not fit into work_mem%s", n.Title(), kib(kb), d.workMem())})
			}
		}
	},
}

var temporaryFiles = heuristic{
	Name:     "temporary-files",
	Fires:    "a step that keeps rows (a CTE, a function's result, a materialised one, a window) keeps them on disk",
	Source:   "the node's own word from 18, its blocks of temporary files before",
	Severity: "warning",
	Advice:   "keep fewer rows and columns: a CTE that is not materialised, conditions inside of it; or more work_mem",
	find: func(d *diagnosis) {
		for _, n := range d.nodes {
			if !slices.Contains([]string{"CTE Scan", "Materialize", "Function Scan", "Table Function Scan", "WindowAgg", "Recursive Union", "SetOp"}, n.Type) {
				continue
			}
			if kb := max(n.Spilled(), 8*d.ownTemp(n)/2); kb > 0 {
				d.report(n, finding{severity: Warning, message: fmt.Sprintf("%s keeps %s of rows on disk: they do not fit into work_mem%s", n.Title(), kib(kb), d.workMem())})
			}
		}
	},
}

// ownTemp are the blocks of temporary files, written and read, of a node without those below it, and
// without those of the CTE that it reads.
func (d *diagnosis) ownTemp(n *plan.Node) float64 {
	own := float64(n.TempBlocks())
	below := n.Children
	if def := n.Definition(); n.Type == "CTE Scan" && def != nil {
		below = append(slices.Clone(below), def)
	}
	for _, c := range below {
		own -= float64(c.TempBlocks())
	}
	return math.Max(0, own)
}
