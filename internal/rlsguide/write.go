package rlsguide

import (
	"fmt"
	"io"

	"github.com/planvet/planvet/internal/report"
)

// Report is a run of the guide's pairs. Its JSON form is a machine format.
type Report struct {
	Version int    `json:"version"`
	Server  string `json:"server"`
	// Rows is how many rows each form reads; the guide's figures are for 100,000.
	Rows  int    `json:"rows"`
	Guide string `json:"guide"`
	Pairs []Line `json:"pairs"`
	// Differs is what is otherwise than in the guide.
	Differs []string `json:"differs"`
}

// Line is one pair, in milliseconds.
type Line struct {
	Pair string `json:"pair"`
	Slow string `json:"slow"`
	Fast string `json:"fast"`
	// Stopped is set where the slow form was stopped: Before is a lower bound then.
	Stopped     bool    `json:"stopped,omitempty"`
	Before      float64 `json:"before_ms"`
	After       float64 `json:"after_ms"`
	Factor      float64 `json:"factor"`
	GuideBefore float64 `json:"guide_before_ms"`
	GuideAfter  float64 `json:"guide_after_ms"`
	GuideFactor float64 `json:"guide_factor"`
}

// NewReport makes a report of a run.
func NewReport(rs []Result, server string) *Report {
	r := &Report{Version: 1, Server: server, Rows: Rows, Guide: Source, Pairs: []Line{}, Differs: append([]string{}, Check(rs)...)}
	for _, x := range rs {
		r.Pairs = append(r.Pairs, Line{
			Pair: x.Name, Slow: x.Shows[0], Fast: x.Shows[1], Stopped: x.Slow.Stopped, Before: x.Slow.MS, After: x.Fast.MS, Factor: x.Factor(),
			GuideBefore: x.GuideSlow, GuideAfter: x.GuideFast, GuideFactor: x.GuideSlow / x.GuideFast,
		})
	}
	return r
}

var columns = []report.Column{
	{Title: "pair"}, {Title: "slow form"}, {Title: "fast form"}, {Title: "before", Right: true}, {Title: "after", Right: true}, {Title: "factor", Right: true},
	{Title: "guide: before", Right: true}, {Title: "after", Right: true}, {Title: "factor", Right: true},
}

// row is a line's cells; code is how policies are written.
func (l *Line) row(code func(string) string) []string {
	bound := ""
	if l.Stopped {
		bound = "over "
	}
	return []string{
		l.Pair, code(l.Slow), code(l.Fast), bound + report.MS(l.Before), report.MS(l.After), bound + report.Times(l.Factor),
		report.MS(l.GuideBefore), report.MS(l.GuideAfter), report.Times(l.GuideFactor),
	}
}

func (r *Report) headline() string {
	return fmt.Sprintf("Supabase's guide on PostgreSQL %s, reading %s; the guide's figures are for 100,000", r.Server, report.Plural(r.Rows, "row"))
}

// Text writes the report for a terminal.
func (r *Report) Text(w io.Writer, o report.TextOptions) error {
	t := report.NewPrinter(w, o)
	t.Paint(report.Bold, r.headline())
	t.Printf("\n%s\n\n", r.Guide)
	var rows [][]string
	for i := range r.Pairs {
		rows = append(rows, r.Pairs[i].row(func(s string) string { return s }))
	}
	t.Table("", max(o.Width, 140), columns, rows)
	for _, d := range r.Differs {
		t.Printf("\n")
		t.Paint(report.Red, "differs: "+d)
	}
	t.Printf("\n")
	return t.Err()
}

// JSON writes the report as JSON.
func (r *Report) JSON(w io.Writer) error { return report.WriteJSON(w, r) }

// Markdown writes the table as Markdown.
func (r *Report) Markdown(w io.Writer) error {
	var rows [][]string
	for i := range r.Pairs {
		rows = append(rows, r.Pairs[i].row(report.MarkdownCode))
	}
	if _, err := fmt.Fprintf(w, "%s.\n\n%s", r.headline(), report.MarkdownTable(columns, rows)); err != nil {
		return err
	}
	for _, d := range r.Differs {
		if _, err := fmt.Fprintf(w, "\nDiffers: %s.\n", report.MarkdownText(d)); err != nil {
			return err
		}
	}
	return nil
}
