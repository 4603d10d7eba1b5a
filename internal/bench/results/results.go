// Package results is what a benchmark measured, as a versioned file: who runs
// benchmarks writes it, the dashboard and the gate read it.
package results

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"
)

// FormatVersion is the version of the file. A field may be added within a version; none
// changes its meaning or goes.
const FormatVersion = 1

// Results are one run of benchmarks. Times are milliseconds, rates are per second,
// shares are from 0 to 1.
type Results struct {
	Version       int         `json:"version"`
	CorrelationID string      `json:"correlation_id,omitempty"`
	Commit        string      `json:"commit,omitempty"`
	Started       time.Time   `json:"started"`
	Finished      time.Time   `json:"finished"`
	Environment   Environment `json:"environment"`
	Suites        []Suite     `json:"suites"`
}

// Environment is where it ran: results of different ones are not comparable.
type Environment struct {
	OS       string `json:"os"`
	Arch     string `json:"arch"`
	CPU      string `json:"cpu,omitempty"`
	Cores    int    `json:"cores"`
	Postgres string `json:"postgres,omitempty"`
	// Settings are the server's that differ from its defaults, Dataset names or hashes
	// the data.
	Settings map[string]string `json:"settings,omitempty"`
	Dataset  string            `json:"dataset,omitempty"`
	// Tables are rows by table, of those that are small enough to be counted.
	Tables map[string]int64 `json:"tables,omitempty"`
}

// Suite is a set of cases, or of flows.
type Suite struct {
	// Name is api, db, e2e, or a project's own.
	Name  string `json:"name"`
	Cases []Case `json:"cases,omitempty"`
	Flows []Flow `json:"flows,omitempty"`
}

// Case is one endpoint or statement under load.
type Case struct {
	Name string `json:"name"`
	// Service and Operation are what objectives name.
	Service   string `json:"service"`
	Operation string `json:"operation"`
	// Method and Path are a request's, as the file of suites has them: what is put in from
	// the environment is not there. SQL is a statement's.
	Method string `json:"method,omitempty"`
	Path   string `json:"path,omitempty"`
	SQL    string `json:"sql,omitempty"`
	// Load is open, where requests arrive on schedule and latency counts from when they
	// should have been sent, or closed, where each client waits for its answer.
	Load string `json:"load"`
	// OfferedRPS is the schedule's rate; nil of a closed load. Clients is its number of
	// them; 0 of an open one.
	OfferedRPS *float64 `json:"offered_rps,omitempty"`
	Clients    int      `json:"clients,omitempty"`
	Measured
	// ThroughputRPS is what was answered without an error.
	ThroughputRPS Estimate `json:"throughput_rps"`
	// Sustainable is the most that the endpoint takes at its target; nil where it was
	// not sought.
	Sustainable *Sustainable `json:"sustainable,omitempty"`
	// Database is how much of the time is the database's; nil where it was not measured.
	Database *DatabaseTime `json:"database_time,omitempty"`
	// Work is what it has the database do; nil where that cannot be seen.
	Work *Work `json:"work,omitempty"`
	// Distribution counts latencies up to each bound, bounds ascending.
	Distribution []Bucket `json:"distribution,omitempty"`
	Standing
}

// Standing is whether what was measured is a measurement.
type Standing struct {
	// Dropped are arrivals that no worker had time for; they are not among the requests.
	Dropped int `json:"dropped,omitempty"`
	// Invalid says why it is none, "" where it is one.
	Invalid string `json:"invalid,omitempty"`
	// Partial says that it was ended before it was done.
	Partial bool `json:"partial,omitempty"`
}

// Measured is a number of requests, or runs, and how they went.
type Measured struct {
	// Requests counts all that were sent, without warm-up.
	Requests int     `json:"requests"`
	Errors   Errors  `json:"errors"`
	Latency  Latency `json:"latency"`
	// Histogram has all latencies in nanoseconds to three digits, so that runs of several
	// machines can be merged: an HDR histogram, V2 compressed, as base64.
	Histogram string `json:"histogram,omitempty"`
}

// Errors are answers other than 2xx, timeouts, and what could not be sent. Their
// latencies are not among those that are given.
type Errors struct {
	Count int `json:"count"`
	// Rate is Count over Requests.
	Rate Estimate `json:"rate"`
	// ByClass counts them by status or cause: 503, timeout, refused.
	ByClass map[string]int `json:"by_class,omitempty"`
}

// Latency is how long answers took.
type Latency struct {
	Mean float64 `json:"mean_ms"`
	Max  float64 `json:"max_ms"`
	// P50, P95 and P99 are nil where there were too few samples for a bound: a quantile
	// q has an upper one at 95 % confidence from ln(0.05)/ln(q) samples on, 59 for p95
	// and 299 for p99.
	P50 *Estimate `json:"p50_ms,omitempty"`
	P95 *Estimate `json:"p95_ms,omitempty"`
	P99 *Estimate `json:"p99_ms,omitempty"`
}

// Estimate is a value with its confidence interval of 95 %.
type Estimate struct {
	Value float64 `json:"value"`
	Low   float64 `json:"low"`
	High  float64 `json:"high"`
}

// Sustainable is the highest rate at which p95 stays within a target, nothing is
// dropped and no backlog grows.
type Sustainable struct {
	RPS       Estimate `json:"rps"`
	TargetP95 float64  `json:"target_p95_ms"`
}

