package suppress

import (
	"fmt"
	"strings"
	"time"

	"github.com/planvet/planvet/rules"
)

// Options are what directives are judged by.
type Options struct {
	// Known reports whether there is a rule of a name.
	Known func(rule string) bool
	// Ran reports whether a rule ran on everything, so that what it did not find is not
	// there; nil where none did.
	Ran func(rule string) bool
	// Today is the day, as 2006-01-02.
	Today string
}

// Past reports whether a suppression's last day is past, and whether the day is one.
func Past(until, today string) (past, ok bool) {
	if _, err := time.Parse(time.DateOnly, until); err != nil {
		return true, false
	}
	return until < today, true
}

// Apply drops the findings that directives cover, and adds findings for directives
// that are not in force, because they have no reason or their day is past, for
// unknown rules, and for directives of rules that ran that covered nothing. It
// returns what is left, unsorted, and how many were dropped.
func Apply(fs []rules.Finding, ds []Directive, o Options) (kept []rules.Finding, suppressed int) {
	type key struct{ path, rule string }
	byRule := map[key][]int{}
	used := make([]map[string]bool, len(ds))
	for i, d := range ds {
		used[i] = map[string]bool{}
		if d.NoLint {
			byRule[key{d.Location.Path, ""}] = append(byRule[key{d.Location.Path, ""}], i)
		}
		if d.Reason == "" || d.past(o.Today) {
			continue
		}
		for _, r := range d.Rules {
			byRule[key{d.Location.Path, r}] = append(byRule[key{d.Location.Path, r}], i)
		}
	}
	for _, f := range fs {
		hit := false
		for _, k := range []key{{f.Location.Path, f.Rule}, {f.Location.Path, ""}} {
			for _, i := range byRule[k] {
				if ds[i].covers(f.Location.Line) {
					hit, used[i][f.Rule] = true, true
				}
			}
		}
		if hit {
			suppressed++
		} else {
			kept = append(kept, f)
		}
	}
	for i, d := range ds {
		kept = append(kept, d.faults(o, used[i])...)
	}
	return kept, suppressed
}

func (d *Directive) past(today string) bool {
	past, _ := Past(d.Until, today)
	return d.Until != "" && past
}

func (d *Directive) covers(line int) bool {
	return d.To == 0 || d.From <= line && line <= d.To
}

// faults are the findings on a directive itself.
func (d *Directive) faults(o Options, used map[string]bool) []rules.Finding {
	if d.NoLint {
		return nil
	}
	if len(d.Rules) == 0 {
		return []rules.Finding{d.finding(unknownRule, "planvet:ignore names no rule and silences nothing")}
	}
	var out []rules.Finding
	var good []string
	for _, r := range d.Rules {
		if o.Known(r) {
			good = append(good, r)
			continue
		}
		out = append(out, d.finding(unknownRule, fmt.Sprintf("planvet:ignore names %s, which is no rule; it silences nothing", r)))
	}
	if len(good) == 0 {
		return out
	}
	if d.Reason == "" {
		return append(out, d.finding(withoutReason, fmt.Sprintf(
			"planvet:ignore %s gives no reason after a colon and is not in force", strings.Join(good, ", "))))
	}
	if d.past(o.Today) {
		return append(out, d.finding(expired, expiredMessage("planvet:ignore "+strings.Join(good, ", "), d.Until)))
	}
	for _, r := range good {
		if o.Ran != nil && o.Ran(r) && !used[r] {
			out = append(out, d.finding(unused, fmt.Sprintf(
				"planvet:ignore %s covers no finding; it would hide the next one", r)))
		}
	}
	return out
}

// expiredMessage says that a suppression is no longer in force.
func expiredMessage(what, until string) string {
	if _, ok := Past(until, ""); !ok {
		return fmt.Sprintf("%s holds until %s, which is no day, and is not in force", what, until)
	}
	return fmt.Sprintf("%s held until %s; what it covers is reported again", what, until)
}

func (d *Directive) finding(r *rules.Rule, msg string) rules.Finding {
	return finding(r, msg, d.Location, fixNotes[r.Name])
}

// Expired is the finding on a suppression in a config whose day is past.
func Expired(what, until string, at rules.Location) rules.Finding {
	return finding(expired, expiredMessage(what, until), at, fixNotes[expired.Name])
}

// Unused is the finding on one that covers nothing.
func Unused(what string, at rules.Location) rules.Finding {
	return finding(unused, what+" covers no finding; it would hide the next one", at, "remove it")
}

func finding(r *rules.Rule, msg string, at rules.Location, note string) rules.Finding {
	return rules.Finding{
		Rule: r.Name, Severity: r.Severity, Certainty: r.Certainty,
		Message: msg, Location: at,
		Fix:     &rules.Fix{Note: note},
		Verdict: rules.Verdict{Status: rules.NotRun},
	}
}

var fixNotes = map[string]string{
	"ignore-expired":        "mend what it covers, or give it another day: until=YYYY-MM-DD",
	"ignore-unknown-rule":   "name a rule that `planvet rules` lists",
	"ignore-without-reason": "write the reason behind the rule: `planvet:ignore RULE: reason`",
	"ignore-unused":         "remove the comment",
}
