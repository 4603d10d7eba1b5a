package load

import (
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/planvet/planvet/internal/bench/suite"
)

// live.md row 66: ten workers of 50 ms take 200 requests a second at most.
func TestSustain(t *testing.T) {
	if testing.Short() {
		t.Skip("-short does not look for rates: it takes most of a minute")
	}
	workers := make(chan struct{}, 10)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		workers <- struct{}{}
		time.Sleep(50 * time.Millisecond)
		<-workers
	}))
	defer server.Close()
	f, err := suite.Parse("suites.yaml", []byte("version: 1\nsuites: {api: {base_url: "+server.URL+", cases: [{path: /x}, {name: slow, path: /y, service: Slow}]}}"))
	if err != nil {
		t.Fatal(err)
	}
	r, err := Bench(t.Context(), f, Options{Suites: []string{"api"}, Iterations: 60, CorrelationID: "x", TargetP95: func(c *suite.Case) time.Duration {
		if c.Service == "Slow" {
			return 20 * time.Millisecond // which nothing holds
		}
		return 100 * time.Millisecond
	}})
	if err != nil {
		t.Fatal(err)
	}
	s := r.Results.Suites[0].Cases[0].Sustainable
	if s == nil || s.RPS.Value < 160 || s.RPS.Value > 200 || s.RPS.Low > s.RPS.Value || s.RPS.High < s.RPS.Value || s.TargetP95 != 100 {
		t.Errorf("got %+v", s)
	}
	t.Logf("%+v", s)
	if c := r.Results.Suites[0].Cases[1]; c.Sustainable != nil || len(r.Unsustained) != 1 || r.Unsustained[0] != "slow" {
		t.Errorf("got %+v, %v", c.Sustainable, r.Unsustained)
	}
}

// More and more wait where less is done than arrives, by a schedule.
func TestGrows(t *testing.T) {
	began := time.Now()
	ends := func(rate, done float64, n int) []time.Time {
		var out []time.Time
		for i := range n {
			due := float64(i) / rate
			end := max(due, float64(i)/done) + 0.05
			out = append(out, began.Add(time.Duration(end*float64(time.Second))))
		}
		return out
	}
	for _, c := range []struct {
		rate, done float64
		want       bool
	}{{200, 1000, false}, {200, 200, false}, {200, 199, false}, {220, 200, true}, {400, 200, true}, {20, 10, true}} {
		if got := grows(began, c.rate, 440, ends(c.rate, c.done, 440)); got != c.want {
			t.Errorf("%g arrive, %g are done: %v", c.rate, c.done, got)
		}
	}
}
