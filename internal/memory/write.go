package memory

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/planvet/planvet/internal/audit"
	"github.com/planvet/planvet/internal/report"
)

// DocumentVersion is the version of what JSON writes. A field may be added within a
// version.
const DocumentVersion = 1

// Document is a list of entries, as memory.schema.json has it.
type Document struct {
	Version int     `json:"version"`
	Entries []Entry `json:"entries"`
	// Added is how many of them were not there before; nil where nothing was added.
	Added *int `json:"added,omitempty"`
	// LeftOut is what of a file became no entry, each with the reason.
	LeftOut []string `json:"left_out,omitempty"`
}

// JSON writes a document.
func (d *Document) JSON(w io.Writer) error {
	c := *d
	c.Version = DocumentVersion
	c.Entries = append([]Entry{}, d.Entries...)
	return report.WriteJSON(w, &c)
}

// Text writes a document for people.
func (d *Document) Text(w io.Writer, o report.TextOptions) error {
	p := report.NewPrinter(w, o)
	for i := range d.Entries {
		e := &d.Entries[i]
		if i > 0 {
			p.Printf("\n")
		}
		style := report.Green
		switch e.Outcome {
		case Failure:
			style = report.Red
		case Partial, Confirmed:
			style = report.Yellow
		}
		p.Paint(report.Bold, report.Printable(e.Task))
		p.Printf("  ")
		p.Paint(style, e.Outcome)
		p.Printf("\n")
		for _, l := range e.lines() {
			p.Printf("  %s: %s\n", l.label, report.Printable(strings.Join(strings.Fields(l.text), " ")))
		}
		p.Printf("  %s\n", p.Styled(report.Dim, report.Printable(e.foot())))
	}
	for _, l := range d.LeftOut {
		p.Printf("left out: %s\n", report.Printable(l))
	}
	return p.Err()
}

// Markdown writes a document for a pull request or a page.
func (d *Document) Markdown(w io.Writer) error {
	var b strings.Builder
	for i := range d.Entries {
		e := &d.Entries[i]
		fmt.Fprintf(&b, "- **%s** (%s)\n", report.MarkdownText(oneLine(e.Task)), e.Outcome)
		for _, l := range e.lines() {
			text := report.MarkdownText(oneLine(l.text))
			if l.code {
				text = report.MarkdownCode(oneLine(l.text))
			}
			fmt.Fprintf(&b, "  - %s: %s\n", l.label, text)
		}
		fmt.Fprintf(&b, "  - %s\n", report.MarkdownText(e.foot()))
	}
	for _, l := range d.LeftOut {
		fmt.Fprintf(&b, "- left out: %s\n", report.MarkdownText(oneLine(l)))
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }

// line is one fact of an entry.
type line struct {
	label, text string
	code        bool
}

func (e *Entry) lines() []line {
	var out []line
	add := func(label string, code bool, texts ...string) {
		for _, t := range texts {
			if t != "" {
				out = append(out, line{label, t, code})
			}
		}
	}
	add("pattern", false, e.Pattern)
	if f := e.figures(); f != "" {
		if l := e.Validation.Level; l != "" && e.Source == "check" {
			f += ", " + l
		}
		add("gave", false, f)
	}
	if e.Validation != nil {
		for _, k := range slices.Sorted(maps.Keys(e.Validation.Results)) {
			add(k, false, e.Validation.Results[k])
		}
	}
	add("lesson", false, e.Lessons...)
	for _, f := range e.Fix {
		if oneLine(f) != e.Pattern {
			add("fix", true, f)
		}
	}
	add("file", true, e.Files...)
	add("query", true, e.Query)
	switch {
	case e.Rule != "" && e.Object != "":
		add("about", false, e.Rule+" on "+e.Object)
	default:
		add("about", false, e.Rule+e.Object)
	}
	add("fingerprint", true, e.Fingerprint)
	return out
}

// foot is where and when it comes from.
func (e *Entry) foot() string {
	parts := []string{e.Time.UTC().Format("2006-01-02"), e.ID}
	if e.Skill != "" {
		parts = append(parts, e.Skill)
	}
	if e.Category != "" {
		parts = append(parts, e.Category)
	}
	for _, t := range e.Tags {
		parts = append(parts, "#"+t)
	}
	return strings.Join(parts, "  ")
}

// Added are the events of entries that were stored.
func Added(es []Entry) []audit.Event {
	out := make([]audit.Event, len(es))
	for i, e := range es {
		out[i] = audit.Event{Kind: "memory", Subject: e.ID, Verdict: e.Outcome}
		if e.Validation != nil && e.Validation.Improvement != nil {
			p := *e.Validation.Improvement
			out[i].Metric, out[i].Value = "improvement_pct", &p
		}
	}
	return out
}

// Found is the event of entries that were found: by search, list or export.
func Found(what string, n int) audit.Event {
	x := float64(n)
	return audit.Event{Kind: "memory", Subject: what, Metric: "entries", Value: &x}
}
