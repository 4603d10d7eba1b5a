package monitor

import (
	"context"
	"fmt"
	"runtime/debug"
	"slices"
	"strings"
	"sync"

	"github.com/planvet/planvet/internal/report"
)

// Target is what one server of a fleet did, or why that is not known.
type Target struct {
	// Name is "" where there is one server and no fleet.
	Name string `json:"name"`
	// Error is one line; Report is nil then.
	Error  string  `json:"error,omitempty"`
	Report *Report `json:"report,omitempty"`

	err error
	// total is the report since the counters were reset where Report is of an interval
	// and the fleet keeps it.
	total *Report
}

// Err is why there is no report; nil where there is one.
func (t *Target) Err() error { return t.err }

// Fleet reads several servers, or one.
type Fleet struct {
	Sources []*Source
	// KeepTotals has targets keep their reports since the counters were reset, for SinceReset;
	// their statements are the first TotalsTop.
	KeepTotals bool
	TotalsTop  int
	before     []*Reading
}

// Read reads all servers at once and gives a target for each, in the order of Sources.
// A report is of what happened since the reading before that of the same Fleet, or, of
// the first one, since the counters were reset. A server that cannot be read does not
// hold up the others: its target has the error.
func (f *Fleet) Read(ctx context.Context, o Options) []Target {
	if f.before == nil {
		f.before = make([]*Reading, len(f.Sources))
	}
	out := make([]Target, len(f.Sources))
	var wait sync.WaitGroup
	for i, s := range f.Sources {
		wait.Go(func() {
			out[i].Name = s.Name
			if out[i].Report, out[i].total, out[i].err = f.read(ctx, i, o); out[i].err != nil {
				out[i].Error = report.Redact(strings.Join(strings.Fields(out[i].err.Error()), " "))
			}
		})
	}
	wait.Wait()
	return out
}

func (f *Fleet) read(ctx context.Context, i int, o Options) (out, total *Report, err error) {
	// A fault of planvet must not end the process from here: whoever holds the terminal
	// could not give it back.
	defer func() {
		if p := recover(); p != nil {
			out, total, err = nil, nil, fmt.Errorf("planvet failed: %v at %s", p, debug.Stack())
		}
	}()
	r, err := f.Sources[i].Read(ctx)
	if err != nil {
		return nil, nil, err
	}
	o.Catalog, o.Shapes = f.Sources[i].Catalog(), f.Sources[i].shapes
	before := f.before[i]
	f.before[i] = r
	if before == nil {
		return r.Report(o), nil, nil
	}
	out = r.Since(before, o)
	if f.KeepTotals {
		o.Top = f.TotalsTop
		total = r.Report(o)
	}
	return out, total, nil
}

// SinceReset are the targets with their reports since the counters were reset, of a fleet
// that keeps them.
func SinceReset(targets []Target) []Target {
	out := slices.Clone(targets)
	for i := range out {
		if out[i].total != nil {
			out[i].Report = out[i].total
		}
	}
	return out
}

// Forget makes the next Read report since the counters were reset.
func (f *Fleet) Forget() { f.before = nil }

// Close ends all sessions and closes histories.
func (f *Fleet) Close(ctx context.Context) {
	for _, s := range f.Sources {
		s.Close(ctx)
		if s.History != nil {
			s.History.Close(ctx)
		}
	}
}
