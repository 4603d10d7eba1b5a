package investigate

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/planvet/planvet/internal/audit"
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
	// counts answers by status.
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

func usagef(format string, args ...any) error { return &explain.Usage{Err: fmt.Errorf(format, args...)} }

// request makes the endpoint's request, under a correlation id. An error is an
// *explain.Usage.
func (e *Endpoint) request(ctx context.Context, id string) (*http.Request, error) {
	u, err := url.Parse(e.URL)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return nil, usagef("--url: write http://host/path or https://host/path")
	}
	r, err := http.NewRequestWithContext(ctx, e.Method, e.URL, strings.NewReader(e.Body))
	if err != nil {
		return nil, usagef("--method %q: not a method of HTTP", e.Method)
	}
	for _, h := range e.Headers {
		name, value, ok := strings.Cut(h, ":")
		if !ok || strings.TrimSpace(name) == "" {
			return nil, usagef("--header: write NAME: VALUE")
		}
		r.Header.Add(strings.TrimSpace(name), strings.TrimSpace(value))
	}
	r.Header.Set("x-correlation-id", id)
	r.Header.Set("traceparent", audit.TraceParent(id))
	return r, nil
}

// measure sends the requests. It fails where none was answered at all.
func (e *Endpoint) measure(ctx context.Context, id string) (*Latencies, error) {
	ctx, cancel := context.WithTimeout(ctx, measureTimeout)
	defer cancel()
	client := &http.Client{Timeout: requestTimeout, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	out := &Latencies{Statuses: map[int]int{}}
	var times []float64
	var last error
	for i := range e.Warmup + e.Requests {
		r, err := e.request(ctx, id)
		if err != nil {
			return nil, err
		}
		start := time.Now()
		status, size, err := send(client, r)
		ms := float64(time.Since(start).Nanoseconds()) / 1e6
		if i < e.Warmup && err == nil {
			continue
		}
		if ctx.Err() != nil {
			last = fmt.Errorf("%d requests took more than %s", e.Warmup+e.Requests, measureTimeout)
			break
		}
		if err != nil {
			last = err
			out.Errors++
			out.fail(err)
			if out.Errors > 3 && len(times) == 0 {
				break
			}
			continue
		}
		out.Statuses[status]++
		if status >= 400 {
			out.Errors++
		}
		times, out.Bytes, out.TotalMS = append(times, ms), out.Bytes+size, out.TotalMS+ms
	}
	if len(times) == 0 {
		return nil, fmt.Errorf("requesting %s: %w", e.shown(), last)
	}
	slices.Sort(times)
	out.Requests, out.P50, out.Max = len(times), rank(times, 0.5), times[len(times)-1]
	if len(times) >= fewForP95 {
		p := rank(times, 0.95)
		out.P95 = &p
	}
	return out, nil
}

func (l *Latencies) fail(err error) {
	if l.Failures == nil {
		l.Failures = map[string]int{}
	}
	var u *url.Error
	if errors.As(err, &u) {
		err = u.Err // without the URL, which may hold a token
	}
	l.Failures[err.Error()]++
}

func send(client *http.Client, r *http.Request) (status int, size int64, err error) {
	res, err := client.Do(r)
	if err != nil {
		var u *url.Error
		if errors.As(err, &u) {
			err = u.Err
		}
		return 0, 0, err
	}
	defer res.Body.Close()
	size, err = io.Copy(io.Discard, res.Body)
	return res.StatusCode, size, err
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
