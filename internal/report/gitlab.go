package report

import (
	"io"
	"strings"

	"github.com/planvet/planvet/rules"
)

// qualityIssue is an entry of GitLab's code quality report, which is Code Climate's
// format: GitLab reads description, check name, fingerprint, severity and place, and
// shows entries of one fingerprint once. Other readers take the rest.
type qualityIssue struct {
	Type        string            `json:"type"`
	Description string            `json:"description"`
	CheckName   string            `json:"check_name"`
	Fingerprint string            `json:"fingerprint"`
	Severity    string            `json:"severity"`
	Categories  []string          `json:"categories"`
	Location    qualityLocation   `json:"location"`
	Others      []qualityLocation `json:"other_locations,omitempty"`
	Content     qualityContent    `json:"content"`
}

type qualityLocation struct {
	Path  string       `json:"path"`
	Lines qualityLines `json:"lines"`
}

type qualityLines struct {
	Begin int `json:"begin"`
	End   int `json:"end"`
}

// qualityContent is Markdown.
type qualityContent struct {
	Body string `json:"body"`
}

// qualitySeverities leave out blocker: GitLab blocks nothing by it, and no rule is
// worse than an error.
var qualitySeverities = map[rules.Severity]string{rules.Error: "critical", rules.Warning: "major", rules.Info: "info"}

// writeCodeQuality writes GitLab's code quality report, the worst first.
func writeCodeQuality(w io.Writer, d *Document, o *WriteOptions) (string, error) {
	at := placesOf(d, o.Repository, inBytes)
	location := func(l rules.Location) qualityLocation {
		l = at.of(l)
		return qualityLocation{Printable(l.Path), qualityLines{l.Line, max(l.Line, l.EndLine)}}
	}
	out := []qualityIssue{}
	for _, f := range worstFirst(standing(d)) {
		one := qualityIssue{
			Type: "issue", Description: says(f), CheckName: Printable(f.Rule), Fingerprint: Printable(f.ID),
			Severity: qualitySeverities[f.Severity], Categories: []string{"Performance"}, Location: location(f.Location),
			Content: qualityContent{strings.TrimPrefix(markdownItem(f, at), "- ")},
		}
		for _, r := range f.Related {
			one.Others = append(one.Others, location(r.Location))
		}
		out = append(out, one)
	}
	return "", WriteJSON(w, out)
}
