package querytrace

import (
	"context"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
)

// Recorder holds the statements of one run, in the order in which they were sent. The
// zero value is ready; its methods may be called from several goroutines.
type Recorder struct {
	// Items is how many items the fixture has, where the user says so: [Max] then
	// refuses a bound that the fixture does not exceed.
	Items int

	mu    sync.Mutex
	calls []*call
	stops []func()
}

// call is one round trip, or one statement of a batch. It may be in several recorders.
type call struct {
	sql   string
	named bool // sql has @name for placeholders
	batch *call
	size  int // of a batch: its statements
	stack []uintptr
	skip  []string // packages that only pass statements on

	mu   sync.Mutex
	rows int64 // -1 until they are known
	err  error
	done bool
	// unsent is set where the driver gave the statement back.
	unsent bool
}

func (c *call) end(rows int64, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.done {
		return
	}
	c.rows, c.err, c.done = rows, err, true
}

func (c *call) outcome() (rows int64, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.rows, c.err
}

func (r *Recorder) add(c *call) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.calls = append(r.calls, c)
}

func (r *Recorder) snapshot() []*call {
	r.mu.Lock()
	defer r.mu.Unlock()
	out := make([]*call, 0, len(r.calls))
	for _, c := range r.calls {
		c.mu.Lock()
		if !c.unsent {
			out = append(out, c)
		}
		c.mu.Unlock()
	}
	return out
}

// Reset forgets what was recorded.
func (r *Recorder) Reset() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.calls = nil
}

type recordersKey struct{}

// recorders are those of a context, innermost first.
type recorders struct {
	rec   *Recorder
	outer *recorders
}

// Context returns a context whose statements are recorded, by recorders that ctx
// already has as well.
func (r *Recorder) Context(ctx context.Context) context.Context {
	outer, _ := ctx.Value(recordersKey{}).(*recorders)
	for o := outer; o != nil; o = o.outer {
		if o.rec == r {
			return ctx
		}
	}
	return context.WithValue(ctx, recordersKey{}, &recorders{r, outer})
}

// Handler returns a handler that records the statements of the requests to h.
func (r *Recorder) Handler(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		h.ServeHTTP(w, req.WithContext(r.Context(req.Context())))
	})
}

// Watch records all statements that go through t, whatever their context, until stop is
// called or the run of [Slope] that r belongs to ends. It is for flows that a context
// does not reach: a server that runs already, a worker, database/sql without contexts.
// Tests that run in parallel on one tracer see each other's statements.
func (r *Recorder) Watch(t *Tracer) (stop func()) {
	t.watch(r, true)
	stop = sync.OnceFunc(func() { t.watch(r, false) })
	r.mu.Lock()
	defer r.mu.Unlock()
	r.stops = append(r.stops, stop)
	return stop
}

// close ends what Watch began.
func (r *Recorder) close() {
	r.mu.Lock()
	stops := r.stops
	r.stops = nil
	r.mu.Unlock()
	for _, stop := range stops {
		stop()
	}
}

// Tracer gives statements to recorders. It is a pgx.QueryTracer, BatchTracer,
// CopyFromTracer and PrepareTracer, and wraps database/sql drivers. The zero value is
// ready. Beside another pgx tracer it goes into pgx's multitracer.New.
type Tracer struct {
	// Skip lists import paths of packages that only pass statements on, trees included:
	// the caller of a statement is looked for outside of them.
	Skip []string

	mu       sync.Mutex
	watchers atomic.Pointer[[]*Recorder]
}

func (t *Tracer) watch(r *Recorder, on bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	var now []*Recorder
	if old := t.watchers.Load(); old != nil {
		for _, w := range *old {
			if w != r {
				now = append(now, w)
			}
		}
	}
	if on {
		now = append(now, r)
	}
	if now == nil {
		t.watchers.Store(nil)
		return
	}
	t.watchers.Store(&now)
}

// sentKey marks the context of a statement that is recorded already: a wrapped driver
// below which pgx traces as well.
type sentKey struct{}

// listeners returns who records a statement with this context: nobody, as a rule.
func (t *Tracer) listeners(ctx context.Context) []*Recorder {
	var list []*Recorder
	chain, _ := ctx.Value(recordersKey{}).(*recorders)
	watchers := t.watchers.Load()
	if chain == nil && watchers == nil || ctx.Value(sentKey{}) != nil {
		return nil
	}
	for ; chain != nil; chain = chain.outer {
		list = append(list, chain.rec)
	}
	if watchers != nil {
		for _, w := range *watchers {
			if !slices.Contains(list, w) {
				list = append(list, w)
			}
		}
	}
	return list
}

// give hands a statement that is about to be sent to those who record it.
func (t *Tracer) give(list []*Recorder, c *call) *call {
	c.rows, c.stack, c.skip = -1, stack(), t.Skip
	for _, r := range list {
		r.add(c)
	}
	return c
}
