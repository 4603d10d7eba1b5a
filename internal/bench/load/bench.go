package load

import (
	"context"
	"fmt"
	"runtime"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/planvet/planvet/internal/audit"
	"github.com/planvet/planvet/internal/bench/facts"
	"github.com/planvet/planvet/internal/bench/results"
	"github.com/planvet/planvet/internal/bench/suite"
)

// Options say what of a file of suites is measured, and how.
type Options struct {
	// Suites are of suite.Names.
	Suites []string
	// Iterations and Duration override those of the file; 0 leaves them.
	Iterations int
	Duration   time.Duration
	// Closed has clients wait for their answers, whatever the rates.
	Closed        bool
	CorrelationID string
	// TargetP95 is that of a case for which the highest rate is looked for that holds it, 0
	// for none; nil where none is looked for.
	TargetP95 func(c *suite.Case) time.Duration
	// Progress is told what is measured, how much is done, of how much; nil for nobody.
	Progress func(what string, done, total int)
}

// Report is what was measured.
type Report struct {
	Results *results.Results
	// Overhead is what a piece of work costs the tool itself.
	Overhead time.Duration
	// Notes are of each case, by suite and name.
	Notes []Note
	// Unsustained are cases that hold their target at no rate, or at each that was tried.
	Unsustained []string
	// Partial says that the run was ended before it was done.
	Partial bool
}

// Note is what of a case, or flow, does not stand in its results.
type Note struct {
	// Case is the name of the case or flow; a suite's flows follow its cases.
	Suite, Case string
	// Invalid says why it is no measurement, "" where it is one.
	Invalid string
	Dropped int
	// Lag is the p95 of how late the tool itself was with an arrival.
	Lag     time.Duration
	Partial bool
}

// Valid reports whether all that was measured is a measurement.
func (r *Report) Valid() bool {
	for _, n := range r.Notes {
		if n.Invalid != "" {
			return false
		}
	}
	return true
}

// Invalid says why a case is no measurement, "" where it is one.
func (r *Report) Invalid(suite, name string) string {
	for _, n := range r.Notes {
		if n.Suite == suite && n.Case == name {
			return n.Invalid
		}
	}
	return ""
}

// Bench measures the suites of a file, expanded, case after case. Where the context ends, what was
// measured until then is returned as partial. The error says what cannot be measured at
// all.
func Bench(ctx context.Context, f *suite.File, o Options) (*Report, error) {
	b := &bench{o: o, report: &Report{Results: &results.Results{
		Version: results.FormatVersion, CorrelationID: o.CorrelationID, Started: time.Now().UTC().Truncate(time.Millisecond),
		Environment: Environment(),
	}}}
	_, b.report.Results.Commit = audit.Origin("")
	var err error
	if b.report.Overhead, err = Overhead(ctx); err != nil {
		return nil, err
	}
	for _, name := range o.Suites {
		s := results.Suite{Name: name}
		switch name {
		case "api":
			err = b.api(ctx, f.API, &s)
		case "db":
			err = b.db(ctx, f.DB, &s)
		case "e2e":
			err = b.e2e(ctx, f.E2E, &s)
		}
		if err != nil {
			return nil, err
		}
		b.report.Results.Suites = append(b.report.Results.Suites, s)
	}
	b.report.Partial = ctx.Err() != nil
	b.report.Results.Finished = time.Now().UTC().Truncate(time.Millisecond)
	return b.report, nil
}

// Environment is this machine's.
func Environment() results.Environment {
	return results.Environment{OS: runtime.GOOS, Arch: runtime.GOARCH, CPU: processor(), Cores: runtime.NumCPU()}
}

type bench struct {
	o      Options
	report *Report
}

