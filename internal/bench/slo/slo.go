// Package slo is what services promise: objectives of latency, errors and rate by
// service and operation, and whether a benchmark's results keep them.
package slo

import (
	"cmp"
	"fmt"
)

// Objective is one line of slos.json.
type Objective struct {
	Service   string `json:"service"`
	Operation string `json:"operation"`
	// Tier, of Tiers, gives the three targets that are not written.
	Tier string `json:"tier,omitempty"`
	// Type is read-heavy, write-heavy or aggregation.
	Type string `json:"type,omitempty"`
	// P50Target and P99Target are 0 where nothing is promised.
	P50Target float64 `json:"p50_target_ms,omitempty"`
	P95Target float64 `json:"p95_target_ms"`
	P99Target float64 `json:"p99_target_ms,omitempty"`
	// ErrorRate is the largest share of requests that may fail, MinRPS the least rate
	// of answers; nil and 0 promise nothing.
	ErrorRate *float64 `json:"error_rate,omitempty"`
	MinRPS    float64  `json:"min_rps,omitempty"`
	// Metric is the name under which a company's own monitoring has the p95.
	Metric string `json:"metric_name,omitempty"`
	// Alert is a bound of its own on p95, at or over the target; 0 is none.
	Alert float64 `json:"alert_threshold_ms,omitempty"`
	// SpecRef is where the promise is written down.
	SpecRef string `json:"spec_ref,omitempty"`
}

// Tier is a class of operations with its targets in milliseconds.
type Tier struct {
	Name          string
	P50, P95, P99 float64
}

// Tiers are the known ones, the fastest first.
var Tiers = []Tier{
	{"fast", 50, 100, 200},
	{"standard", 100, 250, 500},
	{"complex", 250, 500, 1000},
	{"background", 1000, 2000, 5000},
}

// Types are what an operation mostly does.
var Types = []string{"read-heavy", "write-heavy", "aggregation"}

// complete fills targets from the tier and says what is wrong with an objective. A
// tier's target that contradicts one that is written gives way to it: what is written
// for p95 alone may be under the tier's p50.
func (o *Objective) complete() error {
	for _, t := range Tiers {
		if t.Name != o.Tier {
			continue
		}
		o.P95Target = cmp.Or(o.P95Target, t.P95)
		o.P50Target = cmp.Or(o.P50Target, min(t.P50, o.P95Target))
		o.P99Target = cmp.Or(o.P99Target, max(t.P99, o.P95Target))
	}
	switch {
	case o.Service == "" || o.Operation == "":
		return fmt.Errorf("an objective names no service and operation")
	case o.P95Target == 0:
		return fmt.Errorf("%s has no p95_target_ms and no tier", o)
	case o.P50Target > o.P95Target:
		return fmt.Errorf("%s: p50_target_ms %g is over p95_target_ms %g", o, o.P50Target, o.P95Target)
	case o.P99Target != 0 && o.P99Target < o.P95Target:
		return fmt.Errorf("%s: p99_target_ms %g is under p95_target_ms %g", o, o.P99Target, o.P95Target)
	case o.Alert != 0 && o.Alert < o.P95Target:
		return fmt.Errorf("%s: alert_threshold_ms %g is under p95_target_ms %g", o, o.Alert, o.P95Target)
	}
	return nil
}

// String is the service and its operation.
func (o *Objective) String() string { return o.Service + " " + o.Operation }

// State is how far a value is from its target.
type State string

// States, from good to bad. NotMeasured has no value: there is no case, or too few
// samples.
const (
	Green       State = "green"
	Minor       State = "minor"    // over the target by up to 20 %
	Warning     State = "warning"  // by up to 50 %
	Critical    State = "critical" // by more
	Alert       State = "alert"    // over the alert threshold, whatever the share
	NotMeasured State = "not-measured"
)

// rank orders states, the best first.
func (s State) rank() int {
	for i, t := range []State{NotMeasured, Green, Minor, Warning, Critical, Alert} {
		if s == t {
			return i
		}
	}
	return -1
}

// MinorShare and WarningShare are the upper ends of Minor and Warning, over the target.
const (
	MinorShare   = 0.2
	WarningShare = 0.5
)

// Of is the state of a p95 in milliseconds. It compares the value alone: whether a
// value over its target is more than chance is what Check says.
func (o *Objective) Of(p95 float64) State { return band(p95 / o.P95Target) }

// band is the state of a value in shares of its target.
func band(share float64) State {
	// The bounds belong to the better state, also where a product is not exact.
	const rounding = 1e-9
	switch over := share - 1; {
	case over <= rounding:
		return Green
	case over <= MinorShare+rounding:
		return Minor
	case over <= WarningShare+rounding:
		return Warning
	}
	return Critical
}

// Alerts reports whether a p95 is over the objective's alert threshold.
func (o *Objective) Alerts(p95 float64) bool { return o.Alert > 0 && p95 > o.Alert }
