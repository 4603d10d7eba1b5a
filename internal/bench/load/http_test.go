package load

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/planvet/planvet/internal/bench/suite"
)

// measured runs one case of an API on a server with the handler.
func measured(t *testing.T, load string, closed bool, handler http.HandlerFunc) (*Report, *httptest.Server) {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	return measuredAt(t, server.URL, load, closed), server
}

func measuredAt(t *testing.T, url, load string, closed bool) *Report {
	t.Helper()
	f, err := suite.Parse("suites.yaml", []byte("version: 1\nsuites:\n  api:\n    base_url: "+url+"\n    cases:\n      - {path: /x, "+load+"}\n"))
	if err != nil {
		t.Fatal(err)
	}
	r, err := Bench(t.Context(), f, Options{Suites: []string{"api"}, Closed: closed, CorrelationID: "pr-123"})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// live.md row 32: a server that stalls for a tenth of the time is charged with all who
// arrive then. Half of them wait longer than half of the stall, so that is the p95.
func TestStall(t *testing.T) {
	const stall, every = 200 * time.Millisecond, 2 * time.Second
	handler := func() http.HandlerFunc {
		var began atomic.Int64
		return func(w http.ResponseWriter, _ *http.Request) {
			began.CompareAndSwap(0, time.Now().UnixNano())
			// The stall is in the middle of each period.
			at := time.Duration(time.Now().UnixNano()-began.Load()) % every
			if end := every/2 + stall; at >= every/2 && at < end {
				time.Sleep(end - at)
			}
		}
	}
	const load = "rate: 200, duration: 4s, workers: 128"
	open, _ := measured(t, load, false, handler())
	c := open.Results.Suites[0].Cases[0]
	if c.Load != "open" || c.OfferedRPS == nil || *c.OfferedRPS != 200 || c.Latency.P95 == nil || c.Latency.P95.Value < 60 || !open.Valid() {
		t.Errorf("open: %+v, %+v", c, open.Notes)
	}
	if c.Latency.P99 == nil || c.Latency.P99.Value < 130 || c.Latency.P50.Value > 60 {
		t.Errorf("open: %+v", c.Latency)
	}
	closed, _ := measured(t, load, true, handler())
	k := closed.Results.Suites[0].Cases[0]
	if k.Load != "closed" || k.Clients != 1 || k.OfferedRPS != nil || k.Latency.P95 == nil || k.Latency.P95.Value > c.Latency.P95.Value/3 {
		t.Errorf("closed: %+v", k)
	}
	for _, r := range []*Report{open, closed} {
		var text strings.Builder
		if err := Markdown(&text, r); err != nil {
			t.Fatal(err)
		}
		if label := r.Results.Suites[0].Cases[0].Load; !strings.Contains(text.String(), "| "+label+", ") {
			t.Errorf("no label %s in %s", label, text.String())
		}
	}
}

// live.md row 65: errors are counted by class, leave the latencies, and over 1 % of them
// there is no measurement.
func TestErrors(t *testing.T) {
	var n atomic.Int64
	r, _ := measured(t, "iterations: 400, rate: 400, warmup: 20", false, func(w http.ResponseWriter, _ *http.Request) {
		if n.Add(1)%20 == 0 {
			w.WriteHeader(500)
		}
	})
	c := r.Results.Suites[0].Cases[0]
	if c.Requests != 400 || c.Errors.Count != 20 || c.Errors.ByClass["500"] != 20 || c.Errors.Rate.Value != 0.05 || c.Errors.Rate.Low < 0.03 || c.Errors.Rate.High > 0.08 {
		t.Errorf("got %+v", c.Errors)
	}
	if r.Valid() || r.Notes[0].Invalid != "more than 1 % failed" {
		t.Errorf("valid: %+v", r.Notes)
	}
}

// A server that hangs, resets, refuses, redirects or sends another body is never fast.
func TestInvalid(t *testing.T) {
	reset := func(w http.ResponseWriter, _ *http.Request) {
		conn, _, err := w.(http.Hijacker).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		conn.(*net.TCPConn).SetLinger(0)
		conn.Close()
	}
	for _, c := range []struct {
		class, load string
		handler     http.HandlerFunc
	}{
		{ClassTimeout, "timeout: 100ms, warmup: 1, rate: 200", func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }},
		{ClassTimeout, "timeout: 100ms, warmup: 1, rate: 200", func(w http.ResponseWriter, r *http.Request) { w.(http.Flusher).Flush(); <-r.Context().Done() }},
		{ClassReset, "rate: 200", reset},
		{ClassReset, "rate: 200", func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("content-length", "9")
			w.Write([]byte("half"))
		}},
		{ClassRedirect, "rate: 200", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/login", http.StatusFound) }},
		{ClassBody, "rate: 200, expect: {contains: slips}", func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "please log in") }},
		{ClassBody, "rate: 200, expect: {equals: '[]'}", func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "[] ") }},
		{"200", "rate: 200, expect: {status: 201}", func(http.ResponseWriter, *http.Request) {}},
		{"404", "rate: 200", http.NotFound},
	} {
		r, _ := measured(t, c.load, false, c.handler)
		k := r.Results.Suites[0].Cases[0]
		if r.Valid() || k.Errors.Count < hopeless || k.Errors.ByClass[c.class] != k.Errors.Count || k.Latency.P50 != nil || k.ThroughputRPS.Value != 0 {
			t.Errorf("%s, %s: %+v", c.class, c.load, k)
		}
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l.Close()
	r := measuredAt(t, "http://"+l.Addr().String(), "rate: 200", false)
	if k := r.Results.Suites[0].Cases[0]; r.Valid() || k.Errors.ByClass[ClassRefused] != k.Errors.Count || k.Errors.Count == 0 {
		t.Errorf("refused: %+v", k)
	}
}

