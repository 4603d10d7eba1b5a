package investigate

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/planvet/planvet/internal/audit"
)

func TestEndpoint(t *testing.T) {
	var n atomic.Int64
	ids, traces := map[string]bool{}, map[string]bool{}
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ids[r.Header.Get("x-correlation-id")] = true
		traces[r.Header.Get("traceparent")[:35]] = true
		if r.Header.Get("authorization") != "Bearer x" || r.Method != "POST" {
			w.WriteHeader(http.StatusTeapot)
			return
		}
		switch n.Add(1) {
		case 5:
			w.WriteHeader(http.StatusInternalServerError)
		case 6:
			time.Sleep(100 * time.Millisecond)
		}
		fmt.Fprint(w, "0123456789")
	}))
	defer srv.Close()
	e := Endpoint{URL: srv.URL + "/visits?token=s3cret", Method: "POST", Headers: []string{"Authorization: Bearer x"}, Requests: 20, Warmup: 2}
	got, err := e.measure(t.Context(), "pr-123")
	if err != nil {
		t.Fatal(err)
	}
	if got.Requests != 20 || got.Errors != 1 || got.Statuses[200] != 19 || got.Statuses[500] != 1 || got.Bytes != 200 {
		t.Errorf("got %+v", got)
	}
	if got.P95 == nil || got.Max < 100 || got.P50 >= 100 {
		t.Errorf("latencies %+v: one request took 100 ms", got)
	}
	if len(ids) != 1 || !ids["pr-123"] || len(traces) != 1 {
		t.Errorf("the server saw ids %v and traces %v", ids, traces)
	}
	if s := e.shown(); strings.Contains(s, "s3cret") || !strings.HasPrefix(s, "POST http://") {
		t.Errorf("shown as %s", s)
	}
}

func TestEndpointThatDoesNotAnswer(t *testing.T) {
	srv := httptest.NewServer(http.NotFoundHandler())
	srv.Close()
	e := Endpoint{URL: srv.URL + "/x?token=s3cret", Method: "GET", Requests: 50}
	_, err := e.measure(t.Context(), audit.NewID())
	if err == nil || strings.Contains(err.Error(), "s3cret") || strings.Contains(err.Error(), "\n") {
		t.Errorf("got %v", err)
	}
	for _, bad := range []Endpoint{{URL: "localhost:80", Method: "GET"}, {URL: "http://x/", Method: "G T"}, {URL: "http://x/", Method: "GET", Headers: []string{"x"}}} {
		bad.Requests = 1
		if _, err := bad.measure(context.Background(), "x"); err == nil || !strings.HasPrefix(err.Error(), "--") {
			t.Errorf("%+v: got %v", bad, err)
		}
	}
}

func TestRank(t *testing.T) {
	// Nearest rank of 1 … 100: the p-th is p.
	values := make([]float64, 100)
	for i := range values {
		values[i] = float64(i + 1)
	}
	for p, want := range map[float64]float64{0.5: 50, 0.95: 95, 0.99: 99, 1: 100, 0: 1} {
		if got := rank(values, p); got != want {
			t.Errorf("%v: %v, want %v", p, got, want)
		}
	}
}
