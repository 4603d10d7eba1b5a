// Package predicate asks the planner's question of a statement: is there an
// access path?
//
//	statement ─► blocks and relations (resolve) ─► clauses over bound columns
//	          ─► conjuncts a relation, by level of outer join, with equivalence
//	             classes and policy quals ─► index match and implication
//	          ─► reached, narrow, gaps (reach) ─► suggestions for a workload
//
// Steps follow DESIGN.md, "What 'unindexed' means". The error that we prefer is
// the miss: an unknown name, type or operator makes the analysis silent, because
// a false alarm costs more than a fault found later. Conversely a path is only
// credited where PostgreSQL has one; an implication that is claimed must hold.
package predicate
