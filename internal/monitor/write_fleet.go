package monitor

import (
	"fmt"
	"io"

	"github.com/planvet/planvet/internal/report"
)

// fleetDocument is the JSON form of a fleet, a machine format of FormatVersion.
type fleetDocument struct {
	Version       int      `json:"version"`
	CorrelationID string   `json:"correlation_id,omitempty"`
	Targets       []Target `json:"targets"`
}

// FleetJSON writes a fleet as a machine format.
func FleetJSON(w io.Writer, targets []Target, correlationID string) error {
	return report.WriteJSON(w, fleetDocument{FormatVersion, correlationID, targets})
}

// FleetCSV writes the statements of all targets, the target's name in the first column.
func FleetCSV(w io.Writer, targets []Target) error { return tableCSV(w, targets, true) }

// FleetText writes a section for each target.
func FleetText(w io.Writer, targets []Target, o report.TextOptions) error {
	for i := range targets {
		x := &targets[i]
		t := report.NewPrinter(w, o)
		if i > 0 {
			t.Printf("\n")
		}
		t.Paint(report.Blue, "== "+x.Name)
		t.Printf("\n")
		if x.Report == nil {
			t.Printf("%s\n", t.Styled(report.Red, "not read: "+x.Error))
		}
		if err := t.Err(); err != nil {
			return err
		}
		if x.Report != nil {
			if err := Text(w, x.Report, o); err != nil {
				return err
			}
		}
	}
	return nil
}

// FleetMarkdown writes a section for each target.
func FleetMarkdown(w io.Writer, targets []Target) error {
	for i := range targets {
		x := &targets[i]
		if _, err := fmt.Fprintf(w, "## %s\n\n", report.MarkdownText(x.Name)); err != nil {
			return err
		}
		if x.Report == nil {
			if _, err := fmt.Fprintf(w, "Not read: %s\n\n", report.MarkdownText(x.Error)); err != nil {
				return err
			}
			continue
		}
		if err := Markdown(w, x.Report); err != nil {
			return err
		}
	}
	return nil
}
