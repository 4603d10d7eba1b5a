package load

import (
	"math"
	"sync"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"

	"github.com/planvet/planvet/internal/bench/results"
)

// Samples are what a case measured.
type Samples struct {
	// Open is an open loop's; Partial was ended before it was done.
	Open, Partial bool
	// Dropped are arrivals that no worker had time for; they are not among the requests.
	Dropped int
	// Elapsed is from the first piece of work to the end of the last.
	Elapsed time.Duration
	// Classes counts errors.
	Classes map[string]int

	began time.Time
	mu    sync.Mutex
	hist  *hdrhistogram.Histogram // nanoseconds, of what did not fail
	lag   *hdrhistogram.Histogram // how late arrivals were begun by the generator itself
	bad   int
	share ratio // of the database, of the answers that say it
}

// The range of what is told apart: a microsecond to an hour, to three digits.
func newHistogram() *hdrhistogram.Histogram {
	return hdrhistogram.New(1000, int64(time.Hour), 3)
}

func newSamples() *Samples {
	return &Samples{Classes: map[string]int{}, hist: newHistogram(), lag: newHistogram()}
}

// NewSamples are samples of what others measured; Add adds to them, and Elapsed is theirs
// to set.
func NewSamples() *Samples { return newSamples() }

// Add notes a piece of work: how long it took, or the class of its error.
func (s *Samples) Add(took time.Duration, class string) { s.add(&Outcome{Class: class}, took) }

func (s *Samples) add(o *Outcome, latency time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if o.Class != "" {
		s.Classes[o.Class]++
		s.bad++
		return
	}
	if record(s.hist, latency); o.HasDatabase {
		s.share.add(o.Database, o.End.Sub(o.Begin)-o.Pause)
	}
}

func record(h *hdrhistogram.Histogram, d time.Duration) {
	// The bounds keep it from failing.
	_ = h.RecordValue(int64(min(max(d, 0), time.Hour)))
}

func (s *Samples) late(by time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	record(s.lag, by)
}

func (s *Samples) drop() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.Dropped++
}

func (s *Samples) goodSoFar() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return int(s.hist.TotalCount())
}

func (s *Samples) badSoFar() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.bad
}

func (s *Samples) soFar() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return int(s.hist.TotalCount()) + s.bad
}

// Lag is the p95 of how late the generator itself was with what was due: a busy machine
// shows here.
func (s *Samples) Lag() time.Duration { return time.Duration(s.lag.ValueAtPercentile(95)) }

// maxErrors is the share of errors over which a measurement is invalid: what was fast may
// have been fast because it failed.
const maxErrors = 0.01

// Invalid says why the samples are no measurement, "" where they are one.
func (s *Samples) Invalid() string {
	n := s.soFar()
	switch {
	case s.hist.TotalCount() == 0:
		return "nothing succeeded"
	case float64(s.bad) > maxErrors*float64(n):
		return "more than 1 % failed"
	case s.Dropped > 0:
		return "arrivals were dropped: all workers were busy for too long"
	}
	return ""
}

// Standing is whether the samples are a measurement.
func (s *Samples) Standing() results.Standing {
	return results.Standing{Dropped: s.Dropped, Invalid: s.Invalid(), Partial: s.Partial}
}

// Measured are the samples as the file of results has them.
func (s *Samples) Measured() results.Measured {
	s.mu.Lock()
	defer s.mu.Unlock()
	good := int(s.hist.TotalCount())
	m := results.Measured{Requests: good + s.bad}
	m.Errors = results.Errors{Count: s.bad, Rate: share(s.bad, m.Requests)}
	if s.bad > 0 {
		m.Errors.ByClass = s.Classes
	}
	if good == 0 {
		return m
	}
	if text, err := s.hist.Encode(hdrhistogram.V2CompressedEncodingCookieBase); err == nil {
		m.Histogram = string(text)
	}
	v := newOrdered(s.hist)
	m.Latency = results.Latency{Mean: s.hist.Mean() / 1e6, Max: v.at(good), P50: v.quantile(0.5)}
	if good >= enoughP95 {
		m.Latency.P95 = v.quantile(0.95)
	}
	if good >= enoughP99 {
		m.Latency.P99 = v.quantile(0.99)
	}
	return m
}

// Throughput is what was done without an error in a second, with the interval of a count
// of events that do not depend on each other.
func (s *Samples) Throughput() results.Estimate {
	n, sec := float64(s.goodSoFar()), s.Elapsed.Seconds()
	if sec <= 0 {
		return results.Estimate{}
	}
	half := z95 * math.Sqrt(n)
	return results.Estimate{Value: n / sec, Low: max(0, n-half) / sec, High: (n + half) / sec}
}

// Distribution counts latencies by buckets that grow by about a tenth. The first one is
// empty and ends where the shortest latency is: without it, what is all alike would be in
// a bucket from 0, and could not be told from what is fast.
func (s *Samples) Distribution() []results.Bucket {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []results.Bucket
	bound := 0.0
	for _, b := range s.hist.Distribution() {
		if b.Count == 0 {
			continue
		}
		ms := float64(b.To) / 1e6
		if len(out) == 0 && b.From > 0 {
			out = append(out, results.Bucket{UpTo: float64(b.From-1) / 1e6})
		}
		if len(out) > 0 && ms <= bound {
			out[len(out)-1].UpTo, out[len(out)-1].Count = ms, out[len(out)-1].Count+int(b.Count)
			continue
		}
		bound = ms * 1.1
		out = append(out, results.Bucket{UpTo: ms, Count: int(b.Count)})
	}
	return out
}
