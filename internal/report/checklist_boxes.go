package report

import (
	"fmt"
	"slices"
	"strings"

	"github.com/planvet/planvet/rules"
)

// box is one line of the checklist.
type box struct {
	// name is stable, for the list after this one.
	name, title string
	// holds tells which findings belong to it; nil for none.
	holds func(f *rules.Finding) bool
	// state decides, found being the number of findings.
	state func(d *Document, found int) state
	// judged is set where what planvet reads decides: nothing of it changed, nothing to tick.
	judged bool
}

// state is a box's tick and what it says. why is what keeps it unticked beside findings.
type state struct {
	ticked    bool
	text, why string
}

var boxes = []box{
	{name: "plans", title: "EXPLAIN attached", state: explained, judged: true},
	{
		name: "indexes", title: "Indexes exist", judged: true,
		holds: func(f *rules.Finding) bool {
			return strings.HasPrefix(f.Rule, "unindexed-") || f.Rule == "redundant-index" || f.Rule == "migration-drops-used-index"
		},
		state: func(d *Document, found int) state {
			g := sqlGap(d, len(d.Unresolved))
			if d.Summary.Statements == 0 {
				g.add("no statement was found")
			}
			g.off(d, "unindexed-where", "unindexed-join", "unindexed-order", "unindexed-foreign-key")
			return g.tick(found, Plural(d.Summary.Statements, "statement"))
		},
	},
	{
		name: "loops", title: "No N+1", judged: true,
		holds: func(f *rules.Finding) bool { return f.Rule == "nplusone" },
		state: loops("nplusone"),
	},
	{
		name: "policies", title: "RLS predicates indexed", judged: true,
		holds: func(f *rules.Finding) bool { return strings.HasPrefix(f.Rule, "rls-") },
		state: func(d *Document, found int) state {
			g := sqlGap(d, 0)
			g.off(d, "rls-unindexed-predicate")
			if d.Summary.Policies == 0 && found == 0 && len(g.parts) == 0 {
				return state{ticked: true, text: "the schema has no policies"}
			}
			return g.tick(found, Plural(d.Summary.Policies, "policy"))
		},
	},
	{name: "gate", title: "Benchmark not regressed", state: gated},
	{
		name: "pooling", title: "Pooling considered", judged: true,
		holds: func(f *rules.Finding) bool { return f.Rule == "pool-session-state" },
		state: pooling,
	},
	{
		name: "batches", title: "Batches over loops", judged: true,
		holds: func(f *rules.Finding) bool { return f.Rule == "row-at-a-time-write" },
		state: loops("row-at-a-time-write"),
	},
}

// explained is ticked when every query that a change brings has its plan attached; of a
// whole project, when every finding has evidence of a planner.
func explained(d *Document, _ int) state {
	if d.Review != nil && d.Review.Plans != nil {
		return d.Review.Plans.state()
	}
	// A finding on an ignore comment has nothing to explain.
	asks := func(f *rules.Finding) bool { return !strings.HasPrefix(f.Rule, "ignore-") }
	n := count(d.Findings, asks)
	without := count(d.Findings, func(f *rules.Finding) bool {
		return asks(f) && f.Verdict.Status != rules.Confirmed && f.Verdict.Status != rules.Refuted
	})
	why := ""
	switch {
	case d.Review != nil && d.Review.NoPlans != "":
		why = "not measured: " + MarkdownText(clip(d.Review.NoPlans))
	case !d.ConfirmRun:
		why = "not measured: run with --confirm"
	case n == 0:
		why = "not measured: there was no finding to explain"
	case without > 0:
		why = fmt.Sprintf("%d of %s without evidence", without, Plural(n, "finding"))
	default:
		return state{ticked: true, text: Plural(n, "finding") + " with evidence"}
	}
	return state{text: why, why: why}
}

// maxGateLines are the lines of a gate that the list has room for.
const maxGateLines = 10

