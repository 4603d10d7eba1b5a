package lsp

import (
	"context"
	"encoding/json"
	"strings"

	"github.com/sourcegraph/jsonrpc2"
)

// method answers one kind of message; slow ones have a goroutine of their own.
type method struct {
	call func(context.Context, *Server, json.RawMessage) (any, error)
	slow bool
}

// on is a method whose parameters are of a type.
func on[P any](f func(*Server, *P) (any, error)) method {
	return method{call: func(_ context.Context, s *Server, raw json.RawMessage) (any, error) {
		p, err := read[P](raw)
		if err != nil {
			return nil, err
		}
		return f(s, p)
	}}
}

func read[P any](raw json.RawMessage) (*P, error) {
	p := new(P)
	if err := json.Unmarshal(raw, p); err != nil {
		return nil, fault(codeInvalidParams, "parameters: %v", err)
	}
	return p, nil
}

// nothing is a message whose parameters tell nothing.
func nothing(f func(*Server)) method {
	return method{call: func(_ context.Context, s *Server, _ json.RawMessage) (any, error) { f(s); return nil, nil }}
}

// methods are those that the server knows.
var methods = map[string]method{
	"initialize":  on((*Server).initialize),
	"initialized": nothing((*Server).begin),
	"shutdown":    nothing((*Server).shutdown),
	"exit":        nothing((*Server).exit),

	"textDocument/didOpen":   on((*Server).didOpen),
	"textDocument/didChange": on((*Server).didChange),
	"textDocument/didSave":   on((*Server).didSave),
	"textDocument/didClose":  on((*Server).didClose),

	"workspace/didChangeWatchedFiles":     on((*Server).didChangeWatchedFiles),
	"workspace/didChangeWorkspaceFolders": on((*Server).didChangeFolders),
	"workspace/didChangeConfiguration":    on((*Server).didChangeSettings),

	"textDocument/hover":       on((*Server).hover),
	"textDocument/codeAction":  on((*Server).codeActions),
	"workspace/executeCommand": {call: execute, slow: true},

	"$/cancelRequest":                on((*Server).cancelRequest),
	"$/setTrace":                     nothing(func(*Server) {}),
	"window/workDoneProgress/cancel": on((*Server).cancelProgress),
}

func (s *Server) cancelRequest(p *struct {
	ID jsonrpc2.ID `json:"id"`
},
) (any, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if cancel := s.calls[p.ID]; cancel != nil {
		cancel()
	}
	return nil, nil
}

// initialize agrees on what both can do.
func (s *Server) initialize(p *initializeParams) (any, error) {
	set, problems := readSettings(p.Options)
	s.mu.Lock()
	s.phase, s.client, s.settings = initialized, p.Capabilities, set
	encoding := "utf-16"
	for _, e := range p.Capabilities.General.PositionEncodings {
		if e == "utf-8" {
			s.utf8, encoding = true, e
		}
	}
	for _, f := range p.Folders {
		if path, ok := pathOf(f.URI); ok {
			s.folders = append(s.folders, path)
		}
	}
	if len(p.Folders) == 0 {
		if path, ok := pathOf(p.RootURI); ok {
			s.folders = []string{path}
		} else if p.RootPath != "" {
			s.folders = []string{cleanPath(p.RootPath)}
		}
	}
	s.mu.Unlock()
	if p.ProcessID != nil {
		s.watchParent(*p.ProcessID)
	}
	for _, text := range problems {
		s.show(messageWarning, text)
	}
	return map[string]any{
		"serverInfo": map[string]string{"name": "planvet", "version": s.o.Version},
		"capabilities": map[string]any{
			"positionEncoding": encoding,
			"textDocumentSync": map[string]any{"openClose": true, "change": 1, "save": map[string]bool{"includeText": false}},
			"hoverProvider":    true,
			"codeActionProvider": map[string]any{
				"codeActionKinds": []string{quickFix},
			},
			"executeCommandProvider": map[string]any{"commands": []string{checkCommand, confirmCommand}},
			"workspace": map[string]any{
				"workspaceFolders": map[string]bool{"supported": true, "changeNotifications": true},
			},
		},
	}, nil
}

// begin judges what is there, and asks to be told of changes outside.
func (s *Server) begin() {
	s.mu.Lock()
	folders, watches := s.folders, s.client.Workspace.WatchedFiles.DynamicRegistration
	s.mu.Unlock()
	for _, f := range folders {
		s.judge(s.projectOfFolder(f))
	}
	if watches {
		go s.watchFiles()
	}
}

func (s *Server) shutdown() {
	s.mu.Lock()
	s.phase = shutDown
	for _, p := range s.projects {
		p.stop()
	}
	s.mu.Unlock()
}

func (s *Server) exit() {
	s.mu.Lock()
	code := 1
	if s.phase == shutDown {
		code = 0
	}
	s.mu.Unlock()
	s.ends <- code
}

// settings are what a client's configuration says.
type settings struct {
	// Config is used instead of the planvet.yaml that is found, relative to the folder.
	Config string `json:"config"`
	// Confirm is off, or shadow: findings are proved after each run.
	Confirm string `json:"confirm"`
}

// readSettings reads initializationOptions, or the section of a configuration. What it
// does not understand it says, and does without.
func readSettings(raw json.RawMessage) (set settings, problems []string) {
	set.Confirm = "off"
	if len(raw) == 0 || string(raw) == "null" {
		return set, nil
	}
	d := json.NewDecoder(strings.NewReader(string(raw)))
	d.DisallowUnknownFields()
	if err := d.Decode(&set); err != nil {
		problems = append(problems, "planvet: reading the options: "+strings.TrimPrefix(err.Error(), "json: "))
	}
	if set.Confirm == "" {
		set.Confirm = "off"
	}
	if set.Confirm != "off" && set.Confirm != "shadow" {
		problems = append(problems, "planvet: the option confirm is off or shadow, not "+set.Confirm)
		set.Confirm = "off"
	}
	return set, problems
}

func (s *Server) didChangeSettings(p *struct {
	Settings struct {
		Planvet json.RawMessage `json:"planvet"`
	} `json:"settings"`
},
) (any, error) {
	if len(p.Settings.Planvet) == 0 {
		return nil, nil
	}
	set, problems := readSettings(p.Settings.Planvet)
	for _, text := range problems {
		s.show(messageWarning, text)
	}
	s.mu.Lock()
	changed := set != s.settings
	s.settings = set
	all := s.allProjects()
	s.mu.Unlock()
	if changed {
		s.judge(all...)
	}
	return nil, nil
}
