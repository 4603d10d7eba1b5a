package slo

import (
	"bufio"
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/planvet/planvet/internal/audit"
	"github.com/planvet/planvet/internal/report"
)

// Budget is what a window of runs spent of what objectives allow.
type Budget struct {
	Version int       `json:"version"`
	From    time.Time `json:"from"`
	To      time.Time `json:"to"`
	// Runs are those in the window.
	Runs  int    `json:"runs"`
	Lines []Line `json:"budgets"`
}

// Line is the budget of one target, the emptiest first.
type Line struct {
	Service   string `json:"service"`
	Operation string `json:"operation"`
	SpecRef   string `json:"spec_ref,omitempty"`
	Measure   string `json:"measure"`
	// Allowed is the share of Samples that may be Bad: 0.05 of a p95.
	Allowed float64 `json:"allowed_share"`
	Samples int     `json:"samples"`
	Bad     int     `json:"bad"`
	// Budget is how many may be bad: Allowed of Samples. Remaining is the share of it
	// that is left, 1 - Bad/Budget: negative where more was spent.
	Budget    float64 `json:"budget"`
	Remaining float64 `json:"remaining"`
	// Burn is the rate of spending: at 1 the budget is spent when the window ends.
	// LastBurn is that of the latest run alone.
	Burn     float64 `json:"burn"`
	LastBurn float64 `json:"last_burn"`
	// Uncounted are runs whose results hold an interval and no counts: they are not in
	// the figures.
	Uncounted int  `json:"uncounted_runs"`
	Empty     bool `json:"empty"`
}

// ReadHistory reads what slo check --history appended: a report a line.
func ReadHistory(in io.Reader) ([]*Compliance, error) {
	var out []*Compliance
	lines := bufio.NewScanner(in)
	lines.Buffer(nil, 64<<20)
	for n := 1; lines.Scan(); n++ {
		if len(lines.Bytes()) == 0 {
			continue
		}
		var c Compliance
		if err := json.Unmarshal(lines.Bytes(), &c); err != nil {
			return nil, fmt.Errorf("line %d is no report of slo check: %w", n, err)
		}
		if c.Version != ReportVersion {
			return nil, fmt.Errorf("line %d is of version %d, this planvet knows %d", n, c.Version, ReportVersion)
		}
		out = append(out, &c)
	}
	return out, lines.Err()
}

// Append writes the report as one line of a history.
func (c *Compliance) Append(w io.Writer) error {
	line, err := json.Marshal(c)
	if err == nil {
		_, err = w.Write(append(line, '\n')) // one write, so that runs side by side do not mix
	}
	return err
}

// allowedShare is the share of samples that a target lets be over it; false for a
// target that is not about a share.
func (m *Measure) allowedShare() (float64, bool) {
	switch m.Name {
	case "p50_ms":
		return 0.5, true
	case "p95_ms":
		return 0.05, true
	case "p99_ms":
		return 0.01, true
	case "error_rate":
		return m.Target, true
	}
	return 0, false
}

// BudgetOf sums the runs of a history that ended within a window before an instant. A
// target that changed counts each run by the target that it had then; the allowed share
// is the latest.
func BudgetOf(history []*Compliance, to time.Time, window time.Duration) *Budget {
	out := &Budget{Version: ReportVersion, From: to.Add(-window), To: to, Lines: []Line{}}
	runs := slices.DeleteFunc(slices.Clone(history), func(c *Compliance) bool { return c.Measured.Before(out.From) || c.Measured.After(to) })
	slices.SortStableFunc(runs, func(a, b *Compliance) int { return a.Measured.Compare(b.Measured) })
	out.Runs = len(runs)
	for _, run := range runs {
		last := map[int][2]int{} // by line, what this run has: samples, bad
		uncounted := map[int]bool{}
		for i := range run.Checked {
			ch := &run.Checked[i]
			for k := range ch.Measures {
				m := &ch.Measures[k]
				allowed, ok := m.allowedShare()
				if !ok {
					continue
				}
				at := out.line(ch.Service, ch.Operation, m.Name)
				l := &out.Lines[at]
				l.Allowed, l.SpecRef = allowed, ch.SpecRef
				if m.Over == nil {
					uncounted[at] = true
					continue
				}
				l.Samples, l.Bad = l.Samples+m.Samples, l.Bad+*m.Over
				last[at] = [2]int{last[at][0] + m.Samples, last[at][1] + *m.Over}
			}
		}
		for at := range uncounted {
			out.Lines[at].Uncounted++
		}
		for at, n := range last {
			l := &out.Lines[at]
			l.LastBurn = burn(n[1], n[0], l.Allowed)
		}
	}
	for i := range out.Lines {
		l := &out.Lines[i]
		l.Budget, l.Burn = l.Allowed*float64(l.Samples), burn(l.Bad, l.Samples, l.Allowed)
		l.Remaining = 1 - l.Burn
		l.Empty = l.Samples > 0 && l.Remaining <= 0
	}
	slices.SortStableFunc(out.Lines, func(a, b Line) int {
		return cmp.Or(cmp.Compare(a.Remaining, b.Remaining), cmp.Compare(a.Service, b.Service), cmp.Compare(a.Operation, b.Operation), cmp.Compare(a.Measure, b.Measure))
	})
	return out
}

