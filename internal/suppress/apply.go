package suppress

import (
	"fmt"
	"strings"

	"github.com/planvet/planvet/rules"
)

// Apply drops the findings that directives cover, and adds findings for
// directives without a reason (which are not in force), with unknown rules, and,
// when all is set because the whole rule set ran, for directives that covered
// nothing. It returns what is left, unsorted, and how many were dropped.
func Apply(fs []rules.Finding, ds []Directive, known func(string) bool, all bool) (kept []rules.Finding, suppressed int) {
	type key struct{ path, rule string }
	byRule := map[key][]int{}
	used := make([]map[string]bool, len(ds))
	for i, d := range ds {
		used[i] = map[string]bool{}
		if d.NoLint {
			byRule[key{d.Location.Path, ""}] = append(byRule[key{d.Location.Path, ""}], i)
		}
		if d.Reason == "" {
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
		kept = append(kept, d.faults(known, all, used[i])...)
	}
	return kept, suppressed
}

func (d *Directive) covers(line int) bool {
	return d.To == 0 || d.From <= line && line <= d.To
}

// faults are the findings on a directive itself.
func (d *Directive) faults(known func(string) bool, all bool, used map[string]bool) []rules.Finding {
	if d.NoLint {
		return nil
	}
	if len(d.Rules) == 0 {
		return []rules.Finding{d.finding(unknownRule, "planvet:ignore names no rule and silences nothing")}
	}
	var out []rules.Finding
	var good []string
	for _, r := range d.Rules {
		if known(r) {
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
	for _, r := range good {
		if all && !used[r] {
			out = append(out, d.finding(unused, fmt.Sprintf(
				"planvet:ignore %s covers no finding; it would hide the next one", r)))
		}
	}
	return out
}

func (d *Directive) finding(r *rules.Rule, msg string) rules.Finding {
	return rules.Finding{
		Rule: r.Name, Severity: r.Severity, Certainty: r.Certainty,
		Message: msg, Location: d.Location,
		Fix:     &rules.Fix{Note: fixNotes[r.Name]},
		Verdict: rules.Verdict{Status: rules.NotRun},
	}
}

var fixNotes = map[string]string{
	"ignore-unknown-rule":   "name a rule that `planvet rules` lists",
	"ignore-without-reason": "write the reason behind the rule: `planvet:ignore RULE: reason`",
	"ignore-unused":         "remove the comment",
}
