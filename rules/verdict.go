package rules

// Status is the outcome of asking a planner about a finding.
type Status string

// The statuses. A finding that nobody asked about is not-run.
const (
	Confirmed    Status = "confirmed"
	Refuted      Status = "refuted"
	Inconclusive Status = "inconclusive"
	NotRun       Status = "not-run"
)

// Level is how far the proof went.
type Level string

// The levels, weakest first: the plan's structure without data, the planner's
// estimate on production-sized tables, and execution on rows.
const (
	Structural Level = "structural"
	Estimated  Level = "estimated"
	Measured   Level = "measured"
)

// Evidence is one side of a before and after.
type Evidence struct {
	// Cost is the total cost of the top node, in planner units.
	Cost float64 `json:"cost,omitempty"`
	// MS is the median execution time in milliseconds.
	MS float64 `json:"ms,omitempty"`
	// SharedBlocks counts shared blocks hit and read.
	SharedBlocks int64 `json:"shared_blocks,omitempty"`
	// Access is the node on the flagged relation.
	Access string `json:"access,omitempty"`
	// RoundTrips counts statements sent to the server.
	RoundTrips int `json:"round_trips,omitempty"`
}

// Verdict is what a planner said, with its evidence.
type Verdict struct {
	Status        Status            `json:"status"`
	Level         Level             `json:"level,omitempty"`
	Reason        string            `json:"reason,omitempty"`
	ServerVersion string            `json:"server_version,omitempty"`
	Role          string            `json:"role,omitempty"`
	Rows          int64             `json:"rows,omitempty"`
	Before        *Evidence         `json:"before,omitempty"`
	After         *Evidence         `json:"after,omitempty"`
	Settings      map[string]string `json:"settings,omitempty"`
	// RowsSource is one of statistics, profile, default, measured.
	RowsSource string   `json:"rows_source,omitempty"`
	Facts      []string `json:"facts,omitempty"`
}

// ProbeKind says what has to be asked to confirm a finding.
type ProbeKind string

// The kinds of probe.
const (
	// ProbeStatement: plan SQL as Role; the access to Schema.Table is judged.
	ProbeStatement ProbeKind = "statement"
	// ProbePolicy: plan a bare select on Schema.Table as each role of the policy.
	ProbePolicy ProbeKind = "policy"
	// ProbeForeignKey: plan the referential-integrity statement on Schema.Table
	// by Columns, as its owner, and delete a row of RefSchema.RefTable.
	ProbeForeignKey ProbeKind = "foreign-key"
	// ProbePerItem: SQL runs once an item; SetSQL is its set form.
	ProbePerItem ProbeKind = "per-item"
	// ProbeSession: SQL, committed, leaves in its session what the one query of Facts sees;
	// SetSQL, where it is set, does the same work and leaves nothing.
	ProbeSession ProbeKind = "session"
	// ProbeFact: Facts holds queries, each must return one row of one true.
	ProbeFact ProbeKind = "fact"
)

// Plain reports whether a probe needs neither a plan nor rows.
func (k ProbeKind) Plain() bool { return k == ProbeFact || k == ProbeSession }

// FactQuery reads a catalog fact back from a server.
type FactQuery struct {
	// Says is the fact in words, reported when SQL returns true.
	Says string
	// SQL returns one row with one boolean.
	SQL string
}

// Probe is what the confirmation needs to know of a finding.
type Probe struct {
	Kind ProbeKind
	// Database is the logical database that the finding is about; the engine sets
	// it.
	Database string
	// SQL is one statement with $n parameters.
	SQL string
	// Alone is the flagged relation read by its own conditions, with the parameters
	// of SQL: what the structural level has to ask where SQL joins, since a probe
	// from rows that were all read is no access path. "" where SQL itself is asked.
	Alone string
	// Role is the role to plan as; empty for the owner.
	Role string
	// Roles are the roles of a policy, where Kind is ProbePolicy.
	Roles []string
	// Command is select, update or delete: the command a policy is probed with.
	Command string
	// Schema, Table and Alias name the flagged relation as SQL uses it.
	Schema, Table, Alias string
	// Columns are the columns that lack an access path.
	Columns []string
	// RefSchema, RefTable and RefColumns are the parent of a foreign key.
	RefSchema, RefTable string
	RefColumns          []string
	// Policy is the policy's name, where Kind is ProbePolicy.
	Policy string
	// Apply is DDL that puts the fix in place on a throwaway server.
	Apply []string
	// SetSQL is the set form of a per-item statement, with the item parameters as
	// arrays: where id = any($1).
	SetSQL string
	// ItemParams are the numbers n of the $n that the loop varies. ItemColumns has, where
	// SetSQL unnests their arrays, the column of Table that each is for.
	ItemParams  []int
	ItemColumns []string
	// Facts are read back where Kind is ProbeFact or ProbeSession.
	Facts []FactQuery
	// NeedsOrder is set when the fault is a missing order, not a missing filter.
	NeedsOrder bool
}
