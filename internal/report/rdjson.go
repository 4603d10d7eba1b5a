package report

import (
	"io"
	"strings"

	"github.com/planvet/planvet/rules"
)

// Reviewdog's diagnostic format, proto/rdf of reviewdog. It has suggestions too,
// edits of the diagnosed lines; a fix of planvet's is a statement for a migration
// of its own, and is part of the message.
type rdResult struct {
	Source      rdSource       `json:"source"`
	Diagnostics []rdDiagnostic `json:"diagnostics"`
}

type rdSource struct {
	Name string `json:"name"`
	URL  string `json:"url"`
}

type rdDiagnostic struct {
	Message  string      `json:"message"`
	Location rdLocation  `json:"location"`
	Severity string      `json:"severity"`
	Code     rdCode      `json:"code"`
	Related  []rdRelated `json:"relatedLocations,omitempty"`
}

type rdLocation struct {
	Path  string  `json:"path"`
	Range rdRange `json:"range"`
}

type rdRange struct {
	Start rdPosition  `json:"start"`
	End   *rdPosition `json:"end,omitempty"`
}

// rdPosition counts columns in bytes of UTF-8 from 1.
type rdPosition struct {
	Line   int `json:"line"`
	Column int `json:"column,omitempty"`
}

type rdCode struct {
	Value string `json:"value"`
	URL   string `json:"url"`
}

type rdRelated struct {
	Message  string     `json:"message"`
	Location rdLocation `json:"location"`
}

func writeRDJSON(w io.Writer, d *Document, o *WriteOptions) (string, error) {
	at := placesOf(d, o.Repository, inBytes)
	location := func(l rules.Location) rdLocation {
		l = at.of(l)
		r := rdRange{Start: rdPosition{l.Line, l.Column}}
		if l.EndLine > l.Line {
			r.End = &rdPosition{Line: l.EndLine}
		}
		return rdLocation{Printable(l.Path), r}
	}
	out := rdResult{rdSource{"planvet", repository}, []rdDiagnostic{}}
	for _, f := range standing(d) {
		one := rdDiagnostic{
			Message: explains(f, at), Location: location(f.Location), Severity: strings.ToUpper(string(f.Severity)),
			Code: rdCode{Printable(f.Rule), RulePage(f.Rule)},
		}
		for _, r := range f.Related {
			one.Related = append(one.Related, rdRelated{Printable(r.Message), location(r.Location)})
		}
		out.Diagnostics = append(out.Diagnostics, one)
	}
	return "", WriteJSON(w, out)
}
