package monitor

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"
)

// trailLength is how many intervals a view remembers of each statement.
const trailLength = 20

// View is what a watch shows on a terminal: the last interval of one server or of a
// fleet, and the intervals before it as sparklines. It does no input or output.
type View struct {
	// Interval is how long an interval is meant to be.
	Interval time.Duration
	// Sort is the measure that ranks, one of Sorts.
	Sort string
	// Color turns styles on.
	Color bool

	targets []viewTarget
	// rows are the statements of all targets, ranked.
	rows []viewRow
}

// viewTarget is what is known of one server.
type viewTarget struct {
	name string
	// report is the last that there was, older than the last interval where failed is
	// set.
	report *Report
	failed string
	since  time.Time
	// load is the trail of execution time a second.
	load []float64
	// known are the notes that the watch began with: they are not said again.
	known []string
	// trails are the measures of statements, by keyOfQuery.
	trails map[string][]measures
}

// measures are those of Sorts in one interval.
type measures [7]float32

// viewRow is a statement of a target.
type viewRow struct {
	target *viewTarget
	query  *Query
}

// Update takes what the last interval gave, at a time. The reports must hold all
// statements. A target that was not read keeps what was shown of it.
func (v *View) Update(targets []Target, at time.Time) {
	if v.targets == nil {
		v.targets = make([]viewTarget, len(targets))
	}
	for i := range targets {
		v.targets[i].update(&targets[i], at)
	}
	v.rank()
}

func (t *viewTarget) update(x *Target, at time.Time) {
	t.name = x.Name
	if x.Report == nil {
		if t.failed == "" {
			t.since = at
		}
		t.failed = x.Error
		return
	}
	t.failed, t.report = "", x.Report
	if !x.Report.Interval {
		t.known = x.Report.Notes
		return // what was summed up before the watch is no interval
	}
	t.load = push(t.load, x.Report.load())
	if t.trails == nil {
		t.trails = map[string][]measures{}
	}
	seen := map[string]measures{}
	for k := range x.Report.Top {
		q := &x.Report.Top[k]
		var m measures
		for j, s := range Sorts {
			m[j] = float32(measureOf(q, s))
		}
		seen[trailKey(q)] = m
	}
	for key, trail := range t.trails {
		if _, now := seen[key]; now {
			continue
		}
		if trail = push(trail, measures{}); idle(trail) {
			delete(t.trails, key) // so that a long watch forgets what is gone
		} else {
			t.trails[key] = trail
		}
	}
	for key, m := range seen {
		t.trails[key] = push(t.trails[key], m)
	}
}

func trailKey(q *Query) string {
	if !q.TopLevel {
		return keyOfQuery(q) + " in a function"
	}
	return keyOfQuery(q)
}

func idle(trail []measures) bool {
	return !slices.ContainsFunc(trail, func(m measures) bool { return m != measures{} })
}

// push adds to a trail, which it keeps short.
func push[T any](trail []T, x T) []T {
	if trail = append(trail, x); len(trail) > trailLength {
		trail = slices.Delete(trail, 0, len(trail)-trailLength)
	}
	return trail
}

// load is how many statements ran at a time on average: execution time over time.
func (r *Report) load() float64 {
	if d := r.To.Sub(r.From); !r.From.IsZero() && d > 0 {
		return r.Totals.ExecMS / (d.Seconds() * 1000)
	}
	return 0
}

// sortKeys are the keys that choose a measure; Tab goes through all of Sorts.
var sortKeys = map[string]string{"t": "total", "m": "mean", "c": "calls", "i": "io", "r": "rows", "w": "wal"}

// Key does what a key asks for, and says whether that is to end the watch: q, Ctrl-C
// and Ctrl-D do.
func (v *View) Key(key string) (quit bool) {
	at := slices.Index(Sorts, v.Sort)
	switch key {
	case "q", "Q", "\x03", "\x04":
		return true
	case "\t":
		v.Sort = Sorts[(at+1)%len(Sorts)]
	case "\x1b[Z": // Shift-Tab
		v.Sort = Sorts[(at+len(Sorts)-1)%len(Sorts)]
	default:
		sort, ok := sortKeys[strings.ToLower(key)]
		if !ok {
			return false
		}
		v.Sort = sort
	}
	v.rank()
	return false
}

// rank orders the statements of all targets by the view's measure.
func (v *View) rank() {
	v.rows = v.rows[:0]
	for i := range v.targets {
		t := &v.targets[i]
		if t.report == nil {
			continue
		}
		for k := range t.report.Top {
			v.rows = append(v.rows, viewRow{t, &t.report.Top[k]})
		}
	}
	slices.SortStableFunc(v.rows, func(a, b viewRow) int {
		return cmp.Or(cmp.Compare(measureOf(b.query, v.Sort), measureOf(a.query, v.Sort)), cmp.Compare(b.query.ExecMS, a.query.ExecMS), cmp.Compare(a.query.SQL, b.query.SQL))
	})
}

// trail is a statement's measure over the last intervals.
func (v *View) trail(r viewRow) []float64 {
	k := max(slices.Index(Sorts, v.Sort), 0)
	var out []float64
	for _, m := range r.target.trails[trailKey(r.query)] {
		out = append(out, float64(m[k]))
	}
	return out
}

// state is one line on what a reader must know now of a target; "" for nothing.
func (t *viewTarget) state() string {
	switch {
	case t.failed != "":
		return fmt.Sprintf("no answer since %s UTC: %s", t.since.UTC().Format(time.TimeOnly), t.failed)
	case t.report == nil:
		return ""
	}
	for _, n := range t.report.Notes {
		if !t.report.Interval || !slices.Contains(t.known, n) {
			return n
		}
	}
	return ""
}
