package plan

// Node is a node of a plan. Rows, times and row counts below are of one loop on
// average, as EXPLAIN prints them; blocks and the rest are of all loops together.
// A node in parallel workers has the loops and the blocks of all processes.
type Node struct {
	Type         string `json:"Node Type"`
	Relationship string `json:"Parent Relationship"`
	SubplanName  string `json:"Subplan Name"`
	Strategy     string `json:"Strategy"`
	Partial      string `json:"Partial Mode"`
	JoinType     string `json:"Join Type"`
	InnerUnique  bool   `json:"Inner Unique"`
	Operation    string `json:"Operation"`
	Command      string `json:"Command"`
	// Parallel is set where processes share the node's work.
	Parallel bool `json:"Parallel Aware"`
	// Provider is a custom scan's.
	Provider string `json:"Custom Plan Provider"`

	Schema   string `json:"Schema"`
	Relation string `json:"Relation Name"`
	Alias    string `json:"Alias"`
	Function string `json:"Function Name"`
	Call     string `json:"Function Call"`
	CTE      string `json:"CTE Name"`

	Index        string `json:"Index Name"`
	Direction    string `json:"Scan Direction"`
	IndexCond    string `json:"Index Cond"`
	OrderBy      string `json:"Order By"`
	Recheck      string `json:"Recheck Cond"`
	Filter       string `json:"Filter"`
	JoinCond     string `json:"Join Filter"`
	HashCond     string `json:"Hash Cond"`
	MergeCond    string `json:"Merge Cond"`
	TIDCond      string `json:"TID Cond"`
	OneTime      string `json:"One-Time Filter"`
	RunCondition string `json:"Run Condition"`
	Conflict     string `json:"Conflict Filter"`
	// Arbiters are the unique indexes that ON CONFLICT looks into.
	Arbiters []string `json:"Conflict Arbiter Indexes"`

	SortKey      []string      `json:"Sort Key"`
	Presorted    []string      `json:"Presorted Key"`
	GroupKey     []string      `json:"Group Key"`
	GroupingSets []groupingSet `json:"Grouping Sets"`
	CacheKey     string        `json:"Cache Key"`
	CacheMode    string        `json:"Cache Mode"`
	Output       []string      `json:"Output"`

	StartupCost float64 `json:"Startup Cost"`
	TotalCost   float64 `json:"Total Cost"`
	PlanRows    float64 `json:"Plan Rows"`
	PlanWidth   float64 `json:"Plan Width"`
	Rows        float64 `json:"Actual Rows"`
	Loops       float64 `json:"Actual Loops"`
	StartupMS   float64 `json:"Actual Startup Time"`
	TotalMS     float64 `json:"Actual Total Time"`

	// Rows that the node read and threw away, a loop on average.
	Removed         float64 `json:"Rows Removed by Filter"`
	RemovedJoin     float64 `json:"Rows Removed by Join Filter"`
	RemovedIndex    float64 `json:"Rows Removed by Index Recheck"`
	RemovedConflict float64 `json:"Rows Removed by Conflict Filter"`
	HeapFetches     float64 `json:"Heap Fetches"`
	IndexSearches   float64 `json:"Index Searches"`
	heap

	// Workers is how many processes a Gather got, Planned how many it wanted;
	// PerWorker tells of a node in each.
	Workers   float64  `json:"Workers Launched"`
	Planned   float64  `json:"Workers Planned"`
	PerWorker []Worker `json:"Workers"`

	// SortMethod, SortKB and SortSpace (Memory, Disk) are of the leader's process.
	sort
	// FullSort and PresortedSort are the groups of an incremental sort.
	FullSort      *SortGroups `json:"Full-sort Groups"`
	PresortedSort *SortGroups `json:"Pre-sorted Groups"`

	// Buckets and Batches are of a hash table; one batch stays in memory. KB is
	// what it took at its peak.
	Buckets         float64 `json:"Hash Buckets"`
	Batches         float64 `json:"Hash Batches"`
	OriginalBatches float64 `json:"Original Hash Batches"`
	PeakKB          float64 `json:"Peak Memory Usage"`
	// Of an Aggregate by hash, which has batches of its own once it spills.
	aggregate
	// Of a Memoize, of the leader's process.
	cache
	// StorageKind and StorageKB are of a tuple store (18: Material, CTE, WindowAgg).
	StorageKind string  `json:"Storage"`
	StorageKB   float64 `json:"Maximum Storage"`

	// Hit and Read are shared blocks; a parent's count includes its children's.
	Hit       int64 `json:"Shared Hit Blocks"`
	Read      int64 `json:"Shared Read Blocks"`
	Dirtied   int64 `json:"Shared Dirtied Blocks"`
	Written   int64 `json:"Shared Written Blocks"`
	LocalHit  int64 `json:"Local Hit Blocks"`
	LocalRead int64 `json:"Local Read Blocks"`
	// TempRead and TempWritten are blocks of temporary files.
	TempRead    int64 `json:"Temp Read Blocks"`
	TempWritten int64 `json:"Temp Written Blocks"`
	ioTimes

	// WALRecords, WALImages of full pages and WALBytes, with option wal.
	WALRecords int64 `json:"WAL Records"`
	WALImages  int64 `json:"WAL FPI"`
	WALBytes   int64 `json:"WAL Bytes"`

	// Inserted, Updated, Deleted and Skipped are a MERGE's, Conflicting an upsert's.
	Inserted    float64 `json:"Tuples Inserted"`
	Updated     float64 `json:"Tuples Updated"`
	Deleted     float64 `json:"Tuples Deleted"`
	Conflicting float64 `json:"Conflicting Tuples"`

	// Disabled is set by 18 and later for a node that a setting forbids.
	Disabled bool `json:"Disabled"`
	// SubplansRemoved counts partitions pruned when execution started.
	SubplansRemoved float64 `json:"Subplans Removed"`

	Children []*Node `json:"Plans"`
	// Parent is nil at the root.
	Parent *Node `json:"-"`
}