func (b *bench) api(ctx context.Context, a *suite.API, out *results.Suite) error {
	for i := range a.Cases {
		c := a.Cases[i]
		c.Load = b.loaded(c.Load)
		open, free, err := Requests(a, &c, b.o.CorrelationID)
		if err != nil {
			return err
		}
		k, err := b.measure(ctx, &c.Case, &Run{Load: c.Load, Open: open}, out)
		if k != nil {
			k.Method, k.Path = c.Method, c.Path
			if k.Database == nil && a.DatabaseURL != "" && ctx.Err() == nil && k.Invalid == "" {
				k.Database, err = databaseShare(ctx, a.DatabaseURL, b.o.CorrelationID, open, c.Load.Timeout)
			}
		}
		free()
		if err != nil {
			return err
		}
	}
	if a.DatabaseURL != "" {
		b.environment(ctx, a.DatabaseURL)
	}
	return nil
}

func (b *bench) db(ctx context.Context, d *suite.DB, out *results.Suite) error {
	for i := range d.Cases {
		c := &d.Cases[i]
		open, err := Statements(d, c, b.o.CorrelationID)
		if err != nil {
			return err
		}
		k, err := b.measure(ctx, &c.Case, &Run{Load: c.Load, Open: open, Ahead: true}, out)
		if err != nil {
			return err
		}
		if k != nil && ctx.Err() == nil {
			// Who may not explain what it may run, and what fails, has none.
			k.Work, _ = Inspect(ctx, d, c, b.o.CorrelationID)
		}
		if k != nil {
			k.SQL = c.SQL
		}
	}
	b.environment(ctx, d.URL)
	return nil
}

func (b *bench) e2e(ctx context.Context, e *suite.E2E, out *results.Suite) error {
	for i := range e.Flows {
		if ctx.Err() != nil {
			return nil
		}
		f := e.Flows[i]
		f.Load = b.loaded(f.Load)
		w, err := flowOf(ctx, e, &f, b.o.CorrelationID)
		if err == nil {
			err = b.flow(ctx, w, out)
			w.transport.CloseIdleConnections()
		}
		if err != nil {
			return err
		}
	}
	if e.DatabaseURL != "" {
		b.environment(ctx, e.DatabaseURL)
	}
	return nil
}

func (b *bench) flow(ctx context.Context, w *flow, out *results.Suite) error {
	f := w.f
	parts := newFlowSamples(w)
	r := &Run{Load: f.Load, Open: w.open, Each: parts.add}
	r.Load.Timeout = w.timeout()
	s, err := b.run(ctx, &f.Case, r, out.Name)
	if s == nil || err != nil {
		return err
	}
	rate := s.Throughput()
	m := results.Flow{
		Name: f.Name, Service: f.Service, Load: "closed", Clients: max(1, r.Load.Clients),
		Measured: s.Measured(), ThroughputRPS: &rate, Distribution: s.Distribution(), Standing: s.Standing(),
	}
	if s.Open {
		m.Load, m.Clients, m.OfferedRPS = "open", 0, &r.Load.Rate
	}
	parts.into(&m, f)
	if w.cfg != nil && ctx.Err() == nil && m.Invalid == "" {
		if err := countFlow(ctx, w, &m); err != nil {
			return err
		}
	}
	out.Flows = append(out.Flows, m)
	b.note(s, out.Name, f.Name)
	return nil
}

// loaded is a load without its rate where all loops are closed.
func (b *bench) loaded(l suite.Load) suite.Load {
	if b.o.Closed {
		l.Rate = 0
	}
	return l
}

func (b *bench) note(s *Samples, suite, name string) {
	b.report.Notes = append(b.report.Notes, Note{Suite: suite, Case: name, Invalid: s.Invalid(), Dropped: s.Dropped, Lag: s.Lag(), Partial: s.Partial})
}

