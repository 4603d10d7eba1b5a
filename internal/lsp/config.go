package lsp

import (
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"strconv"

	"github.com/planvet/planvet/internal/engine"
	"github.com/planvet/planvet/internal/report"
)

// placed is how errors about a config name their place: file:line:column: what.
var placed = regexp.MustCompile(`^(?:reading config )?(.*?\.ya?ml)(?::(\d+))?(?::(\d+))?: (.*)$`)

// blamed is the place in a config that an error names; nil where it names none.
func blamed(text string) *problem {
	m := placed.FindStringSubmatch(text)
	if m == nil || !filepath.IsAbs(m[1]) {
		return nil
	}
	if _, err := os.Stat(m[1]); err != nil {
		return nil
	}
	p := &problem{path: filepath.Clean(m[1]), line: 1, text: m[4]}
	if n, err := strconv.Atoi(m[2]); err == nil && n > 0 {
		p.line = n
	}
	p.column, _ = strconv.Atoi(m[3])
	return p
}

// problem is why a project could not be judged, where a file is to blame.
type problem struct {
	path         string
	line, column int
	text         string
}

// failed tells why a run could not be made. What was found before stays: it says nothing
// about that.
func (s *Server) failed(p *project, err error) {
	text := report.Redact(err.Error())
	at := blamed(text)
	s.mu.Lock()
	p.problem = at
	if at == nil {
		p.problem = nil
	}
	p.answer(tally{Note: text})
	s.mu.Unlock()
	s.publish(p)
	var e *engine.Error
	if at != nil && errors.As(err, &e) && e.Kind == engine.Usage {
		s.log(messageError, "planvet: %s", text)
		return
	}
	s.showOnce(messageError, "planvet: "+text)
}
