// Package gate decides whether a version B of a service is slower than a version A
// that ran beside it: the statistics of a regression gate and nothing else. It reads no
// file and no clock, and the same samples and seed give the same answer.
//
// A run is made of epochs, an epoch of rounds. A round measures both arms, interleaved;
// an epoch has connections, and where they can be started server processes, of its own.
// What decides is the log ratio of the arms' p95 by round: a drift of the machine moves
// both arms of a round and leaves the ratio. A pair of server processes keeps an offset
// of several percent for as long as it lives, so rounds of few epochs say little.
//
//	looks at 24 to 120 rounds         FAIL         looks on fresh epochs        FAIL
//	────────────────────────────▶ (suspected) ───────────────────────────▶ confirmed
//	        │ PASS, or nothing after 120                   │ anything else
//	        ▼                                              ▼
//	   PASS / INCONCLUSIVE                            INCONCLUSIVE
package gate

import (
	"math"
	"slices"
)

// Arm is what one version answered in one round.
type Arm struct {
	Samples []float64 // latencies of answers that were right, in ms, as they came
	Errors  int       // answers that were not right, or none
	Dropped int       // arrivals that the generator could not start
	Bytes   int64     // of the bodies of the answers in Samples
}

// Round is both arms, measured interleaved (ABBA or BAAB at random).
type Round struct{ A, B Arm }

// Epoch is rounds over the same connections and processes.
type Epoch struct{ Rounds []Round }

// Case is one endpoint or statement.
type Case struct {
	Name  string
	First []Epoch // the run
	Fresh []Epoch // its confirmation, with processes and rounds of its own; nil before there is one
	// Floor is the p95 in ms of a null case on the same generator: what timer and loop
	// take. Differences under three of it are no difference.
	Floor      float64
	Conditions Conditions
}

// Options of a gate. The zero value is not usable: Threshold must be over 0.
type Options struct {
	Threshold float64 // 0.10 is "10 % slower"
	Seed      uint64
}

// Looks are the numbers of rounds after which a stage is judged. Every look may err by
// lookAlpha, 1 % over all of them.
var Looks = [...]int{24, 39, 60, 90, 120}

const (
	// MinEpochs is how many epochs a verdict needs: they are what is independent.
	// A look with fewer of them only extends.
	MinEpochs = 8
	// lookAlpha is what a look may err by, in the signed-rank p, over all cases together.
	lookAlpha = 0.002
	// lookConfidence is of the lower bound that a regression must have over 0.
	lookConfidence = 0.995
	// passWithin is how many thresholds the upper bound may reach where the estimate is
	// under half of one, from the second look on.
	passWithin = 1.5
	// minEffect is the smallest difference in ms that fails, whatever its share.
	minEffect = 0.2
)

// Verdict of a case.
type Verdict string

// Verdicts. Inconclusive is also what a case is as long as More rounds are wanted.
const (
	Pass         Verdict = "pass"
	Fail         Verdict = "fail"
	Inconclusive Verdict = "inconclusive"
	Invalid      Verdict = "invalid"
)

// Label says what a verdict does not.
type Label string

// Labels. Drift is about the machine: the level of both arms moved through the run.
const (
	TailOnly     Label = "tail-only"     // p95 is slower, p50 by less than the threshold and half of it
	TailP99      Label = "tail-p99"      // p99 is slower, p95 is not
	MedianSlower Label = "median-slower" // p50 is slower, p95 is not
	ByMedian     Label = "by-median"     // p50 is slower and decides: p95 seems to be, in noise
	Improved     Label = "improved"
	Drift        Label = "drift"
	Unconfirmed  Label = "unconfirmed" // fresh processes and rounds did not repeat a FAIL
)

// Decision is the verdict on a case.
type Decision struct {
	Name    string
	Verdict Verdict
	Labels  []Label
	Reasons []string // of Invalid and Inconclusive, one fact each
	// More is the number of rounds that the stage should reach before it is judged
	// again, 0 where the verdict stands. Confirming says that those are rounds of
	// Case.Fresh.
	More       int
	Confirming bool
	// Measures of the last look; P95 decides. Confirm is the p95 of the fresh rounds
	// alone, nil before there are enough.
	P50, P95, P99 Measure
	Confirm       *Measure
}

