package explain

import "github.com/planvet/planvet/internal/report"

// FormatVersion is the version of the JSON form of a Report. A field may be added
// within a version; none changes its meaning or goes.
const FormatVersion = 1

// Report is one query, analysed. Its JSON form is a machine format: fields keep
// their names. Times are milliseconds, blocks are shared blocks of 8 KiB, shares
// are from 0 to 1.
type Report struct {
	Version int `json:"version"`
	// CorrelationID joins the report with audit events and with other reports.
	CorrelationID string `json:"correlation_id,omitempty"`
	// SQL is the statement as it was planned; Cleaned says what was changed to make
	// normalised text valid: "$1 written as $1::interval".
	SQL     string   `json:"sql"`
	Cleaned []string `json:"cleaned,omitempty"`
	Server  Server   `json:"server"`
	// Parameters are in the order of $1, $2 …
	Parameters []Parameter `json:"parameters"`
	// Timing is nil where the statement was only planned.
	Timing *Timing `json:"timing,omitempty"`
	// NotRun says why the statement was not run: it writes, the host is remote, it
	// calls a function that no list allows.
	NotRun string `json:"not_run,omitempty"`
	// Plans are those that were looked at; the first is the one that Findings are
	// of: the analysed one where there is one.
	Plans []Plan `json:"plans"`
	// Sensitive is set where plans for different values differ in shape or in cost
	// tenfold; SensitiveWhy says how.
	Sensitive    bool   `json:"parameter_sensitive"`
	SensitiveWhy string `json:"parameter_sensitive_why,omitempty"`
	// Indexes tell of each index that the first plan reads; Unused of those of the
	// statement's tables that it does not.
	Indexes []IndexUse `json:"indexes"`
	// Findings are heaviest first.
	Findings        []Finding        `json:"findings"`
	Recommendations []Recommendation `json:"recommendations"`
	// Remembered is what a memory tells of statements of the same shape; nothing fills it
	// where there is no memory.
	Remembered []report.Remembered `json:"remembered,omitempty"`
	RLS        *Overhead           `json:"rls,omitempty"`
	// Notes are what a reader must know of how the report was made: values guessed,
	// statistics older than the table, settings that are not the defaults.
	Notes []string `json:"notes,omitempty"`
}

// Server is where and as whom the query was planned. It holds no secret.
type Server struct {
	// Version is the server's as it prints it: 15.18.
	Version string `json:"version"`
	// Where is host and database, or "shadow".
	Where string `json:"where"`
	// Role is the role of the transaction; Settings are those set for it. Claims are
	// printed as they were given: they are the user's input.
	Role     string            `json:"role"`
	Settings map[string]string `json:"settings,omitempty"`
}

// Parameter is $n of the statement.
type Parameter struct {
	Number int    `json:"number"`
	Type   string `json:"type"`
	// Column is what it is compared with: orders.customer_id; "" where unknown.
	Column string `json:"column,omitempty"`
	// Source is given, statistics or guessed.
	Source string `json:"source"`
	// Value is what the first plan had, masked as "…" where it is data that came
	// from the server and --show-values was not asked for; nil is NULL.
	Value *string `json:"value"`
}

// Timing is what running the statement took.
type Timing struct {
	// Cold is the first run; its blocks may come from disk.
	Cold Run `json:"cold"`
	// Warm is the median of Runs runs after it, each with its own planning.
	Warm Run `json:"warm"`
	Runs int `json:"runs"`
	// Each are the execution times of the warm runs in order.
	Each []float64 `json:"each_ms"`
}

// Run is one run of a statement.
type Run struct {
	PlanningMS  float64 `json:"planning_ms"`
	ExecutionMS float64 `json:"execution_ms"`
	Hit         int64   `json:"hit_blocks"`
	Read        int64   `json:"read_blocks"`
}

// Plan is one plan of the statement.
type Plan struct {
	// Label is generic, given, frequent, rare or absent: which values it is for.
	Label string `json:"label"`
	// Analyzed is set where the statement ran and figures are actual ones.
	Analyzed bool    `json:"analyzed"`
	Cost     float64 `json:"cost"`
	// Shape is the same for plans that do the same work in the same way: a hash of
	// nodes, relations, indexes and conditions without figures.
	Shape       string  `json:"shape"`
	PlanningMS  float64 `json:"planning_ms,omitempty"`
	ExecutionMS float64 `json:"execution_ms,omitempty"`
	// Blocks are hit and read by execution; HitRatio is nil under 100 blocks, where
	// it says nothing.
	Blocks   int64    `json:"blocks"`
	HitRatio *float64 `json:"hit_ratio,omitempty"`
	Root     *Step    `json:"root"`
}

