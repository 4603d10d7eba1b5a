package load

import (
	"math"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/planvet/planvet/internal/bench/results"
)

// databaseTime is what an answer says of the database's part of it, by Server-Timing: the
// metric transaction, as PostgREST has it, else the sum of those that are named db, or
// begin with it.
func databaseTime(h http.Header) (time.Duration, bool) {
	var sum float64
	found := false
	for _, line := range h.Values("Server-Timing") {
		for metric := range strings.SplitSeq(line, ",") {
			name, params, _ := strings.Cut(strings.TrimSpace(metric), ";")
			name = strings.ToLower(strings.TrimSpace(name))
			if name != "transaction" && !strings.HasPrefix(name, "db") {
				continue
			}
			for p := range strings.SplitSeq(params, ";") {
				key, value, _ := strings.Cut(strings.TrimSpace(p), "=")
				ms, err := strconv.ParseFloat(strings.Trim(value, `"`), 64)
				if !strings.EqualFold(key, "dur") || err != nil || !(ms >= 0) {
					continue
				}
				if name == "transaction" {
					return milli(ms), true
				}
				sum, found = sum+ms, true
			}
		}
	}
	return milli(sum), found
}

func milli(ms float64) time.Duration { return time.Duration(ms * float64(time.Millisecond)) }

// ratio is that of two sums, of parts in wholes.
type ratio struct {
	n                   int
	part, whole         float64 // seconds
	part2, whole2, both float64 // sums of squares and of products
}

func (r *ratio) add(part, whole time.Duration) {
	p, w := part.Seconds(), whole.Seconds()
	r.n++
	r.part, r.whole = r.part+p, r.whole+w
	r.part2, r.whole2, r.both = r.part2+p*p, r.whole2+w*w, r.both+p*w
}

// estimate is the ratio with its interval of 95 %, by the variance of the ratio estimator
// (Cochran, Sampling Techniques, 3rd ed. 1977, 6.4): of p - r w, over n times the mean of w
// squared. It is within 0 to 1: clocks of two machines may say more.
func (r *ratio) estimate() *results.Estimate {
	if r.n < 2 || r.whole <= 0 {
		return nil
	}
	n, v := float64(r.n), r.part/r.whole
	residual := max(0, r.part2-2*v*r.both+v*v*r.whole2) / (n - 1)
	half := z95 * math.Sqrt(residual/n) / (r.whole / n)
	within := func(x float64) float64 { return min(1, max(0, x)) }
	return &results.Estimate{Value: within(v), Low: within(v - half), High: within(v + half)}
}

// DatabaseTime is the database's share of the time, of the answers that say it; nil where
// fewer than nine of ten do.
func (s *Samples) DatabaseTime() *results.DatabaseTime {
	s.mu.Lock()
	defer s.mu.Unlock()
	e := s.share.estimate()
	if e == nil || int64(s.share.n)*10 < s.hist.TotalCount()*9 {
		return nil
	}
	return &results.DatabaseTime{Ratio: *e, Source: "server-timing"}
}
