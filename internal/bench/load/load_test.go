package load

import (
	"context"
	"testing"
	"time"

	"github.com/planvet/planvet/internal/bench/suite"
)

type slow struct{ takes time.Duration }

func (s slow) Do(ctx context.Context) Outcome {
	o := Outcome{Begin: time.Now()}
	select {
	case <-time.After(s.takes):
	case <-ctx.Done():
	}
	o.End = time.Now()
	return o
}

func (slow) Close() {}

// More arrives than workers can do: the backlog is what latency shows, and what it cannot
// hold is dropped and makes the measurement invalid.
func TestBacklog(t *testing.T) {
	r := &Run{Load: suite.Load{Rate: 200, Workers: 2, Clients: 1, Iterations: 100, Timeout: time.Minute}, Open: func(context.Context) (Client, error) { return slow{20 * time.Millisecond}, nil }}
	s, err := r.Measure(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	// 100 of 20 ms by two workers take 1 s and arrive in half of it.
	m := s.Measured()
	if m.Requests != 100 || m.Latency.Max < 400 || s.Dropped != 0 || s.Invalid() != "" {
		t.Errorf("got %+v, %d dropped", m, s.Dropped)
	}
	r.backlog = time.Millisecond // a queue of 16
	if s, err = r.Measure(t.Context()); err != nil {
		t.Fatal(err)
	}
	if m := s.Measured(); s.Dropped < 10 || m.Requests+s.Dropped != 100 || s.Invalid() == "" {
		t.Errorf("got %+v, %d dropped", m, s.Dropped)
	}
}

// The overhead is that of a request, not of a run.
func TestOverhead(t *testing.T) {
	d, err := Overhead(t.Context())
	if err != nil || d <= 0 || d > time.Millisecond {
		t.Errorf("got %v, %v", d, err)
	}
}
