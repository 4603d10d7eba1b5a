package explain

import (
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/planvet/planvet/internal/report"
)

// Formats of the reports on row security.
const (
	FormatText     = "text"
	FormatJSON     = "json"
	FormatMarkdown = "markdown"
)

// Write writes the report in a format.
func (r *OverheadReport) Write(w io.Writer, format string) error {
	if format == FormatJSON {
		return report.WriteJSON(w, r)
	}
	p := &writer{w: w, markdown: format == FormatMarkdown}
	p.line("row security on %s, PostgreSQL %s", r.Where, r.Server)
	p.line("")
	var rows [][]string
	for _, t := range r.Tables {
		row := []string{t.name(), t.Role}
		if t.SameRows {
			row = append(row, strconv.FormatInt(t.Enforced.Rows, 10), ms(t.Enforced.MS), ms(t.Ideal.MS), ms(t.MS), t.ratio(),
				fmt.Sprintf("%d for %d", t.Enforced.Blocks, t.Ideal.Blocks))
		} else {
			row = append(row, "", "", "", "not measured", "", "")
		}
		rows = append(rows, row)
	}
	p.table([]string{"table", "role", "rows", "enforced", "ideal", "overhead", "ratio", "blocks"}, rows)
	for i := range r.Tables {
		p.line("")
		r.Tables[i].write(p)
	}
	return p.err
}

func (t *TableOverhead) name() string {
	if t.Table == "" {
		return "the statement"
	}
	return t.Table
}

// ratio is "" where so little time is spent that noise makes it.
func (t *TableOverhead) ratio() string {
	if t.Enforced.MS < 1 {
		return ""
	}
	return times(t.Ratio)
}

func (t *TableOverhead) write(p *writer) {
	p.heading("%s as %s", t.name(), t.Role)
	for _, line := range t.Lines() {
		p.item("%s", line)
	}
}

// Lines tell of an overhead in sentences: what it is, what each policy costs, what
// lost its index, and what each remedy gives.
func (o *Overhead) Lines() []string {
	var out []string
	say := func(format string, args ...any) { out = append(out, fmt.Sprintf(format, args...)) }
	switch {
	case o.Problem != "":
		say("not measured: %s", o.Problem)
	default:
		say("%s more than the same %d rows without row security: %s for %s, %d blocks for %d, median of %d rounds",
			ms(o.MS), o.Enforced.Rows, ms(o.Enforced.MS), ms(o.Ideal.MS), o.Enforced.Blocks, o.Ideal.Blocks, o.Rounds)
		if o.Naked != nil {
			say("all %d rows without conditions: %s, %d blocks", o.Naked.Rows, ms(o.Naked.MS), o.Naked.Blocks)
		}
	}
	for _, c := range o.Policies {
		to := ""
		if c.ForEverybody {
			to = ", for every role,"
		}
		if len(c.Functions) == 0 {
			say("policy %q on %s%s calls nothing that costs", c.Policy, c.Table, to)
		}
		for _, f := range c.Functions {
			say("policy %q on %s%s evaluates %s %s", c.Policy, c.Table, to, f.Function, f.often())
		}
	}
	for _, d := range o.Demoted {
		say("%s cannot use %s: %s is not leakproof, and the policies of %s come first; %s", d.Condition, d.Index, d.Operator, d.Table, d.Advice)
	}
	for _, r := range o.Remedies {
		gain := r.Why
		if r.Before != nil && r.After != nil {
			gain = fmt.Sprintf("%s → %s, %d → %d blocks (%s)", ms(r.Before.MS), ms(r.After.MS), r.Before.Blocks, r.After.Blocks, r.Verified)
		}
		say("remedy: %s: %s: %s", r.Title, gain, strings.Join(r.SQL, "; "))
	}
	return out
}

// often says how often a call is evaluated.
func (f PolicyCall) often() string {
	switch f.Evaluated {
	case Once:
		return "once"
	case InIndex:
		return fmt.Sprintf("once a scan of its index, %.0f in all", f.Calls)
	}
	if f.Calls == 0 {
		return "for each row, of which there is none here"
	}
	return fmt.Sprintf("for each row: %.0f of them", f.Calls)
}

