package explain

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/planvet/planvet/internal/plan"
)

// details are what else EXPLAIN's text says of a node, under its labels.
func details(n *plan.Node) []string {
	var d lines
	d.keys(n)
	d.memory(n)
	d.rows(n)
	d.workers(n)
	d.buffers(n)
	return d
}

type lines []string

func (d *lines) add(format string, args ...any) { *d = append(*d, fmt.Sprintf(format, args...)) }

func (d *lines) list(label string, keys []string) {
	if len(keys) > 0 {
		d.add("%s: %s", label, strings.Join(keys, ", "))
	}
}

// count adds a figure that is not zero.
func (d *lines) count(label string, v float64) {
	if v != 0 {
		d.add("%s: %s", label, strconv.FormatFloat(v, 'f', -1, 64))
	}
}

func (d *lines) keys(n *plan.Node) {
	d.list("Sort Key", n.SortKey)
	d.list("Presorted Key", n.Presorted)
	d.list("Group Key", n.GroupKey)
	if n.CacheKey != "" {
		d.add("Cache Key: %s", n.CacheKey)
	}
	d.list("Conflict Arbiter Indexes", n.Arbiters)
	if n.Disabled {
		d.add("Disabled: true")
	}
}

func (d *lines) memory(n *plan.Node) {
	if n.SortMethod != "" {
		d.add("Sort Method: %s  %s: %.0fkB", n.SortMethod, n.SortSpace, n.SortKB)
	}
	for _, w := range n.PerWorker {
		if w.SortMethod != "" {
			d.add("Worker %d: Sort Method: %s  %s: %.0fkB", w.Number, w.SortMethod, w.SortSpace, w.SortKB)
		}
	}
	d.groups("Full-sort", n.FullSort)
	d.groups("Pre-sorted", n.PresortedSort)
	if n.Buckets > 0 {
		d.add("Buckets: %.0f  Batches: %.0f  Memory Usage: %.0fkB", n.Buckets, n.Batches, n.PeakKB)
	}
	if n.AggBatches > 0 {
		text := fmt.Sprintf("Batches: %.0f  Memory Usage: %.0fkB", n.AggBatches, n.PeakKB)
		if n.DiskKB > 0 {
			text += fmt.Sprintf("  Disk Usage: %.0fkB", n.DiskKB)
		}
		d.add("%s", text)
	}
	if hits, misses, evictions, overflows := n.Cache(); hits+misses > 0 {
		d.add("Hits: %.0f  Misses: %.0f  Evictions: %.0f  Overflows: %.0f", hits, misses, evictions, overflows)
	}
	if n.StorageKind != "" {
		d.add("Storage: %s  Maximum Storage: %.0fkB", n.StorageKind, n.StorageKB)
	}
}

func (d *lines) groups(label string, g *plan.SortGroups) {
	if g == nil {
		return
	}
	text := fmt.Sprintf("%s Groups: %.0f  Sort Method: %s", label, g.Count, strings.Join(g.Methods, ", "))
	if g.Memory.PeakKB > 0 {
		text += fmt.Sprintf("  Peak Memory: %.0fkB", g.Memory.PeakKB)
	}
	if g.Disk.PeakKB > 0 {
		text += fmt.Sprintf("  Peak Disk: %.0fkB", g.Disk.PeakKB)
	}
	d.add("%s", text)
}

func (d *lines) rows(n *plan.Node) {
	d.count("Rows Removed by Filter", n.Removed)
	d.count("Rows Removed by Join Filter", n.RemovedJoin)
	d.count("Rows Removed by Index Recheck", n.RemovedIndex)
	d.count("Rows Removed by Conflict Filter", n.RemovedConflict)
	d.count("Heap Fetches", n.HeapFetches)
	d.count("Index Searches", n.IndexSearches)
	if exact, lossy := n.HeapBlocks(); exact+lossy > 0 {
		text := fmt.Sprintf("Heap Blocks: exact=%d", exact)
		if lossy > 0 {
			text += fmt.Sprintf(" lossy=%d", lossy)
		}
		d.add("%s", text)
	}
	d.count("Subplans Removed", n.SubplansRemoved)
	d.count("Tuples Inserted", n.Inserted)
	d.count("Tuples Updated", n.Updated)
	d.count("Tuples Deleted", n.Deleted)
	d.count("Conflicting Tuples", n.Conflicting)
}

func (d *lines) workers(n *plan.Node) {
	switch {
	case n.Planned > 0 && n.Loops > 0:
		d.add("Workers Planned: %.0f  Launched: %.0f", n.Planned, n.Workers)
	case n.Planned > 0:
		d.add("Workers Planned: %.0f", n.Planned)
	}
}

func (d *lines) buffers(n *plan.Node) {
	if n.TempBlocks() > 0 {
		d.add("Buffers: temp read=%d written=%d", n.TempRead, n.TempWritten)
	}
	if n.ReadMS() > 0 {
		d.add("I/O Timings: read=%.3f", n.ReadMS())
	}
	if n.WALRecords > 0 {
		d.add("WAL: records=%d fpi=%d bytes=%d", n.WALRecords, n.WALImages, n.WALBytes)
	}
}
