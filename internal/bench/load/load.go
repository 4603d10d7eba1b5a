// Package load does work at a rate, or as fast as clients can, and measures it. In an open
// loop work arrives on schedule, whatever became of the work before, and its latency counts
// from when it should have begun: a server that stalls is charged with all whom it kept
// waiting. A closed loop, in which each client waits for its answer, hides that.
package load

import (
	"cmp"
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/planvet/planvet/internal/bench/suite"
)

// Client does one piece of work after the other: a connection.
type Client interface {
	// Do works once. The error of a cancelled context is not looked at.
	Do(ctx context.Context) Outcome
	// Close ends the connection.
	Close()
}

// Outcome is when a piece of work began and ended, the class of its error, "" for none,
// and how many bytes the answer had: of a body, or of the values of rows.
type Outcome struct {
	Begin, End time.Time
	Class      string
	Bytes      int64
	// Status is that of an answer of HTTP, 0 where none came, or none was asked for.
	Status int
	// Pause is what of the time nobody waited: a user thinks.
	Pause time.Duration
	// Database is the database's part of the time, where the answer says it.
	Database    time.Duration
	HasDatabase bool
	// Parts are the steps of a flow that were begun.
	Parts []Part
}

// Part is one step of a flow: Index is its place among the flow's, At when the flow had
// come to its end, without pauses.
type Part struct {
	Index int
	At    time.Duration
	Outcome
}

// Run is one case to measure.
type Run struct {
	Load suite.Load
	// Closed has clients wait for their answers, whatever the rate.
	Closed bool
	// Open makes a client.
	Open func(ctx context.Context) (Client, error)
	// Ahead opens all workers before anything is measured: where a connection costs more
	// than what it is asked.
	Ahead bool
	// Each is shown each outcome that is measured, and how long it waited to begin; nil for
	// nobody. Clients call it at the same time.
	Each func(o *Outcome, waited time.Duration)
	// Progress is told how many are done, of how many; nil for nobody.
	Progress func(done, total int)

	backlog time.Duration // instead of maxBacklog, in tests
}

// Enough samples for a bound of p95 and of p99: 0.95^59 and 0.99^299 are just under 0.05.
const (
	enoughP95 = 60
	enoughP99 = 300
)

// maxBacklog is how long arrivals may wait for a worker; what comes later is dropped.
const maxBacklog = 30 * time.Second

func (r *Run) open() bool { return !r.Closed && r.Load.Rate > 0 }

// budget is how many pieces of work are begun at most; 0 is no bound. Where nobody said
// how many, there are as many as a p99 needs, and again as many for those that fail.
func (r *Run) budget() int {
	if r.Load.Iterations == 0 && r.Load.Duration == 0 {
		return 2 * enoughP99
	}
	return r.Load.Iterations
}

// hopeless is how many pieces of work must have failed, and none succeeded, for the rest
// not to be begun: a server that hangs would be waited for all day.
const hopeless = 20

// done says that no more work is to begin.
func (r *Run) done(begun int, s *Samples) bool {
	good, bad, elapsed := s.goodSoFar(), s.badSoFar(), time.Since(s.began)
	if good == 0 && bad >= hopeless {
		return true
	}
	if b := r.budget(); b > 0 && begun >= b {
		return true
	}
	if r.Load.Duration > 0 {
		return elapsed >= r.Load.Duration
	}
	return r.Load.Iterations == 0 && good >= enoughP99
}

// Measure runs a case: warm-up, then what is measured. Where the context ends, what was
// measured is returned as partial. It fails where no client can be opened.
func (r *Run) Measure(ctx context.Context) (*Samples, error) {
	clients := max(1, r.Load.Clients)
	if r.open() {
		clients = max(1, r.Load.Workers)
	}
	p := &pool{run: r, limit: clients}
	defer p.close()
	s := newSamples()
	s.Open = r.open()
	// All clients of a closed loop are warm before any is measured; of an open one
	// the first is, the others start when they are needed.
	first := clients
	if s.Open && !r.Ahead {
		first = 1
	}
	for range first {
		c, err := p.client(ctx)
		if err != nil {
			return nil, err
		}
		for range r.Load.Warmup {
			if ctx.Err() == nil {
				work(ctx, c, r.Load.Timeout)
			}
		}
		p.put(c)
	}
	s.began = time.Now()
	if s.Open {
		r.arrivals(ctx, p, s)
	} else {
		r.closedLoop(ctx, p, s)
	}
	s.Elapsed = time.Since(s.began)
	s.Partial = ctx.Err() != nil
	return s, nil
}

// pool keeps the clients that are open.
type pool struct {
	run   *Run
	limit int
	mu    sync.Mutex
	all   []Client
	idle  []Client
}

// client opens one more.
func (p *pool) client(ctx context.Context) (Client, error) {
	c, err := p.run.Open(ctx)
	if err != nil {
		return nil, err
	}
	p.mu.Lock()
	p.all = append(p.all, c)
	p.mu.Unlock()
	return c, nil
}

