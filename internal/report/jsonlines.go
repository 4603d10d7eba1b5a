package report

import (
	"encoding/json"
	"io"
)

// jsonLine is a line of JSON lines: one of its fields is set.
type jsonLine struct {
	Run        *jsonRun     `json:"run,omitempty"`
	Finding    *jsonFinding `json:"finding,omitempty"`
	Unparsed   *jsonError   `json:"unparsed,omitempty"`
	Unresolved *jsonReason  `json:"unresolved,omitempty"`
	NotApplied *jsonError   `json:"not_applied,omitempty"`
	Summary    *jsonSummary `json:"summary,omitempty"`
}

// jsonRun opens the stream: what wrote it, by which version of the schema.
type jsonRun struct {
	SchemaVersion string   `json:"schema_version"`
	Tool          jsonTool `json:"tool"`
}

// JSONLines writes a document by findings-lines.schema.json: the run, each finding,
// each item that was not analysed, and the summary. Its parts are those of JSON.
func JSONLines(w io.Writer, d *Document) error {
	doc := jsonOf(d)
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	lines := []jsonLine{{Run: &jsonRun{doc.SchemaVersion, doc.Tool}}}
	for i := range doc.Findings {
		lines = append(lines, jsonLine{Finding: &doc.Findings[i]})
	}
	for i := range doc.Unparsed {
		lines = append(lines, jsonLine{Unparsed: &doc.Unparsed[i]})
	}
	for i := range doc.Unresolved {
		lines = append(lines, jsonLine{Unresolved: &doc.Unresolved[i]})
	}
	for i := range doc.NotApplied {
		lines = append(lines, jsonLine{NotApplied: &doc.NotApplied[i]})
	}
	lines = append(lines, jsonLine{Summary: &doc.Summary})
	for i := range lines {
		if err := e.Encode(&lines[i]); err != nil {
			return err
		}
	}
	return nil
}
