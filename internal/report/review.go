package report

import (
	"fmt"
	"html"
	"regexp"
	"slices"
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
	// left counts those that the list has no room for.
	left int
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

// GateResult is a gate's verdict, in a line, with a line a case that did not pass, the worst
// first. One that neither Passed nor Failed measured too little.
type GateResult struct {
	Passed   bool
	Failed   bool
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
	tickedMore = regexp.MustCompile(`<!-- planvet:v1 ticked=(\S+) -->\s*$`)
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
		if m := tickedMore.FindStringSubmatch(line); m != nil {
			for _, id := range strings.Split(m[1], ",") {
				t.Findings[id] = true
			}
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

// GateFailed reports whether a gate's regression stands: no person ticked its box.
func (d *Document) GateFailed() bool {
	if d.Review == nil || d.Review.Gate == nil || !d.Review.Gate.Failed {
		return false
	}
	for _, b := range boxes {
		if b.name == "gate" {
			return !b.judge(d).ticked
		}
	}
	return true
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
	if p.left > 0 {
		text := fmt.Sprintf("%s planned, %d of the plans do not fit below", newQueries(n), p.left)
		return state{text: text, why: text}
	}
	return state{ticked: true, text: newQueries(n) + " with the plan below"}
}

func newQueries(n int) string {
	if n == 1 {
		return "1 new or changed query"
	}
	return fmt.Sprintf("%d new or changed queries", n)
}

// plans writes them, those without one first, as far as they fit, and returns how many.
func (t *Printer) plans(d *Document, most int) (shown int) {
	if d.Review == nil || d.Review.Plans == nil || len(d.Review.Plans.Of) == 0 {
		return 0
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
		if n == most || most < 0 && t.written+len(text) > maxPlanBytes {
			t.Printf("\n**%d more plans are left out: they do not fit.**\n", len(order)-n)
			return n
		}
		t.Printf("\n%s", text)
	}
	return len(order)
}

// maxPlanBytes leaves room for the last lines and for what a box says of those left out.
// maxPlanLines and maxQueryBytes are what one plan and its query take: one that is huge must
// not take the room of those after it.
const (
	maxPlanBytes  = 64_300
	maxPlanLines  = 60
	maxLineBytes  = 300
	maxQueryBytes = 4_000
)

// excerpt is the begin of a plan, and says that it goes on.
func excerpt(lines []string) []string {
	if len(lines) > maxPlanLines {
		lines = append(slices.Clone(lines[:maxPlanLines]), fmt.Sprintf("… %d more lines", len(lines)-maxPlanLines))
	}
	out := make([]string, len(lines))
	for i, l := range lines {
		if out[i] = l; len(l) > maxLineBytes {
			out[i] = strings.ToValidUTF8(l[:maxLineBytes], "") + "…"
		}
	}
	return out
}

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
		title += ": no plan: " + htmlText(clip(q.Problem))
		open = " open"
	}
	sql := strings.TrimSpace(q.SQL)
	if len(sql) > maxQueryBytes {
		sql = strings.ToValidUTF8(sql[:maxQueryBytes], "") + "…"
	}
	out := "<details" + open + "><summary>" + title + "</summary>\n\n" + MarkdownFence("sql", sql)
	if len(q.Lines) > 0 {
		out += "\n" + MarkdownFence("text", strings.Join(excerpt(q.Lines), "\n"))
	}
	return out + "\n</details>\n"
}

// htmlText is a text in HTML within Markdown, on one line, that mentions nobody.
func htmlText(s string) string {
	return strings.ReplaceAll(html.EscapeString(Printable(strings.Join(strings.Fields(s), " "))), "@", "&#64;")
}
