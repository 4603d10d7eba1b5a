package report

import (
	"io"
	"testing"

	"github.com/planvet/planvet/rules"
)

func TestGolden(t *testing.T) {
	rule := &rules.Rule{
		Name: "a-rule", Package: "sqllint", Group: "indexes", Summary: "a fault", Severity: rules.Warning, Certainty: rules.Certain,
		Page: "# a-rule\n\n## What it finds\n\nA fault.\n\n## Bad\n\n```sql\nselect 1;\n\nselect 2;\n```\n",
	}
	off := *rule
	off.Name, off.Off, off.Summary = "longer-rule-name", true, "another"
	queries := &Queries{
		Queries: []Query{
			{
				Location: rules.Location{Path: "b.go", Line: 7, Column: 3}, Source: "go", Symbol: "app.Find", Call: "(*sql.DB).Query",
				ResolvedBy: "concatenation", Text: "\n\t\tselect *\n\t\t  from t\n\t\twhere a < $1\n\t", Fingerprint: "f1", Role: "web", InLoop: true,
			},
			{Location: rules.Location{Path: "a.sql", Line: 1, Column: 1}, Source: "sql", ResolvedBy: "file", Text: "select 1", Fingerprint: "f2"},
		},
		Unresolved: sample().Unresolved, Unparsed: sample().Unparsed,
	}
	noGo := clean()
	noGo.GoRun, noGo.ConfirmRun, noGo.Summary = false, false, Summary{}
	part := clean()
	part.Unresolved, part.Off = sample().Unresolved, []string{"unindexed-join", "nplusone"}
	for _, c := range []struct {
		name  string
		write func(w io.Writer) error
	}{
		{"findings.json", func(w io.Writer) error { return JSON(w, sample()) }},
		{"findings.txt", func(w io.Writer) error { return Text(w, sample(), TextOptions{}) }},
		{"findings_verbose.txt", func(w io.Writer) error { return Text(w, sample(), TextOptions{Verbose: true, HidePossible: true}) }},
		{"findings_color.txt", func(w io.Writer) error { return Text(w, sample(), TextOptions{Color: true}) }},
		{"clean.txt", func(w io.Writer) error { return Text(w, clean(), TextOptions{}) }},
		{"findings.gcc", written("gcc")},
		{"findings.jsonl", written("jsonl")},
		{"findings.sarif", written("sarif")},
		{"findings.github", written("github")},
		{"findings.gitlab.json", written("gitlab")},
		{"findings.rdjson", written("rdjson")},
		{"findings.junit.xml", written("junit")},
		{"findings.checkstyle.xml", written("checkstyle")},
		{"findings.md", written("markdown")},
		{"checklist.md", func(w io.Writer) error { return Checklist(w, sample()) }},
		{"checklist_clean.md", func(w io.Writer) error { return Checklist(w, clean()) }},
		{"checklist_nothing.md", func(w io.Writer) error { return Checklist(w, noGo) }},
		{"checklist_part.md", func(w io.Writer) error { return Checklist(w, part) }},
		{"queries.json", func(w io.Writer) error { return QueriesJSON(w, queries) }},
		{"queries.txt", func(w io.Writer) error { return QueriesText(w, queries, TextOptions{}) }},
		{"rules.json", func(w io.Writer) error { return RulesJSON(w, []*rules.Rule{rule, &off}) }},
		{"rules.txt", func(w io.Writer) error { return RulesText(w, []*rules.Rule{rule, &off}) }},
		{"rule.txt", func(w io.Writer) error { return RuleText(w, rule, TextOptions{}) }},
	} {
		t.Run(c.name, func(t *testing.T) { golden(t, c.name, c.write) })
	}
}

// A long report counts its findings by rule; a short one does not.
func TestCountsByRule(t *testing.T) {
	d := clean()
	for range longReport {
		d.Findings = append(d.Findings, rules.Finding{Rule: "rls-initplan"})
	}
	d.Findings = append(d.Findings, rules.Finding{Rule: "nplusone"}, rules.Finding{Rule: "nplusone", Verdict: rules.Verdict{Status: rules.Refuted}})
	if got, want := rulesLine(d), "by rule: rls-initplan 20, nplusone 1"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	d.Findings = d.Findings[:longReport]
	if got := rulesLine(d); got != "" {
		t.Errorf("of %d findings: %q", longReport, got)
	}
}

// written writes the sample, whose project is a part of its repository.
func written(format string) func(w io.Writer) error {
	return func(w io.Writer) error {
		_, err := FormatNamed(format).Write(w, sample(), &WriteOptions{Repository: "services/app", Working: "app"})
		return err
	}
}
