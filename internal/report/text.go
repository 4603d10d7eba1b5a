package report

import (
	"fmt"
	"io"
	"strings"

	"github.com/fatih/color"
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
}

// Text writes a document for people: each finding with its place, an excerpt, the
// fix and the verdict, then what the run looked at and what it could not read.
func Text(w io.Writer, d *Document, o TextOptions) error {
	t := &textWriter{printer: newPrinter(w, o), files: excerpts{read: d.Read}}
	for i := range d.Findings {
		if f := &d.Findings[i]; !o.HidePossible || f.Certainty != rules.Possible {
			t.finding(f)
		}
	}
	if o.Verbose {
		t.problems("unparsed", d.Unparsed)
		t.problems("unresolved", d.Unresolved)
		t.problems("not applied", d.NotApplied)
		if len(d.Unparsed)+len(d.Unresolved)+len(d.NotApplied) > 0 {
			t.printf("\n")
		}
	}
	t.summary(d, o)
	return t.err
}

type textWriter struct {
	*printer
	files excerpts
}

func (t *textWriter) finding(f *rules.Finding) {
	if !live(f) {
		t.refuted(f)
		return
	}
	t.paint(t.bold, placeOf(f.Location)+":")
	t.printf(" ")
	t.paint(t.severity(f.Severity), string(f.Severity)+":")
	t.printf(" %s %s", printable(f.Message), t.dim.Sprint("["+printable(f.Rule)+"]"))
	if f.Certainty == rules.Possible {
		t.printf("%s", t.dim.Sprint(" (possible)"))
	}
	t.printf("\n")
	t.excerpt(f.Location)
	for _, r := range f.Related {
		t.printf("  see %s: %s\n", printable(placeOf(r.Location)), printable(r.Message))
	}
	if f.Fix != nil {
		t.fix(f.Fix)
	}
	t.verdict(&f.Verdict)
	if f.SpecRef != "" {
		t.printf("  spec: %s\n", printable(f.SpecRef))
	}
	t.printf("\n")
}

// refuted is a finding that a planner took back: dimmed, without its excerpt.
func (t *textWriter) refuted(f *rules.Finding) {
	t.paint(t.dim, fmt.Sprintf("%s: refuted: %s [%s]", placeOf(f.Location), f.Message, f.Rule))
	t.printf("\n")
	if s := describe(&f.Verdict); s != "" {
		t.paint(t.dim, "  "+s)
		t.printf("\n")
	}
	t.printf("\n")
}

func (t *textWriter) severity(s rules.Severity) *color.Color {
	switch s {
	case rules.Error:
		return t.red
	case rules.Warning:
		return t.yellow
	}
	return t.blue
}

// excerpt shows the line and a caret under the column.
func (t *textWriter) excerpt(l rules.Location) {
	line, ok := t.files.line(l)
	if !ok || strings.TrimSpace(line) == "" {
		return
	}
	shown, indent := window(line, l.Column)
	number := fmt.Sprint(l.Line)
	t.printf("%s %s\n", t.dim.Sprintf("%6s |", number), printable(shown))
	if l.Column > 0 && l.Column <= len(line)+1 {
		t.printf("%s %s%s\n", t.dim.Sprintf("%6s |", ""), indent, t.green.Sprint("^"))
	}
}

func (t *textWriter) fix(f *rules.Fix) {
	for _, s := range f.SQL {
		for i, line := range strings.Split(dedent(s), "\n") {
			label := "  fix: "
			if i > 0 {
				label = "       "
			}
			t.printf("%s%s\n", label, printable(line))
		}
	}
	if f.Note != "" {
		label := "  fix: "
		if len(f.SQL) > 0 {
			label = "  note: "
		}
		t.printf("%s%s\n", label, printable(f.Note))
	}
}

func (t *textWriter) verdict(v *rules.Verdict) {
	c := t.yellow
	if v.Status == rules.Confirmed {
		c = t.green
	}
	head, rest, _ := strings.Cut(describe(v), " ")
	if head == "" {
		return
	}
	t.printf("  ")
	t.paint(c, head)
	t.printf(" %s\n", printable(rest))
	if by := circumstances(v); by != "" {
		t.printf("  %s\n", t.dim.Sprint(printable(by)))
	}
}
