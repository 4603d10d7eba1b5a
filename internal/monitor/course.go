package monitor

import (
	"cmp"
	"context"
	"maps"
	"math"
	"slices"
	"strconv"
	"time"

	"github.com/planvet/planvet/internal/live"
)

// Course is what a server did over time. It takes readings one by one and holds a
// bounded number of steps: where they get too many, two neighbours become one.
type Course struct {
	Server   Server
	Readings int
	// Steps follow each other; a hole between two is time of which nothing is known.
	Steps []Step

	last    *Reading
	sums    map[key]*summed
	scans   map[string]TableScans
	hasScan bool
	evicted int64
}

// Step is one interval of a course.
type Step struct {
	From, To time.Time
	Totals   Totals
	// Reset is set where counters were reset at the step's start, Restarted where the
	// server was started within it.
	Reset, Restarted bool
	// Deadlocks is of the interval; nil where it was not read.
	Deadlocks *int64
	// Read are rows that scans read, Returned those that statements returned or changed
	// in the same time; both are nil where they were not read of one interval.
	Read, Returned *int64
	// Gauges are what its readings saw, at their moments; nil where they were not read.
	Used, IdleInTransaction, LockWaiting, LockWaitMS, PoolWaiting, PoolActive, PoolWaitMS *Gauge

	exec map[key]float64
}

// Seconds is the step's length.
func (s *Step) Seconds() float64 { return s.To.Sub(s.From).Seconds() }

// Gauge sums up what was seen at some moments.
type Gauge struct {
	Min, Max, Sum float64
	N             int
}

// Mean is the mean of what was seen.
func (g *Gauge) Mean() float64 { return g.Sum / float64(g.N) }

// summed is a statement over a course, with the sum of its squared times.
type summed struct {
	live.Statement
	squares float64
}

// maxSteps is how many a course holds at most, maxStatements of how many statements a
// step knows the time: those with most of it. The others' is in its totals.
const (
	maxSteps      = 240
	maxStatements = 200
)

// Course is what a history holds.
func (h *History) Course(ctx context.Context) (*Course, error) {
	c := &Course{}
	return c, h.Readings(ctx, func(r *Reading) error {
		c.Add(r)
		return nil
	})
}

// Add takes the next reading. The first one starts the course.
func (c *Course) Add(r *Reading) {
	before := c.last
	c.Server, c.last = r.Server, r
	if c.Readings++; before == nil {
		return
	}
	d := Between(before.Statements, r.Statements)
	s := Step{From: d.From, To: d.To, Totals: totalsOf(d.Statements), Reset: d.Reset, Restarted: r.Server.Started.After(before.Server.Started)}
	if d.Reset && r.Statements.Reset.After(s.From) && r.Statements.Reset.Before(s.To) {
		s.From = r.Statements.Reset
	}
	s.exec = c.sum(d.Statements)
	c.evicted += max(d.Evicted, 0)
	if before.Locks != nil && r.Locks != nil {
		n := r.Locks.Deadlocks
		if n >= before.Locks.Deadlocks {
			n -= before.Locks.Deadlocks
		}
		s.Deadlocks = &n
	}
	if before.Scans != nil && r.Scans != nil {
		tables, whole := scansBetween(before.Scans, r.Scans)
		// After a reset either count is of a part of the interval only.
		if n := c.sumScans(tables); whole && !d.Reset {
			rows := s.Totals.Rows
			s.Read, s.Returned = &n, &rows
		}
	}
	s.look(r)
	if c.Steps = append(c.Steps, s); len(c.Steps) > maxSteps {
		c.halve()
	}
}

// sum adds what statements did, and returns the time of those with most.
func (c *Course) sum(rows []live.Statement) map[key]float64 {
	if c.sums == nil {
		c.sums = map[key]*summed{}
	}
	exec := map[key]float64{}
	for i := range rows { // the one with most time first
		now := &rows[i]
		k := keyOf(now)
		if len(exec) < maxStatements {
			exec[k] = now.ExecMS
		}
		t := c.sums[k]
		if t == nil {
			t = &summed{Statement: *now, squares: sumOfSquares(now)}
			c.sums[k] = t
			continue
		}
		counts, times := counters(&t.Statement), timers(&t.Statement)
		for i, n := range counters(now) {
			*counts[i] += *n
		}
		for i, n := range timers(now) {
			*times[i] += *n
		}
		t.squares += sumOfSquares(now)
	}
	return exec
}

func (c *Course) sumScans(tables []TableScans) int64 {
	if c.scans == nil {
		c.scans = map[string]TableScans{}
	}
	c.hasScan = true
	all := int64(0)
	for _, t := range tables {
		all += t.Rows()
		old := c.scans[t.Table]
		t.Sequential, t.SequentialRows = t.Sequential+old.Sequential, t.SequentialRows+old.SequentialRows
		t.Index, t.IndexRows = t.Index+old.Index, t.IndexRows+old.IndexRows
		c.scans[t.Table] = t
	}
	return all
}

