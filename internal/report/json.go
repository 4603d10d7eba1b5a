package report

import (
	"cmp"
	"encoding/json"
	"io"
	"slices"

	"github.com/planvet/planvet/rules"
)

const schemaVersion = "1"

type jsonDocument struct {
	SchemaVersion string        `json:"schema_version"`
	Tool          jsonTool      `json:"tool"`
	Summary       jsonSummary   `json:"summary"`
	Findings      []jsonFinding `json:"findings"`
	Unparsed      []jsonError   `json:"unparsed"`
	Unresolved    []jsonReason  `json:"unresolved"`
	NotApplied    []jsonError   `json:"not_applied"`
}

// jsonFinding is a finding, and what a memory tells of it.
type jsonFinding struct {
	rules.Finding
	Remembered []Remembered `json:"remembered,omitempty"`
}

type jsonTool struct {
	Name    string `json:"name"`
	Version string `json:"version"`
}

type jsonSummary struct {
	Migrations int          `json:"migrations"`
	Tables     int          `json:"tables"`
	Indexes    int          `json:"indexes"`
	Policies   int          `json:"policies"`
	Statements int          `json:"statements"`
	GoPackages int          `json:"go_packages"`
	Findings   jsonSeverity `json:"findings"`
	Workload   *Workload    `json:"workload,omitempty"`
	Since      *Since       `json:"since,omitempty"`
	Baseline   *Baseline    `json:"baseline,omitempty"`
	ElapsedMS  int64        `json:"elapsed_ms"`
}

// jsonSeverity counts every finding of the list, refuted and possible ones too.
type jsonSeverity struct {
	Error   int `json:"error"`
	Warning int `json:"warning"`
	Info    int `json:"info"`
}

type jsonError struct {
	Location rules.Location `json:"location"`
	Error    string         `json:"error"`
}

type jsonReason struct {
	Location rules.Location `json:"location"`
	Reason   string         `json:"reason"`
}

// JSON writes a document by findings.schema.json.
func JSON(w io.Writer, d *Document) error { return WriteJSON(w, jsonOf(d)) }

func jsonOf(d *Document) *jsonDocument {
	s := d.Summary
	doc := &jsonDocument{
		SchemaVersion: schemaVersion,
		Tool:          jsonTool{"planvet", d.Version},
		Summary: jsonSummary{
			Migrations: s.Migrations, Tables: s.Tables, Indexes: s.Indexes, Policies: s.Policies,
			Statements: s.Statements, GoPackages: s.GoPackages, Workload: s.Workload, Since: s.Since, Baseline: s.Baseline, ElapsedMS: s.ElapsedMS,
		},
		Findings: make([]jsonFinding, len(d.Findings)),
		Unparsed: jsonErrors(d.Unparsed), Unresolved: jsonReasons(d.Unresolved), NotApplied: jsonErrors(d.NotApplied),
	}
	for i, f := range d.Findings {
		switch f.Severity {
		case rules.Error:
			doc.Summary.Findings.Error++
		case rules.Warning:
			doc.Summary.Findings.Warning++
		case rules.Info:
			doc.Summary.Findings.Info++
		}
		f.Location = valid(f.Location)
		f.Related = slices.Clone(f.Related)
		for j := range f.Related {
			f.Related[j].Location = valid(f.Related[j].Location)
		}
		if f.Verdict.Status == "" {
			f.Verdict.Status = rules.NotRun
		}
		// A server's error may repeat what it was given.
		f.Verdict.Reason = Redact(f.Verdict.Reason)
		doc.Findings[i] = jsonFinding{f, d.Remembered[f.ID]}
	}
	return doc
}

// WriteJSON writes any document as every command does: indented, SQL's < and >
// left readable, with a final new line.
func WriteJSON(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(v)
}

// valid makes a location one that the schema takes: lines count from 1.
func valid(l rules.Location) rules.Location {
	l.Line = max(l.Line, 1)
	l.Column = max(l.Column, 0)
	if l.EndLine < l.Line {
		l.EndLine = 0
	}
	return l
}

func jsonErrors(ps []Problem) []jsonError {
	out := make([]jsonError, 0, len(ps))
	for _, p := range sortedProblems(ps) {
		out = append(out, jsonError{valid(p.Location), Redact(p.Text)})
	}
	return out
}

func jsonReasons(ps []Problem) []jsonReason {
	out := make([]jsonReason, 0, len(ps))
	for _, p := range sortedProblems(ps) {
		out = append(out, jsonReason{valid(p.Location), Redact(p.Text)})
	}
	return out
}

// compareLocations orders by place, then by what is said there.
func compareLocations(a, b rules.Location, x, y string) int {
	return cmp.Or(
		cmp.Compare(a.Path, b.Path), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column), cmp.Compare(x, y),
	)
}
