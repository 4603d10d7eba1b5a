package verdict

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/planvet/planvet/internal/bench/gate"
	"github.com/planvet/planvet/internal/bench/slo"
	"github.com/planvet/planvet/internal/report"
)

var columns = []report.Column{{Title: "case"}, {Title: "verdict"}, {Title: "p50", Right: true}, {Title: "p95", Right: true}, {Title: "Δ p95", Right: true}, {Title: "p99", Right: true}, {Title: "p", Right: true}, {Title: "rounds", Right: true}}

func (r *Report) row(c *Case) []string {
	rounds := "–"
	switch {
	case c.History != nil:
		rounds = report.Plural(c.History.Runs, "run")
	case c.Rounds > 0:
		rounds = fmt.Sprintf("%d in %d", c.Rounds, c.Epochs)
	}
	p := "–"
	if c.P95 != nil && c.P95.P != nil {
		p = report.Figure(*c.P95.P)
	}
	return []string{c.Case, string(c.Verdict), c.P50.both(), c.P95.both(), c.P95.delta(), c.P99.both(), p, rounds}
}

// both is A's quantile and B's.
func (c *Change) both() string {
	if c == nil {
		return "insufficient"
	}
	return report.Figure(c.A) + " → " + report.MS(c.B)
}

// delta is how much slower B is, with its bounds.
func (c *Change) delta() string {
	switch {
	case c == nil:
		return "–"
	case c.Low == nil:
		return signed(c.Percent) + " %"
	}
	return fmt.Sprintf("%s %% (%s to %s)", signed(c.Percent), signed(*c.Low), signed(*c.High))
}

func signed(percent float64) string {
	if percent < 0 {
		return "−" + report.Figure(-percent)
	}
	return "+" + report.Figure(percent)
}

// Headline is the report in a line.
func (r *Report) Headline() string {
	text := string(r.Verdict)
	var parts []string
	for _, v := range []gate.Verdict{gate.Invalid, gate.Fail, gate.Inconclusive, gate.Pass} {
		if n := r.Count(v); n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, v))
		}
	}
	if len(parts) > 0 {
		text += ": " + strings.Join(parts, ", ")
	}
	if r.SLO != nil {
		text += "; objectives " + string(r.SLO.Verdict)
	}
	if r.LowConfidence {
		text += "; low confidence"
	}
	if r.Partial {
		text += "; partial"
	}
	return text
}

func (s Side) String() string {
	if s.Commit == "" {
		return s.Name
	}
	return s.Name + " (" + s.Commit[:min(len(s.Commit), 12)] + ")"
}

// suites are the names of suites in the order of their first case.
func (r *Report) suites() (out []string) {
	for i := range r.Cases {
		if !slices.Contains(out, r.Cases[i].Suite) {
			out = append(out, r.Cases[i].Suite)
		}
	}
	return out
}

func (r *Report) rows(suite string) (rows [][]string) {
	for i := range r.Cases {
		if r.Cases[i].Suite == suite {
			rows = append(rows, r.row(&r.Cases[i]))
		}
	}
	return rows
}

// Facts are the lines about one case, without its plan: nil where there is nothing to say.
func (c *Case) Facts() (out []string) {
	add := func(head string, lines []string) {
		for _, l := range lines {
			out = append(out, head+l)
		}
	}
	add("", c.Reasons)
	if len(c.Labels) > 0 {
		out = append(out, "labels: "+strings.Join(c.Labels, ", "))
	}
	if c.Confirm != nil {
		out = append(out, "repeated with fresh connections and rounds: p95 "+c.Confirm.both()+", "+c.Confirm.delta())
	}
	if h := c.History; h != nil && h.Runs > 1 {
		out = append(out, fmt.Sprintf("%d stored runs differ by %s %% (one σ of ln p95): over %s %% fails", h.Runs, report.Figure(h.Sigma), report.Figure(h.Limit)))
	}
	for _, k := range c.Causes {
		out = append(out, "cause, "+k.Kind+": "+k.Text)
	}
	if c.Work != nil {
		var moved []string
		for _, f := range c.Work.Figures {
			said := slices.ContainsFunc(c.Reasons, func(r string) bool { return strings.Contains(r, " "+whole(f.A)+" → "+whole(f.B)) })
			if f.A != f.B && !said {
				moved = append(moved, fmt.Sprintf("%s %s → %s", strings.ReplaceAll(f.Name, "_", " "), whole(f.A), whole(f.B)))
			}
		}
		if len(moved) > 0 {
			out = append(out, "work: "+strings.Join(moved, ", "))
		}
	}
	if c.Errors() > 0 {
		out = append(out, fmt.Sprintf("errors: %d of %d, %d of %d", c.A.Errors, c.A.Requests, c.B.Errors, c.B.Requests))
	}
	if len(out) > 0 && c.Reproduce != "" {
		out = append(out, "again: "+c.Reproduce)
	}
	return out
}

