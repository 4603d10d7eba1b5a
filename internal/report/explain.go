package report

import (
	"strings"

	"github.com/planvet/planvet/rules"
)

// ExplainOptions say how a reader shows what Explain writes.
type ExplainOptions struct {
	// Plain is set for readers that show no Markdown.
	Plain bool
	// Link is the address of a place; nil, or "" of one, makes it text.
	Link func(rules.Location) string
	// Remembered is what a memory tells of the finding.
	Remembered []Remembered
}

// Explain is one finding for a reader who asked about it: what is the matter, what a
// planner says, what to do, what others did, and where the other ends are.
func Explain(f *rules.Finding, o ExplainOptions) string {
	e := explainer{o: o}
	head := string(f.Severity)
	if f.Certainty == rules.Possible {
		head += ", possible"
	}
	if o.Plain {
		e.line(f.Rule + " (" + head + ")")
	} else {
		e.line("**[" + MarkdownText(f.Rule) + "](" + RulePage(uri(f.Rule)) + ")** (" + head + ")")
	}
	e.text(f.Message)
	switch v := describe(&f.Verdict); {
	case v != "":
		e.text(v)
		e.text(circumstances(&f.Verdict))
	case f.Probe != nil:
		e.text("no planner was asked")
	default:
		e.text("no planner is asked about this rule")
	}
	e.text(workloadLine(f.Query))
	if f.Fix != nil && len(f.Fix.SQL) > 0 {
		sql := FixSQL(f.Fix)
		if !o.Plain {
			sql = MarkdownFence("sql", sql)
		}
		e.line(strings.TrimRight(sql, "\n"))
	}
	if f.Fix != nil {
		e.text(f.Fix.Note)
	}
	for _, r := range o.Remembered {
		e.text("remembered: " + r.Text)
	}
	for _, r := range f.Related {
		e.place(r)
	}
	if f.SpecRef != "" {
		e.text("spec: " + f.SpecRef)
	}
	return strings.Join(e.parts, "\n\n")
}

type explainer struct {
	o     ExplainOptions
	parts []string
}

func (e *explainer) line(s string) {
	if s != "" {
		e.parts = append(e.parts, s)
	}
}

// text is a paragraph of the tool's or the user's words.
func (e *explainer) text(s string) {
	if e.o.Plain {
		e.line(Printable(clip(s)))
		return
	}
	e.line(MarkdownText(clip(s)))
}

func (e *explainer) place(r rules.Related) {
	at, link := placeOf(r.Location), ""
	if e.o.Link != nil {
		link = e.o.Link(r.Location)
	}
	switch {
	case e.o.Plain:
		e.line("see " + Printable(at+": "+r.Message))
	case link == "":
		e.line("see " + MarkdownCode(at) + ": " + MarkdownText(r.Message))
	default:
		e.line("see [" + MarkdownText(at) + "](" + link + "): " + MarkdownText(r.Message))
	}
}
