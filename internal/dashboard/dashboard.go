package dashboard

import (
	"io"
	"time"

	"github.com/planvet/planvet/internal/bench/results"
	"github.com/planvet/planvet/internal/bench/slo"
	"github.com/planvet/planvet/internal/monitor"
	"github.com/planvet/planvet/internal/report"
)

// FormatVersion is the version of the JSON form of a Dashboard. A field may be added
// within a version; none changes its meaning or goes.
const FormatVersion = 1

// Dashboard is the figures of the page. Its JSON form is a machine format. Times are
// milliseconds, blocks are of 8 KiB, ratios and shares from 0 to 1. A part that is nil
// was not measured.
type Dashboard struct {
	Version int       `json:"version"`
	Made    time.Time `json:"made"`
	// Panels say in words what each part of the page shows.
	Panels []Panel `json:"panels"`

	// Server is the database's. From and To bound its figures: they are of the time
	// between readings where Interval is set, else since the counters were reset.
	Server   *monitor.Server `json:"server,omitempty"`
	From     time.Time       `json:"from,omitzero"`
	To       time.Time       `json:"to,omitzero"`
	Interval bool            `json:"interval"`
	Readings int             `json:"readings"`
	Marks    []Mark          `json:"marks,omitempty"`

	Run         *Run         `json:"run,omitempty"`
	Endpoints   []Endpoint   `json:"endpoints,omitempty"`
	Statements  *Statements  `json:"statements,omitempty"`
	Hits        *Hits        `json:"cache_hits,omitempty"`
	Selectivity *Selectivity `json:"selectivity,omitempty"`
	Locks       *Locks       `json:"locks,omitempty"`
	RLS         []RLSCost    `json:"rls,omitempty"`
	Connections *Connections `json:"connections,omitempty"`
	Flows       []Flow       `json:"flows,omitempty"`
	Objectives  []Objective  `json:"objectives,omitempty"`
	// Uncovered are endpoints that no objective names.
	Uncovered []string `json:"without_objective,omitempty"`
	Notes     []string `json:"notes,omitempty"`
}

// Panel is one part of the page in words.
type Panel struct {
	ID    string `json:"id"`
	Title string `json:"title"`
	// State is good, warning, critical, neutral where no bound is known, or
	// not-measured.
	State string `json:"state"`
	// Figure is the one that counts most, Headline what it means.
	Figure   string `json:"figure,omitempty"`
	Headline string `json:"headline"`
	// Command would measure what was not.
	Command string `json:"command,omitempty"`
}

// States of a panel.
const (
	Good        = "good"
	Warning     = "warning"
	Critical    = "critical"
	Neutral     = "neutral"
	NotMeasured = "not-measured"
)

// Sample is a value of an interval. Min and Max are there where it was seen several
// times.
type Sample struct {
	From  time.Time `json:"from"`
	To    time.Time `json:"to"`
	Value float64   `json:"value"`
	Min   *float64  `json:"min,omitempty"`
	Max   *float64  `json:"max,omitempty"`
}

// Mark is a reset of counters or a restart of the server.
type Mark struct {
	At   time.Time `json:"at"`
	What string    `json:"what"`
}

// Run is what the results of a benchmark are of.
type Run struct {
	CorrelationID string              `json:"correlation_id,omitempty"`
	Commit        string              `json:"commit,omitempty"`
	Started       time.Time           `json:"started"`
	Finished      time.Time           `json:"finished"`
	Environment   results.Environment `json:"environment"`
}

// Endpoint is a case of a suite, with the state of its objective.
type Endpoint struct {
	Suite string `json:"suite"`
	results.Case
	State slo.State `json:"slo_state,omitempty"`
}

// Flow is a flow of a suite.
type Flow struct {
	Suite string `json:"suite"`
	results.Flow
}

// Statements are where execution time goes.
type Statements struct {
	Totals monitor.Totals `json:"totals"`
	Count  int            `json:"count"`
	// Load is execution time over time: 2 is two sessions at work at any moment. It is
	// empty where only one reading is there, as are those of statements.
	Load []Sample    `json:"load,omitempty"`
	Top  []Statement `json:"top"`
	// Rest is the load of all statements that are not among Top.
	Rest []Sample `json:"rest,omitempty"`
}

