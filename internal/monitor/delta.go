package monitor

import (
	"cmp"
	"math"
	"slices"
	"time"

	"github.com/planvet/planvet/internal/live"
)

// Delta is what statements did between two moments.
type Delta struct {
	From, To time.Time
	// Reset is set where all counters were reset in between: what came before the reset
	// is lost. Evicted is how many rows were thrown out for room, of which nothing is
	// known; -1 where the extension does not tell.
	Reset   bool
	Evicted int64
	// Statements are those that were called, the one with most execution time first.
	// MinExecMS and MaxExecMS are those of the interval where the row is new, else 0:
	// of a row that was there before they are not known.
	Statements []live.Statement
}

// key is what makes a row of pg_stat_statements.
type key struct {
	user, database, query int64
	topLevel              bool
}

func keyOf(s *live.Statement) key { return key{s.UserID, s.DatabaseID, s.QueryID, s.TopLevel} }

// Between is what happened from a to b, two readings of one server. No counter of it
// is negative: a row whose counters went down, or whose counting began later, was reset
// or thrown out in between and counts from zero.
func Between(a, b *live.Statements) Delta {
	d := Delta{From: a.At, To: b.At, Evicted: -1, Reset: b.Reset.After(a.Reset)}
	if a.Evicted >= 0 && b.Evicted >= 0 {
		// The count is reset with the counters.
		d.Evicted = b.Evicted
		if !d.Reset && b.Evicted >= a.Evicted {
			d.Evicted -= a.Evicted
		}
	}
	before := map[key]*live.Statement{}
	for i := range a.All {
		before[keyOf(&a.All[i])] = &a.All[i]
	}
	for i := range b.All {
		now := b.All[i]
		old := before[keyOf(&now)]
		if old != nil && !d.Reset && now.Calls >= old.Calls && !now.Since.After(old.Since) {
			now = minus(now, old)
		}
		if now.Calls > 0 {
			d.Statements = append(d.Statements, now)
		}
	}
	slices.SortFunc(d.Statements, func(a, b live.Statement) int {
		return cmp.Or(cmp.Compare(b.ExecMS, a.ExecMS), cmp.Compare(a.QueryID, b.QueryID), cmp.Compare(a.UserID, b.UserID))
	})
	return d
}

// minus subtracts what a row had counted before.
func minus(now live.Statement, old *live.Statement) live.Statement {
	squares := max(sumOfSquares(&now)-sumOfSquares(old), 0)
	counts, times := counters(&now), timers(&now)
	for i, c := range counters(old) {
		*counts[i] = max(*counts[i]-*c, 0)
	}
	for i, c := range timers(old) {
		*times[i] = max(*times[i]-*c, 0)
	}
	now.MinExecMS, now.MaxExecMS, now.StddevExecMS = 0, 0, 0
	if n := float64(now.Calls); n > 0 {
		mean := now.ExecMS / n
		now.StddevExecMS = math.Sqrt(max(squares/n-mean*mean, 0))
	}
	return now
}

// counters are what a row counts, timers what it sums up in milliseconds.
func counters(s *live.Statement) []*int64 {
	return []*int64{
		&s.Calls, &s.Rows, &s.Plans, &s.SharedHit, &s.SharedRead, &s.SharedDirtied, &s.SharedWritten,
		&s.LocalHit, &s.LocalRead, &s.TempRead, &s.TempWritten, &s.WALRecords, &s.WALFullPageImages, &s.WALBytes, &s.JITFunctions,
	}
}

func timers(s *live.Statement) []*float64 {
	return []*float64{&s.ExecMS, &s.PlanMS, &s.ReadMS, &s.WriteMS, &s.JITMS}
}

// sumOfSquares is Σt² of a row's execution times. The extension keeps the population's
// standard deviation by Welford's method: σ² = Σt²/n - (Σt/n)².
func sumOfSquares(s *live.Statement) float64 {
	if s.Calls == 0 {
		return 0
	}
	n := float64(s.Calls)
	mean := s.ExecMS / n
	return n * (s.StddevExecMS*s.StddevExecMS + mean*mean)
}
