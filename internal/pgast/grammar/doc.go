// Package grammar is the parser that a build links: the names of its trees that
// pgast's converter uses, as aliases, and the few places where the grammars differ.
//
//   - with cgo: pg_query_go, PostgreSQL's own parser in C, of PostgreSQL 16;
//   - with CGO_ENABLED=0, or the build tag purego: oliphant, PostgreSQL 18's in Go.
//
// Both generate their trees from libpg_query's protobuf description, so one
// converter compiles against either. They register the same protobuf names: a
// program can link only one of them.
//
// Each backend is two files: aliases_BACKEND.go, written by UPDATE=1 go test from
// the names that pgast uses, and backend_BACKEND.go, with what is its own.
package grammar

import "strconv"

// Name is the grammar in one line: "PostgreSQL 16 grammar (pg_query_go 5.1.0)".
func Name() string {
	return "PostgreSQL " + strconv.Itoa(Major) + " grammar (" + Library + " " + LibraryVersion + ")"
}

// Fault is why a text was not parsed.
type Fault struct {
	// Msg is PostgreSQL's message.
	Msg string
	// Cursor counts characters from 1; 0 is unknown.
	Cursor int
}

// Returned is RETURNING of a statement that changes rows.
type Returned struct {
	Exprs []*Node
	// Old and New are the names of WITH (OLD AS …, NEW AS …), of PostgreSQL 18.
	Old, New string
}

// Newer is what constraints have that PostgreSQL 16 does not know.
type Newer struct {
	// NotEnforced constraints check nothing (18).
	NotEnforced bool
	// Temporal is WITHOUT OVERLAPS of a key, PERIOD of a foreign key (18).
	Temporal bool
	// Virtual generated columns are computed when they are read (18).
	Virtual bool
}

// Matching says which rows a WHEN of MERGE is for.
type Matching struct {
	// Matched rows have a partner; BySource rows of the target have none (17).
	Matched, BySource bool
}

// FromTable is a table function with a grammar of its own, JSON_TABLE (17).
type FromTable struct {
	Alias    *Alias
	Lateral  bool
	Location int32
	// Bare is the item without its alias and LATERAL.
	Bare *Node
}
