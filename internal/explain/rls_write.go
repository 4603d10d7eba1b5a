package explain

import (
	"fmt"
	"io"
	"reflect"
	"slices"
	"strings"

	"github.com/planvet/planvet/internal/report"
)

// presentable is a copy that can be shown.
func (r *OverheadReport) presentable() *OverheadReport {
	c := *r
	c.Tables = slices.Clone(r.Tables)
	for i := range c.Tables {
		t := &c.Tables[i]
		t.Problem, t.Remedies = report.Redact(t.Problem), redactWhy(t.Remedies)
	}
	return mapTexts(reflect.ValueOf(&c), readable).Interface().(*OverheadReport)
}

var overheadColumns = []report.Column{
	{Title: "table"}, {Title: "role"}, {Title: "rows", Right: true}, {Title: "enforced", Right: true}, {Title: "ideal", Right: true},
	{Title: "overhead", Right: true}, {Title: "ratio", Right: true}, {Title: "blocks", Right: true}, {Title: "ideal", Right: true},
}

// rows are those of the table of tables.
func (r *OverheadReport) rows() [][]string {
	var out [][]string
	for i := range r.Tables {
		t := &r.Tables[i]
		row := []string{t.name(), t.Role, "", "", "", "not measured", "", "", ""}
		if t.SameRows {
			ratio := ""
			if t.Enforced.MS >= 1 { // noise makes it where so little time is spent
				ratio = ratioText(t.Ratio)
			}
			row = []string{
				t.name(), t.Role, report.Short(float64(t.Enforced.Rows)), report.MS(t.Enforced.MS), report.MS(t.Ideal.MS), report.MS(max(t.MS, 0)), ratio,
				report.Short(float64(t.Enforced.Blocks)), report.Short(float64(t.Ideal.Blocks)),
			}
		}
		out = append(out, row)
	}
	return out
}

func (t *TableOverhead) name() string {
	if t.Table == "" {
		return "the statement"
	}
	return t.Table
}

func (r *OverheadReport) headline() string {
	return fmt.Sprintf("row security on %s, PostgreSQL %s: what it costs, against the same rows without it", line(r.Where), r.Server)
}

// Text writes the report for a terminal: the tables, then each with its policies.
func (r *OverheadReport) Text(w io.Writer, o report.TextOptions) error {
	r = r.presentable()
	t := newText(w, o)
	t.say(report.Bold, "", r.headline())
	t.Printf("\n")
	t.Table("", t.width, overheadColumns, r.rows())
	for i := range r.Tables {
		t.heading(r.Tables[i].name(), "as "+r.Tables[i].Role)
		t.overhead(&r.Tables[i].Overhead)
	}
	return t.Err()
}

// JSON writes the report as JSON.
func (r *OverheadReport) JSON(w io.Writer) error { return report.WriteJSON(w, r.presentable()) }

// Markdown writes the report as Markdown.
func (r *OverheadReport) Markdown(w io.Writer) error {
	r = r.presentable()
	m := &md{}
	m.printf("### planvet rls overhead\n\n%s\n\n", m.text(r.headline()))
	m.table(overheadColumns, escaped(m, r.rows()))
	m.each(len(r.Tables), func(i int) {
		m.heading(m.text(r.Tables[i].name() + " as " + r.Tables[i].Role))
		m.overhead(&r.Tables[i].Overhead)
	})
	_, err := io.WriteString(w, m.b.String())
	return err
}

// escaped makes cells Markdown.
func escaped(m *md, rows [][]string) [][]string {
	for _, row := range rows {
		for i := range row {
			row[i] = m.text(row[i])
		}
	}
	return rows
}

// Leaks are the cells in which a foreign tenant's row was seen or changed.
func (m *Matrix) Leaks() int { return m.count(Leak) }

// Open are the cells of which nobody can tell.
func (m *Matrix) Open() int { return m.count(Undecided) }

func (m *Matrix) count(outcome string) int {
	n := 0
	for _, c := range m.Cells {
		if c.Outcome == outcome {
			n++
		}
	}
	return n
}

func (m *Matrix) headline() string {
	return fmt.Sprintf("row security on %s, PostgreSQL %s: rows, time and blocks of each verb", line(m.Where), m.Server)
}

// columns and rows: a line a table and identity, a column a verb.
func (m *Matrix) columns() []report.Column {
	out := []report.Column{{Title: "table"}, {Title: "identity"}}
	for _, v := range Verbs {
		out = append(out, report.Column{Title: v, Right: true})
	}
	return out
}

