// Package investigate follows one slow query, or one slow endpoint, through the five
// steps of a performance investigation in one report under one correlation id:
// baseline, EXPLAIN, plan, row security's overhead, fixes.
package investigate