// Step is a node of a plan with its own part of the work. Parts of all steps of a
// plan sum to the whole, however the plan nests initplans, CTEs and workers.
type Step struct {
	// ID counts steps in the order in which EXPLAIN prints them, from 1.
	ID int `json:"id"`
	// Title is as a reader of plans would say it: Index Scan using orders_pkey on
	// orders o. Role is what it is to its parent where that matters: InitPlan 1,
	// SubPlan 2, CTE recent, inner.
	Title string `json:"title"`
	Type  string `json:"type"`
	Role  string `json:"role,omitempty"`
	// Relation is schema.name, Index its index; "" where it reads none.
	Relation string  `json:"relation,omitempty"`
	Index    string  `json:"index,omitempty"`
	Cost     float64 `json:"cost"`
	// Estimated and Rows are rows of all loops together. Rows, Loops and what
	// follows are 0 where the plan is not analysed.
	Estimated float64 `json:"estimated_rows"`
	Rows      float64 `json:"rows"`
	Loops     float64 `json:"loops"`
	// Removed are rows that the step read and threw away, by filter, join filter and
	// recheck, of all loops.
	Removed float64 `json:"removed_rows"`
	// Factor is how many times more rows came than were estimated, or fewer where
	// under 1; 0 where not known.
	Factor float64 `json:"misestimate,omitempty"`
	// MS and Blocks are with the steps below; SelfMS and SelfBlocks without.
	MS         float64 `json:"ms"`
	SelfMS     float64 `json:"self_ms"`
	Blocks     int64   `json:"blocks"`
	SelfBlocks int64   `json:"self_blocks"`
	SelfRead   int64   `json:"self_read_blocks"`
	// Share is the step's own part of the plan: of time where nodes were timed, else
	// of blocks, else of cost. BlockShare is always of blocks.
	Share      float64 `json:"share"`
	BlockShare float64 `json:"block_share"`
	// Never is set where the step was not executed.
	Never      bool        `json:"never_executed,omitempty"`
	Conditions []Condition `json:"conditions,omitempty"`
	// Details are the rest that matters of the node, as EXPLAIN labels it: Sort
	// Method: external merge Disk: 8120kB.
	Details []string `json:"details,omitempty"`
	// Findings are the IDs of findings at this step.
	Findings []int   `json:"findings,omitempty"`
	Children []*Step `json:"children,omitempty"`
}

// Condition is one of a node's: Index Cond, Filter, Hash Cond …
type Condition struct {
	Kind string `json:"kind"`
	Text string `json:"text"`
}

// IndexUse is what the plan does with one index.
type IndexUse struct {
	Index    string   `json:"index"`
	Relation string   `json:"relation"`
	Keys     []string `json:"keys"`
	// Step is the ID of the step that reads it; 0 where the plan does not.
	Step int `json:"step,omitempty"`
	// Condition is what the index is searched by, Filter what is checked on rows
	// after.
	Condition string `json:"condition,omitempty"`
	Filter    string `json:"filter,omitempty"`
	// Leading is set where a condition stands on the first key.
	Leading bool `json:"leading_key"`
	// UnusedKeys are keys without a condition, before or after those with one.
	UnusedKeys  []string `json:"unused_keys,omitempty"`
	HeapFetches float64  `json:"heap_fetches,omitempty"`
	Searches    float64  `json:"searches,omitempty"`
	Rows        float64  `json:"rows,omitempty"`
}

// Severities of a finding, by how much of the query it is.
const (
	Critical = "critical"
	Warning  = "warning"
	Note     = "note"
)

// Finding is one fault of a plan, by one heuristic.
type Finding struct {
	ID int `json:"id"`
	// Heuristic is its name: selective-seq-scan, row-misestimate …
	Heuristic string `json:"heuristic"`
	Severity  string `json:"severity"`
	// Step is where; 0 is the plan as a whole.
	Step int `json:"step,omitempty"`
	// Share is the part of the query that it concerns.
	Share float64 `json:"share"`
	// Message is one line: object, fact, consequence. Advice says what to do.
	Message string `json:"message"`
	Advice  string `json:"advice"`
	// Causes are what makes it so, where that can be told: stale statistics,
	// correlated columns, an expression without statistics, a parameter.
	Cause string `json:"cause,omitempty"`
}

