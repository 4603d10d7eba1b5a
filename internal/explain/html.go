package explain

import (
	"embed"
	"fmt"
	"html/template"
	"io"
	"strings"
	"sync"

	"github.com/planvet/planvet/internal/report"
	"github.com/planvet/planvet/rules"
)

//go:embed page/*.html
var pageFiles embed.FS

var (
	//go:embed page/page.css
	pageCSS string
	//go:embed page/page.js
	pageJS string
)

// pageBody is parsed when a page is written: planvet starts once a package under go vet.
var pageBody = sync.OnceValue(func() *template.Template {
	return template.Must(template.New("page.html").Funcs(template.FuncMap{
		// Words that every writer uses.
		"ms": report.MS, "percent": report.Percent, "short": report.Short, "figure": report.Figure, "count": count, "join": strings.Join,
		"title": stepTitle, "details": stepDetails, "arrow": arrow, "number": number, "factor": factorText, "misestimated": misestimated, "figures": figuresLine, "worst": worst, "nofault": noFaultLine,
		"where": whereLine, "spread": spread, "planning": planningShare, "planLine": planLine, "notes": noteLines, "verified": verified,
		"access": accessLine, "indexName": indexName, "indexFacts": indexFacts, "usedIndexes": usedIndexes, "unusedIndexes": unusedIndexes, "overhead": overheadLine, "callLine": callLine, "demotion": demotionLine,
		// The drawing.
		"heat": report.Heat, "percent2": svgPercent, "grade": grade, "root": rootNode, "nodes": nodes,
		"effects": effectBars, "arms": armBars, "timeChart": timeChart, "rowChart": rowChart, "planTable": planTable, "tree": treeOf,
		"recs": func(id, title string, rs []Recommendation) map[string]any {
			return map[string]any{"ID": id, "Title": title, "Recs": rs}
		},
	}).ParseFS(pageFiles, "page/*.html"))
})

// HTML writes a report as one page that needs nothing else: the plan is drawn, each
// step's figures are there without JavaScript, which only adds folding and a panel.
func HTML(w io.Writer, r *Report) error {
	page, err := Draw(r)
	if err != nil {
		return err
	}
	return report.WritePage(w, page)
}

// Draw is the page of a report, which may become part of another.
func Draw(r *Report) (*report.Page, error) {
	r = presentable(r)
	v := struct {
		*Report
		Plan    *Plan
		Measure string
	}{Report: r}
	if len(r.Plans) > 0 && r.Plans[0].Root != nil {
		v.Plan, v.Measure = &r.Plans[0], shareOf(&r.Plans[0])
	}
	var body strings.Builder
	if err := pageBody().Execute(&body, v); err != nil {
		return nil, fmt.Errorf("writing the page: %w", err)
	}
	return &report.Page{
		Title: "planvet explain: " + figuresLine(r), Body: template.HTML(body.String()), Style: pageCSS, Script: pageJS,
	}, nil
}

// grade is the class of a severity: its colour.
func grade(severity string) string {
	switch severity {
	case Critical:
		return "bad"
	case Warning:
		return "warn"
	}
	return "soft"
}

// count writes a sum of blocks.
func count(ns ...int64) string {
	sum := int64(0)
	for _, n := range ns {
		sum += n
	}
	return rules.Thousands(sum)
}

func svgPercent(share float64) string { return fmt.Sprintf("%.1f%%", 100*min(max(share, 0), 1)) }
