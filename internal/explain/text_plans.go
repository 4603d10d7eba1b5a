package explain

import (
	"slices"

	"github.com/planvet/planvet/internal/report"
)

func (t *text) plans(r *Report) {
	if len(r.Plans) < 2 {
		return
	}
	t.heading("plans", "")
	if r.Sensitive {
		t.say(report.Yellow, "  ", "the plan depends on the values: "+r.SensitiveWhy)
	}
	columns, rows := planRows(r)
	t.Table("  ", t.width, columns, rows)
}

// planRows compares the plans of a report; figures of runs only where one ran.
func planRows(r *Report) ([]report.Column, [][]string) {
	ran := slices.ContainsFunc(r.Plans, func(p Plan) bool { return p.Analyzed })
	columns := []report.Column{{Title: "plan"}, {Title: "cost", Right: true}}
	if ran {
		columns = append(columns, report.Column{Title: "time", Right: true}, report.Column{Title: "blocks", Right: true})
	}
	columns = append(columns, report.Column{Title: "shape"}, report.Column{Title: "heaviest step"})
	var rows [][]string
	names := map[string]string{}
	for i := range r.Plans {
		p := &r.Plans[i]
		if names[p.Shape] == "" { // A, B, … reads better than a hash
			names[p.Shape] = string(rune('A' + min(len(names), 25)))
		}
		row := []string{planLabel(p.Label), report.Figure(p.Cost)}
		switch {
		case p.Analyzed:
			row = append(row, report.MS(p.ExecutionMS), report.Short(float64(p.Blocks)))
		case ran:
			row = append(row, "", "")
		}
		top := ""
		if h := heaviest(p); h != nil {
			top = report.Percent(h.Share) + " " + stepTitle(h)
		}
		rows = append(rows, append(row, names[p.Shape], top))
	}
	return columns, rows
}

// heaviest is the step with the greatest share.
func heaviest(p *Plan) *Step {
	var top *Step
	for _, s := range stepList(p) {
		if top == nil || s.Share > top.Share {
			top = s
		}
	}
	return top
}
