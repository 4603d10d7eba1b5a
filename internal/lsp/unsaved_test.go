package lsp

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/planvet/planvet/internal/shadow/shadowtest"
)

// published waits for diagnostics of a file.
func (s *session) published(path string) publishParams {
	s.t.Helper()
	var p publishParams
	s.until("diagnostics of "+path, func(m message) bool {
		if m.Method != "textDocument/publishDiagnostics" {
			return false
		}
		p = publishParams{}
		return json.Unmarshal(m.Params, &p) == nil && p.URI == uriOf(path)
	})
	return p
}

// Diagnostics of a file with edits that are not saved stand where their lines are now, of
// the version that they are for; when the edits are dropped, where they were.
func TestUnsaved(t *testing.T) {
	dir := folderOf(t, small)
	query, migration := filepath.Join(dir, "queries.sql"), filepath.Join(dir, "migrations/1_base.sql")
	s := newSession(t, Options{})
	s.begin(dir, nil)
	if p := s.published(query); len(p.Diagnostics) != 1 || p.Diagnostics[0].Range.Start.Line != 1 || p.Version != nil {
		t.Errorf("%+v", p)
	}
	s.notify("textDocument/didOpen", map[string]any{"textDocument": map[string]any{"uri": uriOf(query), "version": 1, "text": small["queries.sql"]}})
	s.notify("textDocument/didChange", map[string]any{
		"textDocument":   map[string]any{"uri": uriOf(query), "version": 7},
		"contentChanges": []any{map[string]any{"text": "-- one\n-- two\n-- three\n" + small["queries.sql"]}},
	})
	s.notify("textDocument/didSave", map[string]any{"textDocument": map[string]any{"uri": uriOf(migration)}})
	if p := s.published(query); len(p.Diagnostics) != 1 || p.Diagnostics[0].Range.Start.Line != 4 || p.Version == nil || *p.Version != 7 {
		t.Errorf("%+v", p)
	}
	s.notify("textDocument/didClose", map[string]any{"textDocument": map[string]any{"uri": uriOf(query)}})
	if p := s.published(query); len(p.Diagnostics) != 1 || p.Diagnostics[0].Range.Start.Line != 1 || p.Version != nil {
		t.Errorf("%+v", p)
	}
	s.stop()
}

// A folder that is reached by a link keeps the name that the client has for it.
func TestLink(t *testing.T) {
	link := filepath.Join(t.TempDir(), "link é")
	if err := os.Symlink(folderOf(t, small), link); err != nil {
		t.Skip(err)
	}
	s := newSession(t, Options{})
	s.begin(link, nil)
	if p := s.published(filepath.Join(link, "queries.sql")); len(p.Diagnostics) != 1 {
		t.Errorf("%+v", p)
	}
	s.stop()
}

// A person who cancels a proof has it ended, and the command answered.
func TestCancelProof(t *testing.T) {
	shadowtest.Server(t)
	dir := folderOf(t, small)
	s := newSession(t, Options{})
	s.begin(dir, map[string]any{"capabilities": map[string]any{"window": map[string]any{"workDoneProgress": true}}})
	s.published(filepath.Join(dir, "queries.sql"))
	s.send(map[string]any{"id": "prove", "method": "workspace/executeCommand", "params": map[string]any{"command": confirmCommand}})
	for {
		m := s.until("progress of a proof", func(m message) bool {
			return m.Method == "window/workDoneProgress/create" || m.Method == "$/progress"
		})
		if m.ID != nil {
			s.send(map[string]any{"id": m.ID, "result": nil})
			continue
		}
		if strings.Contains(string(m.Params), `"begin"`) && strings.Contains(string(m.Params), "proving") {
			var p struct{ Token string }
			if err := json.Unmarshal(m.Params, &p); err != nil {
				t.Fatal(err)
			}
			s.notify("window/workDoneProgress/cancel", map[string]any{"token": p.Token})
			break
		}
	}
	m := s.until("the answer", func(m message) bool { return string(m.ID) == `"prove"` })
	if m.Error != nil || !strings.Contains(string(m.Result), "cancelled") {
		t.Errorf("%s %+v", m.Result, m.Error)
	}
	s.stop()
}
