package gate

import (
	"fmt"

	"github.com/planvet/planvet/internal/bench/binomial"
)

// Conditions are what a run was measured under, beside the samples.
type Conditions struct {
	GeneratorCPU float64 // largest share of a core that the generator used, 0..1
	ClockStep    bool    // wall and monotonic clock parted during the run
	// FingerprintA and B are of settings and data set of the arms, "" where unknown.
	FingerprintA, FingerprintB string
}

// invalid says why the arms of a case cannot be compared: errors in more than 1 % of
// the answers of an arm, or of one arm more than of the other (by an exact test at 1 %
// on either side); bodies whose mean size differs by over 1 %; dropped arrivals; a
// generator over 80 % of its CPU; numbers of answers that differ by over 1 %; a clock
// that stepped; settings or data that differ. A server that refuses is never fast.
func invalid(c Case) (reasons []string) {
	add := func(format string, args ...any) { reasons = append(reasons, fmt.Sprintf(format, args...)) }
	var a, b total
	for _, epochs := range [][]Epoch{c.First, c.Fresh} {
		for _, e := range epochs {
			for _, r := range e.Rounds {
				a.add(r.A)
				b.add(r.B)
			}
		}
	}
	for _, arm := range []struct {
		name string
		total
	}{{"A", a}, {"B", b}} {
		if arm.errors*100 > arm.errors+arm.n {
			add("%d of %d answers of %s are errors", arm.errors, arm.errors+arm.n, arm.name)
		}
	}
	if len(reasons) == 0 && a.errors+b.errors > 0 {
		share := float64(b.n+b.errors) / float64(a.n+a.errors+b.n+b.errors)
		_, moreB := binomial.OverTarget(a.errors+b.errors, b.errors, share)
		_, moreA := binomial.OverTarget(a.errors+b.errors, a.errors, 1-share)
		if moreA || moreB {
			add("%d errors of A and %d of B: they do not answer alike", a.errors, b.errors)
		}
	}
	if a.dropped+b.dropped > 0 {
		add("%d arrivals were dropped: the generator could not keep the schedule", a.dropped+b.dropped)
	}
	if differ(float64(a.n), float64(b.n)) {
		add("%d answers of A and %d of B", a.n, b.n)
	} else if a.n > 0 && differ(float64(a.bytes)/float64(a.n), float64(b.bytes)/float64(b.n)) {
		add("bodies of A have %d bytes in the mean, those of B %d", a.bytes/int64(a.n), b.bytes/int64(b.n))
	}
	if c.Conditions.GeneratorCPU > 0.8 {
		add("the generator used %.0f %% of its CPU: it measured itself", 100*c.Conditions.GeneratorCPU)
	}
	if c.Conditions.ClockStep {
		add("the clock stepped during the run")
	}
	if c.Conditions.FingerprintA != c.Conditions.FingerprintB {
		add("settings or data of A and B differ (%s, %s)", c.Conditions.FingerprintA, c.Conditions.FingerprintB)
	}
	return reasons
}

type total struct {
	n, errors, dropped int
	bytes              int64
}

func (t *total) add(a Arm) {
	t.n += len(a.Samples)
	t.errors += a.Errors
	t.dropped += a.Dropped
	t.bytes += a.Bytes
}

// differ says that two numbers are more than 1 % of the larger apart.
func differ(a, b float64) bool { return max(a, b)-min(a, b) > 0.01*max(a, b) }
