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
//
// The list fits in a comment, see CommentLimit. Plans that do not are no attached ones.
func Checklist(w io.Writer, d *Document) error {
	text, shown := checklist(d, -1)
	if d.Review != nil && d.Review.Plans != nil && shown < len(d.Review.Plans.Of) {
		review, plans := *d.Review, *d.Review.Plans
		review.Plans, plans.left = &plans, len(plans.Of)-shown
		cut := *d
		cut.Review = &review
		text, _ = checklist(&cut, shown)
	}
	_, err := io.WriteString(w, text)
	return err
}

// checklist is the list with so many plans, or with as many as fit for -1; shown is how many
// those are.
func checklist(d *Document, most int) (text string, shown int) {
	var out strings.Builder
	t := NewPrinter(&out, TextOptions{})
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
	shown = t.plans(d, most)
	t.Printf("\n%s; %s.\n", checked(d), gapsLine(d, true))
	return out.String(), shown
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

// A pull request's comment holds 65,536 characters: a box lists so many findings, one of
// them takes so many bytes, and all together, and the hidden ticks of those that are cut.
const (
	maxItems     = 50
	maxItemBytes = 4_000
	maxBytes     = 54_000
	maxTickBytes = 57_000
)

// items lists findings, the worst first.
func (t *Printer) items(d *Document, list []int, indent string) {
	slices.SortStableFunc(list, func(a, b int) int { return cmp.Compare(weight(&d.Findings[b]), weight(&d.Findings[a])) })
	for n, i := range list {
		if n == maxItems || t.written > maxBytes {
			t.Printf("%s- and %s, none of them worse", indent, rules.Thousands(int64(len(list)-n))+" more")
			t.ticksOf(d, list[n:])
			t.Printf("\n")
			return
		}
		item := d.item(&d.Findings[i], indent, false)
		if len(item) > maxItemBytes {
			// What is huge must not take the room of those after it.
			item = d.item(&d.Findings[i], indent, true)
		}
		t.Printf("%s", item)
	}
}

// ticksOf keeps the ticks of findings that the list has no room for.
func (t *Printer) ticksOf(d *Document, list []int) {
	var ids []string
	room := maxTickBytes - t.written
	for _, i := range list {
		id := markdownID(d.Findings[i].ID)
		if room -= len(id) + 1; room > 0 && d.accepted(id) {
			ids = append(ids, id)
		}
	}
	if len(ids) > 0 {
		t.Printf(" (%d accepted) <!-- planvet:v1 ticked=%s -->", len(ids), strings.Join(ids, ","))
	}
}

// item is a finding with its fix; short, without and clipped.
func (d *Document) item(f *rules.Finding, indent string, short bool) string {
	var b strings.Builder
	mark, message := " ", f.Message
	if d.accepted(f.ID) {
		mark = "x"
	}
	if short {
		message = clip(message)
	}
	fmt.Fprintf(&b, "%s- [%s] `%s` %s [`%s`]%s <!-- planvet:v1 id=%s -->\n", indent, mark,
		markdownCode(placeOf(f.Location)), MarkdownText(message), markdownCode(f.Rule), clip(remark(f)), markdownID(f.ID))
	switch {
	case f.Fix != nil && short:
		b.WriteString(indent + "  its fix is left out, it is too long: `planvet check` has it\n")
	case f.Fix != nil:
		for _, s := range f.Fix.SQL {
			fmt.Fprintf(&b, "%s  fix: `%s`\n", indent, markdownCode(s))
		}
	}
	if f.SpecRef != "" {
		fmt.Fprintf(&b, "%s  spec: %s\n", indent, MarkdownText(clip(f.SpecRef)))
	}
	if short {
		return b.String()
	}
	for _, r := range d.Remembered[f.ID] {
		fmt.Fprintf(&b, "%s  remembered: %s\n", indent, MarkdownText(r.Text))
	}
	return b.String()
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
