package report

import (
	"cmp"
	"crypto/sha256"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/planvet/planvet/rules"
)

// ChecklistMarker is what a checklist begins with. Nobody sees it; a later run finds the
// comment that has it.
const ChecklistMarker = "<!-- planvet:v1 checklist -->"

// Checklist writes the pull request's checklist in Markdown. A box is ticked only
// when what it claims was looked at in full and nothing was found; it is unticked
// with its findings; and where something was not looked at, or not all of it, it
// is unticked and says so. Refuted findings count for nothing.
//
// Findings and boxes carry their identities in hidden comments. What a person ticked in
// the list before, see Review, stays ticked as long as it says the same.
func Checklist(w io.Writer, d *Document) error {
	t := NewPrinter(w, TextOptions{})
	t.Printf("%s\n## Performance checklist\n\n", ChecklistMarker)
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
	t.plans(d)
	t.Printf("\n%s; %s.\n", checked(d), gapsLine(d, true))
	return t.err
}

func (t *Printer) box(d *Document, b box, taken map[int]bool) {
	j := b.judge(d)
	for _, i := range j.findings {
		taken[i] = true
	}
	mark := " "
	if j.ticked {
		mark = "x"
	}
	t.Printf("- [%s] **%s**: %s <!-- planvet:v1 box=%s state=%s -->\n", mark, b.title, j.text, b.name, j.hash)
	t.items(d, j.findings, "  ")
}

// judgedBox is what a box says of a document.
type judgedBox struct {
	state
	// findings are those that belong to it, hash what it says of them, by which a tick is
	// kept. byHand is set where a person ticked it.
	findings []int
	hash     string
	byHand   bool
}

func (b box) judge(d *Document) (j judgedBox) {
	var ids []string
	accepted := 0
	for i := range d.Findings {
		if f := &d.Findings[i]; b.holds != nil && live(f) && b.holds(f) {
			j.findings, ids = append(j.findings, i), append(ids, f.ID)
			if d.accepted(f.ID) {
				accepted++
			}
		}
	}
	n := len(j.findings)
	j.state = b.state(d, n)
	if d.unread() && b.judged {
		j.state = state{ticked: true, text: "nothing that planvet reads changed"}
	}
	slices.Sort(ids)
	sum := sha256.Sum256([]byte(strings.Join(append(ids, j.why), "\n")))
	j.hash = fmt.Sprintf("%x", sum[:6])
	switch {
	case j.ticked:
	case n > 0 && accepted == n && j.why == "":
		j.ticked, j.text = true, Plural(n, "finding")+", accepted"
	case d.Review != nil && d.Review.Previous.Boxes[b.name] == j.hash:
		j.ticked, j.byHand, j.text = true, true, j.text+" (ticked by hand)"
	}
	return j
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
		mark := " "
		if d.accepted(f.ID) {
			mark = "x"
		}
		t.Printf("%s- [%s] `%s` %s [`%s`]%s <!-- planvet:v1 id=%s -->\n", indent, mark,
			markdownCode(placeOf(f.Location)), MarkdownText(f.Message), markdownCode(f.Rule), remark(f), markdownID(f.ID))
		if f.Fix != nil {
			for _, s := range f.Fix.SQL {
				t.Printf("%s  fix: `%s`\n", indent, markdownCode(s))
			}
		}
		if f.SpecRef != "" {
			t.Printf("%s  spec: %s\n", indent, MarkdownText(f.SpecRef))
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
