package load

import (
	"context"
	"math"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/planvet/planvet/internal/bench/suite"
)

// A server that stalls for 1 s in each 10 s: in an open loop the p99 is what the schedule
// implies, who is due in a stall is answered when it ends. A closed loop hides it. Time is
// synctest's, so that nothing but the schedule counts.
func TestStallOnTheClock(t *testing.T) {
	const rate, n = 100, 3000
	for _, closed := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			server := stalling{began: time.Now(), each: 10 * time.Second, stall: time.Second, service: 2 * time.Millisecond}
			r := &Run{
				Load: suite.Load{Rate: rate, Workers: n, Iterations: n, Timeout: time.Minute}, Closed: closed,
				Open: func(context.Context) (Client, error) { return server, nil },
			}
			s, err := r.Measure(t.Context())
			if err != nil || s.Invalid() != "" {
				t.Fatalf("%v, %s", err, s.Invalid())
			}
			var implied []float64
			for i := range n {
				due := s.began.Add(time.Duration(i) * time.Second / rate)
				implied = append(implied, float64(server.answers(due).Sub(due))/float64(time.Millisecond))
			}
			slices.Sort(implied)
			want := implied[int(math.Ceil(0.99*n))-1]
			got := s.Measured().Latency.P99
			switch {
			case closed && (got == nil || got.Value > 10):
				t.Errorf("closed loop: p99 is %+v", got)
			case !closed && (got == nil || math.Abs(got.Value-want) > 0.05*want || want < 850):
				t.Errorf("open loop: p99 is %+v, the schedule implies %.0f ms", got, want)
			}
		})
	}
}

// stalling is a client of a server that answers nobody in the last part of each period.
type stalling struct {
	began                time.Time
	each, stall, service time.Duration
}

// answers is when what is sent at a time is answered.
func (c stalling) answers(sent time.Time) time.Time {
	within := sent.Sub(c.began) % c.each
	if left := c.each - within; left <= c.stall {
		sent = sent.Add(left)
	}
	return sent.Add(c.service)
}

func (c stalling) Do(context.Context) Outcome {
	o := Outcome{Begin: time.Now()}
	time.Sleep(time.Until(c.answers(o.Begin)))
	o.End = time.Now()
	return o
}

func (stalling) Close() {}

// The same of a real server, by the times that it says itself: who is due in the stall is
// answered between its end and when the machine has woken the last handler.
func TestStallSchedule(t *testing.T) {
	const rate, n, stallFrom, stall = 200, 1000, time.Second, 3 * time.Second
	var mu sync.Mutex
	var began, from, until, woken time.Time
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
			mu.Lock()
			woken = time.Now()
			mu.Unlock()
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
	// implied is the p99 where all who are due in the stall are answered at a time.
	implied := func(answered time.Time) float64 {
		var all []float64
		for i := range n {
			due := s.began.Add(time.Duration(i) * time.Second / rate)
			waits := 0.0
			if !due.Before(from.Add(-time.Second/rate)) && due.Before(until) {
				waits = float64(answered.Sub(due)) / float64(time.Millisecond)
			}
			all = append(all, waits)
		}
		slices.Sort(all)
		return all[int(math.Ceil(0.99*n))-1]
	}
	least, most := implied(until), implied(woken)
	got := s.Measured().Latency.P99
	if got == nil || got.Value < 0.95*least || got.Value > 1.05*most || least < 2800 {
		t.Errorf("p99 is %+v, the schedule implies %.0f to %.0f ms", got, least, most)
	}
}
