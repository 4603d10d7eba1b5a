package verdict

import (
	"fmt"
	"io"
	"math"
	"slices"
	"strings"

	"github.com/planvet/planvet/internal/bench/gate"
	"github.com/planvet/planvet/internal/report"
)

// Marker is what a report as Markdown begins with. Nobody sees it; a later run finds the
// comment by it that it replaces.
const Marker = "<!-- planvet:gate -->"

// Markdown writes the report for a pull request.
func (r *Report) Markdown(w io.Writer) error {
	text, _ := r.MarkdownWithin(math.MaxInt)
	_, err := io.WriteString(w, text)
	return err
}

// MarkdownWithin is the report in so many characters at most; they are counted as bytes,
// which are never fewer. Where not all has room, the worst cases are kept and what is cut is
// said in the text, and in left.
func (r *Report) MarkdownWithin(room int) (text, left string) {
	m := r.markdown()
	if text = m.join(m.cases, len(m.notes), ""); len(text) <= room {
		return text, ""
	}
	// What is said of the cut takes less than this.
	const said = 256
	rest := room - said - len(m.join(nil, 0, ""))
	var kept []mdCase
	for _, c := range m.cases {
		head := 0
		if !slices.ContainsFunc(kept, func(k mdCase) bool { return k.suite == c.suite }) {
			head = len(suiteHead(c.suite))
		}
		// One case, whose plan may be huge, must not take the room of those after it.
		if len(c.section) > rest/4 {
			c.section = c.short
		}
		if len(c.section) > rest/4 {
			c.section = ""
		}
		size := head + len(c.row) + len(c.section)
		if size > rest {
			break
		}
		rest -= size
		kept = append(kept, c)
	}
	notes := 0
	for _, n := range m.notes {
		if rest -= len(n); rest < 0 {
			break
		}
		notes++
	}
	left = fmt.Sprintf("%d of %s, the worst first; no more fit in %s", len(kept), report.Plural(len(m.cases), "case"), report.Plural(room, "character"))
	if text = m.join(kept, notes, "**"+left+"; --format json has all.**\n\n"); len(text) > room {
		return "", left
	}
	return text, left
}

// mdDocument is a report in pieces that may be left out: cases, the worst first, and notes.
type mdDocument struct {
	head, foot string
	suites     []string
	cases      []mdCase
	notes      []string
}

// mdCase is a case's row, and what is said of it: section has its plan, short has not.
type mdCase struct {
	index                      int
	suite, row, section, short string
}

func suiteHead(suite string) string {
	return "\n## Suite " + report.MarkdownText(suite) + "\n\n" + report.MarkdownTable(columns, nil)
}

// join writes the document with some of its cases, in the order of the report.
func (m *mdDocument) join(cases []mdCase, notes int, cut string) string {
	cases = slices.Clone(cases)
	slices.SortFunc(cases, func(a, b mdCase) int { return a.index - b.index })
	var b strings.Builder
	b.WriteString(m.head + cut)
	for _, s := range m.suites {
		first := true
		for _, c := range cases {
			if c.suite != s {
				continue
			}
			if first {
				b.WriteString(suiteHead(s))
			}
			b.WriteString(c.row)
			first = false
		}
	}
	for _, c := range cases {
		b.WriteString(c.section)
	}
	b.WriteString("\n" + strings.Join(m.notes[:notes], "") + m.foot)
	return b.String()
}

func (r *Report) markdown() *mdDocument {
	m := &mdDocument{head: Marker + "\n# Gate " + report.MarkdownText(r.Headline()) + "\n\n", suites: r.suites()}
	if r.Mode != Alone {
		m.head += report.MarkdownText(fmt.Sprintf("A is %s, B is %s; what is over %s %% slower fails.", r.A, r.B, whole(r.Threshold))) + "\n"
	}
	m.head += r.services()
	index := map[*Case]int{}
	for i := range r.Cases {
		index[&r.Cases[i]] = i
	}
	for _, c := range r.WorstFirst() {
		row := r.row(c)
		for k := range row {
			row[k] = report.MarkdownText(row[k])
		}
		if c.Verdict == gate.Fail || c.Verdict == gate.Invalid {
			row[1] = "**" + row[1] + "**"
		}
		k := mdCase{index: index[c], suite: c.Suite, row: report.MarkdownRow(row)}
		k.section, k.short = c.markdown()
		m.cases = append(m.cases, k)
	}
	// The environment, how to measure again, and the exit code always stand.
	lines, always := r.foot(), 2
	if r.Reproduce != "" {
		always++
	}
	for i, l := range lines {
		if text := markdownItem(l); i < len(lines)-always {
			m.notes = append(m.notes, text)
		} else {
			m.foot += text
		}
	}
	return m
}

// services are the objectives by service, the worst first; "" where nobody asked.
func (r *Report) services() string {
	if r.SLO == nil || len(r.SLO.Services) == 0 {
		return ""
	}
	const most = 20
	var rows [][]string
	for _, s := range r.SLO.Services[:min(len(r.SLO.Services), most)] {
		var ops []string
		for i := range s.Operations[:min(len(s.Operations), most)] {
			o := &s.Operations[i]
			ops = append(ops, o.Operation+" "+string(o.Verdict)+o.Spec(" by "))
		}
		if n := len(s.Operations) - most; n > 0 {
			ops = append(ops, fmt.Sprintf("%d more", n))
		}
		rows = append(rows, []string{report.MarkdownText(s.Service), report.MarkdownText(s.Word()), report.MarkdownText(strings.Join(ops, ", "))})
	}
	out := "\n## Objectives, by service\n\n" + report.MarkdownTable([]report.Column{{Title: "service"}, {Title: "verdict"}, {Title: "operations, the worst first"}}, rows)
	if n := len(r.SLO.Services) - most; n > 0 {
		out += "\n" + report.Plural(n, "more service") + ", better than these.\n"
	}
	return out
}

// markdown is what is to be said of a case, with its plan and without; "" where there is
// nothing.
func (c *Case) markdown() (section, short string) {
	lines := c.Facts()
	if len(lines) == 0 {
		return "", ""
	}
	var b strings.Builder
	b.WriteString("\n### " + report.MarkdownText(c.Suite+" "+c.Case+": "+string(c.Verdict)) + "\n\n")
	for _, l := range lines {
		b.WriteString(markdownItem(l))
	}
	short = b.String()
	if c.Work != nil && len(c.Work.Plan) > 0 {
		var plan strings.Builder
		for _, l := range c.Work.Plan {
			plan.WriteString(l.Op + " " + l.Text + "\n")
		}
		b.WriteString("\n" + report.MarkdownFence("diff", plan.String()))
		short += "- its plan is left out\n"
	}
	return b.String(), short
}

func markdownItem(line string) string {
	if again, ok := strings.CutPrefix(line, "again: "); ok {
		return "- again: " + report.MarkdownCode(again) + "\n"
	}
	return "- " + report.MarkdownText(line) + "\n"
}
