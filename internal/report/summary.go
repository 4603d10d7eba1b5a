package report

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/planvet/planvet/rules"
)

// summary ends a report: the findings counted, what was looked at, and last what
// could not be read and how to see it.
func (t *textWriter) summary(d *Document, o TextOptions) {
	t.Printf("%s\n", findingsLine(d, o))
	if line := rulesLine(d); line != "" {
		t.Printf("%s\n", line)
	}
	s := d.Summary
	for _, line := range scopeLines(d) {
		t.Printf("%s\n", Printable(line))
	}
	if s.Since != nil && s.Since.FilesRead == 0 {
		return
	}
	t.Printf("looked at %s (%s, %s, %s), %s and %s\n",
		Plural(s.Migrations, "migration"), Plural(s.Tables, "table"), Plural(s.Indexes, "index"),
		Plural(s.Policies, "policy"), Plural(s.Statements, "statement"), Plural(s.GoPackages, "Go package"))
	if s.Workload != nil {
		t.Printf("%s\n", Printable(s.Workload.line()))
	}
	if line := silencedLine(d); line != "" {
		t.Printf("%s\n", line)
	}
	t.Printf("%s\n", gapsLine(d, o.Verbose))
}

// findingsLine counts findings by severity and verdict.
func findingsLine(d *Document, o TextOptions) string {
	of := func(s rules.Severity) int {
		return count(d.Findings, func(f *rules.Finding) bool {
			return live(f) && f.Severity == s && f.Certainty != rules.Possible
		})
	}
	parts := []string{}
	total := 0
	for _, s := range []struct {
		severity rules.Severity
		noun     string
	}{{rules.Error, "error"}, {rules.Warning, "warning"}} {
		if n := of(s.severity); n > 0 {
			parts = append(parts, Plural(n, s.noun))
			total += n
		}
	}
	if n := of(rules.Info); n > 0 {
		parts = append(parts, fmt.Sprintf("%d info", n))
		total += n
	}
	line := "no findings"
	if total > 0 {
		line = Plural(total, "finding") + ": " + strings.Join(parts, ", ")
	}
	possible := count(d.Findings, func(f *rules.Finding) bool { return live(f) && f.Certainty == rules.Possible })
	if possible > 0 {
		line += fmt.Sprintf("; %d possible", possible)
		if o.HidePossible {
			line += " not shown"
		}
	}
	var verdicts []string
	for _, st := range []rules.Status{rules.Confirmed, rules.Inconclusive, rules.Refuted} {
		if n := count(d.Findings, func(f *rules.Finding) bool { return f.Verdict.Status == st }); n > 0 {
			verdicts = append(verdicts, fmt.Sprintf("%d %s", n, st))
		}
	}
	if d.ConfirmRun && len(verdicts) > 0 {
		line += "; verdicts: " + strings.Join(verdicts, ", ")
	}
	return line
}

// silencedLine counts what comments and config silenced; "" where nothing is.
func silencedLine(d *Document) string {
	switch {
	case d.Suppressed > 0 && d.Silenced > 0:
		return fmt.Sprintf("%s silenced by comments, %d by planvet.yaml", Plural(d.Suppressed, "finding"), d.Silenced)
	case d.Suppressed > 0:
		return Plural(d.Suppressed, "finding") + " silenced by comments"
	case d.Silenced > 0:
		return Plural(d.Silenced, "finding") + " silenced by planvet.yaml"
	}
	return ""
}

// longReport is how many findings a reader still counts himself.
const longReport = 20

// rulesLine counts the findings that stand by rule, the most frequent first: in a long
// report one cause often makes most of them.
func rulesLine(d *Document) string {
	n, all := map[string]int{}, 0
	for i := range d.Findings {
		if live(&d.Findings[i]) {
			n[d.Findings[i].Rule]++
			all++
		}
	}
	if all <= longReport {
		return ""
	}
	names := slices.SortedFunc(maps.Keys(n), func(a, b string) int { return cmp.Or(cmp.Compare(n[b], n[a]), cmp.Compare(a, b)) })
	for i, name := range names {
		names[i] = fmt.Sprintf("%s %d", name, n[name])
	}
	return "by rule: " + strings.Join(names, ", ")
}

// gapsLine says what was not analysed.
func gapsLine(d *Document, verbose bool) string {
	n := len(d.Unparsed) + len(d.Unresolved) + len(d.NotApplied)
	line := fmt.Sprintf("not analysed: %d unparsed, %d unresolved, %d not applied", len(d.Unparsed), len(d.Unresolved), len(d.NotApplied))
	if n > 0 && !verbose {
		line += " (--verbose lists them)"
	}
	return line
}