// Judge decides on the cases of one run. It may be called after every round; only the
// looks count, and Decision.More says until when it is of no use to ask again.
//
// A quantile is suspected at a look with at least MinEpochs epochs where the
// Hodges-Lehmann estimate of its rounds and the mean of its epochs are over
// ln(1+Threshold), the lower 95 % bound over 0, the signed-rank p (adjusted by Holm for
// the p95 and the p50 of all cases of the stage) under 0.002, and the difference at least
// max(0.2 ms, 3*Floor).
//
// FAIL by the p95: fresh epochs repeat it. By themselves they have a lower 99.5 % bound
// over 0, such a p, and an estimate over ln(1+Threshold); with the first ones together the
// estimates and the difference are as before, p under 0.002, the lower 99.5 % bound over 0
// and the lower 95 % bound over half of ln(1+Threshold): what may be half of the threshold
// is no regression.
//
// FAIL by the p50, where noise hides the p95: all of that of the p50, and an estimate of
// the p95 over half of ln(1+Threshold). What makes each request slower moves both, and on
// a disturbed machine the p50 says so with a fraction of the rounds.
//
// PASS: the upper 95 % bounds of p50 and p95 are differences under max(0.2 ms, 3*Floor),
// which do not fail whatever their share; or upper 95 % bound under the threshold, or, but
// for the first look, estimate under half of it with that bound under one and a half;
// before the last look only where the estimate of the p50 is under the threshold, and that
// of the p99 is or has a p over 0.1. (Without the second bound a machine too noisy to see
// +25 % passes one such version in twelve, by its estimate alone.) What seems to be faster
// gets a second look.
// INCONCLUSIVE: neither after the last look. INVALID: see invalid.
func Judge(cases []Case, o Options) []Decision {
	decisions := make([]Decision, len(cases))
	var first []int // of cases that are judged on their run
	for i, c := range cases {
		decisions[i] = Decision{Name: c.Name, Verdict: Inconclusive}
		if reasons := invalid(c); len(reasons) > 0 {
			decisions[i].Verdict, decisions[i].Reasons = Invalid, reasons
			continue
		}
		first = append(first, i)
	}
	suspected := judgeStage(cases, first, decisions, o, func(i int) (own, all []Epoch) {
		own = atLook(cases[i].First)
		return own, own
	})
	for _, i := range suspected {
		d := &decisions[i]
		d.Verdict, d.Confirming = Inconclusive, true
		d.Reasons = []string{"a regression is suspected, fresh processes and rounds must repeat it"}
	}
	confirmed := judgeStage(cases, suspected, decisions, o, func(i int) (own, all []Epoch) {
		own = atLook(cases[i].Fresh)
		return own, append(atLook(cases[i].First), own...)
	})
	for _, i := range confirmed {
		decisions[i].Verdict, decisions[i].Reasons = Fail, nil
	}
	for _, i := range suspected {
		d := &decisions[i]
		if d.Verdict == Fail || d.More > 0 {
			continue
		}
		// Two runs that contradict each other are no pass.
		d.Verdict, d.Labels = Inconclusive, append(d.Labels, Unconfirmed)
		d.Reasons = []string{"a regression was measured, fresh processes and rounds did not repeat it"}
	}
	return decisions
}

// judgeStage judges the given cases on their rounds of one stage and returns those that
// fail. own are the stage's rounds, all those that the estimate is of.
func judgeStage(cases []Case, which []int, decisions []Decision, o Options, epochs func(int) (own, all []Epoch)) (failed []int) {
	type judged struct {
		i        int
		own, all measures
	}
	var ready []judged
	var ps []float64 // of the p95 and the p50 of each
	for _, i := range which {
		own, all := epochs(i)
		d := &decisions[i]
		rounds := countRounds(own)
		if d.More = nextLook(rounds); len(own) < MinEpochs {
			if d.More == 0 {
				d.Reasons = []string{"too few epochs: reconnect more often"}
			}
			continue
		}
		j := judged{i: i, own: measure(own, o.Seed)}
		if j.all = j.own; len(all) != len(own) {
			j.all = measure(all, o.Seed)
		}
		ready, ps = append(ready, j), append(ps, j.own.p95.P, j.own.p50.P)
	}
	adjusted := Holm(ps)
	for k, j := range ready {
		d := &decisions[j.i]
		d.P50, d.P95, d.P99 = j.all.p50, j.all.p95, j.all.p99
		d.P95.Adjusted, d.P50.Adjusted = adjusted[2*k], adjusted[2*k+1]
		if d.Confirming {
			confirm := j.own.p95
			confirm.Adjusted = adjusted[2*k]
			d.Confirm = &confirm
		}
		if j.own.p95.N < 60 {
			d.Reasons = []string{"insufficient: a p95 needs 60 samples of each arm"}
			continue
		}
		ms := max(minEffect, 3*cases[j.i].Floor)
		limit := math.Log1p(o.Threshold)
		slower := func(own, all Measure, adjusted float64) bool {
			suspected := own.suspicious(adjusted) && all.beyond(o.Threshold, ms)
			return suspected && (!d.Confirming || own.significant(adjusted) && own.HL > limit &&
				all.significant(all.P) && all.Lower95 > limit/2)
		}
		p95 := slower(j.own.p95, j.all.p95, adjusted[2*k])
		byMedian := !p95 && slower(j.own.p50, j.all.p50, adjusted[2*k+1]) && j.all.p95.HL > limit/2
		d.Labels = labels(j.all, p95, byMedian, o.Threshold, ms)
		switch {
		case p95 || byMedian:
			d.More, d.Reasons = 0, nil
			failed = append(failed, j.i)
		case d.More == Looks[1] && j.own.p50.swapped().beyond(o.Threshold/2, ms) && !slices.Contains(d.Labels, Improved):
			// It will pass, and seems to be faster: that is worth a second look.
		case j.own.p50.within(ms) && j.own.p95.within(ms):
			d.Verdict, d.More, d.Reasons = Pass, 0, nil
		case d.More > 0 && (j.own.p50.HL > limit || j.own.p99.HL > limit && j.own.p99.P < 0.1):
			// The median, or the tail, says otherwise than the p95 may: that takes more rounds.
		case j.own.p95.Upper95 < limit || d.More != Looks[1] && j.own.p95.HL < limit/2 && j.own.p95.Upper95 < math.Log1p(passWithin*o.Threshold):
			d.Verdict, d.More, d.Reasons = Pass, 0, nil
		case d.More == 0:
			d.Reasons = []string{"the interval still holds both no change and the threshold after the last look"}
		}
	}
	return failed
}
