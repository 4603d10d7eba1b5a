package load

import (
	"context"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/planvet/planvet/internal/audit"
	"github.com/planvet/planvet/internal/bench/results"
	"github.com/planvet/planvet/internal/bench/suite"
	"github.com/planvet/planvet/internal/report"
)

// SweepVersion is the version of the JSON form of a Sweep.
const SweepVersion = 1

// Sweep is how the cases of suites answer more and more clients at once: past what a
// pool has connections for, who asks waits.
type Sweep struct {
	Version       int         `json:"version"`
	CorrelationID string      `json:"correlation_id,omitempty"`
	Cases         []SweepCase `json:"cases"`
	// Partial says that the run was ended before it was done.
	Partial bool `json:"partial,omitempty"`
}

// SweepCase is one case under each number of clients.
type SweepCase struct {
	Suite string      `json:"suite"`
	Name  string      `json:"name"`
	Steps []SweepStep `json:"steps"`
	// Knee is nil where p95 never doubles.
	Knee *Knee `json:"knee,omitempty"`
}

// SweepStep is a closed loop of a number of clients. A statement is measured from the
// begin of its transaction, which is what waits for a connection of a pooler.
type SweepStep struct {
	Clients int `json:"clients"`
	results.Measured
	ThroughputRPS results.Estimate `json:"throughput_rps"`
	// Ratio is p95 over the least of this step and those before.
	Ratio float64 `json:"p95_ratio,omitempty"`
	// Invalid says why it is no measurement, "" where it is one.
	Invalid string `json:"invalid,omitempty"`
}

// Knee is where p95 has doubled: at Last clients it has not yet, at First and every step
// after it has.
type Knee struct {
	Last  int `json:"last_clients"`
	First int `json:"first_clients"`
}

// sweepIterations is how many pieces of work a step has where nobody said: enough for
// a p95 with an upper bound that is near.
const sweepIterations = 200

// ParseClients reads numbers of clients: 1,2,4,8, or 1-16, of which about ten are taken
// that grow by a third or less.
func ParseClients(text string) ([]int, error) {
	wrong := fmt.Errorf("--sweep-clients %s: write 1-16, or numbers that grow: 1,2,4,8", text)
	from, to, isRange := strings.Cut(text, "-")
	var out []int
	if !isRange {
		for _, part := range strings.Split(text, ",") {
			n, err := strconv.Atoi(strings.TrimSpace(part))
			if err != nil || n < 1 || len(out) > 0 && n <= out[len(out)-1] {
				return nil, wrong
			}
			out = append(out, n)
		}
	} else {
		low, err := strconv.Atoi(strings.TrimSpace(from))
		high, err2 := strconv.Atoi(strings.TrimSpace(to))
		if err != nil || err2 != nil || low < 1 || high <= low {
			return nil, wrong
		}
		for n := low; n < high; n += max(1, n/3) {
			out = append(out, n)
		}
		out = append(out, high)
	}
	if len(out) < 2 || out[len(out)-1] > 10_000 {
		return nil, wrong
	}
	return out, nil
}

// SweepClients measures each case of the suites of a file, expanded, as closed loops of
// each number of clients, in that order. Where the context ends, what was measured until
// then is returned as partial.
func SweepClients(ctx context.Context, f *suite.File, o Options, clients []int) (*Sweep, error) {
	out := &Sweep{Version: SweepVersion, CorrelationID: o.CorrelationID, Cases: []SweepCase{}}
	each := func(name string, c *suite.Case, open func(context.Context) (Client, error), ahead bool) error {
		done, err := sweepCase(ctx, name, c, &Run{Load: c.Load, Closed: true, Open: open, Ahead: ahead}, o, clients)
		if len(done.Steps) > 0 {
			out.Cases = append(out.Cases, done)
		}
		return err
	}
	for _, name := range o.Suites {
		switch name {
		case "api":
			for i := range f.API.Cases {
				c := f.API.Cases[i]
				c.Load.Clients = clients[len(clients)-1] // as many connections are kept
				open, free, err := Requests(f.API, &c, o.CorrelationID)
				if err != nil {
					return nil, err
				}
				err = each(name, &c.Case, open, false)
				free()
				if err != nil {
					return nil, err
				}
			}
		case "db":
			for i := range f.DB.Cases {
				c := &f.DB.Cases[i]
				open, err := transactions(f.DB, c, o.CorrelationID)
				if err != nil {
					return nil, err
				}
				if err := each(name, &c.Case, open, true); err != nil {
					return nil, err
				}
			}
		}
	}
	out.Partial = ctx.Err() != nil
	return out, nil
}

// transactions are Statements whose time has the begin of the transaction in it.
func transactions(d *suite.DB, c *suite.Statement, id string) (func(context.Context) (Client, error), error) {
	open, err := Statements(d, c, id)
	if err != nil {
		return nil, err
	}
	return func(ctx context.Context) (Client, error) {
		k, err := open(ctx)
		if s, ok := k.(*sqlClient); ok {
			s.whole = true
		}
		return k, err
	}, nil
}

