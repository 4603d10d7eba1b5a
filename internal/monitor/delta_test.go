package monitor

import (
	"math"
	"testing"
	"time"

	"github.com/planvet/planvet/internal/live"
)

// row is a row of one statement after calls that took these times.
func row(id int64, times ...float64) live.Statement {
	s := live.Statement{QueryID: id, TopLevel: true, Calls: int64(len(times)), Rows: 2 * int64(len(times)), SharedHit: 10 * int64(len(times)), MinExecMS: math.Inf(1)}
	for _, t := range times {
		s.ExecMS += t
		s.MinExecMS, s.MaxExecMS = min(s.MinExecMS, t), max(s.MaxExecMS, t)
	}
	mean := s.ExecMS / float64(len(times))
	for _, t := range times {
		s.StddevExecMS += (t - mean) * (t - mean)
	}
	s.StddevExecMS = math.Sqrt(s.StddevExecMS / float64(len(times)))
	return s
}

func reading(reset time.Time, evicted int64, rows ...live.Statement) *live.Statements {
	return &live.Statements{Reset: reset, Evicted: evicted, All: rows}
}

func TestBetween(t *testing.T) {
	start := time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC)
	a := reading(start, 3, row(1, 5, 5), row(2, 1), row(3, 7, 8))
	b := reading(start, 5, row(1, 5, 5, 10, 30), row(2, 1), row(4, 100))
	d := Between(a, b)
	if len(d.Statements) != 2 || d.Statements[0].QueryID != 4 || d.Statements[1].QueryID != 1 || d.Reset || d.Evicted != 2 {
		t.Fatalf("got %+v", d)
	}
	s := d.Statements[1]
	want := row(1, 10, 30)
	if s.Calls != 2 || s.Rows != 4 || s.SharedHit != 20 || math.Abs(s.ExecMS-40) > 1e-9 || math.Abs(s.StddevExecMS-want.StddevExecMS) > 1e-9 || s.MaxExecMS != 0 {
		t.Errorf("got %+v, want the two calls between: %+v", s, want)
	}
	if d.Statements[0].MaxExecMS != 100 {
		t.Errorf("a new row's maximum is the interval's: %+v", d.Statements[0])
	}
}

func TestBetweenResets(t *testing.T) {
	start := time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC)
	before := row(1, 5, 5, 5)
	again := row(1, 4, 4)
	sinceBefore, sinceAgain := before, row(1, 2, 2, 2, 2)
	sinceBefore.Since, sinceAgain.Since = start, start.Add(time.Minute)
	for name, c := range map[string]struct {
		a, b  *live.Statements
		calls int64
		reset bool
	}{
		"all":                  {reading(start, 0, before), reading(start.Add(time.Second), 0, row(1, 3, 3, 3, 3, 3)), 5, true},
		"one, seen by calls":   {reading(start, 0, before), reading(start, 0, again), 2, false},
		"one, seen by its age": {reading(start, 0, sinceBefore), reading(start, 0, sinceAgain), 4, false},
		"old extension":        {reading(time.Time{}, -1, before), reading(time.Time{}, -1, again), 2, false},
	} {
		d := Between(c.a, c.b)
		if len(d.Statements) != 1 || d.Statements[0].Calls != c.calls || d.Reset != c.reset || d.Statements[0].ExecMS < 0 {
			t.Errorf("%s: got %+v", name, d)
		}
	}
	if d := Between(reading(start, 9), reading(start.Add(time.Second), 4)); d.Evicted != 4 {
		t.Errorf("evictions after a reset: %d, want 4", d.Evicted)
	}
}
