package monitor

import (
	"fmt"
	"io"
	"strings"

	"github.com/planvet/planvet/internal/report"
)

// SlopeReport is the JSON form of a Slope: a machine format.
type SlopeReport struct {
	Version       int    `json:"version"`
	CorrelationID string `json:"correlation_id,omitempty"`
	Items         []int  `json:"items"`
	// Failed is set where some statement is called once for each item.
	Failed  bool             `json:"failed"`
	Growing []GrowingOfSlope `json:"growing"`
	Notes   []string         `json:"notes,omitempty"`
}

// GrowingOfSlope is one statement of a SlopeReport.
type GrowingOfSlope struct {
	Fingerprint string  `json:"fingerprint,omitempty"`
	SQL         string  `json:"sql"`
	Owner       string  `json:"owner,omitempty"`
	Growth      string  `json:"growth"`
	Fails       bool    `json:"fails"`
	PerItem     float64 `json:"calls_per_item"`
	Calls       []int64 `json:"calls"`
	Parent      string  `json:"parent,omitempty"`
	ParentRows  []int64 `json:"parent_rows,omitempty"`
	Message     string  `json:"message"`
}

// Report is the slope for people and machines; owners are places of the code by
// fingerprint.
func (s *Slope) Report(owners map[string]string) *SlopeReport {
	out := &SlopeReport{Version: FormatVersion, Items: s.Items, Growing: []GrowingOfSlope{}}
	for i := range s.Growing {
		g := &s.Growing[i]
		x := GrowingOfSlope{
			Fingerprint: g.Query.Fingerprint, SQL: g.Query.SQL, Owner: owners[g.Query.Fingerprint], Growth: g.Growth.String(), Fails: g.Growth.Fails(),
			PerItem: g.PerItem, Calls: g.Calls,
		}
		if g.Parent != nil {
			x.Parent, x.ParentRows = g.Parent.SQL, g.ParentRows
		}
		x.Message = g.message(s.Items)
		out.Failed = out.Failed || x.Fails
		out.Growing = append(out.Growing, x)
	}
	if s.Evicted {
		out.Notes = append(out.Notes, "statements may have been thrown out of pg_stat_statements in a run, or this version does not tell: calls may be missing")
	}
	return out
}

func (g *Growing) message(items []int) string {
	text := fmt.Sprintf("%s: %.2f calls an item, %s for %s items", g.Growth, g.PerItem, arrows(g.Calls), arrows(items))
	if g.Parent != nil {
		link := "as many as the rows of"
		if g.SameGrowth {
			link = "growing as the rows of"
		}
		text += fmt.Sprintf(", %s its parent (%s rows)", link, arrows(g.ParentRows))
	}
	return text
}

// arrows writes figures as they follow each other: 2 → 20.
func arrows[T int | int64](list []T) string {
	out := make([]string, len(list))
	for i, n := range list {
		out[i] = fmt.Sprint(n)
	}
	return strings.Join(out, " → ")
}

// SlopeText writes the report for a terminal.
func SlopeText(w io.Writer, r *SlopeReport, o report.TextOptions) error {
	t := report.NewPrinter(w, o)
	if len(r.Growing) == 0 {
		t.Printf("no statement is called more often for %s items\n", arrows(r.Items))
	}
	for _, g := range r.Growing {
		style := report.Dim
		if g.Fails {
			style = report.Red
		}
		t.Paint(style, g.Message)
		t.Printf("\n  %s\n", report.Printable(report.Shorten(strings.Join(strings.Fields(g.SQL), " "), report.Width(w)-2)))
		if g.Owner != "" {
			t.Printf("  sent by %s\n", report.Printable(g.Owner))
		}
		if g.Parent != "" {
			t.Printf("  parent: %s\n", report.Printable(report.Shorten(strings.Join(strings.Fields(g.Parent), " "), report.Width(w)-10)))
		}
	}
	for _, n := range r.Notes {
		t.Printf("note: %s\n", n)
	}
	return t.Err()
}
