// Package baseline keeps what past runs measured, so that a run can be held against them
// where nothing else is there to measure. Runs of one version on one machine differ by a
// tenth and more from day to day: what stored runs decide has low confidence.
package baseline

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/planvet/planvet/internal/bench/facts"
	"github.com/planvet/planvet/internal/bench/results"
)

// Version is the format's. A field may be added within a version.
const Version = 1

// File is a baseline: runs, the oldest first.
type File struct {
	Version int   `json:"version"`
	Runs    []Run `json:"runs"`
}

// Run is what one run measured.
type Run struct {
	Finished      time.Time           `json:"finished"`
	Commit        string              `json:"commit,omitempty"`
	CorrelationID string              `json:"correlation_id,omitempty"`
	Environment   results.Environment `json:"environment"`
	Cases         []Case              `json:"cases"`
}

// Case is an endpoint, a statement, a flow, or a step of one: flow › step.
type Case struct {
	Suite string `json:"suite"`
	Case  string `json:"case"`
	// Load is open 100/s, or closed 4.
	Load string `json:"load,omitempty"`
	// Requests are those that did not fail; percentiles are nil where they are too few.
	Requests int      `json:"requests"`
	P50      *float64 `json:"p50_ms,omitempty"`
	P95      *float64 `json:"p95_ms,omitempty"`
	P99      *float64 `json:"p99_ms,omitempty"`
	// Histogram are pairs: up to so many ms, so many requests.
	Histogram [][2]float64 `json:"histogram,omitempty"`
	// Work is what it has the database do. Only the newest run of an environment has it.
	Work *results.Work `json:"work,omitempty"`

	service, operation string
}

// Of is a run from its results.
func Of(r *results.Results) Run {
	run := Run{Finished: r.Finished, Commit: r.Commit, CorrelationID: r.CorrelationID, Environment: r.Environment, Cases: []Case{}}
	for _, s := range r.Suites {
		for i := range s.Cases {
			c := &s.Cases[i]
			k := measured(s.Name, c.Name, &c.Measured)
			k.service, k.operation, k.Work = c.Service, c.Operation, c.Work
			k.Load, k.Histogram = loadOf(c.Load, c.Clients, c.OfferedRPS), histogram(c.Distribution)
			run.Cases = append(run.Cases, k)
		}
		for i := range s.Flows {
			f := &s.Flows[i]
			k := measured(s.Name, f.Name, &f.Measured)
			k.service, k.operation, k.Work = f.Service, f.Name, statements(f.Queries)
			k.Load, k.Histogram = loadOf(f.Load, f.Clients, f.OfferedRPS), histogram(f.Distribution)
			load := k.Load
			run.Cases = append(run.Cases, k)
			for j := range f.Steps {
				st := &f.Steps[j]
				k := measured(s.Name, f.Name+" › "+st.Name, &st.Measured)
				k.Load = load
				k.service, k.operation, k.Work = f.Service, st.Operation, statements(st.Queries)
				run.Cases = append(run.Cases, k)
			}
		}
	}
	return run
}

// loadOf is how work arrived.
func loadOf(load string, clients int, rate *float64) string {
	switch {
	case rate != nil:
		return fmt.Sprintf("open %g/s", *rate)
	case load == "":
		return ""
	}
	return fmt.Sprintf("closed %d", max(1, clients))
}

func histogram(buckets []results.Bucket) (out [][2]float64) {
	for _, b := range buckets {
		out = append(out, [2]float64{b.UpTo, float64(b.Count)})
	}
	return out
}

// statements is the work of what is known by its number of statements alone.
func statements(n *float64) *results.Work {
	if n == nil {
		return nil
	}
	return &results.Work{Statements: n}
}

func measured(suite, name string, m *results.Measured) Case {
	value := func(e *results.Estimate) *float64 {
		if e == nil {
			return nil
		}
		return &e.Value
	}
	return Case{Suite: suite, Case: name, Requests: m.Requests - m.Errors.Count, P50: value(m.Latency.P50), P95: value(m.Latency.P95), P99: value(m.Latency.P99)}
}

