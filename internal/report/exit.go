package report

import (
	"slices"

	"github.com/planvet/planvet/rules"
)

// ExitCode is what planvet's process returns. The table is one for all commands.
type ExitCode int

// The exit codes.
const (
	ExitClean        ExitCode = 0
	ExitFindings     ExitCode = 1 // findings at or above fail-on; an SLO or gate broken
	ExitUsage        ExitCode = 2 // usage or config
	ExitUnfinished   ExitCode = 3 // could not finish
	ExitInconclusive ExitCode = 4 // a warning
	ExitInvalid      ExitCode = 5 // invalid measurement
)

// precedence lists the codes, the one that wins first.
var precedence = []ExitCode{ExitUsage, ExitInvalid, ExitUnfinished, ExitFindings, ExitInconclusive}

// Policy says what fails a run.
type Policy struct {
	// FailOn is error, warning, info or never; "" means warning.
	FailOn string
	// Strict makes a listed unparsed, unresolved or not applied item exit 3.
	Strict bool
	// StrictBaseline makes a stale entry of the baseline exit 1.
	StrictBaseline bool
	// Inconclusive says what an inconclusive verdict does: fail exits 4, pass and ""
	// nothing.
	Inconclusive string
}

// Exit decides a check's exit code. A certain finding at or above FailOn fails the
// run unless a planner refuted it: inconclusive leaves it standing, as if nobody
// had asked. Possible and refuted findings never do; an inconclusive verdict on a
// possible finding, or on one below FailOn, is what exit code 4 is for.
func Exit(d *Document, p Policy) ExitCode {
	var codes []ExitCode
	if p.Strict && len(d.Unparsed)+len(d.Unresolved)+len(d.NotApplied) > 0 {
		codes = append(codes, ExitUnfinished)
	}
	if p.StrictBaseline && d.Summary.Baseline != nil && len(d.Summary.Baseline.Stale) > 0 {
		codes = append(codes, ExitFindings)
	}
	for i := range d.Findings {
		f := &d.Findings[i]
		if fails(f, p.FailOn) {
			codes = append(codes, ExitFindings)
		}
		if f.Verdict.Status == rules.Inconclusive && p.Inconclusive == "fail" {
			codes = append(codes, ExitInconclusive)
		}
	}
	return Worst(codes...)
}

func fails(f *rules.Finding, failOn string) bool {
	if failOn == "" {
		failOn = string(rules.Warning)
	}
	threshold := rules.Severity(failOn).Rank()
	return threshold > 0 && f.Severity.Rank() >= threshold && f.Certainty != rules.Possible && live(f)
}

// Worst returns the code that takes precedence: 2 > 5 > 3 > 1 > 4 > 0.
func Worst(codes ...ExitCode) ExitCode {
	for _, c := range precedence {
		if slices.Contains(codes, c) {
			return c
		}
	}
	return ExitClean
}
