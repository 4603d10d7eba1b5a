package lsp

import (
	"slices"
	"strings"

	"github.com/planvet/planvet/internal/report"
	"github.com/planvet/planvet/rules"
)

// standing is a finding where it stands in the client's text.
type standing struct {
	project *project
	finding *rules.Finding
	at      Range
	// same is false where the line was edited since the file was judged.
	same bool
}

// standings are the findings that a file shows; mu is held.
func (s *Server) standings(path string) []standing {
	p := s.ownerOf(path)
	if p == nil || p.result == nil {
		return nil
	}
	var out []standing
	for i := range p.result.findings {
		f := &p.result.findings[i]
		if f.Verdict.Status == rules.Refuted || p.path(f.Location.Path) != path {
			continue
		}
		at, same := s.place(p, f.Location)
		out = append(out, standing{p, f, at, same})
	}
	return out
}

// covers reports whether a range holds a position, its ends included.
func (r Range) covers(p Position) bool {
	return !before(p, r.Start) && !before(r.End, p)
}

func before(a, b Position) bool {
	return a.Line < b.Line || a.Line == b.Line && a.Character < b.Character
}

func (s *Server) hover(q *positionParams) (any, error) {
	path, ok := pathOf(q.TextDocument.URI)
	if !ok {
		return nil, nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	plain := len(s.client.TextDocument.Hover.ContentFormat) > 0 && !slices.Contains(s.client.TextDocument.Hover.ContentFormat, "markdown")
	var parts []string
	var at Range
	edited := false
	for _, f := range s.standings(path) {
		if !f.at.covers(q.Position) {
			continue
		}
		if len(parts) == 0 {
			at = f.at
		}
		edited = edited || !f.same
		o := report.ExplainOptions{Plain: plain, Link: s.link(f.project), Remembered: f.project.result.remembered[f.finding.ID]}
		parts = append(parts, report.Explain(f.finding, o))
	}
	if len(parts) == 0 {
		return nil, nil
	}
	if edited {
		parts = append(parts, "of the file as it was saved last")
	}
	kind, rule := "markdown", "\n\n---\n\n"
	if plain {
		kind, rule = "plaintext", "\n\n"
	}
	return hover{markup{kind, strings.Join(parts, rule)}, at}, nil
}
