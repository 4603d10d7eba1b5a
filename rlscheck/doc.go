// Package rlscheck judges row level security policies against a catalog: what
// each of them costs every row of every query, and whether an index can serve it.
//
//	policy ─► predicate.PolicyAccess ─► no access path      rls-unindexed-predicate
//	       ─► calls, by how often they run ─► per row       rls-initplan
//	       ─► calls with the row's columns                  rls-row-function
//	catalog ─► policies without RLS, RLS without policies   rls-disabled-with-policies …
//	workload ─► quals that lost their index                 rls-leakproof
//
// Only the final catalog is judged, never one migration: a finding stands where the
// policy got its last definition.
package rlscheck