// Worker is one parallel worker's part of a node, in the terms of the node.
type Worker struct {
	Number  int     `json:"Worker Number"`
	Rows    float64 `json:"Actual Rows"`
	Loops   float64 `json:"Actual Loops"`
	TotalMS float64 `json:"Actual Total Time"`
	Hit     int64   `json:"Shared Hit Blocks"`
	Read    int64   `json:"Shared Read Blocks"`
	heap
	sort
	aggregate
	cache
}

// heap are blocks of a bitmap: exact where it knew the rows, lossy where it knew
// only the block. Before 18 they are of the leader's process.
type heap struct {
	Exact int64 `json:"Exact Heap Blocks"`
	Lossy int64 `json:"Lossy Heap Blocks"`
}

type sort struct {
	SortMethod string  `json:"Sort Method"`
	SortKB     float64 `json:"Sort Space Used"`
	SortSpace  string  `json:"Sort Space Type"`
}

type aggregate struct {
	AggBatches float64 `json:"HashAgg Batches"`
	// DiskKB is what was written to temporary files.
	DiskKB float64 `json:"Disk Usage"`
}

type cache struct {
	Hits      float64 `json:"Cache Hits"`
	Misses    float64 `json:"Cache Misses"`
	Evictions float64 `json:"Cache Evictions"`
	Overflows float64 `json:"Cache Overflows"`
}

// ioTimes are milliseconds of waiting for blocks, with track_io_timing; 17 renamed
// the fields.
type ioTimes struct {
	OldReadMS    float64 `json:"I/O Read Time"`
	OldWriteMS   float64 `json:"I/O Write Time"`
	SharedReadMS float64 `json:"Shared I/O Read Time"`
	SharedWrite  float64 `json:"Shared I/O Write Time"`
	LocalReadMS  float64 `json:"Local I/O Read Time"`
	LocalWriteMS float64 `json:"Local I/O Write Time"`
	TempReadMS   float64 `json:"Temp I/O Read Time"`
	TempWriteMS  float64 `json:"Temp I/O Write Time"`
}

func (t ioTimes) readMS() float64 { return t.OldReadMS + t.SharedReadMS + t.LocalReadMS }

// SortGroups are groups of rows that an incremental sort sorted together.
type SortGroups struct {
	Count   float64   `json:"Group Count"`
	Methods []string  `json:"Sort Methods Used"`
	Memory  sortSpace `json:"Sort Space Memory"`
	Disk    sortSpace `json:"Sort Space Disk"`
}

type sortSpace struct {
	AverageKB float64 `json:"Average Sort Space Used"`
	PeakKB    float64 `json:"Peak Sort Space Used"`
}

// groupingSet is one set of GROUPING SETS.
type groupingSet struct {
	GroupKeys [][]string `json:"Group Keys"`
	HashKeys  [][]string `json:"Hash Keys"`
	SortKey   []string   `json:"Sort Key"`
}

// Blocks are the shared blocks hit and read by the node and those below it.
func (n *Node) Blocks() int64 { return n.Hit + n.Read }

// TempBlocks are blocks of temporary files written and read by the node and those
// below it.
func (n *Node) TempBlocks() int64 { return n.TempRead + n.TempWritten }

// ReadMS is the time that the node and those below it waited for blocks; 0 without
// track_io_timing.
func (n *Node) ReadMS() float64 { return n.readMS() }

// AllRows are the rows of all loops.
func (n *Node) AllRows() float64 { return n.Rows * n.Loops }

// AllRemoved are the rows that the node read and threw away in all loops.
func (n *Node) AllRemoved() float64 {
	return (n.Removed + n.RemovedJoin + n.RemovedIndex + n.RemovedConflict) * n.Loops
}

// Spilled is how many KiB the node wrote to disk, of all processes; 0 for none.
func (n *Node) Spilled() float64 {
	kb := n.DiskKB
	if n.SortSpace == "Disk" {
		kb += n.SortKB
	}
	for _, g := range []*SortGroups{n.FullSort, n.PresortedSort} {
		if g != nil {
			kb += g.Disk.PeakKB
		}
	}
	if n.StorageKind == "Disk" {
		kb += n.StorageKB
	}
	for _, w := range n.PerWorker {
		kb += w.DiskKB
		if w.SortSpace == "Disk" {
			kb += w.SortKB
		}
	}
	return kb
}

// HeapBlocks sums a bitmap's blocks over processes.
func (n *Node) HeapBlocks() (exact, lossy int64) {
	exact, lossy = n.Exact, n.Lossy
	for _, w := range n.PerWorker {
		exact, lossy = exact+w.Exact, lossy+w.Lossy
	}
	return exact, lossy
}

// Cache sums a Memoize's counters over processes: hits, misses, evictions,
// overflows.
func (n *Node) Cache() (hits, misses, evictions, overflows float64) {
	add := func(c cache) {
		hits, misses = hits+c.Hits, misses+c.Misses
		evictions, overflows = evictions+c.Evictions, overflows+c.Overflows
	}
	add(n.cache)
	for _, w := range n.PerWorker {
		add(w.cache)
	}
	return hits, misses, evictions, overflows
}
