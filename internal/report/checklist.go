package report

import (
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
	t := newPrinter(w, TextOptions{})
	t.printf("<!-- planvet:v1 checklist -->\n## Performance checklist\n\n")
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
		t.printf("\nOther findings:\n\n")
		t.items(d, rest, "")
	}
	t.printf("\n%s. %s.\n", checked(d), gapsLine(d, true))
	return t.err
}

// box is one line of the checklist.
type box struct {
	title string
	// holds tells which findings belong to it; nil for none.
	holds func(f *rules.Finding) bool
	// rules are those that it rests on: it is not measured where one is off.
	rules []string
	// gap says what of the box was not looked at, "" where all was.
	gap func(d *Document) string
}

var boxes = []box{
	{title: "EXPLAIN attached", gap: func(*Document) string { return "" }},
	{
		title: "Indexes exist", gap: sqlGap,
		rules: []string{"unindexed-where", "unindexed-join", "unindexed-order", "unindexed-foreign-key"},
		holds: func(f *rules.Finding) bool {
			return strings.HasPrefix(f.Rule, "unindexed-") || f.Rule == "redundant-index" || f.Rule == "migration-drops-used-index"
		},
	},
	{
		title: "No N+1", gap: goGap, rules: []string{"nplusone"},
		holds: func(f *rules.Finding) bool { return f.Rule == "nplusone" && !writes(f) },
	},
	{
		title: "RLS predicates indexed", gap: policyGap, rules: []string{"rls-unindexed-predicate"},
		holds: func(f *rules.Finding) bool { return strings.HasPrefix(f.Rule, "rls-") },
	},
	{title: "Benchmark not regressed", gap: func(*Document) string { return "no benchmark was run" }},
	{
		title: "Pooling considered", gap: func(*Document) string { return "this version does not look at connection pools" },
		holds: func(f *rules.Finding) bool { return f.Rule == "pool-session-state" },
	},
	{
		title: "Batches over loops", gap: goGap, rules: []string{"nplusone"},
		holds: func(f *rules.Finding) bool {
			return f.Rule == "row-at-a-time-write" || f.Rule == "nplusone" && writes(f)
		},
	},
}

// writes reports whether a finding's statement writes rows.
func writes(f *rules.Finding) bool {
	if f.Query == nil {
		return false
	}
	word, _, _ := strings.Cut(strings.TrimSpace(f.Query.Text), " ")
	return slices.Contains([]string{"insert", "update", "delete", "merge"}, strings.ToLower(strings.TrimSpace(word)))
}

func sqlGap(d *Document) string {
	if d.Summary.Tables == 0 {
		return "no schema was found"
	}
	return gaps(len(d.Unparsed), "unparsed piece of SQL", len(d.Unresolved), "unresolved call", len(d.NotApplied), "statement not applied")
}

func policyGap(d *Document) string {
	if d.Summary.Tables == 0 {
		return "no schema was found"
	}
	return gaps(len(d.Unparsed), "unparsed piece of SQL", len(d.NotApplied), "statement not applied")
}

func goGap(d *Document) string {
	if !d.GoRun || d.Summary.GoPackages == 0 {
		return "no Go package was analysed"
	}
	return gaps(len(d.Unresolved), "unresolved call")
}

// gaps lists counts that are not zero, as pairs of count and noun.
func gaps(pairs ...any) string {
	var out []string
	for i := 0; i < len(pairs); i += 2 {
		if n := pairs[i].(int); n > 0 {
			noun := pairs[i+1].(string)
			if s, ok := strings.CutSuffix(noun, " not applied"); ok && n != 1 {
				noun = s + "s not applied"
				out = append(out, fmt.Sprintf("%d %s", n, noun))
				continue
			}
			if s, ok := strings.CutPrefix(noun, "unparsed piece"); ok && n != 1 {
				out = append(out, fmt.Sprintf("%d unparsed pieces%s", n, s))
				continue
			}
			if n == 1 {
				out = append(out, "1 "+noun)
			} else {
				out = append(out, plural(n, noun))
			}
		}
	}
	return strings.Join(out, ", ")
}

