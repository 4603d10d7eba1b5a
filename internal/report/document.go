package report

import (
	"fmt"
	"slices"
	"strings"

	"github.com/planvet/planvet/rules"
)

// Document is what a check found.
type Document struct {
	// Version is planvet's own.
	Version string
	Summary Summary
	// Findings are sorted and have their identities.
	Findings []rules.Finding
	// Unparsed is SQL that the grammar refused, Unresolved calls whose SQL could
	// not be worked out, NotApplied DDL that the catalog could not replay.
	Unparsed, Unresolved, NotApplied []Problem
	// Suppressed counts findings that comments silenced, Silenced those that config did.
	Suppressed, Silenced int
	// ConfirmRun is set when a planner was asked about the findings.
	ConfirmRun bool
	// GoRun is set when Go packages were analysed for loops over queries.
	GoRun bool
	// Rules are all that there are, for formats that carry their pages.
	Rules []*rules.Rule
	// Off are rules that did not run because of flags or config; a box of the
	// checklist that rests on one is not measured.
	Off []string
	// Pooling is what config says of connection pools: transaction, session or none.
	Pooling string
	// Remembered is what a memory tells of findings, by their identities.
	Remembered map[string][]Remembered
	// Review is what a checklist of a change has beside the findings; nil where nobody
	// asked for it.
	Review *Review
	// Read returns a file of the project by its relative path, for excerpts; nil
	// leaves excerpts out.
	Read func(path string) ([]byte, error)
}

// Summary counts what was looked at.
type Summary struct {
	Migrations, Tables, Indexes, Policies, Statements, GoPackages int

	// Workload is what a server ran, where one was asked; else nil.
	Workload *Workload
	// Baseline is what a baseline covered; nil where there is none.
	Baseline *Baseline
	// Since is the change that is reported alone; nil where everything is.
	Since *Since

	ElapsedMS int64
}

// Workload counts the statements that a server ran.
type Workload struct {
	From string `json:"from"`
	// Known stand in the code too, Added do not; LeftOut were not judged, by reason.
	Known   int       `json:"in_code"`
	Added   int       `json:"added"`
	LeftOut []LeftOut `json:"left_out"`
}

// LeftOut counts statements that were not judged.
type LeftOut struct {
	Reason string `json:"reason"`
	Count  int    `json:"count"`
}

// line tells it.
func (w *Workload) line() string {
	out := fmt.Sprintf("%s ran %s of the code and %s", w.From, Plural(w.Known, "statement"), Plural(w.Added, "other"))
	var left []string
	for _, l := range w.LeftOut {
		left = append(left, fmt.Sprintf("%d %s", l.Count, l.Reason))
	}
	if len(left) > 0 {
		out += "; not judged: " + strings.Join(left, ", ")
	}
	return out
}

// workloadLine is what a query cost the server; "" where that is not known.
func workloadLine(q *rules.Query) string {
	if q == nil || q.Workload == nil {
		return ""
	}
	w := q.Workload
	out := fmt.Sprintf("%s, %s each, %s of the server's execution time", Plural(int(w.Calls), "call"), MS(w.MeanMS), Percent(w.Share))
	if len(w.Roles) > 0 {
		out += ", as " + strings.Join(w.Roles, ", ")
	}
	return out
}

// Problem is an item that was listed rather than analysed.
type Problem struct {
	Location rules.Location
	// Text is the error or the reason.
	Text string
}

// live reports whether a finding still stands after its verdict.
func live(f *rules.Finding) bool { return f.Verdict.Status != rules.Refuted }

// count is how many findings match.
func count(fs []rules.Finding, match func(f *rules.Finding) bool) int {
	n := 0
	for i := range fs {
		if match(&fs[i]) {
			n++
		}
	}
	return n
}

// sortedProblems returns a copy in the order of places.
func sortedProblems(ps []Problem) []Problem {
	ps = slices.Clone(ps)
	slices.SortStableFunc(ps, func(a, b Problem) int {
		return compareLocations(a.Location, b.Location, a.Text, b.Text)
	})
	return ps
}