// whole is a figure without decimals that say nothing.
func whole(x float64) string { return report.Round(report.Figure(x)) }

// Errors are those of both arms.
func (c *Case) Errors() int { return c.A.Errors + c.B.Errors }

// foot are the lines about the run.
func (r *Report) foot() (out []string) {
	for _, n := range r.NotCompared {
		name := n.Suite
		if n.Case != "" {
			name += " " + n.Case
		}
		out = append(out, "not compared: "+name+": "+n.Why)
	}
	out = append(out, r.Notes...)
	if r.SLO != nil {
		for i := range r.SLO.Checked {
			k := &r.SLO.Checked[i]
			if k.Verdict != slo.Met {
				out = append(out, "objective "+k.Service+" "+k.Operation+k.Spec(", ")+", "+string(k.Verdict)+": "+strings.Join(whys(k), "; "))
			}
		}
		for _, n := range r.SLO.WithoutCase {
			out = append(out, "objective without a case: "+n.Service+" "+n.Operation+n.Spec(", "))
		}
		for _, n := range r.SLO.WithoutSLO {
			out = append(out, "case without an objective: "+n.Suite+" "+n.Case)
		}
	}
	e := r.Environment
	where := fmt.Sprintf("%s/%s, %s", e.OS, e.Arch, report.Plural(e.Cores, "core"))
	if e.CPU != "" {
		where += ", " + e.CPU
	}
	if e.Postgres != "" {
		where += ", PostgreSQL " + e.Postgres
	}
	out = append(out, where+"; correlation id "+r.CorrelationID)
	if r.Reproduce != "" {
		out = append(out, "again: "+r.Reproduce)
	}
	return append(out, fmt.Sprintf("exit %d", r.Exit))
}

// Text writes the report for people.
func (r *Report) Text(w io.Writer, o report.TextOptions) error {
	t := report.NewPrinter(w, o)
	t.Paint(report.Bold, "gate "+r.Headline())
	t.Printf("\n")
	if r.Mode != Alone {
		t.Printf("A is %s, B is %s; what is over %s %% slower fails\n", report.Printable(r.A.String()), report.Printable(r.B.String()), whole(r.Threshold))
	}
	for _, suite := range r.suites() {
		t.Printf("\n")
		t.Paint(report.Bold, "suite "+suite)
		t.Printf("\n")
		t.Table("  ", 0, columns, r.rows(suite))
	}
	for i := range r.Cases {
		c := &r.Cases[i]
		lines := c.Facts()
		if len(lines) == 0 {
			continue
		}
		t.Printf("\n")
		t.Paint(report.Bold, report.Printable(c.Suite+" "+c.Case)+": "+string(c.Verdict))
		t.Printf("\n")
		for _, l := range lines {
			t.Printf("  %s\n", report.Printable(l))
		}
		if c.Work != nil {
			for _, l := range c.Work.Plan {
				t.Printf("  %s %s\n", l.Op, report.Printable(l.Text))
			}
		}
	}
	t.Printf("\n")
	for _, l := range r.foot() {
		t.Printf("%s\n", report.Printable(l))
	}
	return t.Err()
}

// JSON writes the report as the contract gate.schema.json says.
func (r *Report) JSON(w io.Writer) error { return report.WriteJSON(w, r) }

// whys are the measures of an objective that are not met.
func whys(k *slo.Checked) (out []string) {
	for _, m := range k.Measures {
		if m.Verdict == slo.Met {
			continue
		}
		text := m.Name
		if m.Value != nil {
			text += " " + report.Figure(m.Value.Value)
		}
		out = append(out, fmt.Sprintf("%s, target %s, %s", text, report.Figure(m.Target), m.Why))
	}
	return out
}
