package page

import (
	"fmt"
	"html/template"
	"strings"

	"github.com/planvet/planvet/internal/bench/results"
	"github.com/planvet/planvet/internal/bench/work"
	"github.com/planvet/planvet/internal/plan"
	"github.com/planvet/planvet/internal/report"
	"github.com/planvet/planvet/rules"
)

// node is one of a plan that is drawn.
type node struct {
	line
	facts    string
	children []*node
}

// line is one of a plan's skeleton.
type line struct {
	text  string
	depth int
	// changed says that the other plan has it not.
	changed bool
}

// sides are both plans, and what each has alone. A node that only hangs deeper is in both.
func sides(a, b []string) (out [2][]line) {
	var texts [2][]string
	for i, all := range [][]string{a, b} {
		for _, l := range all {
			text := strings.TrimLeft(l, " ")
			texts[i] = append(texts[i], text)
			out[i] = append(out[i], line{text: text, depth: (len(l) - len(text)) / 2})
		}
	}
	var at [2]int
	for _, l := range plan.DiffSkeletons(texts[0], texts[1]) {
		for i, alone := range []byte("-+") {
			if l.Op == ' ' || l.Op == alone {
				out[i][at[i]].changed = l.Op == alone
				at[i]++
			}
		}
	}
	return out
}

// tree hangs lines below those that they are deeper than.
func tree(lines []line, scans []results.Scan) []*node {
	var roots, path []*node
	for _, l := range lines {
		n := &node{line: l, facts: size(scans, l.text)}
		for len(path) > 0 && path[len(path)-1].depth >= n.depth {
			path = path[:len(path)-1]
		}
		if len(path) == 0 {
			roots = append(roots, n)
		} else {
			up := path[len(path)-1]
			up.children = append(up.children, n)
		}
		path = append(path, n)
	}
	return roots
}

// size is how large the table is that a scan reads; "" for other nodes.
func size(scans []results.Scan, text string) string {
	for _, s := range scans {
		if s.How == text && s.Pages >= 0 {
			out := report.Blocks(s.Pages)
			if s.Rows >= 0 {
				out += ", " + rules.Thousands(s.Rows) + " rows"
			}
			return s.Relation + ": " + out
		}
	}
	return ""
}

// drawPlans draws both plans as trees beside each other, what differs in colour; "" where
// they are the same.
func drawPlans(d *work.Diff) template.HTML {
	if d == nil || len(d.Plan) == 0 || d.A == nil || d.B == nil {
		return ""
	}
	both := sides(d.A.Plan, d.B.Plan)
	return `<div class="plans">` + side("A, before", "gone", "only in A", tree(both[0], d.A.Scans)) + side("B, after", "new", "only in B", tree(both[1], d.B.Scans)) + `</div>`
}

func side(title, class, only string, roots []*node) template.HTML {
	var b strings.Builder
	fmt.Fprintf(&b, `<div class="plan"><h4>Plan of %s</h4>`, template.HTMLEscapeString(title))
	var hang func(all []*node)
	hang = func(all []*node) {
		b.WriteString(`<ul>`)
		for _, n := range all {
			mark, word := "", ""
			if n.changed {
				mark, word = " "+class, fmt.Sprintf(`<span class="only">%s</span>`, only)
			}
			fmt.Fprintf(&b, `<li><span class="node%s"><code>%s</code>%s`, mark, template.HTMLEscapeString(report.Printable(n.text)), word)
			if n.facts != "" {
				fmt.Fprintf(&b, `<small>%s</small>`, template.HTMLEscapeString(report.Printable(n.facts)))
			}
			b.WriteString(`</span>`)
			if len(n.children) > 0 {
				hang(n.children)
			}
			b.WriteString(`</li>`)
		}
		b.WriteString(`</ul>`)
	}
	if len(roots) == 0 {
		b.WriteString(`<p class="soft">not known</p>`)
	} else {
		hang(roots)
	}
	b.WriteString(`</div>`)
	return template.HTML(b.String())
}

// workTable has the figures of the database's work, each with bars of both.
func workTable(d *work.Diff) template.HTML {
	if d == nil {
		return ""
	}
	out := template.HTML("")
	for _, f := range d.Figures {
		if f.A == 0 && f.B == 0 {
			continue
		}
		class := ""
		if f.B > f.A {
			class = "bad"
		} else if f.B < f.A {
			class = "good"
		}
		name := strings.ReplaceAll(f.Name, "_", " ")
		out += template.HTML(`<h4>`+template.HTMLEscapeString(name)+`</h4>`) + report.Bars([]report.Bar{
			{Label: "A", Amount: f.A, Value: report.Round(report.Short(f.A))}, {Label: "B", Amount: f.B, Value: report.Round(report.Short(f.B)), Class: class},
		})
	}
	if out == "" {
		return ""
	}
	return `<div class="work">` + out + `</div>`
}