func (t *printer) box(d *Document, b box, taken map[int]bool) {
	var mine []int
	for i := range d.Findings {
		if f := &d.Findings[i]; b.holds != nil && live(f) && b.holds(f) {
			mine = append(mine, i)
			taken[i] = true
		}
	}
	if b.title == "EXPLAIN attached" {
		t.explainBox(d, b.title)
		return
	}
	gap := b.gap(d)
	for _, r := range b.rules {
		if slices.Contains(d.Off, r) {
			gap = strings.TrimPrefix(gap+", "+r+" did not run", ", ")
		}
	}
	switch {
	case len(mine) > 0 && gap != "":
		t.line(false, b.title, plural(len(mine), "finding")+"; not measured in full: "+gap)
	case len(mine) > 0:
		t.line(false, b.title, plural(len(mine), "finding"))
	case gap != "":
		t.line(false, b.title, "not measured"+inFull(d, b)+": "+gap)
	case b.title == "RLS predicates indexed" && d.Summary.Policies == 0:
		t.line(true, b.title, "the schema has no policies")
	default:
		t.line(true, b.title, "nothing found in "+looked(d, b))
	}
	t.items(d, mine, "  ")
}

// inFull tells a box that was looked at in part from one that was not at all.
func inFull(d *Document, b box) string {
	if len(b.rules) == 0 || d.Summary.Tables == 0 && b.title != "No N+1" && b.title != "Batches over loops" || strings.HasPrefix(b.gap(d), "no ") {
		return ""
	}
	return " in full"
}

func looked(d *Document, b box) string {
	if b.title == "RLS predicates indexed" {
		return plural(d.Summary.Policies, "policy")
	}
	if b.rules[0] == "nplusone" {
		return plural(d.Summary.GoPackages, "Go package")
	}
	return plural(d.Summary.Statements, "statement")
}

// explainBox is ticked when every finding has evidence of a planner.
func (t *printer) explainBox(d *Document, title string) {
	without := count(d.Findings, func(f *rules.Finding) bool {
		return f.Verdict.Status != rules.Confirmed && f.Verdict.Status != rules.Refuted
	})
	n := len(d.Findings)
	switch {
	case !d.ConfirmRun:
		t.line(false, title, "not measured: run with --confirm")
	case n == 0:
		t.line(false, title, "not measured: there was no finding to explain")
	case without > 0:
		t.line(false, title, fmt.Sprintf("%d of %s without evidence", without, plural(n, "finding")))
	default:
		t.line(true, title, fmt.Sprintf("%s with evidence", plural(n, "finding")))
	}
}

func (t *printer) line(ticked bool, title, text string) {
	mark := " "
	if ticked {
		mark = "x"
	}
	t.printf("- [%s] **%s**: %s\n", mark, title, text)
}

// maxItems is how many findings a box lists: a pull request's text has a limit.
const maxItems = 50

func (t *printer) items(d *Document, list []int, indent string) {
	for n, i := range list {
		if n == maxItems {
			t.printf("%s- and %d more\n", indent, len(list)-n)
			return
		}
		f := &d.Findings[i]
		t.printf("%s- [ ] `%s` %s [`%s`]%s <!-- planvet:v1 id=%s -->\n", indent,
			code(placeOf(f.Location)), markdown(f.Message), code(f.Rule), remark(f), markdownID(f.ID))
		if f.Fix != nil {
			for _, s := range f.Fix.SQL {
				t.printf("%s  fix: `%s`\n", indent, code(s))
			}
		}
	}
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
	return " (" + markdown(strings.Join(parts, "; ")) + ")"
}

// markdown makes a text stand as it is in Markdown.
func markdown(s string) string {
	s = strings.Join(strings.Fields(s), " ")
	return mdEscapes.Replace(s)
}

var mdEscapes = strings.NewReplacer(
	`\`, `\\`, "`", "\\`", "*", `\*`, "_", `\_`, "[", `\[`, "]", `\]`, "<", "&lt;", ">", "&gt;", "|", `\|`, "#", `\#`, "@", "&#64;",
)

// code makes a text stand between back-ticks, on one line.
func code(s string) string {
	return strings.ReplaceAll(strings.Join(strings.Fields(s), " "), "`", "'")
}

// markdownID keeps an identity from ending its comment.
func markdownID(id string) string { return strings.ReplaceAll(id, "--", "") }

// checked says what the list rests on.
func checked(d *Document) string {
	s := d.Summary
	return fmt.Sprintf("planvet %s looked at %s, %s and %s", d.Version,
		plural(s.Migrations, "migration"), plural(s.Statements, "statement"), plural(s.GoPackages, "Go package"))
}
