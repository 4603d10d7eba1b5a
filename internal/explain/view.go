package explain

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/planvet/planvet/internal/report"
	"github.com/planvet/planvet/rules"
)

// What the writers say alike: each fact of a report in words, once.

// line is a text on one line.
func line(s string) string { return strings.Join(strings.Fields(s), " ") }

// figuresLine is the time and the blocks of the statement, or what there is instead.
func figuresLine(r *Report) string {
	if t := r.Timing; t != nil {
		s := report.MS(t.Warm.PlanningMS+t.Warm.ExecutionMS) + ", " + report.Blocks(t.Warm.Hit+t.Warm.Read)
		if t.Runs == 0 {
			s = report.MS(t.Cold.PlanningMS+t.Cold.ExecutionMS) + " cold, " + report.Blocks(t.Cold.Hit+t.Cold.Read)
		}
		return s
	}
	if len(r.Plans) == 0 {
		return "not planned"
	}
	p := &r.Plans[0]
	if p.Analyzed {
		return report.MS(p.PlanningMS+p.ExecutionMS) + ", " + report.Blocks(p.Blocks)
	}
	why := ""
	if r.NotRun != "" {
		why = " (" + line(r.NotRun) + ")"
	}
	return "not run" + why + ", cost " + report.Figure(p.Cost)
}

// worst is the finding that weighs most.
func worst(r *Report) *Finding {
	if len(r.Findings) == 0 {
		return nil
	}
	return &r.Findings[0]
}

// worstLine says what weighs most, in one line.
func worstLine(r *Report) string {
	if f := worst(r); f != nil {
		return fmt.Sprintf("%s: %s [%d]", f.Severity, line(f.Message), f.ID)
	}
	return noFaultLine(r)
}

// noFaultLine is what is said of a plan without findings: heuristics have thresholds, and
// under them there may be much to gain all the same.
func noFaultLine(r *Report) string {
	i, gain := mostGained(r)
	if i < 0 {
		return "no fault found in the plan"
	}
	return fmt.Sprintf("no fault above the thresholds, yet recommendation %d makes it %s cheaper: %s", i+1, ratioText(gain), line(r.Recommendations[i].Title))
}

// mostGained is the recommendation that was checked and lowers the planner's cost most,
// and how many times; -1 where none does by a tenth.
func mostGained(r *Report) (best int, gain float64) {
	best, gain = -1, 1.1
	for i := range r.Recommendations {
		x := &r.Recommendations[i]
		if x.Verified == "" || x.Before == nil || x.After == nil || x.After.Cost <= 0 {
			continue
		}
		if times := x.Before.Cost / x.After.Cost; times >= gain {
			best, gain = i, times
		}
	}
	return best, gain
}

// whereLine says on what and as whom the query was planned.
func whereLine(s *Server) string {
	parts := []string{}
	if s.Version != "" {
		parts = append(parts, "PostgreSQL "+line(s.Version))
	}
	if s.Where != "" {
		parts = append(parts, line(s.Where))
	}
	if s.Role != "" {
		parts = append(parts, "as "+line(s.Role))
	}
	return strings.Join(parts, ", ")
}

// planningShare is planning's part of a run; 0 where it took no time.
func planningShare(r Run) float64 {
	if total := r.PlanningMS + r.ExecutionMS; total > 0 {
		return r.PlanningMS / total
	}
	return 0
}

// spread is the least and the greatest of the warm runs.
func spread(t *Timing) string {
	if len(t.Each) == 0 {
		return report.Plural(t.Runs, "run")
	}
	low, high := t.Each[0], t.Each[0]
	for _, x := range t.Each {
		low, high = min(low, x), max(high, x)
	}
	return fmt.Sprintf("median of %s, %s to %s", report.Plural(t.Runs, "run"), report.MS(low), report.MS(high))
}

// planLine names a plan and says when it was not run.
func planLine(p *Plan) string {
	if p.Analyzed {
		return planLabel(p.Label)
	}
	return planLabel(p.Label) + ", estimated"
}

func planLabel(label string) string {
	switch label {
	case "given":
		return "for the given values"
	case "generic":
		return "for any values"
	case "frequent", "rare":
		return "for " + label + " values"
	case "absent":
		return "for values that no row has"
	}
	return label
}

// shareOf is what shares of a plan's steps are of: time, blocks or cost.
func shareOf(p *Plan) string {
	ms := 0.0
	for _, s := range stepList(p) {
		ms += s.SelfMS
	}
	switch {
	case p.Analyzed && ms > 0:
		return "time"
	case p.Analyzed && p.Blocks > 0:
		return "blocks"
	}
	return "cost"
}

// stepList lists a plan's in the order of EXPLAIN.
func stepList(p *Plan) []*Step {
	var out []*Step
	var walk func(s *Step)
	walk = func(s *Step) {
		out = append(out, s)
		for _, c := range s.Children {
			walk(c)
		}
	}
	if p.Root != nil {
		walk(p.Root)
	}
	return out
}

