package investigate

import (
	"github.com/planvet/planvet/internal/explain"
	"github.com/planvet/planvet/internal/monitor"
)

// FormatVersion is the version of the JSON form of a Report. A field may be added
// within a version; none changes its meaning or goes.
const FormatVersion = 1

// Report is one investigation. Its JSON form is a machine format.
type Report struct {
	Version       int    `json:"version"`
	CorrelationID string `json:"correlation_id"`
	// Subject is the statement, or the endpoint without its query string.
	Subject string `json:"subject"`
	// Steps are the five, in order.
	Steps []Step `json:"steps"`
	// Endpoint is what requests took; nil for a statement.
	Endpoint *Latencies `json:"endpoint,omitempty"`
	// DatabaseShare is the statements' execution time over the requests' time, 0 to 1;
	// nil where it is not known, or where other clients were at work too, which shows as
	// more than one.
	DatabaseShare *float64 `json:"database_share,omitempty"`
	// Statements are what the endpoint's requests had the database do, most time first;
	// of a statement, what pg_stat_statements knows of it.
	Statements []monitor.Query `json:"statements,omitempty"`
	// Queries are the statements that were explained.
	Queries []*explain.Report `json:"queries"`
}

// Names of the steps.
const (
	Baseline = "baseline"
	Explain  = "explain"
	Plan     = "plan"
	RLS      = "rls-overhead"
	Fixes    = "fixes"
)

// Step is one step of the investigation.
type Step struct {
	Number int    `json:"number"`
	Name   string `json:"name"`
	// Status is done, or skipped where there was nothing to do or no way to do it; the
	// summary says which.
	Status  string `json:"status"`
	Summary string `json:"summary"`
}

// Statuses of a step.
const (
	Done    = "done"
	Skipped = "skipped"
)