// Statement is one of the top statements.
type Statement struct {
	monitor.Query
	Load []Sample `json:"load,omitempty"`
}

// Hits is how often a block was found in shared buffers.
type Hits struct {
	// Ratio is nil under 1,000 blocks.
	Ratio *float64 `json:"ratio,omitempty"`
	// Limit is the least that is expected.
	Limit  float64  `json:"limit"`
	Blocks int64    `json:"blocks"`
	Series []Sample `json:"series,omitempty"`
	// Worst are statements with at least 1,000 blocks, the one with most misses first.
	Worst []HitsOf `json:"worst,omitempty"`
}

// HitsOf is one statement's.
type HitsOf struct {
	QueryIDs []string `json:"query_ids"`
	SQL      string   `json:"sql"`
	Ratio    float64  `json:"ratio"`
	Read     int64    `json:"read_blocks"`
}

// Selectivity is what was read for what was returned.
type Selectivity struct {
	// Read are rows and index entries that scans of user tables read, Returned the rows
	// that statements returned or changed; nil where they are not of one interval.
	Read     *int64   `json:"rows_read,omitempty"`
	Returned *int64   `json:"rows_returned,omitempty"`
	Ratio    *float64 `json:"read_per_returned,omitempty"`
	Series   []Sample `json:"series,omitempty"`
	// Tables are those of which most was read.
	Tables []monitor.TableScans `json:"tables"`
}

// Locks are waits for locks, and deadlocks.
type Locks struct {
	// Waiting and LongestMS are of the last reading, Peak is the most that any saw.
	Waiting   int     `json:"waiting"`
	LongestMS float64 `json:"longest_wait_ms"`
	Peak      int     `json:"peak"`
	// Deadlocks is of the interval, else since the database's statistics were reset.
	Deadlocks     int64             `json:"deadlocks"`
	WaitSeries    []Sample          `json:"waiting_series,omitempty"`
	DeadlockCount []Sample          `json:"deadlock_series,omitempty"`
	Trees         []monitor.Blocker `json:"trees,omitempty"`
}

// RLSCost is what row security costs one statement; MS is nil where both ways did not
// return the same rows.
type RLSCost struct {
	Table    string   `json:"table,omitempty"`
	SQL      string   `json:"sql,omitempty"`
	Role     string   `json:"role"`
	Enforced float64  `json:"enforced_ms"`
	Ideal    float64  `json:"ideal_ms"`
	MS       *float64 `json:"overhead_ms,omitempty"`
	Problem  string   `json:"problem,omitempty"`
}

// Connections are the server's and its poolers'.
type Connections struct {
	Now   *monitor.Connections `json:"now,omitempty"`
	Pools []monitor.Pool       `json:"pools,omitempty"`
	Used  []Sample             `json:"used_series,omitempty"`
	Idle  []Sample             `json:"idle_in_transaction_series,omitempty"`
	// Active and Waiting are sums over pools.
	Active  []Sample `json:"pool_active_series,omitempty"`
	Waiting []Sample `json:"pool_waiting_series,omitempty"`
}

// Objective is one of slos.json against what was measured.
type Objective struct {
	slo.Objective
	// P95 is nil where it was not measured.
	P95 *results.Estimate `json:"p95_ms,omitempty"`
	// Verdict is slo.Check's, "" where nothing was measured; State is green unless it is
	// broken: a value over its target that chance explains is no fault.
	Verdict slo.Verdict `json:"verdict,omitempty"`
	State   slo.State   `json:"state"`
	// Alert is set where a broken p95 is over the alert threshold.
	Alert bool `json:"alert"`
	// Why is why nothing was measured, or what the verdict rests on where a value is over
	// its target.
	Why string `json:"why,omitempty"`
}

// JSON writes the figures as a machine format.
func JSON(w io.Writer, d *Dashboard) error { return report.WriteJSON(w, d) }
