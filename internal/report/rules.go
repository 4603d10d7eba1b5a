package report

import (
	"fmt"
	"io"
	"strings"

	"github.com/planvet/planvet/rules"
)

// RulesText writes the list of rules as a table.
func RulesText(w io.Writer, rs []*rules.Rule) error {
	rows := [][]string{}
	for _, r := range rs {
		state := string(r.Severity)
		if r.Off {
			state = "off"
		}
		rows = append(rows, []string{r.Name, r.Package, state, string(r.Certainty), r.Summary})
	}
	return Table(w, []string{"rule", "package", "severity", "certainty", "what it finds"}, rows)
}

// Table writes rows under headings, columns padded, the last one not.
func Table(w io.Writer, headings []string, rows [][]string) error {
	t := newPrinter(w, TextOptions{})
	widths := make([]int, len(headings))
	all := append([][]string{headings}, rows...)
	for _, row := range all {
		for i, cell := range row {
			widths[i] = max(widths[i], len([]rune(cell)))
		}
	}
	for _, row := range all {
		var b strings.Builder
		for i, cell := range row {
			b.WriteString(cell)
			if i < len(row)-1 {
				b.WriteString(strings.Repeat(" ", widths[i]-len([]rune(cell))+2))
			}
		}
		t.printf("%s\n", printable(strings.TrimRight(b.String(), " ")))
	}
	return t.err
}

type jsonRule struct {
	Name      string          `json:"name"`
	Summary   string          `json:"summary"`
	Package   string          `json:"package"`
	Severity  rules.Severity  `json:"severity"`
	Certainty rules.Certainty `json:"certainty"`
	Default   bool            `json:"on_by_default"`
}

// RulesJSON writes the list of rules as JSON.
func RulesJSON(w io.Writer, rs []*rules.Rule) error {
	out := make([]jsonRule, 0, len(rs))
	for _, r := range rs {
		out = append(out, jsonRule{r.Name, r.Summary, r.Package, r.Severity, r.Certainty, !r.Off})
	}
	return WriteJSON(w, struct {
		SchemaVersion string     `json:"schema_version"`
		Rules         []jsonRule `json:"rules"`
	}{schemaVersion, out})
}

// RuleText writes one rule's metadata and page: headings without their marks,
// code indented.
func RuleText(w io.Writer, r *rules.Rule, o TextOptions) error {
	t := newPrinter(w, o)
	on := "on by default"
	if r.Off {
		on = "off by default"
	}
	t.paint(t.bold, r.Name)
	t.printf(" (%s, %s, %s, %s)\n%s\n\n", r.Package, r.Severity, r.Certainty, on, r.Summary)
	code := false
	_, page, _ := strings.Cut(r.Page, "\n") // the title repeats the name
	for line := range strings.SplitSeq(strings.TrimSpace(page), "\n") {
		switch {
		case strings.HasPrefix(line, "```"):
			code = !code
		case code:
			t.printf("%s\n", strings.TrimRight("    "+printable(line), " "))
		case strings.HasPrefix(line, "#"):
			t.printf("%s\n", t.bold.Sprint(strings.ToUpper(strings.TrimLeft(line, "# "))))
		default:
			t.printf("%s\n", printable(line))
		}
		if t.err != nil {
			return fmt.Errorf("writing rule %s: %w", r.Name, t.err)
		}
	}
	return t.err
}