// stepTitle is a step with what it is to its parent.
func stepTitle(s *Step) string {
	if s.Role == "" {
		return line(s.Title)
	}
	return line(s.Role) + ": " + line(s.Title)
}

// arrow is estimate → actual.
func arrow(s *Step, analyzed bool) string {
	switch {
	case !analyzed:
		return report.Short(s.Estimated)
	case s.Never:
		return report.Short(s.Estimated) + " → –"
	}
	return report.Short(s.Estimated) + " → " + report.Short(s.Rows)
}

// rowsLine is estimate → actual, with the factor where it matters.
func rowsLine(s *Step, analyzed bool) string {
	out := arrow(s, analyzed)
	if f := factorText(s); f != "" && analyzed && !s.Never {
		out += " " + f
	}
	return out
}

// stepDetails are a step's details but for rows removed, which EXPLAIN gives by loop and
// Removed as a whole.
func stepDetails(s *Step) []string {
	var out []string
	for _, d := range s.Details {
		if !strings.HasPrefix(d, "Rows Removed by ") {
			out = append(out, line(d))
		}
	}
	return out
}

// number writes a count in full.
func number(x float64) string {
	if x != math.Trunc(x) || math.Abs(x) > 1e15 {
		return report.Figure(x)
	}
	return rules.Thousands(int64(x))
}

// factorText says how far an estimate is off, from twice on: "120× more", "8× fewer".
func factorText(s *Step) string {
	switch {
	case s.Factor >= 2:
		return ratioText(s.Factor) + " more"
	case s.Factor > 0 && s.Factor <= 0.5:
		return ratioText(1/s.Factor) + " fewer"
	}
	return ""
}

// misestimated grades a factor as the heuristics do: bad from a hundredfold, warn
// from tenfold, where there are rows enough to matter.
func misestimated(s *Step) string {
	if s.Factor <= 0 || s.Never || max(s.Estimated, s.Rows) < 100 {
		return ""
	}
	switch f := max(s.Factor, 1/s.Factor); {
	case f >= 100:
		return "bad"
	case f >= 10:
		return "warn"
	}
	return ""
}

// ratioText writes a ratio without more digits than it has meaning.
func ratioText(x float64) string {
	if x >= 1000 {
		return report.Short(x) + "×"
	}
	if x >= 10 {
		return rules.Thousands(int64(x+0.5)) + "×"
	}
	return fmt.Sprintf("%.1f×", x)
}

// usedIndexes are those that the plan reads.
func usedIndexes(us []IndexUse) []IndexUse {
	return slices.DeleteFunc(slices.Clone(us), func(u IndexUse) bool { return u.Step == 0 })
}

// unusedIndexes are the others, in one line; "" where there is none.
func unusedIndexes(us []IndexUse) string {
	var names []string
	for i := range us {
		if us[i].Step == 0 {
			names = append(names, indexName(&us[i]))
		}
	}
	return strings.Join(names, ", ")
}

// indexFacts are the remarks on an index that deserve a word.
func indexFacts(u *IndexUse) []string {
	var out []string
	if !u.Leading && u.Condition != "" {
		out = append(out, "no condition on its leading key")
	}
	if len(u.UnusedKeys) > 0 {
		out = append(out, "not searched by "+strings.Join(u.UnusedKeys, ", "))
	}
	if u.HeapFetches > 0 {
		out = append(out, report.Short(u.HeapFetches)+" heap fetches")
	}
	if u.Searches > 1 {
		out = append(out, report.Short(u.Searches)+" searches")
	}
	return out
}

func indexName(u *IndexUse) string { return u.Index + " (" + strings.Join(u.Keys, ", ") + ")" }

// arms are the ways that a statement was run for its row security, with their names.
func arms(o *Overhead) []namedArm {
	var out []namedArm
	for _, a := range []namedArm{{"enforced", "row security as it is", o.Enforced}, {"ideal", "same rows without it", o.Ideal}} {
		if a.Cost > 0 || a.MS > 0 { // it ran
			out = append(out, a)
		}
	}
	if o.Naked != nil {
		out = append(out, namedArm{"naked", "no conditions, other rows", *o.Naked})
	}
	return out
}

type namedArm struct {
	Name, What string
	Arm
}

// overheadLine is the verdict on row security.
func overheadLine(o *Overhead) string {
	switch {
	case o.Problem != "":
		return "not measured: " + line(o.Problem)
	case !o.SameRows:
		return "not measured: the arms returned other rows"
	}
	s := fmt.Sprintf("row security costs %s as %s", report.MS(math.Max(o.MS, 0)), line(o.Role))
	if o.Ratio > 0 {
		s += fmt.Sprintf(", %s the time of the same rows without it", ratioText(o.Ratio))
	}
	return s + fmt.Sprintf(" (medians of %s)", report.Plural(o.Rounds, "round"))
}

// callLine says how often a policy's function is evaluated.
func callLine(c *PolicyCall) string {
	s := line(c.Function) + " " + line(c.Evaluated)
	if c.Calls > 0 {
		s += ", " + report.Short(c.Calls) + " calls"
	}
	return s
}