// ms prints a time so that a tenth of it can be told.
func ms(v float64) string {
	switch v = math.Round(v*100) / 100; {
	case v == 0:
		return "0.00 ms" // never minus nothing
	case v >= 100 || v <= -100:
		return fmt.Sprintf("%.0f ms", v)
	case v >= 10 || v <= -10:
		return fmt.Sprintf("%.1f ms", v)
	}
	return fmt.Sprintf("%.2f ms", v)
}

// times prints a ratio.
func times(v float64) string {
	if v >= 100 {
		return fmt.Sprintf("%.0f×", v)
	}
	return fmt.Sprintf("%.1f×", v)
}

// writer writes headings, items and tables as text or Markdown.
type writer struct {
	w        io.Writer
	markdown bool
	err      error
}

func (p *writer) line(format string, args ...any) {
	if p.err == nil {
		_, p.err = fmt.Fprintln(p.w, plain(fmt.Sprintf(format, args...)))
	}
}

func (p *writer) heading(format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	if p.markdown {
		p.line("### %s", text)
		p.line("")
		return
	}
	p.line("%s", text)
}

func (p *writer) item(format string, args ...any) {
	bullet := "  "
	if p.markdown {
		bullet = "- "
	}
	p.line("%s%s", bullet, fmt.Sprintf(format, args...))
}

func (p *writer) table(headings []string, rows [][]string) {
	if p.err != nil {
		return
	}
	if !p.markdown {
		p.err = report.Table(p.w, headings, rows)
		return
	}
	row := func(cells []string) {
		escaped := make([]string, len(cells))
		for i, c := range cells {
			escaped[i] = strings.ReplaceAll(c, "|", `\|`)
		}
		p.line("| %s |", strings.Join(escaped, " | "))
	}
	row(headings)
	rule := make([]string, len(headings))
	for i := range rule {
		rule[i] = "---"
	}
	row(rule)
	for _, r := range rows {
		row(r)
	}
}

// plain takes control characters out of names and texts that others chose.
func plain(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' && r != '\t' || r == 0x7f {
			return ' '
		}
		return r
	}, s)
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

// Write writes the matrix in a format: a line a table and identity, a column a verb.
func (m *Matrix) Write(w io.Writer, format string) error {
	if format == FormatJSON {
		return report.WriteJSON(w, m)
	}
	p := &writer{w: w, markdown: format == FormatMarkdown}
	p.line("row security on %s, PostgreSQL %s: rows, time and blocks of each verb", m.Where, m.Server)
	p.line("")
	rows, claims := [][]string{}, []string{}
	for i := 0; i+len(Verbs) <= len(m.Cells); i += len(Verbs) {
		c := m.Cells[i]
		row := []string{c.Table, c.who()}
		for _, cell := range m.Cells[i : i+len(Verbs)] {
			row = append(row, cell.text())
		}
		rows = append(rows, row)
		if line := fmt.Sprintf("%s is %s", c.who(), c.Claims); c.Claims != "" && !slices.Contains(claims, line) {
			claims = append(claims, line)
		}
	}
	p.table(append([]string{"table", "identity"}, Verbs...), rows)
	p.line("")
	for _, line := range claims {
		p.item("%s", line)
	}
	for _, c := range m.Cells {
		if c.WithTo != nil {
			p.item("%s reads %s in %s and %d blocks; with TO in its policies in %s and %d", c.Role, c.Table, ms(c.MS), c.Blocks, ms(c.WithTo.MS), c.WithTo.Blocks)
		}
	}
	for _, outcome := range []string{Leak, Undecided} {
		for _, line := range m.reasons(outcome) {
			p.item("%s: %s", outcome, line)
		}
	}
	p.line("")
	p.line("%d of %d cells leak, %d are inconclusive", m.Leaks(), len(m.Cells), m.Open())
	return p.err
}

// reasons are those of an outcome, each once with the identities that it is about.
func (m *Matrix) reasons(outcome string) []string {
	var what []string
	who := map[string][]string{}
	for _, c := range m.Cells {
		if c.Outcome != outcome {
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

func (c *Cell) who() string {
	if c.Identity == 0 {
		return c.Role
	}
	return fmt.Sprintf("%s %d", c.Role, c.Identity)
}

func (c *Cell) text() string {
	figures := fmt.Sprintf("%d, %s, %d", c.Rows, ms(c.MS), c.Blocks)
	switch c.Outcome {
	case Leak:
		return "LEAK " + figures
	case Denied:
		return "denied"
	case Undecided:
		if c.MS == 0 {
			return "?"
		}
		return figures + " ?"
	}
	return figures
}