func (m *Matrix) rows() [][]string {
	var out [][]string
	for i := 0; i+len(Verbs) <= len(m.Cells); i += len(Verbs) {
		row := []string{m.Cells[i].Table, m.Cells[i].who()}
		for _, cell := range m.Cells[i : i+len(Verbs)] {
			row = append(row, cell.text())
		}
		out = append(out, row)
	}
	return out
}

// lines are what the table has no room for: who the identities are, what TO gives, why
// cells leak or cannot be judged, and the sum.
func (m *Matrix) lines() []string {
	var out []string
	for _, c := range m.Cells {
		if s := c.who() + " is " + c.Claims; c.Claims != "" && !slices.Contains(out, s) {
			out = append(out, s)
		}
	}
	for _, c := range m.Cells {
		if c.WithTo != nil {
			out = append(out, fmt.Sprintf("%s pays %s and %s for no row of %s; with TO in its policies %s and %s",
				c.Role, report.MS(c.MS), report.Blocks(c.Blocks), c.Table, report.MS(c.WithTo.MS), report.Blocks(c.WithTo.Blocks)))
		}
	}
	if slices.ContainsFunc(m.Cells, func(c Cell) bool { return c.Reason == notTried }) {
		out = append(out, Undecided+": "+notTried)
	}
	for _, outcome := range []string{Leak, Undecided} {
		for _, reason := range m.reasons(outcome) {
			out = append(out, outcome+": "+report.Redact(reason))
		}
	}
	return append(out, fmt.Sprintf("%d of %s leak, %d are inconclusive", m.Leaks(), report.Plural(len(m.Cells), "cell"), m.Open()))
}

// reasons are those of an outcome, each once with the identities that it is about.
func (m *Matrix) reasons(outcome string) []string {
	var what []string
	who := map[string][]string{}
	for _, c := range m.Cells {
		if c.Outcome != outcome || c.Reason == notTried {
			continue
		}
		key := c.Verb + " on " + c.Table + "\x00" + c.Reason
		if who[key] == nil {
			what = append(what, key)
		}
		who[key] = append(who[key], c.who())
	}
	for i, key := range what {
		cell, reason, _ := strings.Cut(key, "\x00")
		what[i] = cell + " as " + strings.Join(who[key], ", ") + ": " + reason
	}
	return what
}

// Text writes the matrix for a terminal.
func (m *Matrix) Text(w io.Writer, o report.TextOptions) error {
	t := newText(w, o)
	t.say(report.Bold, "", m.headline())
	t.Printf("\n")
	t.Table("", 0, m.columns(), m.rows()) // a figure that is cut says nothing
	t.Printf("\n")
	for _, l := range m.lines() {
		style := report.Plain
		if strings.HasPrefix(l, Leak+":") {
			style = report.Red
		}
		t.say(style, "", l)
	}
	return t.Err()
}

// JSON writes the matrix as JSON.
func (m *Matrix) JSON(w io.Writer) error {
	c := mapTexts(reflect.ValueOf(m), readable).Interface().(*Matrix)
	for i := range c.Cells {
		c.Cells[i].Reason = report.Redact(c.Cells[i].Reason)
	}
	return report.WriteJSON(w, c)
}

// Markdown writes the matrix as Markdown.
func (m *Matrix) Markdown(w io.Writer) error {
	out := &md{}
	out.printf("### planvet rls matrix\n\n%s\n\n", out.text(m.headline()))
	out.table(m.columns(), escaped(out, m.rows()))
	out.printf("\n")
	lines := m.lines()
	out.each(len(lines), func(i int) { out.printf("- %s\n", out.text(lines[i])) })
	_, err := io.WriteString(w, out.b.String())
	return err
}

func (c *Cell) who() string {
	if c.Identity == 0 {
		return c.Role
	}
	return fmt.Sprintf("%s %d", c.Role, c.Identity)
}

func (c *Cell) text() string {
	figures := fmt.Sprintf("%d, %s, %d", c.Rows, report.MS(c.MS), c.Blocks)
	switch {
	case c.Outcome == Leak:
		return "LEAK " + figures
	case c.Outcome == Denied:
		return "denied"
	case c.Outcome == Undecided && c.MS == 0:
		return "?"
	case c.Outcome == Undecided:
		return figures + " ?"
	case c.Verb == "insert" && c.Rows == 0:
		return "none"
	case c.Verb == "insert" && c.MS == 0:
		return "let through" // a key refused it after the policies
	}
	return figures
}
