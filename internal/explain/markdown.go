package explain

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/planvet/planvet/internal/report"
)

// A pull request's comment holds 65,536 characters; bytes are counted, which are not
// fewer. Parts come by weight, each item of them is limited, and none is begun when
// maxParts are written. The plan comes last, takes what is left, and says what of it
// is not shown.
const (
	maxComment   = 65_000
	maxParts     = 50_000
	maxStatement = 4_000 // of a statement
	maxCell      = 400   // of a text in a table or a list, before it is escaped
	maxList      = 25    // findings, recommendations, indexes
)

// Markdown writes a report as a comment on a pull request: the verdict first, the
// plan folded at the end.
func Markdown(w io.Writer, r *Report) error {
	r = presentable(r)
	m := &md{}
	m.head(r)
	m.timing(r)
	m.findings(r.Findings)
	m.recommendations("Recommendations", r.Recommendations)
	m.remembered(r.Remembered)
	m.rls(r.RLS)
	m.plans(r)
	m.indexes(r.Indexes)
	m.notes(r)
	m.plan(r)
	_, err := io.WriteString(w, m.b.String())
	return err
}

type md struct{ b strings.Builder }

func (m *md) printf(format string, args ...any) { fmt.Fprintf(&m.b, format, args...) }

// text is a text of data, limited.
func (m *md) text(s string) string { return report.MarkdownText(limit(line(s), maxCell)) }

func (m *md) code(s string) string { return report.MarkdownCode(limit(line(s), maxCell)) }

// limit cuts a text at its end to so many bytes.
func limit(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n] + "…"
}

func (m *md) heading(s string) { m.printf("\n#### %s\n\n", s) }

// each writes the items of a list, and says how many it leaves out.
func (m *md) each(n int, item func(i int)) {
	for i := range n {
		if i == maxList || m.b.Len() > maxParts {
			m.printf("\n%d more are not shown.\n", n-i)
			return
		}
		item(i)
	}
}

func (m *md) table(columns []report.Column, rows [][]string) {
	m.printf("%s", report.MarkdownTable(columns, nil))
	m.each(len(rows), func(i int) { m.printf("%s", report.MarkdownRow(rows[i])) })
}

func (m *md) head(r *Report) {
	m.printf("<!-- planvet:v1 explain -->\n### planvet explain: %s\n\n", report.MarkdownText(figuresLine(r)))
	m.printf("**%s**\n\n%s\n\n", m.text(worstLine(r)), m.text(whereLine(&r.Server)))
	m.printf("%s", report.MarkdownFence("sql", limit(r.SQL, maxStatement)))
	if len(r.SQL) > maxStatement {
		m.printf("\n%d more bytes of the statement are not shown.\n", len(r.SQL)-maxStatement)
	}
}

func (m *md) timing(r *Report) {
	t := r.Timing
	if t == nil {
		return
	}
	row := func(name string, x Run, remark string) []string {
		return []string{name, report.MS(x.PlanningMS), report.MS(x.ExecutionMS), report.Short(float64(x.Hit)), report.Short(float64(x.Read)), remark}
	}
	rows := [][]string{row("cold", t.Cold, "first run")}
	if t.Runs > 0 {
		rows = append(rows, row("warm", t.Warm, report.MarkdownText(spread(t))+", planning "+report.MarkdownText(report.Percent(planningShare(t.Warm)))))
	}
	m.printf("\n")
	m.table([]report.Column{
		{Title: "run"}, {Title: "planning", Right: true}, {Title: "execution", Right: true},
		{Title: "blocks hit", Right: true}, {Title: "blocks read", Right: true}, {Title: ""},
	}, rows)
}

func (m *md) findings(fs []Finding) {
	if len(fs) == 0 {
		return
	}
	m.heading("Findings")
	rows := [][]string{}
	for i := range fs {
		f := &fs[i]
		text := m.text(f.Message)
		if f.Cause != "" {
			text += "<br>cause: " + m.text(f.Cause)
		}
		if f.Advice != "" {
			text += "<br>→ " + m.text(f.Advice)
		}
		share := ""
		if f.Share > 0 {
			share = report.MarkdownText(report.Percent(f.Share))
		}
		rows = append(rows, []string{fmt.Sprint(f.ID), m.text(f.Severity), share, text, m.code(f.Heuristic)})
	}
	m.table([]report.Column{{Title: "", Right: true}, {Title: "severity"}, {Title: "share", Right: true}, {Title: "finding"}, {Title: "heuristic"}}, rows)
}

func (m *md) recommendations(title string, recs []Recommendation) {
	if len(recs) == 0 {
		return
	}
	m.heading(title)
	m.each(len(recs), func(i int) {
		rec := &recs[i]
		m.printf("%d. **%s**: %s (%s: %s)\n", i+1, m.text(rec.Kind), m.text(rec.Title), verified(rec), m.text(rec.Why))
		for _, l := range effectLines(rec) {
			m.printf("   - %s\n", m.text(l))
		}
		if len(rec.Replaces) > 0 {
			m.printf("   - makes redundant: %s\n", m.code(strings.Join(rec.Replaces, ", ")))
		}
		if rec.Cost != "" {
			m.printf("   - costs: %s\n", m.text(rec.Cost))
		}
		if len(rec.Undo) > 0 {
			m.printf("   - undo: %s\n", m.code(strings.Join(rec.Undo, " ")))
		}
		m.sqlBlock(strings.Join(append(slices.Clone(rec.SQL), rec.Query), "\n"))
	})
}

