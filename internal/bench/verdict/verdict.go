// Package verdict is what a gate says of a run: one report, from which text, JSON, Markdown
// and pages are written.
package verdict

import (
	"slices"
	"time"

	"github.com/planvet/planvet/internal/bench/gate"
	"github.com/planvet/planvet/internal/bench/results"
	"github.com/planvet/planvet/internal/bench/slo"
	"github.com/planvet/planvet/internal/bench/work"
	"github.com/planvet/planvet/internal/report"
)

// ReportVersion is the version of a Report as JSON. A field may be added within a version.
const ReportVersion = 1

// Modes of a report.
const (
	// Live is of two versions that ran side by side.
	Live = "live"
	// Stored is of a run beside those of a baseline.
	Stored = "baseline"
	// Alone is of a run that was held against objectives only.
	Alone = "run"
)

// Report is a gate's. Times are milliseconds; A is what was before, B what is judged.
type Report struct {
	Version       int       `json:"version"`
	Mode          string    `json:"mode"`
	CorrelationID string    `json:"correlation_id,omitempty"`
	Started       time.Time `json:"started"`
	Finished      time.Time `json:"finished"`
	// Threshold is in percent: what is slower by more fails.
	Threshold float64 `json:"threshold_percent"`
	A         Side    `json:"a"`
	B         Side    `json:"b"`
	// Environment is that of the generator, and of B's server.
	Environment results.Environment `json:"environment"`
	// Verdict is the worst of the cases, by the precedence of exit codes; Exit is the code.
	Verdict gate.Verdict    `json:"verdict"`
	Exit    report.ExitCode `json:"exit"`
	// Partial says that the run was ended before it was done.
	Partial bool `json:"partial"`
	// LowConfidence says that stored runs decided: another day is another machine.
	LowConfidence bool   `json:"low_confidence"`
	Cases         []Case `json:"cases"`
	// NotCompared are cases of one side alone.
	NotCompared []NotCompared `json:"not_compared"`
	// SLO are objectives; nil where nobody asked. Results are those of the run that they
	// and a baseline were held against; nil of a live gate alone.
	SLO     *slo.Compliance  `json:"slo,omitempty"`
	Results *results.Results `json:"results,omitempty"`
	Notes   []string         `json:"notes"`
	// Reproduce is the command that measures the same again.
	Reproduce string `json:"reproduce,omitempty"`
}

// Side is one of both.
type Side struct {
	// Name is what the user named it by, without secrets.
	Name   string `json:"name"`
	Commit string `json:"commit,omitempty"`
}

// Case is one endpoint, statement or flow.
type Case struct {
	Suite     string `json:"suite"`
	Case      string `json:"case"`
	Service   string `json:"service"`
	Operation string `json:"operation"`

	Verdict gate.Verdict `json:"verdict"`
	Labels  []string     `json:"labels"`
	// Reasons are of a verdict other than pass, one fact each.
	Reasons []string `json:"reasons"`
	// P50, P95 and P99 are nil where there were too few samples. Confirm is the p95 of the
	// rounds that repeated a suspected regression.
	P50     *Change `json:"p50,omitempty"`
	P95     *Change `json:"p95,omitempty"`
	P99     *Change `json:"p99,omitempty"`
	Confirm *Change `json:"confirm,omitempty"`
	// Rounds and Epochs are those of the p95, of a live gate.
	Rounds int `json:"rounds,omitempty"`
	Epochs int `json:"epochs,omitempty"`
	// Requests and errors of both arms, and how their latencies are distributed.
	A Arm `json:"a"`
	B Arm `json:"b"`
	// Ratios are ln(p95 of B / p95 of A) of each round, by epoch.
	Ratios [][]float64 `json:"round_ratios,omitempty"`
	// History is what stored runs say; nil of a live gate.
	History *History `json:"history,omitempty"`
	// Work is what the database did; nil where that was not seen.
	Work *work.Diff `json:"work,omitempty"`
	// Causes are why it differs, as far as that is known.
	Causes    []work.Cause `json:"causes"`
	Reproduce string       `json:"reproduce,omitempty"`
}