// Kinds of recommendations.
const (
	Index      = "index"
	Rewrite    = "rewrite"
	Caching    = "caching"
	Statistics = "statistics"
	Setting    = "setting"
)

// Recommendation is one thing to do, and what it gives.
type Recommendation struct {
	Kind  string `json:"kind"`
	Title string `json:"title"`
	// SQL are the statements to run, in order: a migration that takes no lock that
	// blocks writes. Query is the rewritten statement, of a rewrite.
	SQL   []string `json:"sql,omitempty"`
	Query string   `json:"query,omitempty"`
	// Undo takes it back.
	Undo []string `json:"undo,omitempty"`
	// Replaces are indexes that it makes redundant.
	Replaces []string `json:"replaces,omitempty"`
	// Findings are the IDs of findings that it answers.
	Findings []int `json:"findings,omitempty"`
	// Cost is what it costs: writes, space, staleness.
	Cost string `json:"cost,omitempty"`
	// Verified tells how far it was checked: measured, estimated, or "" for not at
	// all; Why says on what, or why not.
	Verified string `json:"verified,omitempty"`
	Why      string `json:"why"`
	// Before and After are nil where it is unverified.
	Before *Effect `json:"before,omitempty"`
	After  *Effect `json:"after,omitempty"`
}

// Levels of verification.
const (
	Measured  = "measured"
	Estimated = "estimated"
)

// Effect is one side of a comparison. MS and Blocks are 0 where only costs were
// compared.
type Effect struct {
	Cost   float64 `json:"cost"`
	MS     float64 `json:"ms,omitempty"`
	Blocks int64   `json:"blocks,omitempty"`
	// Access is how the table is read: Seq Scan on orders.
	Access string `json:"access"`
}

// Overhead is what row security costs one statement: it is compared with the same
// rows had without it, by a role that bypasses it with the policies' conditions
// written into the statement and the claims into the conditions.
type Overhead struct {
	Role string `json:"role"`
	// Enforced and Ideal are medians of Rounds interleaved runs; Naked, without the
	// conditions, returns other rows and is there for scale only.
	Enforced Arm  `json:"enforced"`
	Ideal    Arm  `json:"ideal"`
	Naked    *Arm `json:"naked,omitempty"`
	Rounds   int  `json:"rounds"`
	// SameRows is set where both arms returned the same rows; the overhead is not
	// given otherwise and Problem says why.
	SameRows bool    `json:"same_rows"`
	MS       float64 `json:"overhead_ms"`
	// Ratio is enforced over ideal.
	Ratio   float64 `json:"ratio"`
	Problem string  `json:"problem,omitempty"`
	// Policies are those that apply to the statement for the role.
	Policies []PolicyCost `json:"policies"`
	// Demoted are conditions of the user's that could not be index conditions since
	// their operator is not leakproof.
	Demoted []Demotion `json:"demoted,omitempty"`
	// Remedies are what each change gives, measured where that was possible.
	Remedies []Recommendation `json:"remedies,omitempty"`
}

// Arm is one way to run the statement.
type Arm struct {
	MS     float64 `json:"ms"`
	Blocks int64   `json:"blocks"`
	Rows   int64   `json:"rows"`
	Cost   float64 `json:"cost"`
	SQL    string  `json:"sql,omitempty"`
}

// PolicyCost is one policy of a statement.
type PolicyCost struct {
	Table  string `json:"table"`
	Policy string `json:"policy"`
	Using  string `json:"using"`
	// Functions are the calls in it, each once a query or once a row.
	Functions []PolicyCall `json:"functions,omitempty"`
	// ForEverybody is set where it has no TO clause and so is paid by every role.
	ForEverybody bool `json:"for_everybody"`
}

// PolicyCall is a function that a policy calls.
type PolicyCall struct {
	Function string `json:"function"`
	// Evaluated is once, per row, or index: in an index condition, once a scan. Calls is
	// how often at least: rows that another condition removes first are not counted.
	Evaluated string  `json:"evaluated"`
	Calls     float64 `json:"calls,omitempty"`
}

// Demotion is a condition that row security keeps out of an index.
type Demotion struct {
	Table     string `json:"table"`
	Condition string `json:"condition"`
	Operator  string `json:"operator"`
	// Index is the one that would serve it.
	Index  string `json:"index,omitempty"`
	Advice string `json:"advice"`
}