// remembered is what a memory tells of the shape.
func (m *md) remembered(rs []report.Remembered) {
	if len(rs) == 0 {
		return
	}
	m.heading("Remembered")
	m.each(len(rs), func(i int) { m.printf("- %s\n", m.text(rs[i].Text)) })
}

// sqlBlock writes SQL within a list's item, exactly or not at all: half a migration is
// none.
func (m *md) sqlBlock(sql string) {
	if sql = strings.TrimSpace(sql); sql == "" {
		return
	}
	if m.b.Len()+len(sql) > maxParts {
		m.printf("   - the SQL is not shown: it has %d bytes\n", len(sql))
		return
	}
	m.printf("\n")
	for l := range strings.Lines(report.MarkdownFence("sql", sql)) {
		m.printf("   %s", l)
	}
	m.printf("\n")
}

func (m *md) rls(o *Overhead) {
	if o == nil {
		return
	}
	m.heading("Row security")
	m.overhead(o)
}

func (m *md) overhead(o *Overhead) {
	m.printf("%s\n\n", m.text(overheadLine(o)))
	rows := [][]string{}
	for _, a := range arms(o) {
		rows = append(rows, []string{a.Name, report.MS(a.MS), report.Short(float64(a.Blocks)), report.Short(float64(a.Rows)), a.What})
	}
	if len(rows) > 0 {
		m.table([]report.Column{{Title: "arm"}, {Title: "time", Right: true}, {Title: "blocks", Right: true}, {Title: "rows", Right: true}, {Title: ""}}, rows)
		m.printf("\n")
	}
	m.each(len(o.Policies), func(i int) {
		p := &o.Policies[i]
		to, calls := "", []string{}
		if p.ForEverybody {
			to = ", for every role"
		}
		for j := range p.Functions {
			calls = append(calls, callLine(&p.Functions[j]))
		}
		if len(calls) > 0 {
			to += " (" + m.text(strings.Join(calls, "; ")) + ")"
		}
		m.printf("- policy %s on %s%s: %s\n", m.code(p.Policy), m.code(p.Table), to, m.code(p.Using))
	})
	m.each(len(o.Demoted), func(i int) {
		m.printf("- %s<br>→ %s\n", m.text(demotionLine(&o.Demoted[i])), m.text(o.Demoted[i].Advice))
	})
	m.recommendations("Row security: what each change gives", o.Remedies)
}

func (m *md) plans(r *Report) {
	if len(r.Plans) < 2 {
		return
	}
	m.heading("Plans for other values")
	if r.Sensitive {
		m.printf("**The plan depends on the values**: %s\n\n", m.text(r.SensitiveWhy))
	}
	columns, rows := planRows(r)
	for _, row := range rows {
		for i, cell := range row {
			row[i] = m.text(cell)
		}
	}
	m.table(columns, rows)
}

func (m *md) indexes(us []IndexUse) {
	if len(us) == 0 {
		return
	}
	m.heading("Indexes")
	rows := [][]string{}
	for _, u := range usedIndexes(us) {
		rows = append(rows, []string{
			m.code(indexName(&u)), m.code(u.Relation), fmt.Sprint(u.Step), m.code(u.Condition), m.code(u.Filter), m.text(strings.Join(indexFacts(&u), "; ")),
		})
	}
	if len(rows) > 0 {
		m.table([]report.Column{{Title: "index"}, {Title: "table"}, {Title: "step", Right: true}, {Title: "searched by"}, {Title: "checked after"}, {Title: ""}}, rows)
	}
	if unused := unusedIndexes(us); unused != "" {
		m.printf("\nNot used: %s\n", m.code(unused))
	}
}

func (m *md) notes(r *Report) {
	lines := append(parameterLines(r), noteLines(r)...)
	if len(lines) == 0 {
		return
	}
	m.heading("Notes")
	m.each(len(lines), func(i int) { m.printf("- %s\n", m.text(lines[i])) })
}

// planWidth is what a comment shows without scrolling.
const planWidth = 110

func (m *md) plan(r *Report) {
	if len(r.Plans) == 0 || r.Plans[0].Root == nil {
		return
	}
	p := &r.Plans[0]
	var tree strings.Builder
	if err := treeText(&tree, p, planWidth); err != nil {
		return // a strings.Builder has none
	}
	const frame = 400 // of the lines around, and a longer fence
	text, left := strings.TrimRight(tree.String(), "\n"), maxComment-m.b.Len()-frame
	shown := text
	if len(text) > left {
		shown = limit(text, max(left, 0))
		if i := strings.LastIndexByte(shown, '\n'); i >= 0 {
			shown = shown[:i]
		}
	}
	m.printf("\n<details><summary>Plan %s, %s</summary>\n\n", m.text(planLine(p)), report.Plural(len(stepList(p)), "step"))
	m.printf("%s", report.MarkdownFence("text", shown))
	if cut := strings.Count(text, "\n") - strings.Count(shown, "\n"); cut > 0 {
		m.printf("\nThe last %d lines of the plan are not shown: a comment holds no more. The JSON and HTML forms have them.\n", cut)
	}
	m.printf("\n</details>\n")
}