// Read reads a baseline. The error says what is wrong with it.
func Read(in io.Reader) (*File, error) {
	var f File
	d := json.NewDecoder(in)
	if err := d.Decode(&f); err != nil {
		return nil, fmt.Errorf("no baseline: %w", err)
	}
	switch {
	case d.More():
		return nil, errors.New("no baseline: something follows the first value")
	case f.Version != Version:
		return nil, fmt.Errorf("the baseline is of version %d, this planvet knows %d", f.Version, Version)
	}
	for _, r := range f.Runs {
		for _, c := range r.Cases {
			for _, q := range []*float64{c.P50, c.P95, c.P99} {
				if q != nil && !(*q > 0) {
					return nil, fmt.Errorf("run of %s, %s %s: a percentile of %g ms", r.Finished.Format(time.RFC3339), c.Suite, c.Case, *q)
				}
			}
		}
	}
	return &f, nil
}

// Write writes a baseline as Read reads it, a line for each case and for each environment,
// so that the diff of an update is read in a pull request.
func (f *File) Write(out io.Writer) error {
	var b bytes.Buffer
	fmt.Fprintf(&b, "{\n \"version\": %d,\n \"runs\": [", Version)
	for i := range f.Runs {
		r := &f.Runs[i]
		cases := r.Cases
		head := *r
		head.Cases = nil
		text, err := line(head)
		if err != nil {
			return err
		}
		if i > 0 {
			b.WriteByte(',')
		}
		text = bytes.TrimSuffix(text, []byte(`"cases":null}`))
		b.WriteString("\n  " + string(text) + "\n   \"cases\": [")
		for k := range cases {
			if text, err = line(cases[k]); err != nil {
				return err
			}
			if k > 0 {
				b.WriteByte(',')
			}
			b.WriteString("\n    " + string(text))
		}
		b.WriteString("\n   ]}")
	}
	b.WriteString("\n ]\n}\n")
	_, err := out.Write(b.Bytes())
	return err
}

// line is JSON in one line, with signs of HTML as they are.
func line(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	err := e.Encode(v)
	return bytes.TrimSpace(b.Bytes()), err
}

// Add appends a run and keeps the newest runs of its environment, and all of others. Work
// of older ones of it goes: the newest is what a run is held against.
func (f *File) Add(run Run, keep int) {
	for i := range f.Runs {
		r := &f.Runs[i]
		if len(Differences(&r.Environment, &run.Environment)) > 0 {
			continue
		}
		for k := range r.Cases {
			if c := run.find(&r.Cases[k]); c != nil && c.Work != nil {
				r.Cases[k].Work = nil
			}
		}
	}
	f.Version = Version
	f.Runs = append(f.Runs, run)
	n := 0
	for i := len(f.Runs) - 1; i >= 0; i-- {
		if len(Differences(&f.Runs[i].Environment, &run.Environment)) > 0 {
			continue
		}
		if n++; n > keep {
			f.Runs = slices.Delete(f.Runs, i, i+1)
		}
	}
}

// find is a run's case that is measured as another was; nil for none.
func (r *Run) find(like *Case) *Case {
	for i := range r.Cases {
		if c := &r.Cases[i]; c.Suite == like.Suite && c.Case == like.Case && c.Load == like.Load {
			return c
		}
	}
	return nil
}

// sameRows is by which share the rows of a table may differ between runs.
const sameRows = 0.1

// Differences say why runs of two environments, the past one first, are not comparable.
// What one of them does not know is not compared.
func Differences(was, is *results.Environment) (out []string) {
	differ := func(what, a, b string) {
		if a != b && a != "" && b != "" {
			out = append(out, fmt.Sprintf("%s is %s and was %s", what, b, a))
		}
	}
	differ("the system", was.OS+"/"+was.Arch, is.OS+"/"+is.Arch)
	differ("the CPU", was.CPU, is.CPU)
	differ("the number of cores", fmt.Sprint(was.Cores), fmt.Sprint(is.Cores))
	differ("PostgreSQL", was.Postgres, is.Postgres)
	if was.Postgres != "" && is.Postgres != "" {
		out = append(out, facts.Settings(was.Settings, is.Settings)...)
	}
	if was.Tables != nil && is.Tables != nil {
		out = append(out, facts.Tables(was.Tables, is.Tables, sameRows)...)
	} else {
		differ("the data", was.Dataset, is.Dataset)
	}
	return out
}
