package report

import (
	"io"

	"github.com/planvet/planvet/rules"
)

// qualityIssue is an entry of GitLab's code quality report, a part of Code
// Climate's format. GitLab shows entries of one fingerprint once.
type qualityIssue struct {
	Description string          `json:"description"`
	CheckName   string          `json:"check_name"`
	Fingerprint string          `json:"fingerprint"`
	Severity    string          `json:"severity"`
	Location    qualityLocation `json:"location"`
}

type qualityLocation struct {
	Path  string       `json:"path"`
	Lines qualityLines `json:"lines"`
}

type qualityLines struct {
	Begin int `json:"begin"`
	End   int `json:"end,omitempty"`
}

// qualitySeverities leave out blocker: GitLab blocks nothing by it, and no rule is
// worse than an error.
var qualitySeverities = map[rules.Severity]string{rules.Error: "critical", rules.Warning: "major", rules.Info: "info"}

// writeCodeQuality writes GitLab's code quality report, the worst first.
func writeCodeQuality(w io.Writer, d *Document, o *WriteOptions) (string, error) {
	at := placesOf(d, o.Repository, inBytes)
	out := []qualityIssue{}
	for _, f := range worstFirst(standing(d)) {
		l := at.of(f.Location)
		out = append(out, qualityIssue{
			Description: says(f), CheckName: Printable(f.Rule), Fingerprint: Printable(f.ID), Severity: qualitySeverities[f.Severity],
			Location: qualityLocation{Printable(l.Path), qualityLines{l.Line, l.EndLine}},
		})
	}
	return "", WriteJSON(w, out)
}
