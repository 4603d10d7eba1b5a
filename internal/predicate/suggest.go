package predicate

import "github.com/planvet/planvet/catalog"

// Need is one use that wants an index on a relation.
type Need struct {
	Relation *catalog.Relation
	// Equality, Sort and Range are keys by role; an expression key is in normal form.
	Equality, Range []Key
	Sort            []SortKey
	// Policy are columns that policies compare: they lead.
	Policy []Key
	// Method is gin, gist or hash where btree does not serve; OpClass goes with it.
	Method, OpClass string
	// Where is a partial index's predicate in normal form; "" for none.
	Where string
	// Unordered is set when the equality columns may be in any order (always, but
	// for the policy's).
	ID int
}

// Key is a column, or an expression where Expr is set.
type Key struct{ Column, Expr, OpClass string }

// SortKey is a key with a direction.
type SortKey struct {
	Key
	Desc, NullsFirst bool
}

// Suggestion is one index.
type Suggestion struct {
	Relation *catalog.Relation
	// DDL is the CREATE INDEX statement, without a semicolon, without CONCURRENTLY.
	DDL  string
	Name string
	// Columns are the keys' columns.
	Columns []string
	// Extends is an index that the new one covers, and which can be dropped then.
	Extends *catalog.Index
	// Needs are the IDs of the needs that it serves.
	Needs []int
	// Cost says what a write pays: orders has 3 indexes; each insert maintains one
	// more.
	Cost string
}

// Suggest finds a small set of indexes that serves every need: equality first,
// then the sort, then one range; a need that a longer index serves by its prefix
// gets no index of its own.
func Suggest(workload []Need) []Suggestion { return suggest(workload) }
