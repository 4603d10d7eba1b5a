package monitor

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/planvet/planvet/catalog"
	"github.com/planvet/planvet/internal/live"
)

// Trends are the statements of a history whose mean time changed.
type Trends struct {
	Version  int       `json:"version"`
	From     time.Time `json:"from"`
	To       time.Time `json:"to"`
	Readings int       `json:"readings"`
	// Statements counts those that were looked at: with enough calls in two intervals.
	Statements int     `json:"statements"`
	Changed    []Trend `json:"changed"`
}

// Trend is one statement whose mean execution time is not what it was.
type Trend struct {
	Fingerprint string `json:"fingerprint,omitempty"`
	SQL         string `json:"sql"`
	// At is when it changed most: the end of the last interval before. Before and After
	// are the means of all calls on each side, Ratio is after over before.
	At     time.Time `json:"changed_at"`
	Before float64   `json:"before_ms"`
	After  float64   `json:"after_ms"`
	Ratio  float64   `json:"ratio"`
	// Z is how many standard errors the two means are apart, by Welch.
	Z float64 `json:"z"`
	// SlopePerDay is the change of the mean in milliseconds a day, by least squares
	// weighted by calls; nil under four intervals.
	SlopePerDay *float64 `json:"slope_ms_per_day,omitempty"`
	// Cost is what the change costs: milliseconds of execution a day more than before, at
	// the calls of the time after it.
	CostPerDay float64 `json:"cost_ms_per_day"`
	Points     []Point `json:"points"`
}

// Point is one interval of a statement.
type Point struct {
	From     time.Time `json:"from"`
	To       time.Time `json:"to"`
	Calls    int64     `json:"calls"`
	MeanMS   float64   `json:"mean_ms"`
	StddevMS float64   `json:"stddev_ms"`
}

// TrendOptions say what counts as a change.
type TrendOptions struct {
	// Change is the least change of the mean, either way: 0.2 is by a fifth. Z is how
	// many standard errors it has to be, Calls how many calls each side needs.
	Change, Z float64
	Calls     int64
	Catalog   *catalog.Catalog
}

// DefaultTrendOptions ask for a change by a fifth that is far outside of chance: many
// statements are asked at once.
var DefaultTrendOptions = TrendOptions{Change: 0.2, Z: 5, Calls: 10}

// Readings are readings of one server over time: a *History, or *Snapshots.
type Readings interface {
	Readings(ctx context.Context, f func(*Reading) error) error
}

// FindTrends reads a history and finds the statements whose mean time changed:
//
//  1. each pair of readings is an interval, see Between;
//  2. for each statement the intervals are split where the means on both sides are
//     most standard errors apart (Welch's t of the calls' times, whose deviations
//     pg_stat_statements keeps);
//  3. it is listed where they are surely apart and differ by the least change.
func FindTrends(ctx context.Context, h Readings, o TrendOptions) (*Trends, error) {
	out := &Trends{Version: FormatVersion, Changed: []Trend{}}
	series, order := map[string]*Trend{}, []string(nil)
	var before *Reading
	err := h.Readings(ctx, func(r *Reading) error {
		if out.Readings++; before == nil {
			out.From = r.Statements.At
		}
		out.To = r.Statements.At
		if before != nil {
			all, _ := Queries(Between(before.Statements, r.Statements).Statements, nil, "total", Limits{})
			for _, q := range all {
				id := cmp.Or(q.Fingerprint, q.SQL) + fmt.Sprint(q.TopLevel)
				if q.SQL == live.HiddenText {
					id = q.QueryIDs[0] + fmt.Sprint(q.TopLevel)
				}
				t := series[id]
				if t == nil {
					t = &Trend{Fingerprint: q.Fingerprint, SQL: q.SQL}
					series[id] = t
					order = append(order, id)
				}
				t.Points = append(t.Points, Point{From: before.Statements.At, To: r.Statements.At, Calls: q.Calls, MeanMS: q.MeanMS, StddevMS: q.StddevMS})
			}
		}
		before = r
		return nil
	})
	if err != nil {
		return nil, err
	}
	for _, id := range order {
		if t := series[id]; t.split(o) {
			out.Statements++
			if change := math.Abs(t.Ratio - 1); t.Z >= o.Z && (change >= o.Change || t.Ratio <= 1/(1+o.Change)) {
				out.Changed = append(out.Changed, *t)
			}
		}
	}
	slices.SortStableFunc(out.Changed, func(a, b Trend) int { return cmp.Compare(b.CostPerDay, a.CostPerDay) })
	return out, nil
}

// sample is the calls of some intervals: their number, mean and variance.
type sample struct{ n, mean, variance float64 }

func sampleOf(points []Point) sample {
	var n, sum, squares float64
	for _, p := range points {
		c := float64(p.Calls)
		n, sum, squares = n+c, sum+c*p.MeanMS, squares+c*(p.StddevMS*p.StddevMS+p.MeanMS*p.MeanMS)
	}
	if n == 0 {
		return sample{}
	}
	mean := sum / n
	variance := max(squares/n-mean*mean, 0)
	if n > 1 {
		variance *= n / (n - 1)
	}
	return sample{n, mean, variance}
}

// split finds where the series changed most, and reports whether it has enough calls
// to be asked.
func (t *Trend) split(o TrendOptions) bool {
	asked := false
	for i := 1; i < len(t.Points); i++ {
		a, b := sampleOf(t.Points[:i]), sampleOf(t.Points[i:])
		if int64(a.n) < o.Calls || int64(b.n) < o.Calls || a.mean <= 0 {
			continue
		}
		asked = true
		// Times of one statement can be all but equal; a hundredth of the mean is
		// within what a clock and a machine do.
		floor := 0.01 * max(a.mean, b.mean)
		z := math.Abs(b.mean-a.mean) / math.Sqrt(a.variance/a.n+b.variance/b.n+floor*floor)
		if z <= t.Z {
			continue
		}
		t.Z, t.At, t.Before, t.After, t.Ratio = z, t.Points[i-1].To, a.mean, b.mean, b.mean/a.mean
		days := t.Points[len(t.Points)-1].To.Sub(t.Points[i].From).Hours() / 24
		if days > 0 {
			t.CostPerDay = (b.mean - a.mean) * b.n / days
		}
	}
	if len(t.Points) >= 4 {
		s := slope(t.Points)
		t.SlopePerDay = &s
	}
	return asked
}

// slope is the least-squares slope of means over time, weighted by calls, per day.
func slope(points []Point) float64 {
	var w, wx, wy, wxx, wxy float64
	start := points[0].From
	for _, p := range points {
		x := p.From.Add(p.To.Sub(p.From)/2).Sub(start).Hours() / 24
		c := float64(p.Calls)
		w, wx, wy, wxx, wxy = w+c, wx+c*x, wy+c*p.MeanMS, wxx+c*x*x, wxy+c*x*p.MeanMS
	}
	d := w*wxx - wx*wx
	if d == 0 {
		return 0
	}
	return (w*wxy - wx*wy) / d
}
