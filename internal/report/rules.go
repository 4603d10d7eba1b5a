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
		state := "on"
		if r.Off {
			state = "off"
		}
		rows = append(rows, []string{r.Name, r.Group, state, string(r.Severity), string(r.Certainty), r.Summary})
	}
	return Table(w, []string{"rule", "group", "default", "severity", "certainty", "what it finds"}, rows)
}

// Table writes rows under headings, columns padded, the last one not.
func Table(w io.Writer, headings []string, rows [][]string) error {
	t := NewPrinter(w, TextOptions{})
	columns := make([]Column, len(headings))
	for i, h := range headings {
		columns[i].Title = h
	}
	t.Table("", 0, columns, rows)
	return t.err
}

type jsonRule struct {
	Name      string          `json:"name"`
	Summary   string          `json:"summary"`
	Package   string          `json:"package"`
	Group     string          `json:"group"`
	Severity  rules.Severity  `json:"severity"`
	Certainty rules.Certainty `json:"certainty"`
	Default   bool            `json:"on_by_default"`
}

// RulesJSON writes the list of rules as JSON.
func RulesJSON(w io.Writer, rs []*rules.Rule) error {
	out := make([]jsonRule, 0, len(rs))
	for _, r := range rs {
		out = append(out, jsonRule{r.Name, r.Summary, r.Package, r.Group, r.Severity, r.Certainty, !r.Off})
	}
	return WriteJSON(w, struct {
		SchemaVersion string     `json:"schema_version"`
		Rules         []jsonRule `json:"rules"`
	}{schemaVersion, out})
}

// RuleText writes one rule's metadata and page: headings without their marks,
// code indented.
func RuleText(w io.Writer, r *rules.Rule, o TextOptions) error {
	t := NewPrinter(w, o)
	on := "on by default"
	if r.Off {
		on = "off by default"
	}
	t.Paint(Bold, r.Name)
	t.Printf(" (%s, %s, %s, %s)\n%s\n\n", r.Group, r.Severity, r.Certainty, on, r.Summary)
	code := false
	_, page, _ := strings.Cut(r.Page, "\n") // the title repeats the name
	for line := range strings.SplitSeq(strings.TrimSpace(page), "\n") {
		switch {
		case strings.HasPrefix(line, "```"):
			code = !code
		case code:
			t.Printf("%s\n", strings.TrimRight("    "+Printable(line), " "))
		case strings.HasPrefix(line, "#"):
			t.Printf("%s\n", t.Styled(Bold, strings.ToUpper(strings.TrimLeft(line, "# "))))
		default:
			t.Printf("%s\n", Printable(line))
		}
		if t.err != nil {
			return fmt.Errorf("writing rule %s: %w", r.Name, t.err)
		}
	}
	return t.err
}
