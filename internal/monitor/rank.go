package monitor

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/planvet/planvet/catalog"
	"github.com/planvet/planvet/internal/live"
	"github.com/planvet/planvet/internal/report"
)

// Sorts are the measures by which statements can be ranked, each the largest first:
// total and mean execution time, calls, blocks not found in shared buffers and
// written to temporary files (io), rows, temporary blocks, WAL.
var Sorts = []string{"total", "mean", "calls", "io", "rows", "temp", "wal"}

func measure(s *live.Statement, sort string) float64 {
	switch sort {
	case "mean":
		return mean(s)
	case "calls":
		return float64(s.Calls)
	case "io":
		return float64(s.SharedRead + s.TempRead + s.TempWritten)
	case "rows":
		return float64(s.Rows)
	case "temp":
		return float64(s.TempRead + s.TempWritten)
	case "wal":
		return float64(s.WALBytes)
	}
	return s.ExecMS
}

// measureOf is the measure of a statement that has been looked into.
func measureOf(q *Query, sort string) float64 {
	return measure(&live.Statement{Calls: q.Calls, ExecMS: q.ExecMS, Rows: q.Rows, SharedRead: q.Read, TempRead: q.Temp, WALBytes: q.WALBytes}, sort)
}

func mean(s *live.Statement) float64 {
	if s.Calls == 0 {
		return 0
	}
	return s.ExecMS / float64(s.Calls)
}

// fewBlocks is the number of blocks under which a hit ratio says nothing.
const fewBlocks = 1000

// Queries merges rows into statements and ranks them, all of them. cat may be nil.
func Queries(rows []live.Statement, cat *catalog.Catalog, sort string, limits Limits) ([]Query, Totals) {
	out, _, totals := ranked(rows, NewShapes(cat), Options{Sort: sort, Limits: limits})
	return out, totals
}

// ranked is the first o.Top of Queries, and how many there are. The others are not looked
// into: statements that differ in more than lists alone are several there.
//
//  1. Rows of one query id, and of one outline, are added up.
//  2. The first ones by the measure are parsed, and those of one fingerprint added up,
//     until all that stand first are parsed.
//  3. Flags are given to those.
func ranked(rows []live.Statement, shapes *Shapes, o Options) (top []Query, all int, totals Totals) {
	m := newMerger(shapes, len(rows))
	for i := range rows {
		m.add(&rows[i])
	}
	totals = totalsOf(rows)
	for again := true; again; {
		m.rank(o.Sort)
		again = m.resolve(o.first(len(m.order)))
	}
	top = make([]Query, o.first(len(m.order)))
	for i := range top {
		top[i] = m.order[i].query(totals)
		top[i].Rank = i + 1
		top[i].Flags = o.Limits.flags(&top[i])
	}
	m.markFollowers(top, o.Limits.Calls)
	return top, len(m.order), totals
}

// first is how many of n statements are shown.
func (o Options) first(n int) int {
	if o.Top > 0 {
		return min(o.Top, n)
	}
	return n
}

// totalsOf sums rows up.
func totalsOf(rows []live.Statement) Totals {
	var t Totals
	for i := range rows {
		s := &rows[i]
		t.Calls += s.Calls
		t.ExecMS += s.ExecMS
		t.Rows += s.Rows
		t.Blocks += s.SharedHit + s.SharedRead
		t.Temp += s.TempRead + s.TempWritten
		t.WALBytes += s.WALBytes
		t.hit += s.SharedHit
	}
	t.HitRatio = ratio(t.hit, t.Blocks)
	return t
}

// ratio of hits to all blocks; nil where they are too few.
func ratio(hit, blocks int64) *float64 {
	if blocks < fewBlocks {
		return nil
	}
	r := float64(hit) / float64(blocks)
	return &r
}

// merger adds rows up. A server has thousands, most of which are one statement each and
// not shown: of those it keeps no more than a reference to the row.
type merger struct {
	shapes *Shapes
	byText map[levelText]*merged
	byID   map[levelID]*merged
	order  []*merged
	groups []merged
}

// levelText and levelID are what makes rows one statement, at the client's level or
// inside functions.
type (
	levelText struct {
		outline  string
		topLevel bool
	}
	levelID struct {
		id       int64
		topLevel bool
	}
)

