package memory

import (
	"cmp"
	"context"
	"fmt"

	"github.com/planvet/planvet/internal/report"
	"github.com/planvet/planvet/rules"
)

// Subject is what something may be remembered about.
type Subject struct {
	// Finding is its own identity: what was taken from it tells it nothing.
	Finding, Rule, Fingerprint string
}

// perKey bounds what is read of a rule or a fingerprint, perRun how many fingerprints are
// asked about.
const (
	perKey = 200
	perRun = 200
)

// Recall tells, for each subject, what helped or did not help the same shape, which is the
// statement with the same fingerprint; else what helped the same rule elsewhere. The list
// of a subject may be empty.
func Recall(ctx context.Context, s Store, subjects []Subject) ([][]report.Remembered, error) {
	byRule, byShape := map[string][]Entry{}, map[string][]Entry{}
	for _, sub := range subjects {
		for _, k := range []struct {
			known map[string][]Entry
			key   string
			q     Query
		}{
			{byShape, sub.Fingerprint, Query{Fingerprint: sub.Fingerprint, Limit: perKey}},
			{byRule, sub.Rule, Query{Rule: sub.Rule, Limit: perKey, Outcome: Success}},
		} {
			if _, done := k.known[k.key]; done || k.key == "" || len(k.known) >= perRun {
				continue
			}
			found, err := s.Find(ctx, k.q)
			if err != nil {
				return nil, err
			}
			k.known[k.key] = found
		}
	}
	out := make([][]report.Remembered, len(subjects))
	for i, sub := range subjects {
		out[i] = sub.recall(byShape[sub.Fingerprint], byRule[sub.Rule])
	}
	return out, nil
}

// recall picks: of the same shape the best that was made, else that was only confirmed,
// and the latest that did not help; else the best of the rule.
func (sub *Subject) recall(shape, rule []Entry) []report.Remembered {
	var out []report.Remembered
	say := func(lead string, e *Entry) { out = append(out, report.Remembered{Entry: e.ID, Text: lead + e.told()}) }
	others := func(e Entry) bool { return e.Finding == "" || e.Finding != sub.Finding }
	if e := best(shape, Success, others); e != nil {
		say("the same shape was fixed by ", e)
	} else if e := best(shape, Confirmed, others); e != nil {
		say("for the same shape a planner confirmed ", e)
	}
	for i := range shape { // the newest first
		if e := &shape[i]; e.Outcome == Failure && others(*e) {
			say("for the same shape this did not help: ", e)
			break
		}
	}
	if len(out) == 0 {
		if e := best(rule, Success, others); e != nil {
			lead := e.Rule + " was fixed by "
			if e.Object != "" {
				lead = e.Rule + " on " + e.Object + " was fixed by "
			}
			say(lead, e)
		}
	}
	return out
}

// best is the entry of an outcome that gained most, and of equals the newest, which comes
// first.
func best(es []Entry, outcome string, want func(Entry) bool) *Entry {
	var got *Entry
	for i := range es {
		e := &es[i]
		if e.Outcome != outcome || !want(*e) || e.gain() < 0 {
			continue
		}
		if got == nil || e.gain() > got.gain() {
			got = e
		}
	}
	return got
}

// gain is the improvement, 0 where it is not known.
func (e *Entry) gain() float64 {
	if e.Validation == nil || e.Validation.Improvement == nil {
		return 0
	}
	return *e.Validation.Improvement
}

// told is what was done, with its figures and its day.
func (e *Entry) told() string {
	what := cmp.Or(e.Pattern, first(e.Fix), e.Task)
	if f := e.figures(); f != "" {
		what += ": " + f
	}
	return report.Shorten(what, 200) + ", " + e.Time.UTC().Format("2006-01-02")
}

func first(list []string) string {
	if len(list) == 0 {
		return ""
	}
	return list[0]
}

// figures are before and after in words: p95 450 ms → 85 ms (−81 %).
func (e *Entry) figures() string {
	if e.Validation == nil {
		return ""
	}
	before, after, of, ok := e.Validation.figures()
	if !ok {
		return ""
	}
	var pair string
	switch of {
	case "p95", "time":
		pair = fmt.Sprintf("%s %s → %s", of, report.MS(before), report.MS(after))
	case "cost":
		pair = fmt.Sprintf("cost %s → %s", report.Figure(before), report.Figure(after))
	default:
		pair = fmt.Sprintf("%s → %s %s", rules.Thousands(int64(before)), rules.Thousands(int64(after)), of)
	}
	return pair + " (" + signed(Improvement(before, after)) + ")"
}

// signed is an improvement as a change: −81 %.
func signed(improvement float64) string {
	switch {
	case improvement > 0:
		return fmt.Sprintf("−%g %%", improvement)
	case improvement < 0:
		return fmt.Sprintf("+%g %%", -improvement)
	}
	return "±0 %"
}

// Shape is the subject of one statement; none where it cannot be read.
func Shape(sql string) []Subject {
	if f := fingerprint(sql); f != "" {
		return []Subject{{Fingerprint: f}}
	}
	return nil
}
