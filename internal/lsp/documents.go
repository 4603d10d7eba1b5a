package lsp

import (
	"os"
)

// document is a file that is open in the client.
type document struct {
	uri     string
	version int
	text    string
	// unsaved is set where the client's text may not be the file's.
	unsaved bool
}

func (s *Server) didOpen(p *struct {
	TextDocument textDocument `json:"textDocument"`
},
) (any, error) {
	path, ok := pathOf(p.TextDocument.URI)
	if !ok {
		return nil, nil
	}
	d := &document{uri: p.TextDocument.URI, text: p.TextDocument.Text}
	if p.TextDocument.Version != nil {
		d.version = *p.TextDocument.Version
	}
	onDisk, err := os.ReadFile(path)
	d.unsaved = err != nil || string(onDisk) != d.text
	s.mu.Lock()
	s.docs[path] = d
	s.mu.Unlock()
	if p := s.projectOf(path); p != nil && judged(path) {
		s.judgeUnknown(p)
	}
	return nil, nil
}

// didChange takes the whole text, as it was agreed.
func (s *Server) didChange(p *struct {
	TextDocument textDocument `json:"textDocument"`
	Changes      []struct {
		Range *Range `json:"range"`
		Text  string `json:"text"`
	} `json:"contentChanges"`
},
) (any, error) {
	path, _ := pathOf(p.TextDocument.URI)
	s.mu.Lock()
	defer s.mu.Unlock()
	d := s.docs[path]
	if d == nil || len(p.Changes) == 0 {
		return nil, nil
	}
	last := p.Changes[len(p.Changes)-1]
	if last.Range != nil {
		return nil, fault(codeInvalidParams, "a change of a range, where whole texts were agreed on")
	}
	d.text, d.unsaved = last.Text, true
	if p.TextDocument.Version != nil {
		d.version = *p.TextDocument.Version
	}
	return nil, nil
}

func (s *Server) didSave(p *struct {
	TextDocument textDocument `json:"textDocument"`
},
) (any, error) {
	path, ok := pathOf(p.TextDocument.URI)
	if !ok {
		return nil, nil
	}
	s.mu.Lock()
	if d := s.docs[path]; d != nil {
		d.unsaved = false
	}
	s.mu.Unlock()
	s.changed(path)
	return nil, nil
}

func (s *Server) didClose(p *struct {
	TextDocument textDocument `json:"textDocument"`
},
) (any, error) {
	path, _ := pathOf(p.TextDocument.URI)
	s.mu.Lock()
	d := s.docs[path]
	delete(s.docs, path)
	s.mu.Unlock()
	// The file is what it was before edits that nobody saved.
	if d != nil && d.unsaved {
		if p := s.projectOf(path); p != nil {
			s.publish(p)
		}
	}
	return nil, nil
}

func (s *Server) didChangeWatchedFiles(p *struct {
	Changes []struct {
		URI string `json:"uri"`
	} `json:"changes"`
},
) (any, error) {
	for _, c := range p.Changes {
		if path, ok := pathOf(c.URI); ok {
			s.changed(path)
		}
	}
	return nil, nil
}

// changed has every project judged that a file is in.
func (s *Server) changed(path string) {
	if !judged(path) {
		return
	}
	s.projectOf(path) // which a new planvet.yaml makes
	s.mu.Lock()
	var of []*project
	for _, p := range s.projects {
		if within(path, p.root) {
			of = append(of, p)
		}
	}
	s.mu.Unlock()
	s.judge(of...)
}