// DatabaseTime is the share of the time of requests that the database takes.
type DatabaseTime struct {
	Ratio Estimate `json:"ratio"`
	// Source is server-timing, statements (pg_stat_statements at concurrency 1), or
	// active-time (pg_stat_database).
	Source string `json:"source"`
}

// Bucket counts what took at most UpTo and more than the bucket before.
type Bucket struct {
	UpTo  float64 `json:"le_ms"`
	Count int     `json:"count"`
}

// Flow is what a user does, step by step. Its latency is from the begin of the first step
// to the end of the last, without the time that the user thinks; in an open load from when
// the flow should have begun.
type Flow struct {
	Name    string `json:"name"`
	Service string `json:"service"`
	// Load, OfferedRPS and Clients are as those of a case; a flow arrives, not a request.
	Load       string   `json:"load,omitempty"`
	OfferedRPS *float64 `json:"offered_rps,omitempty"`
	Clients    int      `json:"clients,omitempty"`
	// Measured counts runs. A step that failed ends its run, which counts as an error of
	// the step's class.
	Measured
	// ThroughputRPS is how many runs were done without an error; nil in results that do
	// not have it.
	ThroughputRPS *Estimate `json:"throughput_rps,omitempty"`
	// Queries is how many statements a run sends; nil where that was not counted.
	Queries      *float64   `json:"queries,omitempty"`
	Steps        []FlowStep `json:"steps"`
	Distribution []Bucket   `json:"distribution,omitempty"`
	// Transitions are of what the steps are about, from one state to the next.
	Transitions []Transition `json:"transitions,omitempty"`
	Standing
}

// FlowStep is one step of a flow. Its requests are fewer than the flow's where a step
// before failed.
type FlowStep struct {
	Name      string `json:"name"`
	Operation string `json:"operation,omitempty"`
	Method    string `json:"method,omitempty"`
	Path      string `json:"path,omitempty"`
	SQL       string `json:"sql,omitempty"`
	Measured
	Queries      *float64 `json:"queries,omitempty"`
	Distribution []Bucket `json:"distribution,omitempty"`
}

// Transition is from one state to the next: from the end of the step that reaches From, ""
// for the begin of the flow, to the end of the one that reaches To, without the time that
// the user thinks.
type Transition struct {
	From string `json:"from,omitempty"`
	To   string `json:"to"`
	Measured
	Distribution []Bucket `json:"distribution,omitempty"`
}

// Read reads a file of results. The error says what is wrong with it.
func Read(in io.Reader) (*Results, error) {
	var r Results
	d := json.NewDecoder(in)
	if err := d.Decode(&r); err != nil {
		return nil, fmt.Errorf("no results of a benchmark: %w", err)
	}
	if d.More() {
		return nil, errors.New("no results of a benchmark: something follows the first value")
	}
	if r.Version != FormatVersion {
		return nil, fmt.Errorf("results are of version %d, this planvet knows %d", r.Version, FormatVersion)
	}
	return &r, r.check()
}

// Write writes results as Read reads them.
func Write(out io.Writer, r *Results) error {
	e := json.NewEncoder(out)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(r)
}

// check looks for what cannot have been measured.
func (r *Results) check() error {
	if r.Finished.Before(r.Started) {
		return errors.New("results finish before they start")
	}
	for _, s := range r.Suites {
		for i := range s.Cases {
			c := &s.Cases[i]
			if err := c.Measured.check(); err != nil {
				return fmt.Errorf("suite %s, case %s: %w", s.Name, c.Name, err)
			}
			if d := c.Database; d != nil && (d.Ratio.Value < 0 || d.Ratio.Value > 1) {
				return fmt.Errorf("suite %s, case %s: a database time ratio of %g is not from 0 to 1", s.Name, c.Name, d.Ratio.Value)
			}
		}
		for i := range s.Flows {
			f := &s.Flows[i]
			for k := range f.Steps {
				if err := f.Steps[k].Measured.check(); err != nil {
					return fmt.Errorf("suite %s, flow %s, step %s: %w", s.Name, f.Name, f.Steps[k].Name, err)
				}
			}
			for k := range f.Transitions {
				t := &f.Transitions[k]
				if err := t.Measured.check(); err != nil {
					return fmt.Errorf("suite %s, flow %s, to %s: %w", s.Name, f.Name, t.To, err)
				}
			}
			if err := f.Measured.check(); err != nil {
				return fmt.Errorf("suite %s, flow %s: %w", s.Name, f.Name, err)
			}
		}
	}
	return nil
}

func (m *Measured) check() error {
	if m.Requests < 0 || m.Errors.Count < 0 || m.Errors.Count > m.Requests {
		return fmt.Errorf("%d errors of %d requests", m.Errors.Count, m.Requests)
	}
	last := 0.0
	for _, q := range []*Estimate{m.Latency.P50, m.Latency.P95, m.Latency.P99} {
		if q == nil {
			continue
		}
		if q.Value < last {
			return fmt.Errorf("a percentile of %g ms is under a lower one of %g", q.Value, last)
		}
		if q.Low > q.Value || q.High < q.Value {
			return fmt.Errorf("%g ms is outside of its own interval, %g to %g", q.Value, q.Low, q.High)
		}
		last = q.Value
	}
	return nil
}
