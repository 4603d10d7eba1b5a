package explain

import (
	"fmt"
	"slices"
	"strings"

	"github.com/planvet/planvet/internal/plan"
)

var indexFilterResidue = heuristic{
	Name: "index-filter-residue",
	Fires: fmt.Sprintf("a scan by index throws away more than %d rows for one that it keeps, %d at least and %d in each search, by a filter on other columns",
		residueRatio, residueRows, residueRatio),
	Source:   "joe's",
	Severity: "warning",
	Advice:   "add the filtered column to the index",
	find: func(d *diagnosis) {
		for _, n := range d.nodes {
			if !slices.Contains([]string{"Index Scan", "Index Only Scan", "Bitmap Heap Scan"}, n.Type) || !servable(n) || d.found(n, leakproofDemotion.Name) {
				continue
			}
			removed := n.Removed * n.Loops
			if n.Removed < residueRatio || removed < residueRows || removed <= residueRatio*n.AllRows() {
				continue
			}
			d.report(n, finding{severity: Warning, share: d.below(n), message: fmt.Sprintf("%s finds %s rows for the %s that pass %s",
				n.Describe(), num(removed+n.AllRows()), num(n.AllRows()), unaliased(n.Filter, n.Alias))})
		}
	},
}

var indexLeadingKeySkipped = heuristic{
	Name: "index-leading-key-skipped",
	Fires: fmt.Sprintf("a btree is searched by later keys only, without one on its first, so that all of it is read, %d blocks at least; from 18 by more than %d searches",
		scannedBlocks, skipSearches),
	Source:   "joe's blocks; searches ours",
	Severity: "warning",
	Advice:   "an index that leads with the key that is searched by",
	Needs:    "the keys of indexes",
	find: func(d *diagnosis) {
		for _, n := range d.nodes {
			x := d.indexOf(n)
			if x == nil || x.Method != "btree" || n.IndexCond == "" {
				continue
			}
			keys, unexplained := x.Match(n.IndexCond, heapOf(n).Alias)
			if unexplained || len(keys) == 0 || keys[0] == 0 {
				continue
			}
			how := "all of it is read"
			if searches := n.IndexSearches / max(1, n.Loops); searches > skipSearches {
				how = num(searches) + " searches, one for each value before it, stand for one"
			} else if searches > 1 || float64(d.steps[n].SelfBlocks) < scannedBlocks {
				continue
			}
			d.report(n, finding{severity: Warning, advice: "an index that leads with " + x.Keys[keys[0]], message: fmt.Sprintf(
				"%s is searched by %s, and leads with %s: %s", x.Name, x.Keys[keys[0]], x.Keys[0], how)})
		}
	},
}

// indexOf is what is known of the index that a node reads; nil for nothing.
func (d *diagnosis) indexOf(n *plan.Node) *IndexFacts {
	if n.Index == "" {
		return nil
	}
	return d.facts.index(heapOf(n).Schema, n.Index)
}

// heapOf is the scan that a bitmap is for, or the scan itself.
func heapOf(n *plan.Node) *plan.Node {
	for n.Type == "Bitmap Index Scan" || n.Type == "BitmapAnd" || n.Type == "BitmapOr" {
		if n.Parent == nil {
			break
		}
		n = n.Parent
	}
	return n
}

// bitmapIndexes are the index scans of a bitmap.
func bitmapIndexes(n *plan.Node) []*plan.Node {
	var out []*plan.Node
	for _, c := range n.Children {
		switch c.Type {
		case "Bitmap Index Scan":
			out = append(out, c)
		case "BitmapAnd", "BitmapOr":
			out = append(out, bitmapIndexes(c)...)
		}
	}
	return out
}

// bitmapEntry is the memory in bytes that a page of a bitmap takes (48 for the entry, 16
// for the pointers of its hash table: tbm_calculate_entries in tidbitmap.c).
const bitmapEntry = 64

