package load

import (
	"context"
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
	// Suites are api and db.
	Suites []string
	// Iterations and Duration override those of the file; 0 leaves them.
	Iterations int
	Duration   time.Duration
	// Closed has clients wait for their answers, whatever the rates.
	Closed        bool
	CorrelationID string
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
	// Partial says that the run was ended before it was done.
	Partial bool
}

// Note is what of a case does not stand in its results.
type Note struct {
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
		c := &a.Cases[i]
		open, free, err := Requests(a, c, b.o.CorrelationID)
		if err != nil {
			return err
		}
		err = b.measure(ctx, &c.Case, &Run{Load: c.Load, Open: open}, out)
		free()
		if err != nil {
			return err
		}
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
		before := len(out.Cases)
		if err := b.measure(ctx, &c.Case, &Run{Load: c.Load, Open: open, Ahead: true}, out); err != nil {
			return err
		}
		if len(out.Cases) > before && ctx.Err() == nil {
			// Who may not explain what it may run, and what fails, has none.
			out.Cases[before].Work, _ = Inspect(ctx, d, c, b.o.CorrelationID)
		}
	}
	if b.report.Results.Environment.Postgres == "" && ctx.Err() == nil {
		b.environment(ctx, d.URL)
	}
	return nil
}

// measure measures a case, unless there is no time left for any of it.
func (b *bench) measure(ctx context.Context, c *suite.Case, r *Run, out *results.Suite) error {
	if ctx.Err() != nil {
		return nil
	}
	r.Closed = b.o.Closed
	if b.o.Iterations > 0 || b.o.Duration > 0 {
		r.Load.Iterations, r.Load.Duration = b.o.Iterations, b.o.Duration
	}
	if b.o.Progress != nil {
		r.Progress = func(done, total int) { b.o.Progress(out.Name+": "+c.Name, done, total) }
	}
	s, err := r.Measure(ctx)
	if err != nil {
		if ctx.Err() != nil {
			return nil
		}
		return err
	}
	if s.Partial && s.soFar() == 0 {
		return nil
	}
	m := results.Case{
		Name: c.Name, Service: c.Service, Operation: c.Operation, Load: "closed", Clients: max(1, r.Load.Clients),
		Measured: s.Measured(), ThroughputRPS: s.Throughput(), Distribution: s.Distribution(),
	}
	if s.Open {
		m.Load, m.Clients, m.OfferedRPS = "open", 0, &r.Load.Rate
	}
	out.Cases = append(out.Cases, m)
	b.report.Notes = append(b.report.Notes, Note{Suite: out.Name, Case: c.Name, Invalid: s.Invalid(), Dropped: s.Dropped, Lag: s.Lag(), Partial: s.Partial})
	return nil
}

// environment adds what the database's server says of itself, nothing where it does not
// answer any more.
func (b *bench) environment(ctx context.Context, url string) {
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
	for _, s := range r.Results.Suites {
		for i := range s.Cases {
			c, n := &s.Cases[i], &r.Notes[k]
			k++
			e := audit.Event{Kind: "measurement", Subject: s.Name + " " + c.Name, Metric: "p95_ms", Verdict: n.verdict(c)}
			if c.Latency.P95 != nil {
				e.Value = &c.Latency.P95.Value
			}
			out = append(out, e)
		}
	}
	return out
}

// verdict is the case's state in a word or two.
func (n *Note) verdict(c *results.Case) string {
	switch {
	case n.Invalid != "":
		return "invalid"
	case n.Partial:
		return "partial"
	case c.Latency.P95 == nil:
		return "insufficient"
	}
	return "measured"
}
