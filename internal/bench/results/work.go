package results

// Work is what a case has the database do, as far as it is the same in each run: no time
// is in it. A statement's is of one execution after those that warm it, a flow's of one
// run. Fields that were not counted are nil.
type Work struct {
	// Fingerprint is of the plan: nodes, what they read, by which index, in which order.
	// Plan has a line a node, two blanks deeper a level.
	Fingerprint string   `json:"fingerprint,omitempty"`
	Plan        []string `json:"plan,omitempty"`
	// Blocks are shared blocks that the execution hit or read, Rows what it returned or
	// wrote, WALRecords what a write logged.
	Blocks     *int64 `json:"blocks,omitempty"`
	Rows       *int64 `json:"rows,omitempty"`
	WALRecords *int64 `json:"wal_records,omitempty"`
	// Statements are those that were sent, RoundTrips how often an answer was waited for.
	Statements *float64 `json:"statements,omitempty"`
	RoundTrips *float64 `json:"round_trips,omitempty"`
	// Scans are the plan's scans, in its order.
	Scans []Scan `json:"scans,omitempty"`
	// Settings are the planner's that are not the server's defaults.
	Settings map[string]string `json:"settings,omitempty"`
}

// Scan is one scan of a plan.
type Scan struct {
	// Relation is schema.name of the table, Alias its name in the statement.
	Relation string `json:"relation"`
	Alias    string `json:"alias,omitempty"`
	// Index is schema.name of the index that is used; "" for none.
	Index string `json:"index,omitempty"`
	// How is the node as EXPLAIN names it.
	How string `json:"how"`
	// Pages and Rows are the table's size, rows as the planner knows them; -1 for
	// unknown.
	Pages int64 `json:"pages"`
	Rows  int64 `json:"rows"`
	// Indexes are those that the table has, schema.name; none where Pages is unknown.
	Indexes []string `json:"indexes,omitempty"`
}
