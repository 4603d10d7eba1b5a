package explain

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/planvet/planvet/internal/report"
)

// Text writes a report for a terminal: the verdict, the plan as a tree with the
// share of each step, then findings and what to do, fitted to o.Width.
func Text(w io.Writer, r *Report, o report.TextOptions) error {
	r = presentable(r)
	t := newText(w, o)
	t.headline(r)
	t.timing(r)
	for i := range r.Plans {
		// The others are compared below; their trees are in the JSON and the page.
		if i == 0 {
			t.plan(&r.Plans[i])
		}
	}
	t.findings(r.Findings)
	t.recommendations("recommendations", r.Recommendations)
	t.remembered(r.Remembered)
	t.indexes(r.Indexes)
	t.plans(r)
	t.rls(r.RLS)
	t.notes(r)
	return t.Err()
}

type text struct {
	*report.Printer
	width int
}

func newText(w io.Writer, o report.TextOptions) *text {
	if o.Width <= 0 {
		o.Width = report.DefaultWidth
	}
	return &text{Printer: report.NewPrinter(w, o), width: max(o.Width, 40)}
}

// heading starts a section.
func (t *text) heading(s, rest string) {
	t.Printf("\n")
	t.Paint(report.Bold, s)
	if rest != "" {
		t.Printf(" ")
		t.Paint(report.Dim, rest)
	}
	t.Printf("\n")
}

// say writes a text, wrapped, with its first line after a label and the others under
// it.
func (t *text) say(style report.Style, label, s string) {
	indent := strings.Repeat(" ", report.Cells(label))
	for i, l := range report.Wrap(s, t.width-len(indent)) {
		if i == 0 {
			t.Printf("%s", label)
		} else {
			t.Printf("%s", indent)
		}
		t.Paint(style, l)
		t.Printf("\n")
	}
}

// shownLines is how much of a statement the head shows.
const shownLines = 3

func (t *text) headline(r *Report) {
	lines := report.Wrap(r.SQL, t.width)
	if len(lines) > shownLines {
		lines = lines[:shownLines]
		lines[shownLines-1] = report.Shorten(lines[shownLines-1]+" …", t.width)
	}
	for _, l := range lines {
		t.Printf("%s\n", l)
	}
	t.say(report.Dim, "", whereLine(&r.Server))
	t.Printf("\n")
	style := report.Green
	if f := worst(r); f != nil {
		style = severity(f.Severity)
	} else if i, _ := mostGained(r); i >= 0 {
		style = report.Blue
	}
	t.say(style, "", figuresLine(r)+"; "+worstLine(r))
}

func severity(s string) report.Style {
	switch s {
	case Critical:
		return report.Red
	case Warning:
		return report.Yellow
	}
	return report.Blue
}

func (t *text) timing(r *Report) {
	if r.Timing == nil {
		return
	}
	t.heading("timing", "")
	row := func(name string, run Run, remark string) []string {
		return []string{name, report.MS(run.PlanningMS), report.MS(run.ExecutionMS), report.Short(float64(run.Hit)), report.Short(float64(run.Read)), remark}
	}
	rows := [][]string{row("cold", r.Timing.Cold, "first run")}
	last := r.Timing.Cold
	if r.Timing.Runs > 0 {
		last = r.Timing.Warm
		rows = append(rows, row("warm", last, spread(r.Timing)))
	}
	t.Table("  ", t.width, []report.Column{
		{Title: ""}, {Title: "planning", Right: true}, {Title: "execution", Right: true},
		{Title: "blocks hit", Right: true}, {Title: "read", Right: true}, {Title: ""},
	}, rows)
	t.Printf("  planning is %s of the time", report.Percent(planningShare(last)))
	if len(r.Plans) > 0 && r.Plans[0].HitRatio != nil {
		t.Printf("; %s of its blocks were cached", report.Percent(*r.Plans[0].HitRatio))
	}
	t.Printf("\n")
}

func (t *text) findings(fs []Finding) {
	if len(fs) == 0 {
		return
	}
	t.heading("findings", "")
	for i := range fs {
		f := &fs[i]
		label := fmt.Sprintf("  [%d] ", f.ID)
		t.Printf("%s", label)
		t.Paint(severity(f.Severity), f.Severity)
		t.Printf(" ")
		t.Paint(report.Dim, line(findingPlace(f)))
		t.Printf("\n")
		indent := strings.Repeat(" ", len(label))
		t.say(report.Plain, indent, f.Message)
		if f.Cause != "" {
			t.say(report.Plain, indent+"cause: ", f.Cause)
		}
		if f.Advice != "" {
			t.say(report.Plain, indent+"→ ", f.Advice)
		}
	}
}