// burn is the share of bad samples in shares of the allowed one. Where none is allowed
// each bad one is a whole budget.
func burn(bad, samples int, allowed float64) float64 {
	switch {
	case samples == 0:
		return 0
	case allowed == 0:
		return float64(bad)
	}
	return float64(bad) / (allowed * float64(samples))
}

// line finds the line of a target, or adds it.
func (b *Budget) line(service, operation, measure string) int {
	at := slices.IndexFunc(b.Lines, func(l Line) bool {
		return l.Service == service && l.Operation == operation && l.Measure == measure
	})
	if at < 0 {
		at = len(b.Lines)
		b.Lines = append(b.Lines, Line{Service: service, Operation: operation, Measure: measure})
	}
	return at
}

// Empty reports whether a budget is spent.
func (b *Budget) Empty() bool {
	return slices.ContainsFunc(b.Lines, func(l Line) bool { return l.Empty })
}

// Events are the budgets for an audit log.
func (b *Budget) Events() []audit.Event {
	out := []audit.Event{}
	for i := range b.Lines {
		l := &b.Lines[i]
		verdict := "left"
		if l.Empty {
			verdict = "empty"
		}
		out = append(out, audit.Event{Kind: "slo-budget", Subject: l.Service + " " + l.Operation + " " + l.Measure, Metric: "remaining_share", Value: &l.Remaining, Verdict: verdict})
	}
	return out
}

// JSON writes the budgets as a machine format.
func (b *Budget) JSON(w io.Writer) error { return report.WriteJSON(w, b) }

var budgetColumns = []report.Column{{Title: "objective"}, {Title: "measure"}, {Title: "samples", Right: true}, {Title: "bad", Right: true}, {Title: "budget", Right: true}, {Title: "burn", Right: true}, {Title: "last run", Right: true}, {Title: "remaining", Right: true}}

func (b *Budget) rows(escape func(string) string) [][]string {
	var rows [][]string
	for i := range b.Lines {
		l := &b.Lines[i]
		row := []string{escape(l.Service + " " + l.Operation + spec(", ", l.SpecRef)), (&Measure{Name: l.Measure}).label(), fmt.Sprint(l.Samples), fmt.Sprint(l.Bad), fmt.Sprintf("%.1f", l.Budget), report.Times(l.Burn), report.Times(l.LastBurn), fmt.Sprintf("%.1f %%", 100*l.Remaining)}
		if l.Samples == 0 {
			row[5], row[6], row[7] = "-", "-", "no counts"
		}
		rows = append(rows, row)
	}
	return rows
}

func (b *Budget) headline() string {
	return fmt.Sprintf("%s from %s to %s", report.Plural(b.Runs, "run"), b.From.UTC().Format(time.DateOnly), b.To.UTC().Format(time.DateOnly))
}

// Text writes the budgets for people.
func (b *Budget) Text(w io.Writer, o report.TextOptions) error {
	t := report.NewPrinter(w, o)
	t.Printf("%s\n", b.headline())
	if len(b.Lines) > 0 {
		t.Printf("\n")
		t.Table("", 0, budgetColumns, b.rows(report.Printable))
	}
	return t.Err()
}

// Markdown writes the budgets for a step summary or a comment.
func (b *Budget) Markdown(w io.Writer) error {
	_, err := fmt.Fprintf(w, "%s\n\n%s", b.headline(), report.MarkdownTable(budgetColumns, b.rows(report.MarkdownText)))
	return err
}
