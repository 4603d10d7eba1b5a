package junit

import (
	"encoding/xml"
	"strings"
	"testing"

	"github.com/planvet/planvet/internal/bench/gate"
	"github.com/planvet/planvet/internal/bench/results"
	"github.com/planvet/planvet/internal/bench/slo"
	"github.com/planvet/planvet/internal/bench/verdict"
	"github.com/planvet/planvet/internal/report"
)

func TestWrite(t *testing.T) {
	g := &verdict.Report{
		Cases: []verdict.Case{
			{Suite: "api", Case: "list", Service: "Slips", Operation: "List", Verdict: gate.Pass, P95: &verdict.Change{A: 4, B: 5}},
			{Suite: "api", Case: "close", Service: "Slips", Verdict: gate.Fail, Reasons: []string{"p95 is <30 % slower\x1b"}},
			{Suite: "api", Case: "close", Service: "Slips", Verdict: gate.Inconclusive, Reasons: []string{"insufficient: 3 of 10 runs"}},
			{Suite: "db", Case: "visits", Verdict: gate.Invalid, Reasons: []string{"nothing succeeded"}},
		},
		NotCompared: []verdict.NotCompared{{Suite: "e2e", Why: "no other version"}},
		SLO: &slo.Compliance{Checked: []slo.Checked{
			{Service: "Slips", Operation: "List", SpecRef: "NFR-7", Suite: "api", Case: "list", Verdict: slo.Broken, State: slo.Critical, Measures: []slo.Measure{{Name: "p95_ms", Verdict: slo.Broken, Why: "90 of 900 answers are over it"}}},
			{Service: "Slips", Operation: "Close", Suite: "api", Case: "close", Verdict: slo.Met},
		}},
	}
	r := &results.Results{Suites: []results.Suite{{Name: "api", Cases: []results.Case{{Name: "list", Standing: results.Standing{Invalid: "more than 1 % failed"}}, {Name: "close"}}, Flows: []results.Flow{{Name: "a day", Standing: results.Standing{Partial: true}}}}}}
	var b strings.Builder
	if err := Write(&b, g, r); err != nil {
		t.Fatal(err)
	}
	var back report.JUnitReport
	if err := xml.Unmarshal([]byte(b.String()), &back); err != nil {
		t.Fatal(err)
	}
	if strings.Count(b.String(), "<system-out>spec: NFR-7</system-out>") != 1 {
		t.Errorf("where the objective is written down is not in %s", b.String())
	}
	if back.Tests != 10 || back.Failures != 2 || back.Errors != 2 || back.Skipped != 3 {
		t.Errorf("%d tests, %d failures, %d errors, %d skipped of %s", back.Tests, back.Failures, back.Errors, back.Skipped, b.String())
	}
	outcome := map[string]string{}
	for _, s := range back.Suites {
		for _, c := range s.Cases {
			key := s.Name + ": " + c.Class + " " + c.Name
			for kind, o := range map[string]*report.JUnitOutcome{"failure": c.Failure, "error": c.Error, "skipped": c.Skipped} {
				if o != nil {
					outcome[key] = kind + ", " + o.Message
				}
			}
		}
	}
	for key, want := range map[string]string{
		"gate api: Slips close": "failure, p95 is <30 % slower\uFFFD", "gate api: Slips close (2)": "skipped, insufficient: 3 of 10 runs", "gate api: Slips.List list": "",
		"gate db:  visits": "error, nothing succeeded", "gate e2e: e2e all cases": "skipped, not compared: no other version",
		"objectives: Slips.List api › list": "failure, p95_ms: 90 of 900 answers are over it", "bench api:  list": "error, no measurement: more than 1 % failed", "bench api:  a day": "skipped, ended before it was done",
	} {
		if outcome[key] != want {
			t.Errorf("%s: %q, want %q", key, outcome[key], want)
		}
	}
}