// What a request sends is what the file says, under the correlation id, on connections
// that are kept.
func TestRequest(t *testing.T) {
	var n, conns atomic.Int64
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		n.Add(1)
		body, _ := io.ReadAll(r.Body)
		trace := r.Header.Get("traceparent")
		if r.Method != "POST" || r.URL.Path != "/api/slips" || r.URL.RawQuery != "open=1" || string(body) != `{"by": 7}` ||
			r.Header.Get("authorization") != "Bearer t0k3n" || r.Header.Get("x-correlation-id") != "pr-123" || len(trace) != 55 || r.Header.Get("accept") != "application/json" {
			t.Errorf("got %s %s %q %v", r.Method, r.URL, body, r.Header)
		}
		w.WriteHeader(201)
		io.WriteString(w, `{"id": 1}`)
	}))
	server.Config.ConnState = func(_ net.Conn, s http.ConnState) {
		if s == http.StateNew {
			conns.Add(1)
		}
	}
	server.Start()
	t.Cleanup(server.Close)
	t.Setenv("LOAD_TEST_TOKEN", "t0k3n")
	f, err := suite.Parse("suites.yaml", []byte(`version: 1
suites:
  api:
    base_url: `+server.URL+`/api/
    headers: {authorization: "Bearer ${LOAD_TEST_TOKEN}"}
    clients: 3
    cases:
      - {method: POST, path: "/slips?open=1", body: '{"by": 7}', headers: {accept: application/json}, expect: {status: 201, contains: '"id"'}}
`))
	if err != nil {
		t.Fatal(err)
	}
	if f.API, err = f.API.Expand(); err != nil {
		t.Fatal(err)
	}
	r, err := Bench(t.Context(), f, Options{Suites: []string{"api"}, Closed: true, Iterations: 50, CorrelationID: "pr-123"})
	if err != nil || !r.Valid() {
		t.Fatalf("%+v, %v", r, err)
	}
	c := r.Results.Suites[0].Cases[0]
	if c.Requests != 50 || c.Clients != 3 || c.Latency.P50 == nil || c.Latency.P95 != nil || c.Latency.P99 != nil {
		t.Errorf("got %+v", c)
	}
	if got := n.Load(); got != 50+3*5 {
		t.Errorf("%d requests, want 50 and 15 of warm-up", got)
	}
	if got := conns.Load(); got > 3 {
		t.Errorf("%d connections for 3 clients", got)
	}
}

// Where nobody says how many, there are as many as a p99 needs.
func TestExtends(t *testing.T) {
	r, _ := measured(t, "rate: 1000", true, func(http.ResponseWriter, *http.Request) {})
	if c := r.Results.Suites[0].Cases[0]; c.Requests != enoughP99 || c.Latency.P99 == nil {
		t.Errorf("got %+v", c)
	}
}

// Who interrupts gets what was measured, and nothing goes on.
func TestInterrupted(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	var inside atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		inside.Add(1)
		defer inside.Add(-1)
		select {
		case <-r.Context().Done():
		case <-time.After(20 * time.Millisecond):
		}
	}))
	defer server.Close()
	f, err := suite.Parse("suites.yaml", []byte("version: 1\nsuites: {api: {base_url: "+server.URL+", rate: 100, duration: 1m, cases: [{path: /a}, {path: /b}]}}"))
	if err != nil {
		t.Fatal(err)
	}
	r, err := Bench(ctx, f, Options{Suites: []string{"api"}, CorrelationID: "x"})
	if err != nil {
		t.Fatal(err)
	}
	if s := r.Results.Suites[0]; !r.Partial || len(s.Cases) != 1 || s.Cases[0].Requests < 5 || s.Cases[0].Errors.Count > 0 || !r.Notes[0].Partial {
		t.Errorf("got %+v %+v", r, s)
	}
	for range 100 {
		if inside.Load() == 0 {
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
	t.Errorf("%d requests are still running", inside.Load())
}
