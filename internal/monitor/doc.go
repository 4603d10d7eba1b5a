// Package monitor watches what a database does: counters of pg_stat_statements at
// two moments, and what happened between them.
package monitor
