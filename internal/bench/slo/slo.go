// Package slo is what services promise: objectives of latency by service and
// operation, and how far a measured value is from them.
package slo

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
)

// Objective is one line of slos.json.
type Objective struct {
	Service   string  `json:"service"`
	Operation string  `json:"operation"`
	P95Target float64 `json:"p95_target_ms"`
	// Metric is the name under which a company's own monitoring has it.
	Metric string `json:"metric_name,omitempty"`
	// Alert is a bound of its own, at or over the target; 0 is none.
	Alert float64 `json:"alert_threshold_ms,omitempty"`
}

// Read reads slos.json: {"slos": [objective, …]}. A key that it does not know is an
// error, as is an objective that names nothing or that stands twice.
func Read(in io.Reader) ([]Objective, error) {
	text, err := io.ReadAll(in)
	if err != nil {
		return nil, err
	}
	var file struct {
		SLOs []Objective `json:"slos"`
	}
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(&file); err != nil {
		return nil, fmt.Errorf("line %d: %w", lineOf(text, err), err)
	}
	if len(file.SLOs) == 0 {
		return nil, errors.New(`no objective is in it: write {"slos": [{"service": …, "operation": …, "p95_target_ms": …}]}`)
	}
	seen := map[[2]string]bool{}
	for i, o := range file.SLOs {
		name := [2]string{o.Service, o.Operation}
		switch {
		case o.Service == "" || o.Operation == "":
			return nil, fmt.Errorf("objective %d names no service and operation", i+1)
		case o.P95Target <= 0:
			return nil, fmt.Errorf("%s %s: p95_target_ms is %g, it must be over 0", o.Service, o.Operation, o.P95Target)
		case o.Alert != 0 && o.Alert < o.P95Target:
			return nil, fmt.Errorf("%s %s: alert_threshold_ms %g is under p95_target_ms %g", o.Service, o.Operation, o.Alert, o.P95Target)
		case seen[name]:
			return nil, fmt.Errorf("%s %s stands twice", o.Service, o.Operation)
		}
		seen[name] = true
	}
	return file.SLOs, nil
}

// lineOf is where an error of decoding is.
func lineOf(text []byte, err error) int {
	at := len(text)
	var syntax *json.SyntaxError
	var typ *json.UnmarshalTypeError
	switch _, key, unknown := strings.Cut(err.Error(), "unknown field "); {
	case unknown:
		at = max(bytes.Index(text, []byte(key)), 0)
	case errors.As(err, &syntax):
		at = int(syntax.Offset)
	case errors.As(err, &typ):
		at = int(typ.Offset)
	}
	return 1 + bytes.Count(text[:min(at, len(text))], []byte("\n"))
}

// State is how far a value is from its target.
type State string

// States, from good to bad. NotMeasured has no value: there is no case, or too few
// samples.
const (
	Green       State = "green"
	Minor       State = "minor"    // over the target by up to 20 %
	Warning     State = "warning"  // by up to 50 %
	Critical    State = "critical" // by more
	NotMeasured State = "not-measured"
)

// MinorShare and WarningShare are the upper ends of Minor and Warning, over the target.
const (
	MinorShare   = 0.2
	WarningShare = 0.5
)

// Of is the state of a p95 in milliseconds. It compares the value alone: whether a
// value over its target is more than chance is for who knows its interval.
func (o *Objective) Of(p95 float64) State {
	// The bounds belong to the better state, also where a product is not exact.
	const rounding = 1e-9
	switch over := p95/o.P95Target - 1; {
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
