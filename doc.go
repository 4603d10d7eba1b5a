// Package planvet is the root of a tool that finds PostgreSQL performance faults
// from code alone and proves each one on a real planner.
//
//	SOURCES              STATEMENTS        CATALOG             PREDICATES          FINDINGS            VERDICT          REPORT
//	migrations ───► migrationscan ───────► catalog ─────┐
//	live database ─────────────────────────► catalog    │
//	.sql / sqlc files ──┐                               ├─► internal/predicate ─► sqllint   ─┐                         text
//	Go source ──────────┼► sqllint.Statement ───────────┘   (access paths)        rlscheck   ├─► rules.Finding ─► internal/ ─► json
//	function bodies ────┘   text + origin + role                                  analyzers ─┘                    confirm    checklist
//	                                                                                                              asks a
//	                                                                                                              planner
//
// internal/engine runs this line from a config to findings in one call, for the
// command line and for go vet. Left of the verdict everything is pure: the same
// statements and catalog give the same bytes, with no clock and no network. The
// verdict is added to a finding and never deletes one.
//
// Top-level packages are what other Go programs may import: rules (the vocabulary),
// catalog (the schema), migrationscan, sqllint, rlscheck and analyzers (the
// checkers), and querytrace (for tests). What talks to the outside is internal.
// deps_test.go holds who may import whom.
package planvet
