package load

import (
	"cmp"
	"context"
	"math"
	"slices"
	"sync"
	"time"

	"github.com/planvet/planvet/internal/bench/binomial"
	"github.com/planvet/planvet/internal/bench/results"
)

// How the highest rate is looked for.
const (
	sustainRepeats = 3
	sustainStep    = 2 * time.Second // of one rate, at least
	sustainSamples = 100             // of one rate, at least
	sustainGrain   = 1.04            // how near the rates that pass and fail come
	sustainMost    = 100_000
)

// sustain looks for the highest rate of a case at which its p95 stays within a target:
//
//  1. A rate is an open loop. It passes where the number of answers over the target is one
//     that chance explains of 5 % (binomial), at most 1 % fail, none is dropped, and the
//     backlog does not grow from the second quarter of the time to the last.
//  2. From the case's own rate it is doubled until one fails, or halved until one passes. It
//     is not halved where a target passes twice from one arrival to the next: requests that
//     hold it do not meet there, and fewer of them are not faster.
//  3. Between both, the geometric mean is tried until they are within 4 %. That is done
//     three times, each time from wider bounds than the last found.
//  4. What a server takes is what it answered: a rate that passes by chance counts as the
//     answers a second that it had.
//
// The value is the mean of the three, the interval Student's of two degrees of freedom and
// no narrower than the grain. Nil where no rate passes, or the context ends before.
func (r *Run) sustain(ctx context.Context, target time.Duration, tell func(rate float64)) (*results.Sustainable, error) {
	s := &sustaining{run: r, target: target, tell: tell}
	low, high := 0.0, 0.0
	for rate := cmp.Or(r.Load.Rate, 50); ; {
		took, err := s.step(ctx, rate)
		if err != nil || ctx.Err() != nil {
			return nil, err
		}
		if took > 0 {
			low = rate
		} else {
			high = rate
		}
		if low > 0 && high > 0 || low == 0 && rate*target.Seconds() < 0.5 || rate > sustainMost {
			break
		}
		if high > 0 {
			rate /= 2
		} else {
			rate *= 2
		}
	}
	if low == 0 || high == 0 {
		return nil, nil
	}
	var found []float64
	for range sustainRepeats {
		best, err := s.between(ctx, low, high)
		if err != nil || ctx.Err() != nil {
			return nil, err
		}
		if best > 0 {
			found = append(found, best)
		}
	}
	if len(found) == 0 {
		return nil, nil
	}
	return &results.Sustainable{RPS: repeated(found), TargetP95: float64(target) / float64(time.Millisecond)}, nil
}

// repeated is the mean of what repeats found, with Student's interval of 95 %.
func repeated(found []float64) results.Estimate {
	var mean, square float64
	for _, v := range found {
		mean += v / float64(len(found))
	}
	half := mean * (sustainGrain - 1)
	if n := len(found); n == sustainRepeats {
		for _, v := range found {
			square += (v - mean) * (v - mean) / float64(n-1)
		}
		const t = 4.302652729749464 // 0.975 of two degrees of freedom
		half = max(half, t*math.Sqrt(square/float64(n)))
	}
	return results.Estimate{Value: mean, Low: max(0, mean-half), High: mean + half}
}

type sustaining struct {
	run    *Run
	target time.Duration
	tell   func(rate float64)
}

// between halves the distance of a rate that passed and one that failed, and returns what
// the last one that passed was answered; 0 where none did.
func (s *sustaining) between(ctx context.Context, low, high float64) (float64, error) {
	best := 0.0
	for high/low > sustainGrain {
		rate := math.Sqrt(low * high)
		took, err := s.step(ctx, rate)
		if err != nil || ctx.Err() != nil {
			return 0, err
		}
		if took > 0 {
			low, best = rate, took
		} else {
			high = rate
		}
	}
	if best == 0 { // none above the one that passed before
		return s.step(ctx, low)
	}
	return best, nil
}

// step tries a rate and returns what was answered a second; 0 where it fails.
func (s *sustaining) step(ctx context.Context, rate float64) (float64, error) {
	if s.tell != nil {
		s.tell(rate)
	}
	n := max(sustainSamples, int(math.Ceil(rate*sustainStep.Seconds())))
	limit := binomial.FailsFrom(n, 0.05)
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	r := *s.run
	r.Closed, r.Progress = false, nil
	r.Load.Rate, r.Load.Iterations, r.Load.Duration = rate, n, 0
	// Who waits for longer than a few targets shows that it is too much.
	r.backlog = max(time.Second, 4*s.target)
	if !r.Ahead { // a connection of a database is the case's own; others are as many as are needed
		r.Load.Workers = max(r.Load.Workers, min(4096, int(2*rate*s.target.Seconds())))
	}
	var mu sync.Mutex
	over := 0
	var ends []time.Time
	r.Each = func(o *Outcome, waited time.Duration) {
		mu.Lock()
		defer mu.Unlock()
		ends = append(ends, o.End)
		if o.Class != "" || o.End.Sub(o.Begin)+waited > s.target {
			if over++; over >= limit {
				stop() // it is decided
			}
		}
	}
	m, err := r.Measure(ctx)
	if err != nil && ctx.Err() == nil {
		return 0, err
	}
	if err != nil || m.Partial || m.Invalid() != "" || grows(m.began, rate, n, ends) {
		return 0, nil
	}
	return min(rate, float64(n)/m.Elapsed.Seconds()), nil
}

// grows reports whether more and more wait: how many of those that were due are not done,
// on average over the second quarter of the schedule and over the last one.
func grows(began time.Time, rate float64, n int, ends []time.Time) bool {
	slices.SortFunc(ends, time.Time.Compare)
	step := time.Duration(float64(time.Second) / rate)
	var quarter [4]float64
	done := 0
	for i := range n {
		due := began.Add(time.Duration(i) * step)
		for done < len(ends) && !ends[done].After(due) {
			done++
		}
		quarter[4*i/n] += float64(i - done)
	}
	per := float64(n) / 4
	before, after := quarter[1]/per, quarter[3]/per
	// Arrivals that do not depend on each other differ by about the root of their number.
	return after-before > 2+2*math.Sqrt(before) && (after-before)/(per*2) > 0.02
}
