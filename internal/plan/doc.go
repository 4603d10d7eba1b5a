// Package plan is EXPLAIN's JSON as a tree, and the questions that planvet asks
// of it: how is a relation reached, through which index, at what price.
//
// It talks to nobody and imports nothing of planvet's. Plans are asked for with
// VERBOSE, because only then does a scan name its schema.
package plan
