package report

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/planvet/planvet/rules"
)

// Checklist writes the pull request's checklist in Markdown. A box is ticked only
// when what it claims was looked at in full and nothing was found; it is unticked
// with its findings; and where something was not looked at, or not all of it, it
// is unticked and says so. Refuted findings count for nothing.
//
// Each finding carries its identity in a hidden comment, so that a later run can
// keep what a person ticked.
func Checklist(w io.Writer, d *Document) error {
	t := NewPrinter(w, TextOptions{})
	t.Printf("<!-- planvet:v1 checklist -->\n## Performance checklist\n\n")
	taken := map[int]bool{}
	for _, b := range boxes {
		t.box(d, b, taken)
	}
	var rest []int
	for i := range d.Findings {
		if live(&d.Findings[i]) && !taken[i] {
			rest = append(rest, i)
		}
	}
	if len(rest) > 0 {
		t.Printf("\nOther findings:\n\n")
		t.items(d, rest, "")
	}
	t.Printf("\n%s; %s.\n", checked(d), gapsLine(d, true))
	return t.err
}

// box is one line of the checklist.
type box struct {
	title string
	// holds tells which findings belong to it; nil for none.
	holds func(f *rules.Finding) bool
	// state decides the tick and says why, found being the number of findings.
	state func(d *Document, found int) (ticked bool, text string)
}

var boxes = []box{
	{"EXPLAIN attached", nil, explained},
	{
		"Indexes exist",
		func(f *rules.Finding) bool {
			return strings.HasPrefix(f.Rule, "unindexed-") || f.Rule == "redundant-index" || f.Rule == "migration-drops-used-index"
		},
		func(d *Document, found int) (bool, string) {
			g := sqlGap(d, len(d.Unresolved))
			if d.Summary.Statements == 0 {
				g.add("no statement was found")
			}
			g.off(d, "unindexed-where", "unindexed-join", "unindexed-order", "unindexed-foreign-key")
			return g.tick(found, Plural(d.Summary.Statements, "statement"))
		},
	},
	{
		"No N+1",
		func(f *rules.Finding) bool { return f.Rule == "nplusone" },
		loops("nplusone"),
	},
	{
		"RLS predicates indexed",
		func(f *rules.Finding) bool { return strings.HasPrefix(f.Rule, "rls-") },
		func(d *Document, found int) (bool, string) {
			g := sqlGap(d, 0)
			g.off(d, "rls-unindexed-predicate")
			if d.Summary.Policies == 0 && found == 0 && len(g.parts) == 0 {
				return true, "the schema has no policies"
			}
			return g.tick(found, Plural(d.Summary.Policies, "policy"))
		},
	},
	{"Benchmark not regressed", nil, unmeasured("no benchmark was run")},
	{
		"Pooling considered",
		func(f *rules.Finding) bool { return f.Rule == "pool-session-state" },
		unmeasured("connection pools are not looked at"),
	},
	{
		"Batches over loops",
		func(f *rules.Finding) bool { return f.Rule == "row-at-a-time-write" },
		loops("row-at-a-time-write"),
	},
}

// explained is ticked when every finding has evidence of a planner.
func explained(d *Document, _ int) (bool, string) {
	// A finding on an ignore comment has nothing to explain.
	asks := func(f *rules.Finding) bool { return !strings.HasPrefix(f.Rule, "ignore-") }
	n := count(d.Findings, asks)
	without := count(d.Findings, func(f *rules.Finding) bool {
		return asks(f) && f.Verdict.Status != rules.Confirmed && f.Verdict.Status != rules.Refuted
	})
	switch {
	case !d.ConfirmRun:
		return false, "not measured: run with --confirm"
	case n == 0:
		return false, "not measured: there was no finding to explain"
	case without > 0:
		return false, fmt.Sprintf("%d of %s without evidence", without, Plural(n, "finding"))
	}
	return true, Plural(n, "finding") + " with evidence"
}