func sweepCase(ctx context.Context, suite string, c *suite.Case, r *Run, o Options, clients []int) (SweepCase, error) {
	out := SweepCase{Suite: suite, Name: c.Name, Steps: []SweepStep{}}
	r.Load.Iterations, r.Load.Duration = o.Iterations, o.Duration
	if o.Iterations == 0 && o.Duration == 0 {
		r.Load.Iterations = sweepIterations
	}
	for _, n := range clients {
		if ctx.Err() != nil {
			break
		}
		r.Load.Clients = n
		if o.Progress != nil {
			r.Progress = func(done, total int) {
				o.Progress(fmt.Sprintf("%s: %s, %s", suite, c.Name, report.Plural(n, "client")), done, total)
			}
		}
		s, err := r.Measure(ctx)
		switch {
		case err != nil && ctx.Err() == nil:
			return out, fmt.Errorf("%s: %w", report.Plural(n, "client"), err)
		case err != nil || s.Partial:
			continue // half a step is none
		}
		step := SweepStep{Clients: n, Measured: s.Measured(), ThroughputRPS: s.Throughput(), Invalid: s.Invalid()}
		out.Steps = append(out.Steps, step)
	}
	out.judge()
	return out, nil
}

// doubled is what counts as twice: a queue in which each waits for one turn doubles the
// time to the point, and clocks and machines have noise.
const doubled = 1.9

// judge finds the knee: p95 of each valid step is held against the least so far.
func (c *SweepCase) judge() {
	var base float64
	last := 0
	for i := range c.Steps {
		s := &c.Steps[i]
		if s.Invalid != "" || s.Latency.P95 == nil {
			continue
		}
		p95 := s.Latency.P95.Value
		if base == 0 || p95 < base {
			base = p95
		}
		s.Ratio = p95 / base
		switch {
		case s.Ratio < doubled:
			last, c.Knee = s.Clients, nil
		case c.Knee == nil:
			c.Knee = &Knee{Last: last, First: s.Clients}
		}
	}
}

// Valid says whether every step is a measurement.
func (s *Sweep) Valid() bool {
	for _, c := range s.Cases {
		for _, step := range c.Steps {
			if step.Invalid != "" {
				return false
			}
		}
	}
	return true
}

// verdict is what a case shows, in a line.
func (c *SweepCase) verdict() string {
	most, enough := 0.0, 0
	for _, s := range c.Steps {
		most = max(most, s.ThroughputRPS.Value)
	}
	for enough < len(c.Steps)-1 && c.Steps[enough].ThroughputRPS.Value < 0.95*most {
		enough++
	}
	text := "no knee: p95 does not double"
	if c.Knee != nil {
		text = fmt.Sprintf("knee at %d to %d clients: there p95 doubles", c.Knee.Last, c.Knee.First)
	}
	if len(c.Steps) > 0 {
		text += fmt.Sprintf("; %s do as much as more do, %s/s", report.Plural(c.Steps[enough].Clients, "client"), report.Figure(c.Steps[enough].ThroughputRPS.Value))
	}
	return text
}

var sweepColumns = []report.Column{{Title: "clients", Right: true}, {Title: "requests", Right: true}, {Title: "errors", Right: true}, {Title: "p50", Right: true},
	{Title: "p95", Right: true}, {Title: "p95 / least", Right: true}, {Title: "rate", Right: true}, {Title: ""}}

func (c *SweepCase) rows() [][]string {
	var rows [][]string
	for _, s := range c.Steps {
		ratio := ""
		if s.Ratio > 0 {
			ratio = report.Figure(s.Ratio) + "×"
		}
		rows = append(rows, []string{strconv.Itoa(s.Clients), strconv.Itoa(s.Requests), strconv.Itoa(s.Errors.Count), quantile(s.Latency.P50), quantile(s.Latency.P95),
			ratio, report.Figure(s.ThroughputRPS.Value) + "/s", s.Invalid})
	}
	return rows
}

// sweepFoot says what the figures are.
const sweepFoot = "closed loops; latency counts from when a request was sent, of a statement from the begin of its transaction; intervals of 95 %"

// Text writes the sweep for people.
func (s *Sweep) Text(w io.Writer, o report.TextOptions) error {
	t := report.NewPrinter(w, o)
	for i := range s.Cases {
		c := &s.Cases[i]
		t.Paint(report.Bold, report.Printable(c.Suite+": "+c.Name))
		t.Printf("\n")
		t.Table("  ", 0, sweepColumns, c.rows())
		t.Printf("  %s\n\n", c.verdict())
	}
	t.Printf("%s; correlation id %s\n", sweepFoot, s.CorrelationID)
	return t.Err()
}

// Markdown writes the sweep for a document.
func (s *Sweep) Markdown(w io.Writer) error {
	var b strings.Builder
	for i := range s.Cases {
		c := &s.Cases[i]
		fmt.Fprintf(&b, "## %s\n\n%s\n%s\n\n", report.MarkdownText(c.Suite+": "+c.Name), report.MarkdownTable(sweepColumns, c.rows()), report.MarkdownText(c.verdict()))
	}
	b.WriteString(report.MarkdownText(sweepFoot+"; correlation id "+s.CorrelationID) + "\n")
	_, err := io.WriteString(w, b.String())
	return err
}

// JSON writes the sweep as a machine format.
func (s *Sweep) JSON(w io.Writer) error { return report.WriteJSON(w, s) }

// Events are the sweep's events for an audit log: the knee of each case.
func (s *Sweep) Events() []audit.Event {
	var out []audit.Event
	for i := range s.Cases {
		c := &s.Cases[i]
		e := audit.Event{Kind: "measurement", Subject: c.Suite + " " + c.Name, Metric: "knee_clients", Verdict: "no knee"}
		if c.Knee != nil {
			n := float64(c.Knee.First)
			e.Value, e.Verdict = &n, "measured"
		}
		out = append(out, e)
	}
	return out
}
