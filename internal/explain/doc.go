// Package explain analyses one query on a real server: its time, its plan, where
// the plan's estimates go wrong, which faults weigh, what row security costs, and
// what would help, each recommendation checked by the planner or labelled
// unverified.
//
//	statement ─► parameters (given, or drawn from statistics) ─► plans (generic and
//	custom) and runs ─► Step tree with shares ─► Findings ─► Recommendations,
//	verified on a shadow of the server ─► Report ─► text, JSON, Markdown, HTML
//
// On a server that the user names everything happens in a READ ONLY transaction
// with timeouts; a statement runs only where package live's rules allow it.
package explain