func loops(rule string) func(*Document, int) (bool, string) {
	return func(d *Document, found int) (bool, string) {
		g := gap{none: !d.GoRun || d.Summary.GoPackages == 0}
		if g.none {
			g.add("no Go package was analysed")
		}
		g.add(amount(len(d.Unresolved), "unresolved call", "unresolved calls"))
		g.off(d, rule)
		return g.tick(found, Plural(d.Summary.GoPackages, "Go package"))
	}
}

func unmeasured(why string) func(*Document, int) (bool, string) {
	return func(_ *Document, found int) (bool, string) { return gap{[]string{why}, true}.tick(found, "") }
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
func (g gap) tick(found int, looked string) (bool, string) {
	why := strings.Join(g.parts, ", ")
	switch {
	case found > 0 && why != "":
		return false, Plural(found, "finding") + "; not measured in full: " + why
	case found > 0:
		return false, Plural(found, "finding")
	case g.none:
		return false, "not measured: " + why
	case why != "":
		return false, "nothing found in " + looked + ", but not measured in full: " + why
	}
	return true, "nothing found in " + looked
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

func (t *Printer) box(d *Document, b box, taken map[int]bool) {
	var mine []int
	for i := range d.Findings {
		if f := &d.Findings[i]; b.holds != nil && live(f) && b.holds(f) {
			mine = append(mine, i)
			taken[i] = true
		}
	}
	ticked, text := b.state(d, len(mine))
	t.line(ticked, b.title, text)
	t.items(d, mine, "  ")
}

func (t *Printer) line(ticked bool, title, text string) {
	mark := " "
	if ticked {
		mark = "x"
	}
	t.Printf("- [%s] **%s**: %s\n", mark, title, text)
}

// A pull request's comment holds 65,536 characters: a box lists so many findings,
// and all of them together take so many bytes.
const (
	maxItems = 50
	maxBytes = 56_000
)

// items lists findings, the worst first.
func (t *Printer) items(d *Document, list []int, indent string) {
	slices.SortStableFunc(list, func(a, b int) int { return cmp.Compare(weight(&d.Findings[b]), weight(&d.Findings[a])) })
	for n, i := range list {
		if n == maxItems || t.written > maxBytes {
			t.Printf("%s- and %d more\n", indent, len(list)-n)
			return
		}
		f := &d.Findings[i]
		t.Printf("%s- [ ] `%s` %s [`%s`]%s <!-- planvet:v1 id=%s -->\n", indent,
			markdownCode(placeOf(f.Location)), MarkdownText(f.Message), markdownCode(f.Rule), remark(f), markdownID(f.ID))
		if f.Fix != nil {
			for _, s := range f.Fix.SQL {
				t.Printf("%s  fix: `%s`\n", indent, markdownCode(s))
			}
		}
		for _, r := range d.Remembered[f.ID] {
			t.Printf("%s  remembered: %s\n", indent, MarkdownText(r.Text))
		}
	}
}

// weight orders findings: what is sure before what is possible, then by severity.
func weight(f *rules.Finding) int {
	if f.Certainty == rules.Possible {
		return f.Severity.Rank()
	}
	return 10 + f.Severity.Rank()
}

// remark is a finding's certainty and verdict.
func remark(f *rules.Finding) string {
	var parts []string
	if f.Certainty == rules.Possible {
		parts = append(parts, "possible")
	}
	if s := describe(&f.Verdict); s != "" {
		parts = append(parts, s)
	}
	if len(parts) == 0 {
		return ""
	}
	return ": " + MarkdownText(strings.Join(parts, "; "))
}

// markdownID keeps an identity from ending its comment.
func markdownID(id string) string { return strings.ReplaceAll(markdownCode(id), "--", "") }

// checked says what the list rests on.
func checked(d *Document) string {
	s := d.Summary
	return fmt.Sprintf("planvet %s looked at %s, %s and %s", d.Version,
		Plural(s.Migrations, "migration"), Plural(s.Statements, "statement"), Plural(s.GoPackages, "Go package"))
}
