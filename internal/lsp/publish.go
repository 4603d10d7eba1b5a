package lsp

import (
	"path/filepath"
	"slices"
	"strings"

	"github.com/planvet/planvet/internal/report"
	"github.com/planvet/planvet/rules"
)

var severities = map[rules.Severity]int{
	rules.Error: severityError, rules.Warning: severityWarning, rules.Info: severityInformation,
}

// notNeeded are rules whose place is of something to remove.
var notNeeded = []string{"redundant-index", "ignore-unused"}

// publish sends a project's diagnostics: those of every file that has any, and none for
// files that had some before.
func (s *Server) publish(p *project) {
	s.publishing.Lock()
	defer s.publishing.Unlock()
	s.mu.Lock()
	all := s.diagnostics(p)
	var out []publishParams
	for path := range p.published {
		if all[path] == nil {
			all[path] = []diagnostic{}
		}
	}
	clear(p.published)
	for path, ds := range all {
		if len(ds) > 0 {
			p.published[path] = true
		} else if o := s.ownerOf(path); o != nil && o != p && o.result != nil {
			continue // the other project's are there
		}
		pp := publishParams{URI: s.uri(path), Diagnostics: ds}
		if d := s.docs[path]; d != nil {
			version := d.version
			pp.Version = &version
		}
		out = append(out, pp)
	}
	s.mu.Unlock()
	slices.SortFunc(out, func(a, b publishParams) int { return strings.Compare(a.URI, b.URI) })
	for _, pp := range out {
		s.notify("textDocument/publishDiagnostics", pp)
	}
}

// uri is a file's as the client writes it, where it is open; mu is held.
func (s *Server) uri(path string) string {
	if d := s.docs[path]; d != nil {
		return d.uri
	}
	return uriOf(path)
}

// diagnostics are a project's by file; mu is held.
func (s *Server) diagnostics(p *project) map[string][]diagnostic {
	out := map[string][]diagnostic{}
	if p.problem != nil {
		out[p.problem.path] = []diagnostic{s.problemOf(p.problem)}
	}
	if p.result == nil {
		return out
	}
	for i := range p.result.findings {
		f := &p.result.findings[i]
		path := p.path(f.Location.Path)
		if f.Verdict.Status == rules.Refuted || s.ownerOf(path) != p {
			continue
		}
		out[path] = append(out[path], s.diagnostic(p, f))
	}
	return out
}

// path is a file of the project, as the client names it.
func (p *project) path(rel string) string { return filepath.Join(p.root, filepath.FromSlash(rel)) }

func (s *Server) problemOf(q *problem) diagnostic {
	d := diagnostic{Severity: severityError, Source: "planvet", Message: q.text + "; nothing is judged until this is right"}
	d.Range.Start.Line, d.Range.End.Line = q.line-1, q.line-1
	d.Range.End.Character = 1
	if lines := s.linesNow(q.path); q.line <= len(lines) {
		d.Range = span(lines[q.line-1], q.line-1, q.column, s.utf8)
	}
	return d
}

// diagnostic is a finding; mu is held.
func (s *Server) diagnostic(p *project, f *rules.Finding) diagnostic {
	d := diagnostic{
		Severity: severities[f.Severity], Code: f.Rule, Source: "planvet", Message: said(f),
		Data: &diagnosticData{f.ID},
	}
	d.Range, _ = s.place(p, f.Location)
	can := s.client.TextDocument.PublishDiagnostics
	if can.CodeDescription {
		d.Description = &description{report.RulePage(f.Rule)}
	}
	if can.TagSupport != nil && slices.Contains(notNeeded, f.Rule) {
		d.Tags = []int{tagUnnecessary}
	}
	if can.RelatedInformation {
		for _, r := range f.Related {
			at, _ := s.place(p, r.Location)
			d.Related = append(d.Related, relatedPlace{Location{s.uri(p.path(r.Location.Path)), at}, report.Printable(r.Message)})
		}
	}
	return d
}

// said is a finding's message, how sure it is, and what it is held to.
func said(f *rules.Finding) string {
	out := f.Message
	if f.Certainty == rules.Possible {
		out += " (possible)"
	}
	if st := f.Verdict.Status; st == rules.Confirmed || st == rules.Inconclusive {
		out += " (" + string(st) + ")"
	}
	if f.SpecRef != "" {
		out += " (spec " + f.SpecRef + ")"
	}
	return report.Printable(out)
}

// place is where a place of the last run stands in the client's text. same is false where
// its line was edited since. mu is held.
func (s *Server) place(p *project, l rules.Location) (at Range, same bool) {
	n := max(l.Line-1, 0)
	judged := p.result.files[l.Path]
	if n >= len(judged) {
		return Range{Position{n, 0}, Position{n, 0}}, false
	}
	now, same := n, true
	if d := s.docs[p.path(l.Path)]; d != nil {
		now, same = shiftOf(judged, splitLines(d.text)).line(n)
	}
	return span(judged[n], now, l.Column, s.utf8), same
}