// Labels beside those of package gate.
const (
	MoreWork      = "more-work"      // the deterministic measures decided
	LowConfidence = "low-confidence" // stored runs decided
	Insufficient  = "insufficient"   // too few samples, or runs
	Negligible    = "negligible"     // what a difference may be in ms is too little to fail
	Forced        = "forced"         // compared in spite of what differs
)

// Arm is one side's part of a case.
type Arm struct {
	Requests     int              `json:"requests"`
	Errors       int              `json:"errors"`
	Distribution []results.Bucket `json:"distribution,omitempty"`
}

// Change is a quantile of both.
type Change struct {
	A float64 `json:"a_ms"`
	B float64 `json:"b_ms"`
	// Percent is how much slower B is; Low and High are its bounds, each of 95 %. They are
	// nil where there is none.
	Percent float64  `json:"percent"`
	Low     *float64 `json:"low_percent,omitempty"`
	High    *float64 `json:"high_percent,omitempty"`
	// P is against "not slower", Adjusted for all cases of the run.
	P        *float64 `json:"p,omitempty"`
	Adjusted *float64 `json:"p_adjusted,omitempty"`
	// Samples are those of the arm that has fewer.
	Samples int `json:"samples"`
}

// History is what stored runs say of a case.
type History struct {
	Runs int `json:"runs"`
	// P95 are those of the runs, the oldest first.
	P95 []float64 `json:"p95_ms"`
	// Sigma is how much runs of the same code differ, one standard deviation of ln p95 in
	// percent; Limit is from what percentage on a run fails.
	Sigma float64 `json:"sigma_percent"`
	Limit float64 `json:"limit_percent"`
}

// NotCompared is a case of one side.
type NotCompared struct {
	Suite string `json:"suite"`
	Case  string `json:"case,omitempty"`
	Why   string `json:"why"`
}

// ExitSLO is the code of a broken objective where a benchmark is gated. Other commands,
// and a run that was interrupted, end with the same code.
const ExitSLO = report.ExitUnfinished

// precedence of the codes of a gate: what is no measurement says nothing about the rest,
// and a regression is news where a broken objective may be old.
var precedence = []report.ExitCode{report.ExitInvalid, report.ExitUsage, report.ExitFindings, ExitSLO, report.ExitInconclusive}

// Worst returns the code that takes precedence: 5 > 2 > 1 > 3 > 4 > 0.
func Worst(codes ...report.ExitCode) report.ExitCode {
	for _, c := range precedence {
		if slices.Contains(codes, c) {
			return c
		}
	}
	return report.ExitClean
}

// Policy is what fails a run.
type Policy struct {
	// SLO has broken objectives fail it.
	SLO bool
	// Inconclusive is fail, to exit 4, or pass.
	Inconclusive string
}

// Decide sets the report's verdict and exit code.
func (r *Report) Decide(p Policy) {
	var codes []report.ExitCode
	r.Verdict = gate.Pass
	rank := []gate.Verdict{gate.Pass, gate.Inconclusive, gate.Fail, gate.Invalid}
	for i := range r.Cases {
		v := r.Cases[i].Verdict
		if slices.Index(rank, v) > slices.Index(rank, r.Verdict) {
			r.Verdict = v
		}
		switch v {
		case gate.Invalid:
			codes = append(codes, report.ExitInvalid)
		case gate.Fail:
			codes = append(codes, report.ExitFindings)
		case gate.Inconclusive:
			codes = append(codes, report.ExitInconclusive)
		}
	}
	if r.Mode != Alone && len(r.Cases) == 0 {
		r.Verdict, codes = gate.Inconclusive, append(codes, report.ExitInconclusive)
	}
	if r.SLO != nil && p.SLO {
		switch r.SLO.Exit("minor", false) {
		case report.ExitFindings:
			codes = append(codes, ExitSLO)
		case report.ExitInconclusive:
			codes = append(codes, report.ExitInconclusive)
		}
	}
	if p.Inconclusive == "pass" {
		codes = slices.DeleteFunc(codes, func(c report.ExitCode) bool { return c == report.ExitInconclusive })
	}
	if r.Partial {
		codes = append(codes, report.ExitUnfinished)
	}
	r.Exit = Worst(codes...)
}

// Count is how many cases have a verdict.
func (r *Report) Count(v gate.Verdict) (n int) {
	for i := range r.Cases {
		if r.Cases[i].Verdict == v {
			n++
		}
	}
	return n
}