func (p *pool) put(c Client) {
	p.mu.Lock()
	p.idle = append(p.idle, c)
	p.mu.Unlock()
}

// take returns an idle client, or opens one.
func (p *pool) take(ctx context.Context) (Client, error) {
	p.mu.Lock()
	if n := len(p.idle); n > 0 {
		c := p.idle[n-1]
		p.idle = p.idle[:n-1]
		p.mu.Unlock()
		return c, nil
	}
	p.mu.Unlock()
	return p.client(ctx)
}

func (p *pool) close() {
	for _, c := range p.all {
		c.Close()
	}
}

func work(ctx context.Context, c Client, timeout time.Duration) Outcome {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	return c.Do(ctx)
}

// closedLoop has each client work again as soon as it is done.
func (r *Run) closedLoop(ctx context.Context, p *pool, s *Samples) {
	var begun atomic.Int64
	var wg sync.WaitGroup
	for range p.limit {
		wg.Go(func() {
			c, err := p.take(ctx)
			if err != nil {
				s.add(&Outcome{Class: ClassRefused}, 0)
				return
			}
			for ctx.Err() == nil {
				if r.done(int(begun.Add(1)-1), s) {
					return
				}
				o := work(ctx, c, r.Load.Timeout)
				if ctx.Err() != nil {
					return
				}
				r.took(s, &o, o.Begin)
				r.tell(s)
			}
		})
	}
	wg.Wait()
}

// took notes what was due at a time.
func (r *Run) took(s *Samples, o *Outcome, due time.Time) {
	s.add(o, o.End.Sub(due)-o.Pause)
	if r.Each != nil {
		r.Each(o, o.Begin.Sub(due))
	}
}

// arrivals begins work on schedule. Arrival i is due i/rate after the start. It waits in
// a queue until a worker has time; a worker more is started where all are busy, up to the
// most that may be. Its latency is from when it was due.
func (r *Run) arrivals(ctx context.Context, p *pool, s *Samples) {
	backlog := cmp.Or(r.backlog, maxBacklog)
	queue := make(chan time.Time, max(16, int(r.Load.Rate*backlog.Seconds())))
	var waiting atomic.Int64 // workers that have nothing to do
	var wg sync.WaitGroup
	worker := func() {
		c, err := p.take(ctx)
		for due := range queue {
			waiting.Add(-1)
			switch {
			case ctx.Err() != nil: // what waits is not begun
			case err != nil:
				s.add(&Outcome{Class: ClassRefused}, 0)
			default:
				if o := work(ctx, c, r.Load.Timeout); ctx.Err() == nil {
					r.took(s, &o, due)
				}
			}
			r.tell(s)
			waiting.Add(1)
		}
	}
	start := func() {
		waiting.Add(1)
		wg.Go(worker)
	}
	workers := min(p.limit, len(p.all))
	for range workers {
		start()
	}
	step := time.Duration(float64(time.Second) / r.Load.Rate)
	timer := time.NewTimer(0)
	defer timer.Stop()
	for i := 0; ; i++ {
		due := s.began.Add(time.Duration(i) * step)
		if wait := time.Until(due); wait > 0 {
			timer.Reset(wait)
			select {
			case <-timer.C:
			case <-ctx.Done():
			}
		}
		if ctx.Err() != nil || r.done(i, s) {
			break
		}
		s.late(time.Since(due))
		if int64(len(queue)) >= waiting.Load() && workers < p.limit {
			workers++
			start()
		}
		select {
		case queue <- due:
		default:
			s.drop()
		}
	}
	close(queue)
	wg.Wait()
}

func (r *Run) tell(s *Samples) {
	if r.Progress == nil {
		return
	}
	total := r.budget()
	if r.Load.Iterations == 0 && r.Load.Duration == 0 {
		total = enoughP99
	}
	n := s.soFar()
	if total == 0 { // by time
		total, n = int(r.Load.Duration/time.Second), int(time.Since(s.began)/time.Second)
	}
	r.Progress(min(n, total), total)
}

// Overhead is what a piece of work costs that does nothing: the floor of what can be
// measured.
func Overhead(ctx context.Context) (time.Duration, error) {
	const n = 20_000
	r := &Run{
		Load:   suite.Load{Clients: 1, Warmup: 100, Iterations: n, Timeout: time.Minute},
		Closed: true,
		Open:   func(context.Context) (Client, error) { return null{}, nil },
	}
	s, err := r.Measure(ctx)
	if err != nil {
		return 0, fmt.Errorf("measuring the overhead: %w", err)
	}
	return s.Elapsed / time.Duration(max(1, s.soFar())), nil
}

// null is a client that does nothing.
type null struct{}

// Do returns at once.
func (null) Do(context.Context) Outcome {
	now := time.Now()
	return Outcome{Begin: now, End: time.Now()}
}

// Close does nothing.
func (null) Close() {}