func newMerger(shapes *Shapes, rows int) *merger {
	return &merger{shapes: shapes, byText: make(map[levelText]*merged, rows), byID: make(map[levelID]*merged, rows),
		order: make([]*merged, 0, rows), groups: make([]merged, 0, rows)}
}

// merged are rows of one statement.
type merged struct {
	// sum is the only row itself, until another is added.
	sum     *live.Statement
	several bool
	squares float64
	// by is the measure of the ranking, place where the group stood in it before.
	by    float64
	place int
	// shape is known where resolved is set.
	shape    shape
	resolved bool
	ids      []int64
	users    []int64
	// partial is set where some row's extremes are not known.
	partial bool
}

func (m *merger) add(s *live.Statement) {
	one := merged{sum: s, squares: sumOfSquares(s), partial: s.MaxExecMS == 0 && s.ExecMS > 0}
	// One id is one statement, whatever a user's first call was written like.
	id := levelID{s.QueryID, s.TopLevel}
	var g *merged
	if s.QueryID != 0 {
		g = m.byID[id]
	}
	hidden := s.Query == live.HiddenText
	text := levelText{topLevel: s.TopLevel}
	if g == nil && !hidden {
		text.outline = outline(strings.TrimSpace(s.Query))
		g = m.byText[text]
	}
	if g != nil {
		one.ids, one.users = []int64{s.QueryID}, []int64{s.UserID}
		g.join(&one)
		m.byID[id] = g
		return
	}
	m.groups = append(m.groups, one)
	g = &m.groups[len(m.groups)-1]
	g.ids, g.users = []int64{s.QueryID}, []int64{s.UserID}
	m.byID[id] = g
	if !hidden {
		m.byText[text] = g
	}
	m.order = append(m.order, g)
}

// join adds another group's rows.
func (g *merged) join(h *merged) {
	if !g.several {
		sum := *g.sum
		g.sum, g.several = &sum, true
	}
	g.plus(h.sum)
	g.squares += h.squares
	g.partial = g.partial || h.partial
	for _, u := range h.users {
		if !slices.Contains(g.users, u) {
			g.users = append(g.users, u)
		}
	}
	for _, id := range h.ids {
		if !slices.Contains(g.ids, id) {
			g.ids = append(g.ids, id)
		}
	}
}

// rank orders the groups.
func (m *merger) rank(sort string) {
	for i, g := range m.order {
		g.by, g.place = measure(g.sum, sort), i
	}
	slices.SortFunc(m.order, func(a, b *merged) int {
		return cmp.Or(cmp.Compare(b.by, a.by), cmp.Compare(b.sum.ExecMS, a.sum.ExecMS),
			cmp.Compare(strings.TrimSpace(a.sum.Query), strings.TrimSpace(b.sum.Query)), cmp.Compare(a.place, b.place))
	})
}

// resolve parses the first n groups that are not parsed yet, joins those of one
// fingerprint, and says whether there was anything to do.
func (m *merger) resolve(n int) bool {
	did := false
	for _, g := range m.order[:n] {
		if !g.resolved {
			g.shape, g.resolved, did = m.shapes.of(g.sum.Query), true, true
		}
	}
	if !did {
		return false
	}
	known, kept := map[string]*merged{}, m.order[:0]
	for _, g := range m.order {
		if !g.resolved || g.shape.fingerprint == "" {
			kept = append(kept, g)
			continue
		}
		key := g.shape.fingerprint + strconv.FormatBool(g.sum.TopLevel)
		if h := known[key]; h != nil {
			h.join(g)
			continue
		}
		known[key] = g
		kept = append(kept, g)
	}
	m.order = kept
	return true
}

func (g *merged) plus(s *live.Statement) {
	t := g.sum
	t.MinExecMS, t.MaxExecMS = min(t.MinExecMS, s.MinExecMS), max(t.MaxExecMS, s.MaxExecMS)
	counts, times := counters(t), timers(t)
	for i, c := range counters(s) {
		*counts[i] += *c
	}
	for i, c := range timers(s) {
		*times[i] += *c
	}
}

// queryIDs are the server's ids, sorted as texts.
func (g *merged) queryIDs() []string {
	out := make([]string, len(g.ids))
	for i, id := range g.ids {
		out[i] = strconv.FormatInt(id, 10)
	}
	slices.Sort(out)
	return out
}

