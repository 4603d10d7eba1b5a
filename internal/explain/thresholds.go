package explain

// Thresholds of the heuristics, each with where it comes from: pev2, joe and
// QuerySense are plan readers whose figures proved themselves; "ours" are set so that
// the plans of TestHealthyPlans stay without findings.
const (
	// leastMS is the time, and leastCost the cost of a plan that was not run, under
	// which a query is left alone; leastShare is the part of it under which a step is. Ours.
	leastMS    = 1
	leastCost  = 100
	leastShare = 0.05

	// misestimate factors and the rows from which they matter: pev2.
	misestimateNote     = 10
	misestimateWarning  = 100
	misestimateCritical = 1000
	misestimateRows     = 100
	// staleShare of a table's rows changed since ANALYZE makes statistics stale: what
	// autovacuum_analyze_scale_factor has by default.
	staleShare = 0.1
	// drivenLoops are the loops that a misestimate makes of a nested loop: ours.
	drivenLoops = 1000

	// A selective scan throws this part of the rows away (pev2) of this many
	// (QuerySense) in this many blocks (joe). Between the two shares an index must
	// halve the cost: as in the definition of confirmed.
	selectiveWarning  = 0.5
	selectiveCritical = 0.9
	scannedRows       = 10_000
	scannedBlocks     = 50
	indexPays         = 0.5
	// resultRows sent to a client without LIMIT are many: joe.
	resultRows = 10_000
	// An index scan's filter throws away this many rows for one kept, and this many at
	// least: joe.
	residueRatio = 10
	residueRows  = 100
	// skipSearches are descents of one skip scan (18): ours.
	skipSearches = 100
	// bitmapAndShare of the query is in a BitmapAnd: ours.
	bitmapAndShare = 0.1
	// Heap fetches over rows: pev2 for warning and critical. It notes one fetch, which a
	// table that is written always has: ours is a tenth, and 100 of them.
	fetchesNote     = 0.1
	fetchesWarning  = 0.4
	fetchesCritical = 0.9
	leastFetches    = 100

	// A nested loop runs a scan this often, over this many rows together: ours.
	loopedScans    = 100
	loopedScanRows = 10_000
	// loops of a nested loop are many, and more than this share of the query: ours.
	manyLoops      = 1000
	manyLoopsShare = 0.3
	// memoizeHits under this share, of this many lookups, do not pay: ours.
	memoizeHits    = 0.5
	memoizeFull    = 0.9
	memoizeLookups = 100
	// subplanLoops of a subquery for each row: ours.
	subplanLoops = 100
	// policyCalls of a function in a policy: ours.
	policyCalls = 100

	// JIT over this share of a query under a second, or over this time: ours.
	jitShare   = 0.1
	jitQueryMS = 1000
	jitMS      = 50
	// Planning longer than execution and than this, or over this many blocks: ours.
	planningMS     = 5
	planningBlocks = 1000
	// The slowest process has this many times the median's rows, in a Gather of this
	// long: ours.
	skewRatio    = 3
	skewRows     = 1000
	skewGatherMS = 50
	// triggerShare of the execution is in triggers: ours.
	triggerShare = 0.1
	// unprunedParts are partitions scanned where most had no row: ours.
	unprunedParts = 8
	// Rows made and skipped by OFFSET, for one returned and at least: ours.
	offsetRatio = 10
	offsetRows  = 1000
	// Blocks read from disk (joe), and the share of time waited for them: ours.
	readBlocks = 100
	readShare  = 0.5
	// WAL for a row written, and for the statement; or of three times the row: ours.
	walPerRow = 1024
	walBytes  = 1 << 20
	walWidths = 3
	// hotShare of a table's updates changed no index, of this many updates: ours.
	hotShare   = 0.5
	hotUpdates = 1000
	// disableCost is what planners before 18 add for a forbidden node (costsize.c).
	disableCost = 1e10
)
