package report

import (
	"fmt"
	"io"
	"strings"

	"github.com/planvet/planvet/rules"
)

// TextOptions say how text is written.
type TextOptions struct {
	// Color asks for colour; ColorFor decides it for a file.
	Color bool
	// Verbose lists unparsed, unresolved and not applied items one by one.
	Verbose bool
	// HidePossible leaves out findings that are only possible; they are counted.
	HidePossible bool
	// Width is how many columns there are, where a writer fits its lines to it; 0 is
	// DefaultWidth. Width decides it for a file.
	Width int
}

// Text writes a document for people: each finding with its place, an excerpt, the
// fix and the verdict, then what the run looked at and what it could not read.
func Text(w io.Writer, d *Document, o TextOptions) error {
	t := &textWriter{Printer: NewPrinter(w, o), files: excerpts{read: d.Read}, remembered: d.Remembered}
	for i := range d.Findings {
		if f := &d.Findings[i]; !o.HidePossible || f.Certainty != rules.Possible {
			t.finding(f)
		}
	}
	if b := d.Summary.Baseline; b != nil {
		t.stale(b, o.Verbose)
	}
	if o.Verbose {
		t.problems("unparsed", d.Unparsed)
		t.problems("unresolved", d.Unresolved)
		t.problems("not applied", d.NotApplied)
		if len(d.Unparsed)+len(d.Unresolved)+len(d.NotApplied) > 0 {
			t.Printf("\n")
		}
	}
	t.summary(d, o)
	return t.err
}

// First writes the n worst findings in full, and then what Text ends with.
func First(w io.Writer, d *Document, n int, o TextOptions) error {
	t := &textWriter{Printer: NewPrinter(w, o), files: excerpts{read: d.Read}}
	for i, f := range worstFirst(standing(d)) {
		if i < n {
			t.finding(f)
		}
	}
	t.summary(d, o)
	return t.err
}

type textWriter struct {
	*Printer
	files      excerpts
	remembered map[string][]Remembered
}

func (t *textWriter) finding(f *rules.Finding) {
	if !live(f) {
		t.refuted(f)
		return
	}
	t.Paint(Bold, placeOf(f.Location)+":")
	t.Printf(" ")
	t.Paint(t.severity(f.Severity), string(f.Severity)+":")
	t.Printf(" %s %s", Printable(f.Message), t.Styled(Dim, "["+Printable(f.Rule)+"]"))
	if f.Certainty == rules.Possible {
		t.Printf("%s", t.Styled(Dim, " (possible)"))
	}
	t.Printf("\n")
	t.excerpt(f.Location)
	for _, r := range f.Related {
		t.Printf("  see %s: %s\n", Printable(placeOf(r.Location)), Printable(r.Message))
	}
	if f.Fix != nil {
		t.fix(f.Fix)
	}
	if line := workloadLine(f.Query); line != "" {
		t.Printf("  workload: %s\n", Printable(line))
	}
	t.verdict(&f.Verdict)
	for _, r := range t.remembered[f.ID] {
		t.Printf("  remembered: %s\n", Printable(r.Text))
	}
	if f.SpecRef != "" {
		t.Printf("  spec: %s\n", Printable(f.SpecRef))
	}
	t.Printf("\n")
}

// refuted is a finding that a planner took back: dimmed, without its excerpt.
func (t *textWriter) refuted(f *rules.Finding) {
	t.Paint(Dim, fmt.Sprintf("%s: refuted: %s [%s]", placeOf(f.Location), f.Message, f.Rule))
	t.Printf("\n")
	if s := describe(&f.Verdict); s != "" {
		t.Paint(Dim, "  "+s)
		t.Printf("\n")
	}
	t.Printf("\n")
}

// staleShown is how many stale entries are listed without being asked for.
const staleShown = 10

// stale lists entries of a baseline whose finding is no more.
func (t *textWriter) stale(b *Baseline, all bool) {
	for i, e := range b.Stale {
		if i == staleShown && !all {
			t.Printf("%s: %d more entries are stale (--verbose lists them)\n", Printable(b.File), len(b.Stale)-i)
			break
		}
		t.Printf("%s: stale: %s: %s %s\n", Printable(b.File), Printable(e.Path), Printable(e.Message), t.Styled(Dim, "["+Printable(e.Rule)+"]"))
	}
	if len(b.Stale) > 0 {
		t.Printf("\n")
	}
}

func (t *textWriter) severity(s rules.Severity) Style {
	switch s {
	case rules.Error:
		return Red
	case rules.Warning:
		return Yellow
	}
	return Blue
}

// excerpt shows the line and a caret under the column.
func (t *textWriter) excerpt(l rules.Location) {
	line, ok := t.files.line(l)
	if !ok || strings.TrimSpace(line) == "" {
		return
	}
	shown, indent := window(line, l.Column)
	number := fmt.Sprint(l.Line)
	t.Printf("%s %s\n", t.Styled(Dim, fmt.Sprintf("%6s |", number)), Printable(shown))
	if l.Column > 0 && l.Column <= len(line)+1 {
		t.Printf("%s %s%s\n", t.Styled(Dim, fmt.Sprintf("%6s |", "")), indent, t.Styled(Green, "^"))
	}
}

func (t *textWriter) fix(f *rules.Fix) {
	for _, s := range f.SQL {
		for i, line := range strings.Split(dedent(s), "\n") {
			label := "  fix: "
			if i > 0 {
				label = "       "
			}
			t.Printf("%s%s\n", label, Printable(line))
		}
	}
	if f.Note != "" {
		label := "  fix: "
		if len(f.SQL) > 0 {
			label = "  note: "
		}
		t.Printf("%s%s\n", label, Printable(f.Note))
	}
}

func (t *textWriter) verdict(v *rules.Verdict) {
	c := Yellow
	if v.Status == rules.Confirmed {
		c = Green
	}
	head, rest, _ := strings.Cut(describe(v), " ")
	if head == "" {
		return
	}
	t.Printf("  ")
	t.Paint(c, head)
	t.Printf(" %s\n", Printable(rest))
	if by := circumstances(v); by != "" {
		t.Printf("  %s\n", t.Styled(Dim, Printable(by)))
	}
}