// findingPlace says by which heuristic, where and of how much a finding is.
func findingPlace(f *Finding) string {
	s := f.Heuristic
	if f.Step > 0 {
		s += fmt.Sprintf(", step %d", f.Step)
	}
	if f.Share > 0 {
		s += ", " + report.Percent(f.Share) + " of the query"
	}
	return s
}

func (t *text) recommendations(title string, recs []Recommendation) {
	if len(recs) == 0 {
		return
	}
	t.heading(title, "")
	for i := range recs {
		rec := &recs[i]
		label := fmt.Sprintf("  %d. ", i+1)
		indent := strings.Repeat(" ", len(label))
		t.say(report.Plain, label, rec.Kind+": "+rec.Title)
		style := report.Green
		if rec.Verified == "" {
			style = report.Yellow
		}
		t.say(style, indent, verified(rec)+": "+rec.Why)
		for _, l := range effectLines(rec) {
			t.say(report.Bold, indent+"  ", l)
		}
		if rec.Query != "" {
			t.code(indent+"query: ", rec.Query)
		}
		for _, s := range rec.SQL {
			t.code(indent+"run:   ", s)
		}
		for _, s := range rec.Undo {
			t.code(indent+"undo:  ", s)
		}
		if len(rec.Replaces) > 0 {
			t.say(report.Plain, indent+"makes redundant: ", strings.Join(rec.Replaces, ", "))
		}
		if rec.Cost != "" {
			t.say(report.Plain, indent+"costs: ", rec.Cost)
		}
	}
}

// remembered is what a memory tells of the shape.
func (t *text) remembered(rs []report.Remembered) {
	if len(rs) == 0 {
		return
	}
	t.heading("remembered", "")
	for _, r := range rs {
		t.say(report.Plain, "  - ", line(r.Text))
	}
}

// code writes SQL as it is, so that it can be copied: lines are not wrapped.
func (t *text) code(label, sql string) {
	for i, l := range strings.Split(strings.TrimSpace(sql), "\n") {
		if i > 0 {
			label = strings.Repeat(" ", len(label))
		}
		t.Printf("%s%s\n", label, report.Printable(strings.TrimRight(l, " \t")))
	}
}

func (t *text) indexes(us []IndexUse) {
	if len(us) == 0 {
		return
	}
	t.heading("indexes", "")
	for _, u := range usedIndexes(us) {
		facts := append([]string{fmt.Sprintf("step %d", u.Step)}, indexFacts(&u)...)
		t.say(report.Plain, "  ", indexName(&u)+" on "+u.Relation+": "+strings.Join(facts, "; "))
		if u.Condition != "" {
			t.say(report.Dim, "      searched by ", u.Condition)
		}
		if u.Filter != "" {
			t.say(report.Dim, "      checked after ", u.Filter)
		}
	}
	if unused := unusedIndexes(us); unused != "" {
		t.say(report.Dim, "  not used: ", unused)
	}
}

func (t *text) notes(r *Report) {
	lines := append(parameterLines(r), noteLines(r)...)
	if len(lines) == 0 {
		return
	}
	t.heading("notes", "")
	for _, n := range lines {
		t.say(report.Plain, "  - ", n)
	}
}

// noteLines are how the report was made: changes to the text, settings, notes.
func noteLines(r *Report) []string {
	var out []string
	for _, c := range r.Cleaned {
		out = append(out, "the text was changed: "+line(c))
	}
	for _, k := range slices.Sorted(maps.Keys(r.Server.Settings)) {
		out = append(out, "set "+line(k)+" = "+line(r.Server.Settings[k]))
	}
	for _, n := range r.Notes {
		out = append(out, line(n))
	}
	if r.CorrelationID != "" {
		out = append(out, "correlation id "+line(r.CorrelationID))
	}
	return out
}

// parameterLines say what each parameter was and where its value is from.
func parameterLines(r *Report) []string {
	var out []string
	for i := range r.Parameters {
		p, value := &r.Parameters[i], "NULL"
		if p.Value != nil {
			value = line(*p.Value)
		}
		s := fmt.Sprintf("$%d %s = %s", p.Number, line(p.Type), value)
		if p.Column != "" {
			s += " for " + line(p.Column)
		}
		out = append(out, s+" ("+line(p.Source)+")")
	}
	return out
}
