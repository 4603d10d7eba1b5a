package monitor

import "time"

// FormatVersion is the version of the JSON form of a Report. A field may be added
// within a version; none changes its meaning or goes.
const FormatVersion = 1

// Report is what a database's statements did. Its JSON form is a machine format.
// Times are milliseconds, blocks are of 8 KiB, ratios and shares from 0 to 1.
type Report struct {
	Version       int    `json:"version"`
	CorrelationID string `json:"correlation_id,omitempty"`
	Server        Server `json:"server"`
	// From and To bound what is counted: two readings, or the counters' reset and one
	// reading, where Interval is false. From is zero where the extension does not tell.
	From     time.Time `json:"from,omitzero"`
	To       time.Time `json:"to"`
	Interval bool      `json:"interval"`
	// Statements counts all, of which Top are the first by Sort.
	Statements int     `json:"statements"`
	Sort       string  `json:"sort"`
	Totals     Totals  `json:"totals"`
	Top        []Query `json:"top"`
	// Connections, Pools and Locks are there where they were asked for.
	Connections *Connections `json:"connections,omitempty"`
	Pools       []Pool       `json:"pools,omitempty"`
	Locks       *Locks       `json:"locks,omitempty"`
	// Companion is what planvet's objects in the database do for the figures.
	Companion *Companion `json:"companion,omitempty"`
	// Notes are what a reader must know of the figures: a reset, evictions, hidden
	// statements, a restart.
	Notes []string `json:"notes,omitempty"`

	blind string
}

// Blind is a line that says what the role may not see of others' statements, and what
// would let it; "" where all that was asked for is in the figures.
func (r *Report) Blind() string { return r.blind }

// Server is what was read. It holds no secret.
type Server struct {
	Version   string    `json:"version"`
	Where     string    `json:"where"`
	Started   time.Time `json:"started"`
	Replica   bool      `json:"replica"`
	Extension string    `json:"extension"`
	// IOTiming tells whether times of reads are measured.
	IOTiming bool `json:"io_timing"`
}

// Name is what runs there: PostgreSQL 15.18, and that it is a read replica where it is,
// whose counters are not its primary's.
func (s Server) Name() string {
	if s.Replica {
		return "PostgreSQL " + s.Version + " (read replica)"
	}
	return "PostgreSQL " + s.Version
}

// Totals are sums over all statements, not the top ones alone.
type Totals struct {
	Calls  int64   `json:"calls"`
	ExecMS float64 `json:"exec_ms"`
	Rows   int64   `json:"rows"`
	Blocks int64   `json:"blocks"`
	// HitRatio is nil under 1,000 blocks.
	HitRatio *float64 `json:"hit_ratio,omitempty"`
	Temp     int64    `json:"temp_blocks"`
	WALBytes int64    `json:"wal_bytes"`

	hit int64 // blocks
}

// Query is one statement: the rows of pg_stat_statements that differ in user and in
// the lengths of lists of constants alone, together.
type Query struct {
	Rank int `json:"rank"`
	// Fingerprint is planvet's, the same as in findings; "" where the text does not
	// parse. QueryIDs are the server's.
	Fingerprint string   `json:"fingerprint,omitempty"`
	QueryIDs    []string `json:"query_ids"`
	Users       int      `json:"users"`
	TopLevel    bool     `json:"top_level"`
	Class       Class    `json:"class"`
	Tables      []string `json:"tables"`
	SQL         string   `json:"sql"`
	Calls       int64    `json:"calls"`
	Rows        int64    `json:"rows"`
	ExecMS      float64  `json:"exec_ms"`
	// Share is of the execution time of all statements.
	Share  float64 `json:"share"`
	MeanMS float64 `json:"mean_ms"`
	// MinMS and MaxMS are nil where they are not known of the interval.
	MinMS    *float64 `json:"min_ms,omitempty"`
	MaxMS    *float64 `json:"max_ms,omitempty"`
	StddevMS float64  `json:"stddev_ms"`
	// CV is the standard deviation over the mean. Percentiles cannot be had from
	// pg_stat_statements.
	CV     float64 `json:"cv"`
	PlanMS float64 `json:"plan_ms"`
	Hit    int64   `json:"hit_blocks"`
	Read   int64   `json:"read_blocks"`
	// HitRatio is nil under 1,000 blocks, where it says nothing.
	HitRatio *float64 `json:"hit_ratio,omitempty"`
	ReadMS   float64  `json:"read_ms"`
	Temp     int64    `json:"temp_blocks"`
	WALBytes int64    `json:"wal_bytes"`
	JITMS    float64  `json:"jit_ms"`
	// RowsPerCall, BlocksPerRow and MSPerRow are nil where no rows came, the latter two
	// of aggregates too: their rows are not what they read.
	RowsPerCall  float64  `json:"rows_per_call"`
	BlocksPerRow *float64 `json:"blocks_per_row,omitempty"`
	MSPerRow     *float64 `json:"ms_per_row,omitempty"`
	// Owner is file:line of the code that sends it, where that is known.
	Owner string `json:"owner,omitempty"`
	// RLS is what row security costs a call; nil where that was not asked.
	RLS   *RLSCost `json:"rls,omitempty"`
	Flags []Flag   `json:"flags,omitempty"`
}

// Flag is a limit that a statement is over.
type Flag struct {
	// Name is slow-primary-key-lookup, slow-range-scan, low-hit-ratio, uneven,
	// follows-rows-of …
	Name string `json:"name"`
	// Value is over Limit, in the unit that Message says. Of follows-rows-of they are
	// the calls, and the rows of the other statement.
	Value   float64 `json:"value"`
	Limit   float64 `json:"limit"`
	Message string  `json:"message"`
	// Certainty is "possible" for what counters can hint at but not show; "" else. Of is
	// the other statement's fingerprint then, or the server's id where it has none.
	Certainty string `json:"certainty,omitempty"`
	Of        string `json:"of,omitempty"`
}
