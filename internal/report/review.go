package report

import (
	"fmt"
	"html"
	"regexp"
	"strings"

	"github.com/planvet/planvet/rules"
)

// Review is what a checklist of a change has beside its findings.
type Review struct {
	// Plans are those of the queries that the change brings; nil where no planner was
	// asked, which NoPlans says why.
	Plans   *Plans
	NoPlans string
	// Gate is what a benchmark's gate decided; nil where none was held.
	Gate *GateResult
	// Previous are the ticks of the checklist before this one.
	Previous Ticks
}

// Plans are those of queries that are new or changed.
type Plans struct {
	// Server is what was asked.
	Server string
	Of     []QueryPlan
}

// QueryPlan is a query with its plan.
type QueryPlan struct {
	Location rules.Location
	Symbol   string
	// Changed is set where the query stood there with another text.
	Changed   bool
	SQL, Role string
	// Lines are the plan's; Problem says why there is none.
	Lines   []string
	Problem string
}

// GateResult is a gate's verdict, in a line, with a line a case that did not pass.
type GateResult struct {
	Passed   bool
	Headline string
	Lines    []string
}

// Ticks are what is ticked in a checklist: identities of findings, and of boxes what they
// said then.
type Ticks struct {
	Findings map[string]bool
	Boxes    map[string]string
}

var (
	tickedItem = regexp.MustCompile(`^\s*[-*+] \[[xX]\] .*<!-- planvet:v1 id=(\S+) -->\s*$`)
	tickedBox  = regexp.MustCompile(`^\s*[-*+] \[[xX]\] .*<!-- planvet:v1 box=(\S+) state=([0-9a-f]+) -->\s*$`)
)

// ReadTicks reads them out of a checklist, whatever else the text holds.
func ReadTicks(checklist string) Ticks {
	t := Ticks{Findings: map[string]bool{}, Boxes: map[string]string{}}
	for line := range strings.Lines(checklist) {
		line = strings.TrimRight(line, "\r\n")
		if m := tickedItem.FindStringSubmatch(line); m != nil {
			t.Findings[m[1]] = true
		}
		if m := tickedBox.FindStringSubmatch(line); m != nil {
			t.Boxes[m[1]] = m[2]
		}
	}
	return t
}

// accepted reports whether a person ticked a finding.
func (d *Document) accepted(id string) bool {
	return d.Review != nil && d.Review.Previous.Findings[markdownID(id)]
}

// Unaccepted is the document without the findings that a person ticked, by themselves or
// with their box.
func (d *Document) Unaccepted() *Document {
	accepted := map[int]bool{}
	for i := range d.Findings {
		accepted[i] = d.accepted(d.Findings[i].ID)
	}
	for _, b := range boxes {
		if j := b.judge(d); j.byHand {
			for _, i := range j.findings {
				accepted[i] = true
			}
		}
	}
	out := *d
	out.Findings = nil
	for i := range d.Findings {
		if !accepted[i] {
			out.Findings = append(out.Findings, d.Findings[i])
		}
	}
	return &out
}

// unread reports whether a change holds nothing that planvet reads.
func (d *Document) unread() bool { return d.Summary.Since != nil && d.Summary.Since.FilesRead == 0 }

func (p *Plans) state() state {
	without := 0
	why := ""
	for i := range p.Of {
		if q := &p.Of[i]; q.Problem != "" {
			without++
			why += q.SQL + "\n"
		}
	}
	n := len(p.Of)
	switch {
	case n == 0:
		return state{ticked: true, text: "no query is new or changed"}
	case without > 0:
		return state{text: fmt.Sprintf("%d of %s without a plan, see below", without, newQueries(n)), why: why}
	}
	return state{ticked: true, text: newQueries(n) + " with the plan below"}
}

func newQueries(n int) string {
	if n == 1 {
		return "1 new or changed query"
	}
	return fmt.Sprintf("%d new or changed queries", n)
}

// plans writes them, those without one first, as far as they fit.
func (t *Printer) plans(d *Document) {
	if d.Review == nil || d.Review.Plans == nil || len(d.Review.Plans.Of) == 0 {
		return
	}
	t.Printf("\n### Plans\n\nOf %s.\n", MarkdownText(d.Review.Plans.Server))
	var order []*QueryPlan
	for _, failed := range []bool{true, false} {
		for i := range d.Review.Plans.Of {
			if q := &d.Review.Plans.Of[i]; (q.Problem != "") == failed {
				order = append(order, q)
			}
		}
	}
	for n, q := range order {
		text := q.markdown()
		if t.written+len(text) > maxPlanBytes {
			t.Printf("\n**%d more plans are left out: they do not fit.**\n", len(order)-n)
			return
		}
		t.Printf("\n%s", text)
	}
}

// maxPlanBytes leaves room for the last line.
const maxPlanBytes = 64_500

func (q *QueryPlan) markdown() string {
	kind := "new"
	if q.Changed {
		kind = "changed"
	}
	title := kind + ": <code>" + htmlText(placeOf(q.Location)) + "</code>"
	if q.Symbol != "" {
		title += " " + htmlText(q.Symbol)
	}
	if q.Role != "" {
		title += ", as " + htmlText(q.Role)
	}
	open := ""
	if q.Problem != "" {
		title += ": no plan: " + htmlText(q.Problem)
		open = " open"
	}
	out := "<details" + open + "><summary>" + title + "</summary>\n\n" + MarkdownFence("sql", strings.TrimSpace(q.SQL))
	if len(q.Lines) > 0 {
		out += "\n" + MarkdownFence("text", strings.Join(q.Lines, "\n"))
	}
	return out + "\n</details>\n"
}

// htmlText is a text in HTML within Markdown, on one line, that mentions nobody.
func htmlText(s string) string {
	return strings.ReplaceAll(html.EscapeString(Printable(strings.Join(strings.Fields(s), " "))), "@", "&#64;")
}
