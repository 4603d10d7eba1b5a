package investigate

import (
	"context"
	"fmt"
	"math"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/planvet/planvet/internal/bench/load"
	"github.com/planvet/planvet/internal/bench/suite"
	"github.com/planvet/planvet/internal/explain"
)

// Endpoint is a request to investigate.
type Endpoint struct {
	URL, Method string
	// Headers are "Name: value"; Body is sent with each request.
	Headers []string
	Body    string
	// Requests are measured after Warmup ones that are not, one after the other.
	Requests, Warmup int
}

// Latencies are times of requests one after the other, each from its start to the
// last byte of its answer: a closed loop, which says nothing of waiting under load.
type Latencies struct {
	Requests int `json:"requests"`
	// P50, P95 and Max are milliseconds, by nearest rank; P95 is nil under 20 requests.
	P50 float64  `json:"p50_ms"`
	P95 *float64 `json:"p95_ms,omitempty"`
	Max float64  `json:"max_ms"`
	// Errors counts answers other than 2xx and 3xx, and requests without one; Statuses
	// counts answers by status, Failures requests without one by what kept it away.
	Errors   int            `json:"errors"`
	Statuses map[int]int    `json:"statuses"`
	Bytes    int64          `json:"bytes"`
	Failures map[string]int `json:"failures,omitempty"`
	TotalMS  float64        `json:"total_ms"`
}

// requestTimeout bounds one request, measureTimeout all of them.
const (
	requestTimeout = 30 * time.Second
	measureTimeout = 2 * time.Minute
	// fewForP95 is the least number of requests whose 95th percentile is not simply
	// the slowest one.
	fewForP95 = 20
)

func usagef(format string, args ...any) error {
	return &explain.Usage{Err: fmt.Errorf(format, args...)}
}

// request is the endpoint as a case of a suite, each request after the one before. An error
// is an *explain.Usage.
func (e *Endpoint) request() (*suite.API, *suite.Request, error) {
	u, err := url.Parse(e.URL)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return nil, nil, usagef("--url: write http://host/path or https://host/path")
	}
	if _, err := http.NewRequest(e.Method, e.URL, nil); err != nil {
		return nil, nil, usagef("--method %q: not a method of HTTP", e.Method)
	}
	q := &suite.Request{Method: e.Method, Path: u.EscapedPath(), Body: e.Body, Headers: map[string]string{}}
	if u.RawQuery != "" {
		q.Path += "?" + u.RawQuery
	}
	q.Load = suite.Load{Clients: 1, Warmup: e.Warmup, Iterations: e.Requests, Timeout: requestTimeout}
	for _, h := range e.Headers {
		name, value, ok := strings.Cut(h, ":")
		if name, value = http.CanonicalHeaderKey(strings.TrimSpace(name)), strings.TrimSpace(value); !ok || name == "" {
			return nil, nil, usagef("--header: write NAME: VALUE")
		}
		if before, has := q.Headers[name]; has { // RFC 9110, 5.3
			value = before + ", " + value
		}
		q.Headers[name] = value
	}
	u.Path, u.RawPath, u.RawQuery, u.Fragment = "", "", "", ""
	return &suite.API{BaseURL: u.String()}, q, nil
}

// measure sends the requests. It fails where none was answered at all.
func (e *Endpoint) measure(ctx context.Context, id string) (*Latencies, error) {
	api, q, err := e.request()
	if err != nil {
		return nil, err
	}
	open, free, err := load.Requests(api, q, id)
	if err != nil {
		return nil, usagef("--url: %s", err)
	}
	defer free()
	ctx, cancel := context.WithTimeout(ctx, measureTimeout)
	defer cancel()
	out := &Latencies{Statuses: map[int]int{}}
	var times []float64
	last := ""
	run := &load.Run{Load: q.Load, Closed: true, Open: open, Each: func(o *load.Outcome, _ time.Duration) {
		if o.Status == 0 {
			if last = o.Class; out.Failures == nil {
				out.Failures = map[string]int{}
			}
			out.Errors, out.Failures[o.Class] = out.Errors+1, out.Failures[o.Class]+1
			return
		}
		if out.Statuses[o.Status]++; o.Status >= 400 {
			out.Errors++
		}
		ms := float64(o.End.Sub(o.Begin).Nanoseconds()) / 1e6
		times, out.Bytes, out.TotalMS = append(times, ms), out.Bytes+o.Bytes, out.TotalMS+ms
	}}
	if _, err := run.Measure(ctx); err != nil {
		return nil, err
	}
	if len(times) == 0 {
		if last == "" {
			last = fmt.Sprintf("%d requests took more than %s", e.Warmup+e.Requests, measureTimeout)
		}
		return nil, fmt.Errorf("requesting %s: %s", e.shown(), last)
	}
	slices.Sort(times)
	out.Requests, out.P50, out.Max = len(times), rank(times, 0.5), times[len(times)-1]
	if len(times) >= fewForP95 {
		p := rank(times, 0.95)
		out.P95 = &p
	}
	return out, nil
}

// rank is a percentile of sorted values by nearest rank.
func rank(sorted []float64, p float64) float64 {
	return sorted[max(int(math.Ceil(p*float64(len(sorted))))-1, 0)]
}

// shown is the endpoint without what may be secret: user, query and fragment.
func (e *Endpoint) shown() string {
	u, err := url.Parse(e.URL)
	if err != nil {
		return e.Method
	}
	return e.Method + " " + u.Scheme + "://" + u.Host + u.EscapedPath()
}
