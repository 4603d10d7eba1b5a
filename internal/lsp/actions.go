package lsp

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/planvet/planvet/internal/report"
	"github.com/planvet/planvet/internal/suppress"
	"github.com/planvet/planvet/migrationscan"
	"github.com/planvet/planvet/rules"
)

const quickFix = "quickfix"

// codeActions are what can be done about the findings on the lines asked about, and about
// those that the client names.
func (s *Server) codeActions(q *codeActionParams) (any, error) {
	path, ok := pathOf(q.TextDocument.URI)
	out := []codeAction{}
	fits := len(q.Context.Only) == 0 || slices.ContainsFunc(q.Context.Only, func(k string) bool { return k == "" || k == quickFix })
	s.mu.Lock()
	defer s.mu.Unlock()
	if !ok || !fits || s.client.TextDocument.CodeAction.Literal == nil {
		return out, nil
	}
	named := map[string]bool{}
	for _, d := range q.Context.Diagnostics {
		var data diagnosticData
		if d.Source == "planvet" && json.Unmarshal(d.Data, &data) == nil {
			named[data.Finding] = true
		}
	}
	asks := false
	for _, f := range s.standings(path) {
		on := f.at.Start.Line <= q.Range.End.Line && f.at.End.Line >= q.Range.Start.Line
		if !on && !named[f.finding.ID] {
			continue
		}
		of := []diagnostic{s.diagnostic(f.project, f.finding)}
		if a, ok := s.fix(f); ok {
			a.Diagnostics = of
			out = append(out, a)
		}
		if a, ok := s.silence(path, f); ok {
			a.Diagnostics = of
			out = append(out, a)
		}
		if v := f.finding.Verdict.Status; !asks && f.finding.Probe != nil && (v == rules.NotRun || v == "") {
			asks = true
			out = append(out, codeAction{
				Title: "planvet: prove the project's findings on a throwaway PostgreSQL", Kind: quickFix,
				Command: &command{"Prove findings", confirmCommand, []any{q.TextDocument.URI}},
			})
		}
	}
	return out, nil
}

// fix is DDL that removes the finding, as the next migration or at the end of a schema
// file. An edit of a migration that is there would not run where it has run already.
// Fixes that are no DDL are for a person.
func (s *Server) fix(f standing) (codeAction, bool) {
	if !f.finding.Fix.IsDDL() {
		return codeAction{}, false
	}
	added := f.project.result.engine.FixMigration(f.finding, report.FixSQL(f.finding.Fix), time.Now())
	if len(added) == 0 {
		return codeAction{}, false
	}
	verb := "add migration "
	if added[0].Append {
		verb = "append to "
	}
	sql, more, _ := strings.Cut(strings.TrimSpace(f.finding.Fix.SQL[0]), "\n")
	if more != "" || len(f.finding.Fix.SQL) > 1 {
		sql += " …"
	}
	title := "planvet: " + verb + filepath.Base(added[0].Path) + ": " + report.Printable(report.Shorten(sql, 80))
	return codeAction{Title: title, Kind: quickFix, Preferred: true, Edit: s.addition(f.project, added)}, true
}

// addition is the edit that makes or extends files. A client that cannot be told to make
// a file makes it with the edit of it.
func (s *Server) addition(p *project, added []migrationscan.Added) *workspaceEdit {
	can := s.client.Workspace.WorkspaceEdit
	makes := slices.Contains(can.ResourceOperations, "create")
	e := &workspaceEdit{}
	if !can.DocumentChanges {
		e.Changes = map[string][]textEdit{}
	}
	for _, a := range added {
		path := p.path(a.Path)
		uri, at := s.uri(path), Range{}
		if a.Append {
			at.Start = s.endOf(path)
			at.End = at.Start
		} else if can.DocumentChanges && makes {
			e.DocumentChanges = append(e.DocumentChanges, createFile{"create", uri, createOptions{IgnoreIfExists: true}})
		}
		s.edit(e, path, uri, textEdit{at, a.Text})
	}
	return e
}

// edit adds one edit of a file; mu is held.
func (s *Server) edit(e *workspaceEdit, path, uri string, t textEdit) {
	if e.Changes != nil {
		e.Changes[uri] = append(e.Changes[uri], t)
		return
	}
	e.DocumentChanges = append(e.DocumentChanges, documentEdit{versioned{uri, s.version(path)}, []any{t}})
}

func (s *Server) version(path string) *int {
	if d := s.docs[path]; d != nil {
		v := d.version
		return &v
	}
	return nil
}

// linesNow are the lines of a file in the client, or on disk where it is not open; mu is
// held.
func (s *Server) linesNow(path string) []string {
	if d := s.docs[path]; d != nil {
		return splitLines(d.text)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return nil
	}
	return splitLines(string(text))
}

func (s *Server) endOf(path string) Position {
	lines := s.linesNow(path)
	if len(lines) == 0 {
		return Position{}
	}
	last := lines[len(lines)-1]
	return Position{len(lines) - 1, character(last, len(last), s.utf8)}
}

// silence is a comment that suppresses the finding once a reason stands in it. There is
// none for a file that a program writes, nor for a migration whose checksum its tool
// keeps, nor where the line was edited since.
func (s *Server) silence(path string, f standing) (codeAction, bool) {
	isGo := strings.EqualFold(filepath.Ext(path), ".go")
	if !f.same || !isGo && !strings.EqualFold(filepath.Ext(path), ".sql") || strings.HasPrefix(f.finding.Rule, "ignore-") {
		return codeAction{}, false
	}
	text := strings.Join(s.linesNow(path), "\n")
	if suppress.Generated([]byte(text), isGo) || f.project.result.engine.Checksummed(f.finding.Location.Path) {
		return codeAction{}, false
	}
	in, ok := suppress.Insert([]byte(text), isGo, f.finding.Rule, f.at.Start.Line+1)
	if !ok {
		return codeAction{}, false
	}
	end := "\n"
	if d := s.docs[path]; d != nil && strings.Contains(d.text, "\r\n") {
		end = "\r\n"
	}
	at := Range{Position{in.Line - 1, 0}, Position{in.Line - 1, 0}}
	a := codeAction{Title: "planvet: silence " + f.finding.Rule + " here, with a reason", Kind: quickFix, Edit: &workspaceEdit{}}
	can := s.client.Workspace.WorkspaceEdit
	switch uri := s.uri(path); {
	case can.DocumentChanges && can.SnippetEdits:
		before, _, _ := strings.Cut(in.Text, suppress.Placeholder)
		value := snippetText.Replace(before) + "${1:" + suppress.Placeholder + "}" + end
		a.Edit.DocumentChanges = []any{documentEdit{versioned{uri, s.version(path)}, []any{snippetEdit{at, snippet{"snippet", value}}}}}
	case can.DocumentChanges:
		s.edit(a.Edit, path, uri, textEdit{at, in.Text + end})
	default:
		a.Edit.Changes = map[string][]textEdit{uri: {{at, in.Text + end}}}
	}
	return a, true
}

// snippetText escapes what a snippet would take for its own.
var snippetText = strings.NewReplacer(`\`, `\\`, `$`, `\$`, `}`, `\}`)
