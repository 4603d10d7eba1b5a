package report

import (
	"testing"

	"github.com/planvet/planvet/rules"
)

func TestExit(t *testing.T) {
	f := func(s rules.Severity, c rules.Certainty, v rules.Status) rules.Finding {
		return rules.Finding{Severity: s, Certainty: c, Verdict: rules.Verdict{Status: v}}
	}
	warn := f(rules.Warning, rules.Certain, rules.NotRun)
	info := f(rules.Info, rules.Certain, rules.NotRun)
	unsure := f(rules.Error, rules.Possible, rules.Inconclusive)
	for _, c := range []struct {
		name string
		fs   []rules.Finding
		gaps int
		p    Policy
		want ExitCode
	}{
		{"clean", nil, 0, Policy{}, 0},
		{"warning fails by default", []rules.Finding{warn}, 0, Policy{}, 1},
		{"warning below error", []rules.Finding{warn}, 0, Policy{FailOn: "error"}, 0},
		{"error", []rules.Finding{f(rules.Error, rules.Certain, rules.Confirmed)}, 0, Policy{FailOn: "error"}, 1},
		{"info by default", []rules.Finding{info}, 0, Policy{}, 0},
		{"info asked for", []rules.Finding{info}, 0, Policy{FailOn: "info"}, 1},
		{"never", []rules.Finding{warn}, 0, Policy{FailOn: "never"}, 0},
		{"possible never fails", []rules.Finding{f(rules.Error, rules.Possible, rules.Confirmed)}, 0, Policy{FailOn: "info"}, 0},
		{"refuted never fails", []rules.Finding{f(rules.Error, rules.Certain, rules.Refuted)}, 0, Policy{FailOn: "info"}, 0},
		{"inconclusive leaves a certain finding standing", []rules.Finding{f(rules.Error, rules.Certain, rules.Inconclusive)}, 0, Policy{}, 1},
		{"inconclusive passes by default", []rules.Finding{unsure}, 0, Policy{}, 0},
		{"inconclusive passes", []rules.Finding{unsure}, 0, Policy{Inconclusive: "pass"}, 0},
		{"inconclusive fails", []rules.Finding{unsure}, 0, Policy{Inconclusive: "fail"}, 4},
		{"findings before inconclusive", []rules.Finding{unsure, warn}, 0, Policy{Inconclusive: "fail"}, 1},
		{"gaps change nothing", nil, 3, Policy{}, 0},
		{"gaps when strict", nil, 3, Policy{Strict: true}, 3},
		{"unfinished before findings", []rules.Finding{warn}, 1, Policy{Strict: true}, 3},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := &Document{Findings: c.fs, Unresolved: make([]Problem, c.gaps)}
			if got := Exit(d, c.p); got != c.want {
				t.Errorf("exit %d, want %d", got, c.want)
			}
		})
	}
}

func TestWorst(t *testing.T) {
	order := []ExitCode{2, 5, 3, 1, 4, 0}
	for i, a := range order {
		for _, b := range order[i:] {
			if got := Worst(b, a); got != a {
				t.Errorf("Worst(%d, %d) = %d", b, a, got)
			}
		}
	}
}
