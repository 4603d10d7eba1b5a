package scaffold

import (
	"bytes"
	"embed"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"text/template"

	"github.com/planvet/planvet/internal/bench/slo"
	"github.com/planvet/planvet/internal/report"
	"github.com/planvet/planvet/rules"
	"github.com/planvet/planvet/rules/all"
)

//go:embed text/*.md
var texts embed.FS

// References are the reference documents, in the order of their reading.
var References = []struct{ Name, What string }{
	{"slo-definitions.md", "tiers, and how an objective is set and judged"},
	{"query-patterns.md", "patterns of queries that cost, and what to write in their place"},
	{"rls-performance.md", "policies that cost, and what to write in their place"},
	{"pr-checklist.md", "the review's boxes, and what unticks each"},
}

// references makes the documents out of the rules, the tiers and the boxes of the
// checklist.
func references() ([]File, error) {
	t, err := template.New("").Funcs(template.FuncMap{
		"tiers":   tierTable,
		"types":   func() string { return strings.Join(slo.Types, ", ") },
		"percent": report.Percent,
		"minor":   func() float64 { return slo.MinorShare },
		"warning": func() float64 { return slo.WarningShare },
		"queries": func() string { return chapters(isQuery) },
		"rls":     func() string { return chapters(isRLS) },
		"ignores": func() string { return chapters(isIgnore) },
		"boxes":   boxTable,
	}).ParseFS(texts, "text/*.md")
	if err != nil {
		return nil, err
	}
	var out []File
	for _, r := range References {
		var b bytes.Buffer
		fmt.Fprintf(&b, "<!-- Made by planvet init out of planvet's own rules. What you change here is kept; without a change, a later planvet init makes it anew. %s -->\n", unsealed)
		if err := t.ExecuteTemplate(&b, r.Name, nil); err != nil {
			return nil, err
		}
		out = append(out, File{Path: ".perf/references/" + r.Name, Text: seal(b.String()), What: r.What, Sealed: true})
	}
	return out, nil
}

func isRLS(r *rules.Rule) bool    { return r.Group == "rls" }
func isIgnore(r *rules.Rule) bool { return r.Group == "suppressions" }
func isQuery(r *rules.Rule) bool  { return !isRLS(r) && !isIgnore(r) }

// chapters are the rules of a kind: a list of them, and of each what its page says to
// somebody who writes a query.
func chapters(of func(*rules.Rule) bool) string {
	rs := slices.DeleteFunc(all.All(), func(r *rules.Rule) bool { return !of(r) })
	var rows [][]string
	for _, r := range rs {
		when := string(r.Severity)
		if r.Off {
			when = "where planvet.yaml asks for it"
		}
		rows = append(rows, []string{fmt.Sprintf("[%s](#%s)", r.Name, r.Name), report.MarkdownText(r.Summary), when})
	}
	var b strings.Builder
	b.WriteString(report.MarkdownTable([]report.Column{{Title: "rule"}, {Title: "what it finds"}, {Title: "severity"}}, rows))
	for _, r := range rs {
		fmt.Fprintf(&b, "\n## %s\n", r.Name)
		for _, s := range []string{"What it finds", "Why it is slow", "Bad", "Good"} {
			if text := all.Section(r.Page, s); text != "" {
				fmt.Fprintf(&b, "\n### %s\n\n%s\n", s, relinked(text))
			}
		}
		fmt.Fprintf(&b, "\nHow it is proved and what it does not see: `planvet rules show %s`.\n", r.Name)
	}
	return strings.TrimRight(b.String(), "\n")
}

// chapter is where a rule stands in the documents.
func chapter(r *rules.Rule) string {
	switch {
	case isRLS(r):
		return "rls-performance.md#" + r.Name
	case isIgnore(r):
		return "pr-checklist.md#" + r.Name
	}
	return "query-patterns.md#" + r.Name
}

var pageLink = regexp.MustCompile(`\]\(([a-z-]+)\.md\)`)

// relinked has links between the rules' pages lead to their chapters.
func relinked(text string) string {
	return pageLink.ReplaceAllStringFunc(text, func(link string) string {
		if r := all.Lookup(pageLink.FindStringSubmatch(link)[1]); r != nil {
			return "](" + chapter(r) + ")"
		}
		return link
	})
}

func tierTable() string {
	uses := map[string]string{
		"fast": "simple reads, cached data", "standard": "reading and writing single records, joins",
		"complex": "aggregations, reports", "background": "batches",
	}
	var rows [][]string
	for _, t := range slo.Tiers {
		rows = append(rows, []string{t.Name, report.Round(report.MS(t.P50)), report.Round(report.MS(t.P95)), report.Round(report.MS(t.P99)), uses[t.Name]})
	}
	return strings.TrimRight(report.MarkdownTable([]report.Column{{Title: "tier"}, {Title: "p50", Right: true}, {Title: "p95", Right: true}, {Title: "p99", Right: true}, {Title: "for"}}, rows), "\n")
}

// boxTable are the boxes of planvet checklist with the rules that untick each.
func boxTable() string {
	var rows [][]string
	for _, b := range report.Boxes(all.Names()) {
		by := "nothing of the code: see below"
		if len(b.Rules) > 0 {
			var links []string
			for _, name := range b.Rules {
				links = append(links, fmt.Sprintf("[%s](%s)", name, chapter(all.Lookup(name))))
			}
			by = strings.Join(links, ", ")
		}
		rows = append(rows, []string{report.MarkdownText(b.Title), by})
	}
	return strings.TrimRight(report.MarkdownTable([]report.Column{{Title: "box"}, {Title: "unticked by"}}, rows), "\n")
}
