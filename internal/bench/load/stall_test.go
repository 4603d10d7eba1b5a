package load

import (
	"math"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/planvet/planvet/internal/bench/suite"
)

// The p99 of an open loop over a server that stalls on purpose is what the schedule implies:
// who is due in the stall is answered when it ends. When it did is the server's own word.
func TestStallSchedule(t *testing.T) {
	const rate, n, stallFrom, stall = 200, 1000, time.Second, 3 * time.Second
	var mu sync.Mutex
	var began, from, until time.Time
	released := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		mu.Lock()
		now := time.Now()
		if began.IsZero() {
			began = now
		}
		stalled := now.Sub(began) >= stallFrom
		if stalled && from.IsZero() {
			from = now
			time.AfterFunc(stall, func() {
				mu.Lock()
				until = time.Now()
				mu.Unlock()
				close(released)
			})
		}
		mu.Unlock()
		if stalled {
			<-released
		}
	}))
	defer server.Close()
	c := &suite.Request{Method: "GET", Path: "/", Case: suite.Case{Name: "stall", Load: suite.Load{Rate: rate, Workers: n, Iterations: n, Timeout: 10 * time.Second}}}
	open, free, err := Requests(&suite.API{BaseURL: server.URL}, c, "x")
	if err != nil {
		t.Fatal(err)
	}
	defer free()
	s, err := (&Run{Load: c.Load, Open: open}).Measure(t.Context())
	if err != nil || s.Invalid() != "" {
		t.Fatalf("%v, %s", err, s.Invalid())
	}
	var implied []float64
	for i := range n {
		due := s.began.Add(time.Duration(i) * time.Second / rate)
		waits := 0.0
		if !due.Before(from.Add(-time.Second/rate)) && due.Before(until) {
			waits = float64(until.Sub(due)) / float64(time.Millisecond)
		}
		implied = append(implied, waits)
	}
	slices.Sort(implied)
	want := implied[int(math.Ceil(0.99*n))-1]
	got := s.Measured().Latency.P99
	if got == nil || math.Abs(got.Value-want) > 0.05*want || want < 2800 {
		t.Errorf("p99 is %+v, the schedule implies %.0f ms", got, want)
	}
	t.Logf("p99 %.1f ms, implied %.1f ms", got.Value, want)
}
