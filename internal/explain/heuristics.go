package explain

// heuristic looks for one fault of plans. Its metadata is what the documentation is
// made of.
type heuristic struct {
	// Name is what findings carry.
	Name string
	// Fires says when, with the thresholds; Source where these come from.
	Fires, Source string
	// Severity is the finding's, or how it grows.
	Severity string
	// Advice is what to do, where the finding has none that is more exact.
	Advice string
	// Needs is what it must know beyond the plan; "" for nothing.
	Needs string
	find  func(*diagnosis)
}

// heuristics are all, grouped by idea. Those that say more of a step than another do
// so come before it.
var heuristics = []heuristic{
	// estimates
	rowMisestimate, misestimateDrivesJoin,
	// row security
	policyCallPerRow, leakproofDemotion,
	// scans
	orAcrossColumns, wrappedColumn, nestedLoopSeqScan, selectiveSeqScan, unboundedResult, indexFilterResidue, indexLeadingKeySkipped,
	lossyBitmap, bitmapAnd, heapFetches, partitionsNotPruned,
	// joins
	manyNestedLoops, memoizeMisses, subplanPerRow,
	// memory
	sortSpill, hashBatches, aggregateSpill, temporaryFiles,
	// the rest
	jitOverhead, planningTime, workersNotLaunched, parallelSkew, triggerTime, largeOffset, ioBound, walPerRowWritten, disabledNode,
}