// run measures a case; nil where there is no time left for any of it.
func (b *bench) run(ctx context.Context, c *suite.Case, r *Run, suite string) (*Samples, error) {
	if ctx.Err() != nil {
		return nil, nil
	}
	r.Closed = b.o.Closed
	if b.o.Iterations > 0 || b.o.Duration > 0 {
		r.Load.Iterations, r.Load.Duration = b.o.Iterations, b.o.Duration
	}
	if b.o.Progress != nil {
		r.Progress = func(done, total int) { b.o.Progress(suite+": "+c.Name, done, total) }
	}
	s, err := r.Measure(ctx)
	if err != nil {
		if ctx.Err() != nil {
			return nil, nil
		}
		return nil, err
	}
	if s.Partial && s.soFar() == 0 {
		return nil, nil
	}
	return s, nil
}

// measure adds a case to the results of its suite, and returns it; nil where there was no
// time left for any of it.
func (b *bench) measure(ctx context.Context, c *suite.Case, r *Run, out *results.Suite) (*results.Case, error) {
	s, err := b.run(ctx, c, r, out.Name)
	if s == nil || err != nil {
		return nil, err
	}
	m := results.Case{
		Name: c.Name, Service: c.Service, Operation: c.Operation, Load: "closed", Clients: max(1, r.Load.Clients),
		Measured: s.Measured(), ThroughputRPS: s.Throughput(), Distribution: s.Distribution(), Database: s.DatabaseTime(), Standing: s.Standing(),
	}
	if s.Open {
		m.Load, m.Clients, m.OfferedRPS = "open", 0, &r.Load.Rate
	}
	if b.o.TargetP95 != nil && m.Invalid == "" && !m.Partial {
		if target := b.o.TargetP95(c); target > 0 {
			if m.Sustainable, err = r.sustain(ctx, target, b.trying(out.Name, c.Name)); err != nil {
				return nil, err
			}
			if m.Sustainable == nil && ctx.Err() == nil {
				b.report.Unsustained = append(b.report.Unsustained, c.Name)
			}
		}
	}
	out.Cases = append(out.Cases, m)
	b.note(s, out.Name, c.Name)
	return &out.Cases[len(out.Cases)-1], nil
}

// trying tells of rates that are tried; how many more there will be is not known.
func (b *bench) trying(suite, name string) func(rate float64) {
	if b.o.Progress == nil {
		return nil
	}
	return func(rate float64) { b.o.Progress(fmt.Sprintf("%s: %s at %.4g/s", suite, name, rate), 0, 1) }
}

// environment adds what the database's server says of itself, nothing where it does not
// answer any more.
func (b *bench) environment(ctx context.Context, url string) {
	if b.report.Results.Environment.Postgres != "" || ctx.Err() != nil {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		return
	}
	defer conn.Close(ctx)
	e := &b.report.Results.Environment
	if e.Postgres, _, _ = strings.Cut(conn.PgConn().ParameterStatus("server_version"), " "); ctx.Err() != nil {
		return
	}
	if f, err := facts.Read(ctx, conn); err == nil {
		e.Settings, e.Tables, e.Dataset = f.Settings, f.Tables, f.Dataset()
	}
}

// Events are the report's events for an audit log.
func (r *Report) Events() []audit.Event {
	var out []audit.Event
	k := 0
	add := func(suite, name string, l *results.Latency) {
		n := &r.Notes[k]
		k++
		e := audit.Event{Kind: "measurement", Subject: suite + " " + name, Metric: "p95_ms", Verdict: n.verdict(l)}
		if l.P95 != nil {
			e.Value = &l.P95.Value
		}
		out = append(out, e)
	}
	for _, s := range r.Results.Suites {
		for i := range s.Cases {
			add(s.Name, s.Cases[i].Name, &s.Cases[i].Latency)
		}
		for i := range s.Flows {
			add(s.Name, s.Flows[i].Name, &s.Flows[i].Latency)
		}
	}
	return out
}

// verdict is the case's state in a word or two.
func (n *Note) verdict(l *results.Latency) string {
	switch {
	case n.Invalid != "":
		return "invalid"
	case n.Partial:
		return "partial"
	case l.P95 == nil:
		return "insufficient"
	}
	return "measured"
}