func (g *merged) query(all Totals) Query {
	s := g.sum
	n := float64(s.Calls)
	q := Query{
		Fingerprint: g.shape.fingerprint, QueryIDs: g.queryIDs(), Users: len(g.users), TopLevel: s.TopLevel, Class: g.shape.class, Tables: g.shape.tables,
		SQL: strings.TrimSpace(s.Query), Calls: s.Calls, Rows: s.Rows, ExecMS: s.ExecMS, PlanMS: s.PlanMS,
		Hit: s.SharedHit, Read: s.SharedRead, HitRatio: ratio(s.SharedHit, s.SharedHit+s.SharedRead), ReadMS: s.ReadMS,
		Temp: s.TempRead + s.TempWritten, WALBytes: s.WALBytes, JITMS: s.JITMS,
	}
	if q.Tables == nil {
		q.Tables = []string{}
	}
	if q.Class == "" {
		q.Class = Unknown
	}
	if all.ExecMS > 0 {
		q.Share = s.ExecMS / all.ExecMS
	}
	if n > 0 {
		q.MeanMS, q.RowsPerCall = mean(s), float64(s.Rows)/n
		q.StddevMS = math.Sqrt(max(g.squares/n-q.MeanMS*q.MeanMS, 0))
	}
	if q.MeanMS > 0 {
		q.CV = q.StddevMS / q.MeanMS
	}
	if !g.partial {
		q.MinMS, q.MaxMS = &s.MinExecMS, &s.MaxExecMS
	}
	if s.Rows > 0 && g.shape.class != Aggregate {
		blocks, ms := float64(s.SharedHit+s.SharedRead)/float64(s.Rows), s.ExecMS/float64(s.Rows)
		q.BlocksPerRow, q.MSPerRow = &blocks, &ms
	}
	return q
}

// Limits are over what a statement is flagged. A zero limit is off.
type Limits struct {
	// PrimaryKeyMS and RangeMS bound the mean time of primary-key lookups and range
	// scans: 5 and 25 ms.
	PrimaryKeyMS, RangeMS float64
	// HitRatio is the least share of blocks found in shared buffers: 0.90. It is asked
	// of statements that touched at least Blocks blocks, 1,000.
	HitRatio float64
	Blocks   int64
	// CV is the standard deviation over the mean above which times are uneven: 1.
	CV float64
	// Calls is how many are needed before a time counts: 10.
	Calls int64
}

// DefaultLimits are those that no flag changes.
var DefaultLimits = Limits{PrimaryKeyMS: 5, RangeMS: 25, HitRatio: 0.90, Blocks: fewBlocks, CV: 1, Calls: 10}

// flags are what a statement is over. A mean is over its limit when it is surely so:
// by two standard errors, so that one slow call among few flags nothing.
func (l Limits) flags(q *Query) []Flag {
	var out []Flag
	slow := func(name, what string, class Class, limit float64) {
		if limit <= 0 || q.Class != class || q.Calls < l.Calls {
			return
		}
		if least := q.MeanMS - 2*q.StddevMS/math.Sqrt(float64(q.Calls)); least > limit {
			out = append(out, Flag{Name: name, Value: q.MeanMS, Limit: limit,
				Message: fmt.Sprintf("%s takes %.3g ms ± %.3g, over %g ms", what, q.MeanMS, q.StddevMS, limit)})
		}
	}
	slow("slow-primary-key-lookup", "a lookup by key", PrimaryKeyLookup, l.PrimaryKeyMS)
	slow("slow-range-scan", "a range scan", RangeScan, l.RangeMS)
	if r := q.HitRatio; r != nil && *r < l.HitRatio && q.Hit+q.Read >= l.Blocks {
		out = append(out, Flag{Name: "low-hit-ratio", Value: *r, Limit: l.HitRatio,
			Message: fmt.Sprintf("%.1f %% of its blocks were in shared buffers, under %.0f %%", 100**r, 100*l.HitRatio)})
	}
	// Under 1 ms times are uneven by nature.
	if l.CV > 0 && q.CV > l.CV && q.Calls >= l.Calls && q.MeanMS >= 1 {
		out = append(out, Flag{Name: "uneven", Value: q.CV, Limit: l.CV,
			Message: fmt.Sprintf("times differ widely, %s ± %s: some calls do other work than the rest; planvet bench shows percentiles and peaks, which pg_stat_statements does not keep", report.MS(q.MeanMS), report.MS(q.StddevMS))})
	}
	return out
}
