package explain

import (
	"fmt"

	"github.com/planvet/planvet/internal/report"
)

func (t *text) rls(o *Overhead) {
	if o == nil {
		return
	}
	t.heading("row security", "")
	t.overhead(o)
}

func (t *text) overhead(o *Overhead) {
	t.say(report.Bold, "  ", overheadLine(o))
	var rows [][]string
	longest := 0.0
	for _, a := range arms(o) {
		longest = max(longest, a.MS)
	}
	for _, a := range arms(o) {
		share := 0.0
		if longest > 0 {
			share = a.MS / longest
		}
		rows = append(rows, []string{a.Name, report.MS(a.MS), report.Meter(share, 12), report.Short(float64(a.Blocks)), report.Short(float64(a.Rows)), a.What})
	}
	if len(rows) > 0 {
		t.Table("  ", t.width, []report.Column{
			{Title: "arm"}, {Title: "time", Right: true}, {Title: ""}, {Title: "blocks", Right: true}, {Title: "rows", Right: true}, {Title: ""},
		}, rows)
	}
	for i := range o.Policies {
		p := &o.Policies[i]
		to := ""
		if p.ForEverybody {
			to = ", for every role"
		}
		t.say(report.Plain, "  ", "policy "+p.Policy+" on "+p.Table+to+": "+p.Using)
		for j := range p.Functions {
			t.say(report.Dim, "      ", callLine(&p.Functions[j]))
		}
	}
	for i := range o.Demoted {
		d := &o.Demoted[i]
		t.say(report.Yellow, "  ", demotionLine(d))
		if d.Advice != "" {
			t.say(report.Plain, "    → ", d.Advice)
		}
	}
	t.recommendations("row security: what each change gives", o.Remedies)
}

func demotionLine(d *Demotion) string {
	s := fmt.Sprintf("%s on %s is checked row by row: %s is not leakproof", line(d.Condition), line(d.Table), line(d.Operator))
	if d.Index != "" {
		s += ", so " + line(d.Index) + " is not searched by it"
	}
	return s
}