// gated is ticked when a gate passed; what was not measured is never.
func gated(d *Document, _ int) state {
	if d.Review == nil || d.Review.Gate == nil {
		return gap{[]string{"no benchmark was run"}, true}.tick(0, "")
	}
	g := d.Review.Gate
	text := MarkdownText(clip(g.Headline))
	for _, l := range g.Lines[:min(len(g.Lines), maxGateLines)] {
		text += "<br>" + MarkdownText(clip(l))
	}
	if n := len(g.Lines) - maxGateLines; n > 0 {
		text += fmt.Sprintf("<br>and %d more", n)
	}
	if g.Passed {
		return state{ticked: true, text: text}
	}
	return state{text: text, why: g.Headline + strings.Join(g.Lines, "\n")}
}

// pooling is ticked where statements were held against a pool of transactions, or config
// says that there is none. How a project pools, nobody guesses.
func pooling(d *Document, found int) state {
	const rule = "pool-session-state"
	off := slices.Contains(d.Off, rule)
	switch {
	case off && (d.Pooling == "session" || d.Pooling == "none"):
		return state{ticked: true, text: "planvet.yaml says pooling: " + d.Pooling}
	case off && d.Pooling == "":
		return gap{[]string{"nothing says how the project pools connections; write pooling: transaction, session or none in planvet.yaml"}, true}.tick(found, "")
	}
	g := gap{none: d.Summary.Statements == 0 && !d.GoRun}
	if g.none {
		g.add("no statement was found")
	}
	g.add(amount(len(d.Unparsed), "unparsed piece of SQL", "unparsed pieces of SQL"))
	g.add(amount(len(d.Unresolved), "unresolved call", "unresolved calls"))
	g.off(d, rule)
	return g.tick(found, Plural(d.Summary.Statements, "statement"))
}

func loops(rule string) func(*Document, int) state {
	return func(d *Document, found int) state {
		g := gap{none: !d.GoRun || d.Summary.GoPackages == 0}
		if g.none {
			g.add("no Go package was analysed")
		}
		g.add(amount(len(d.Unresolved), "unresolved call", "unresolved calls"))
		g.off(d, rule)
		return g.tick(found, Plural(d.Summary.GoPackages, "Go package"))
	}
}

// gap is what of a box was not looked at.
type gap struct {
	parts []string
	// none is set when nothing of it was.
	none bool
}

func sqlGap(d *Document, unresolved int) gap {
	g := gap{none: d.Summary.Tables == 0}
	if g.none {
		g.add("no schema was found")
	}
	g.add(amount(len(d.Unparsed), "unparsed piece of SQL", "unparsed pieces of SQL"))
	g.add(amount(unresolved, "unresolved call", "unresolved calls"))
	g.add(amount(len(d.NotApplied), "statement not applied", "statements not applied"))
	return g
}

func (g *gap) add(s string) {
	if s != "" {
		g.parts = append(g.parts, s)
	}
}

// off adds those of the rules that did not run.
func (g *gap) off(d *Document, names ...string) {
	n := 0
	for _, r := range names {
		if slices.Contains(d.Off, r) {
			g.add(r + " did not run")
			n++
		}
	}
	g.none = g.none || n == len(names)
}

// tick decides: findings untick, a gap leaves the box unmeasured, wholly or in
// part, and only what is left is ticked.
func (g gap) tick(found int, looked string) state {
	why := strings.Join(g.parts, ", ")
	switch {
	case found > 0 && why != "":
		return state{false, Plural(found, "finding") + "; not measured in full: " + why, why}
	case found > 0:
		return state{false, Plural(found, "finding"), ""}
	case g.none:
		return state{false, "not measured: " + why, why}
	case why != "":
		return state{false, "nothing found in " + looked + ", but not measured in full: " + why, why}
	}
	return state{true, "nothing found in " + looked, ""}
}

func amount(n int, one, many string) string {
	switch n {
	case 0:
		return ""
	case 1:
		return "1 " + one
	}
	return rules.Thousands(int64(n)) + " " + many
}
