// Package reactquery judges how long queries of TanStack Query take from their invalidation
// until they have settled, by what a probe in the page wrote.
package reactquery

import (
	"bufio"
	"bytes"
	_ "embed" // the probe
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"time"

	"github.com/planvet/planvet/internal/bench/load"
	"github.com/planvet/planvet/internal/bench/results"
	"github.com/planvet/planvet/internal/bench/slo"
)

// Probe is the module of JavaScript that writes traces.
//
//go:embed perf-rq-probe.mjs
var Probe string

// Service is what objectives call the page; their operation is a set of keys.
const Service = "ReactQuery"

// DefaultTarget is the p95 of a set for which no objective is written.
const DefaultTarget = 100 * time.Millisecond

// line is one of a trace.
type line struct {
	Version int       `json:"v"`
	Set     string    `json:"set"`
	MS      float64   `json:"ms"`
	OK      bool      `json:"ok"`
	At      time.Time `json:"at"`
}

// Read reads a trace as results: a suite react-query that has a case for each set of keys.
// The error names the line that is none.
func Read(in io.Reader) (*results.Results, error) {
	samples := map[string]*load.Samples{}
	out := &results.Results{Version: results.FormatVersion, Environment: load.Environment()}
	s := bufio.NewScanner(in)
	s.Buffer(nil, 1<<20)
	n := 0
	for s.Scan() {
		n++
		text := bytes.TrimSpace(s.Bytes())
		if len(text) == 0 {
			continue
		}
		var l line
		switch err := json.Unmarshal(text, &l); {
		case err != nil:
			return nil, fmt.Errorf("line %d: %w", n, err)
		case l.Version != 1:
			return nil, fmt.Errorf("line %d: version %d is not one that this planvet reads: use its planvet bench rq-probe", n, l.Version)
		case l.Set == "" || !(l.MS >= 0) || l.At.IsZero():
			return nil, fmt.Errorf("line %d has no set, ms and at", n)
		}
		if samples[l.Set] == nil {
			samples[l.Set] = load.NewSamples()
		}
		class := ""
		if !l.OK {
			class = "error"
		}
		samples[l.Set].Add(time.Duration(l.MS*float64(time.Millisecond)), class)
		if out.Started.IsZero() || l.At.Before(out.Started) {
			out.Started = l.At
		}
		if l.At.After(out.Finished) {
			out.Finished = l.At
		}
	}
	if err := s.Err(); err != nil {
		return nil, err
	}
	if len(samples) == 0 {
		return nil, errors.New("the trace has no lines: nothing was invalidated while the probe listened")
	}
	suite := results.Suite{Name: "react-query"}
	for _, set := range slices.Sorted(maps.Keys(samples)) {
		p := samples[set]
		p.Elapsed = out.Finished.Sub(out.Started)
		suite.Cases = append(suite.Cases, results.Case{
			Name: set, Service: Service, Operation: set, Load: "closed",
			Measured: p.Measured(), ThroughputRPS: p.Throughput(), Distribution: p.Distribution(), Standing: p.Standing(),
		})
	}
	out.Suites = []results.Suite{suite}
	return out, nil
}

// Objectives are those of a trace's sets: what is written for them, else a p95 of a target.
// Objectives of other services are none of a page's.
func Objectives(r *results.Results, written []slo.Objective, target time.Duration) []slo.Objective {
	var out []slo.Objective
	has := map[string]bool{}
	for _, o := range written {
		if o.Service == Service {
			out = append(out, o)
			has[o.Operation] = true
		}
	}
	for _, s := range r.Suites {
		for i := range s.Cases {
			if name := s.Cases[i].Operation; !has[name] {
				out = append(out, slo.Objective{Service: Service, Operation: name, P95Target: float64(target) / float64(time.Millisecond)})
			}
		}
	}
	return out
}
