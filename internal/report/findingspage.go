package report

import (
	"cmp"
	_ "embed"
	"html/template"
	"io"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/planvet/planvet/rules"
)

var (
	//go:embed findings.html
	findingsHTML string
	//go:embed findings.css
	findingsCSS string
)

// findingsBody is parsed when a page is written.
var findingsBody = sync.OnceValue(func() *template.Template {
	return template.Must(template.New("findings").Parse(findingsHTML))
})

// pageView is what the page shows, made safe for it.
type pageView struct {
	Verdict, Looked, Gap, Silenced string
	Rules                          []pageRule
	Findings, Refuted              []pageFinding
	Gaps                           []pageGap
}

type pageRule struct {
	Name, Page, Summary string
	Count               int
}

type pageFinding struct {
	ID, Rule, Page, Place, Message, SQL, Note, By, Spec, Workload string
	Severity                                                      rules.Severity
	Grade                                                         string
	Possible                                                      bool
	Excerpt                                                       *pageExcerpt
	Related                                                       []pagePlace
	Verdict                                                       *pageVerdict
	Remembered                                                    []string
}

type pageExcerpt struct {
	Line, Indent string
	Caret        bool
}

type pagePlace struct{ Place, Message string }

type pageVerdict struct{ Class, Text string }

type pageGap struct {
	What  string
	Items []pagePlace
}

// writeFindingsPage writes one page that needs nothing else.
func writeFindingsPage(w io.Writer, d *Document, _ *WriteOptions) (string, error) {
	var b strings.Builder
	if err := findingsBody().Execute(&b, findingsView(d)); err != nil {
		return "", err
	}
	return "", WritePage(w, &Page{Title: "planvet check: " + findingsLine(d, TextOptions{}), Body: template.HTML(b.String()), Style: findingsCSS})
}

func findingsView(d *Document) *pageView {
	v := &pageView{Verdict: findingsLine(d, TextOptions{}), Looked: Printable(checked(d)), Gap: gapsLine(d, true)}
	v.Silenced = silencedLine(d)
	for _, line := range scopeLines(d) {
		v.Looked += "; " + Printable(line)
	}
	at := placesOf(d, "", inBytes)
	counts := map[string]int{}
	for _, f := range worstFirst(standing(d)) {
		counts[f.Rule]++
		v.Findings = append(v.Findings, viewOf(f, at))
		for _, r := range d.Remembered[f.ID] {
			last := &v.Findings[len(v.Findings)-1]
			last.Remembered = append(last.Remembered, Printable(r.Text))
		}
	}
	for i := range d.Findings {
		if f := &d.Findings[i]; !live(f) {
			v.Refuted = append(v.Refuted, viewOf(f, at))
		}
	}
	summaries := map[string]string{}
	for _, r := range d.Rules {
		summaries[r.Name] = r.Summary
	}
	names := slices.SortedFunc(maps.Keys(counts), func(a, b string) int {
		return cmp.Or(cmp.Compare(counts[b], counts[a]), cmp.Compare(a, b))
	})
	for _, n := range names {
		v.Rules = append(v.Rules, pageRule{Printable(n), RulePage(uri(n)), summaries[n], counts[n]})
	}
	v.gap("Unparsed", d.Unparsed)
	v.gap("Unresolved", d.Unresolved)
	v.gap("Not applied", d.NotApplied)
	return v
}

func (v *pageView) gap(what string, ps []Problem) {
	g := pageGap{What: what}
	for _, p := range sortedProblems(ps) {
		g.Items = append(g.Items, pagePlace{Printable(placeOf(valid(p.Location))), Printable(Redact(firstLine(p.Text)))})
	}
	if len(g.Items) > 0 {
		v.Gaps = append(v.Gaps, g)
	}
}

func viewOf(f *rules.Finding, at *places) pageFinding {
	l := valid(f.Location)
	out := pageFinding{
		ID: f.ID, Rule: Printable(f.Rule), Page: RulePage(uri(f.Rule)), Place: Printable(placeOf(l)), Message: Printable(f.Message),
		Severity: f.Severity, Grade: grades[f.Severity], Possible: f.Certainty == rules.Possible,
		By: Printable(circumstances(&f.Verdict)), Spec: Printable(f.SpecRef), Workload: Printable(workloadLine(f.Query)),
	}
	if line, ok := at.line(l); ok && strings.TrimSpace(line) != "" {
		shown, indent := window(line, l.Column)
		out.Excerpt = &pageExcerpt{Printable(shown), indent, l.Column > 0 && l.Column <= len(line)+1}
	}
	for _, r := range f.Related {
		out.Related = append(out.Related, pagePlace{Printable(placeOf(valid(r.Location))), Printable(r.Message)})
	}
	if f.Fix != nil {
		if len(f.Fix.SQL) > 0 {
			out.SQL = printableLines(FixSQL(f.Fix))
		}
		out.Note = Printable(f.Fix.Note)
	}
	if s := describe(&f.Verdict); s != "" {
		class := "warn"
		if f.Verdict.Status == rules.Confirmed {
			class = "good"
		}
		out.Verdict = &pageVerdict{class, Printable(s)}
	}
	return out
}

// grades are the classes of severities.
var grades = map[rules.Severity]string{rules.Error: "bad", rules.Warning: "warn", rules.Info: "soft"}