// look takes what a reading saw.
func (s *Step) look(r *Reading) {
	see := func(to **Gauge, v float64) { *to = &Gauge{v, v, v, 1} }
	if x := r.Connections; x != nil {
		see(&s.Used, float64(x.Used))
		see(&s.IdleInTransaction, float64(x.IdleInTransaction))
	}
	if r.Locks != nil {
		see(&s.LockWaiting, float64(r.Locks.Waiting()))
		see(&s.LockWaitMS, r.Locks.LongestMS())
	}
	if r.Pools != nil {
		waiting, active, longest := 0, 0, 0.0
		for i := range r.Pools {
			waiting, active, longest = waiting+r.Pools[i].Waiting, active+r.Pools[i].Active, max(longest, r.Pools[i].MaxWaitMS)
		}
		see(&s.PoolWaiting, float64(waiting))
		see(&s.PoolActive, float64(active))
		see(&s.PoolWaitMS, longest)
	}
}

// halve makes one step of each two that follow each other without a hole.
func (c *Course) halve() {
	var out []Step
	for i := 0; i < len(c.Steps); i++ {
		s := c.Steps[i]
		if i+1 < len(c.Steps) && !c.Steps[i+1].From.After(s.To) {
			i++
			s = s.and(&c.Steps[i])
		}
		out = append(out, s)
	}
	c.Steps = out
}

func (s Step) and(b *Step) Step {
	t := &s.Totals
	t.Calls, t.ExecMS, t.Rows, t.Blocks = t.Calls+b.Totals.Calls, t.ExecMS+b.Totals.ExecMS, t.Rows+b.Totals.Rows, t.Blocks+b.Totals.Blocks
	t.Temp, t.WALBytes, t.hit = t.Temp+b.Totals.Temp, t.WALBytes+b.Totals.WALBytes, t.hit+b.Totals.hit
	t.HitRatio = ratio(t.hit, t.Blocks)
	s.To, s.Reset, s.Restarted = b.To, s.Reset || b.Reset, s.Restarted || b.Restarted
	s.Deadlocks, s.Read, s.Returned = plusKnown(s.Deadlocks, b.Deadlocks), plusKnown(s.Read, b.Read), plusKnown(s.Returned, b.Returned)
	mine, theirs := s.gauges(), b.gauges()
	for i, g := range theirs {
		switch {
		case *g == nil:
		case *mine[i] == nil:
			*mine[i] = *g
		default:
			x, y := *mine[i], *g
			*mine[i] = &Gauge{min(x.Min, y.Min), max(x.Max, y.Max), x.Sum + y.Sum, x.N + y.N}
		}
	}
	s.exec = maps.Clone(s.exec)
	for k, ms := range b.exec {
		s.exec[k] += ms
	}
	if len(s.exec) > 2*maxStatements {
		keys := slices.SortedFunc(maps.Keys(s.exec), func(a, b key) int { return cmp.Compare(s.exec[b], s.exec[a]) })
		for _, k := range keys[maxStatements:] {
			delete(s.exec, k)
		}
	}
	return s
}

func (s *Step) gauges() []**Gauge {
	return []**Gauge{&s.Used, &s.IdleInTransaction, &s.LockWaiting, &s.LockWaitMS, &s.PoolWaiting, &s.PoolActive, &s.PoolWaitMS}
}

// plusKnown adds what is known of two counts.
func plusKnown(a, b *int64) *int64 {
	if a == nil {
		return b
	}
	if b == nil {
		return a
	}
	n := *a + *b
	return &n
}

// Last is the last reading; nil before the first.
func (c *Course) Last() *Reading { return c.last }

// Report is what the server did over the whole course, as that of one interval is; nil
// under two readings.
func (c *Course) Report(o Options) *Report {
	if len(c.Steps) == 0 {
		return nil
	}
	rows := make([]live.Statement, 0, len(c.sums))
	for _, t := range c.sums {
		s := t.Statement
		s.MinExecMS, s.MaxExecMS, s.StddevExecMS = 0, 0, 0
		if n := float64(s.Calls); n > 0 {
			mean := s.ExecMS / n
			s.StddevExecMS = math.Sqrt(max(t.squares/n-mean*mean, 0))
		}
		rows = append(rows, s)
	}
	slices.SortFunc(rows, func(a, b live.Statement) int {
		return cmp.Or(cmp.Compare(b.ExecMS, a.ExecMS), cmp.Compare(a.QueryID, b.QueryID), cmp.Compare(a.UserID, b.UserID))
	})
	r := c.last.start(rows, o)
	r.From, r.Interval = c.Steps[0].From, true
	for i := range c.Steps {
		s := &c.Steps[i]
		if s.Reset {
			r.note("the counters were reset at %s: what happened just before is not in these figures", s.From.UTC().Format(time.RFC3339))
		}
		if s.Restarted {
			r.note("the server was restarted between %s and %s; what it did just before may be lost", s.From.UTC().Format(time.TimeOnly), s.To.UTC().Format(time.RFC3339))
		}
	}
	r.noteEvicted(c.evicted)
	return r
}

// Scans is what was read from tables over the course, most rows first; nil where it was
// not read.
func (c *Course) Scans() []TableScans {
	if !c.hasScan {
		return nil
	}
	out := scansOf(c.scans)
	SortScans(out)
	return out
}

// SortScans puts the table first of which most was read.
func SortScans(all []TableScans) {
	slices.SortStableFunc(all, func(a, b TableScans) int { return cmp.Compare(b.Rows(), a.Rows()) })
}

// ExecMS is the execution time of a statement in a step of the course.
func (s *Step) ExecMS(q *Query) float64 {
	ms := 0.0
	for k, t := range s.exec {
		if k.topLevel == q.TopLevel && slices.Contains(q.QueryIDs, strconv.FormatInt(k.query, 10)) {
			ms += t
		}
	}
	return ms
}