var lossyBitmap = heuristic{
	Name:     "lossy-bitmap",
	Fires:    "a bitmap keeps pages only and not rows, so that rechecking them throws away more rows than it keeps",
	Source:   "work_mem for a bitmap: tidbitmap.c",
	Severity: "warning",
	Advice:   "more work_mem, or an index that finds fewer rows",
	Needs:    "the kind of index, as BRIN knows no rows at all",
	find: func(d *diagnosis) {
		for _, n := range d.nodes {
			exact, lossy := n.HeapBlocks()
			removed := n.RemovedIndex * n.Loops
			if lossy == 0 || removed <= n.AllRows() {
				continue
			}
			f := finding{severity: Warning, share: d.below(n), message: fmt.Sprintf(
				"%s rechecks %s pages whose rows its bitmap does not know, and throws away %s rows to keep %s", n.Describe(), num(float64(lossy)), num(removed), num(n.AllRows()))}
			if brin := d.brin(n); brin != nil {
				f.message = fmt.Sprintf("%s finds ranges of pages, and throws away %s rows of them to keep %s", n.Describe(), num(removed), num(n.AllRows()))
				f.advice = "fewer pages_per_range for " + brin.Name + "; a btree where rows do not lie in the order of the column"
			} else {
				f.advice = fmt.Sprintf("work_mem of %s at least, 64 bytes for each of %s pages; or an index that finds fewer rows",
					kib(float64(exact+lossy)*bitmapEntry/1024), num(float64(exact+lossy)))
			}
			d.report(n, f)
		}
	},
}

// brin is the BRIN index of a bitmap; nil for none that is known.
func (d *diagnosis) brin(heap *plan.Node) *IndexFacts {
	for _, n := range bitmapIndexes(heap) {
		if x := d.indexOf(n); x != nil && x.Method == "brin" {
			return x
		}
	}
	return nil
}

var bitmapAnd = heuristic{
	Name:     "bitmap-and",
	Fires:    fmt.Sprintf("bitmaps of two indexes or more are intersected, in over %s of the query", percent(bitmapAndShare)),
	Source:   "ours",
	Severity: "warning",
	Advice:   "one index on the columns of all",
	find: func(d *diagnosis) {
		for _, n := range d.nodes {
			if n.Type != "BitmapAnd" || d.below(n) <= bitmapAndShare {
				continue
			}
			var names, columns []string
			for _, c := range bitmapIndexes(n) {
				names = append(names, c.Index)
				for _, col := range plan.Columns(c.IndexCond, heapOf(n).Alias) {
					if !slices.Contains(columns, col) {
						columns = append(columns, col)
					}
				}
			}
			f := finding{severity: Warning, share: d.below(n), message: fmt.Sprintf("%s are read and intersected to find the rows of %s", list(names), name(heapOf(n)))}
			if len(columns) > 1 {
				f.advice = "one index on (" + strings.Join(columns, ", ") + "), columns compared by = first"
			}
			d.report(n, f)
		}
	},
}

var heapFetches = heuristic{
	Name: "heap-fetches",
	Fires: fmt.Sprintf("an index-only scan looks into the table for over %s of its rows (warning over %s, critical over %s), %d rows at least",
		percent(fetchesNote), percent(fetchesWarning), percent(fetchesCritical), leastFetches),
	Source:   "pev2's shares; it notes a single fetch, which says nothing of a table that is written",
	Severity: "note, warning, critical by share",
	Advice:   "vacuum the table; a lower autovacuum_vacuum_scale_factor, or autovacuum_vacuum_insert_scale_factor where rows are only added, keeps it so",
	Needs:    "whether VACUUM ever ran, for the advice",
	find: func(d *diagnosis) {
		for _, n := range d.nodes {
			// Dead rows are fetched too.
			rows := max(n.AllRows()+n.Removed*n.Loops, n.HeapFetches)
			if n.Type != "Index Only Scan" || n.HeapFetches < leastFetches || rows == 0 {
				continue
			}
			f := finding{severity: Note}
			switch share := n.HeapFetches / rows; {
			case share > fetchesCritical:
				f.severity = Critical
			case share > fetchesWarning:
				f.severity = Warning
			case share <= fetchesNote:
				continue
			}
			since := ""
			if t := d.facts.table(n); t != nil && !t.Vacuumed {
				since = ", no VACUUM of it is on record"
			}
			f.message = fmt.Sprintf("%s looks into the table for %s of %s rows: its pages are not known to be visible to all%s",
				n.Title(), num(n.HeapFetches), num(rows), since)
			d.report(n, f)
		}
	},
}
