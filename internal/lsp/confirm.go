package lsp

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/planvet/planvet/internal/engine"
	"github.com/planvet/planvet/internal/report"
	"github.com/planvet/planvet/rules"
)

// Commands that a client can run.
const (
	checkCommand   = "planvet.check"
	confirmCommand = "planvet.confirm"
)

// tally is what a planner said of a project's findings, counted.
type tally struct {
	Confirmed    int `json:"confirmed"`
	Refuted      int `json:"refuted"`
	Inconclusive int `json:"inconclusive"`
	NotRun       int `json:"notRun"`
	// Note says why nothing more could be said.
	Note string `json:"note,omitempty"`
}

func (t *tally) count(fs []rules.Finding) {
	for i := range fs {
		switch fs[i].Verdict.Status {
		case rules.Confirmed:
			t.Confirmed++
		case rules.Refuted:
			t.Refuted++
		case rules.Inconclusive:
			t.Inconclusive++
		default:
			t.NotRun++
		}
	}
}

func (t *tally) String() string {
	var parts []string
	for _, c := range []struct {
		n    int
		what string
	}{{t.Confirmed, "confirmed"}, {t.Refuted, "refuted"}, {t.Inconclusive, "inconclusive"}, {t.NotRun, "not asked about"}} {
		if c.n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", c.n, c.what))
		}
	}
	if len(parts) == 0 {
		parts = []string{"no findings"}
	}
	if t.Note != "" {
		parts = append(parts, t.Note)
	}
	return strings.Join(parts, ", ")
}

// execute runs a command; arguments are URIs of files or folders, none for all projects.
func execute(ctx context.Context, s *Server, raw json.RawMessage) (any, error) {
	p, err := read[struct {
		Command   string   `json:"command"`
		Arguments []string `json:"arguments"`
	}](raw)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	of := s.allProjects()
	s.mu.Unlock()
	if len(p.Arguments) > 0 {
		of = nil
		for _, uri := range p.Arguments {
			path, ok := pathOf(uri)
			if !ok {
				return nil, fault(codeInvalidParams, "%s names no file", uri)
			}
			if q := s.projectOf(path); q != nil && !slices.Contains(of, q) {
				of = append(of, q)
			}
		}
	}
	switch p.Command {
	case checkCommand:
		s.judge(of...)
		return nil, nil
	case confirmCommand:
		return s.confirm(ctx, of)
	}
	return nil, fault(codeInvalidParams, "there is no command %s", p.Command)
}

// confirm has the findings of projects proved, and waits for it.
func (s *Server) confirm(ctx context.Context, of []*project) (any, error) {
	var all tally
	for _, p := range of {
		done := make(chan tally, 1)
		s.mu.Lock()
		p.asked = append(p.asked, done)
		if p.result == nil && p.problem == nil && !p.working {
			p.wanted = true
		}
		s.start(p)
		s.mu.Unlock()
		select {
		case t := <-done:
			all.Confirmed += t.Confirmed
			all.Refuted += t.Refuted
			all.Inconclusive += t.Inconclusive
			all.NotRun += t.NotRun
			if t.Note != "" {
				all.Note = t.Note
			}
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	s.show(messageInfo, "planvet: "+all.String())
	return all, nil
}

// unproved are the findings that a planner can be asked about and was not; mu is held.
func (p *project) unproved() []int {
	var out []int
	if p.result == nil {
		return nil
	}
	for i := range p.result.findings {
		f := &p.result.findings[i]
		if f.Probe != nil && (f.Verdict.Status == rules.NotRun || f.Verdict.Status == "") {
			out = append(out, i)
		}
	}
	return out
}

// prove asks a throwaway PostgreSQL about the findings that it was not asked about yet.
func (s *Server) prove(ctx context.Context, cancel context.CancelFunc, p *project) {
	s.mu.Lock()
	res, idx := p.result, p.unproved()
	if res == nil {
		t := tally{Note: "the project could not be judged"}
		if p.problem != nil {
			t.Note = p.problem.text
		}
		p.answer(t)
		s.mu.Unlock()
		return
	}
	part := make([]rules.Finding, len(idx))
	for k, i := range idx {
		part[k] = res.findings[i]
	}
	s.mu.Unlock()
	var err error
	if len(part) > 0 {
		bar := s.bar("planvet: proving "+report.Plural(len(part), "finding"), func() {
			s.mu.Lock()
			p.declined = true
			s.mu.Unlock()
			cancel()
		})
		defer bar.end("stopped")
		res.tell.Store(bar)
		part, err = res.engine.Confirm(ctx, part, engine.ConfirmOptions{})
		bar.end("")
	}
	s.mu.Lock()
	if ctx.Err() != nil {
		// What changed is judged first; who still waits is answered after it.
		if p.declined {
			p.answer(tally{Note: "cancelled"})
		}
		s.mu.Unlock()
		return
	}
	for k, i := range idx {
		res.findings[i].Verdict = part[k].Verdict
		if part[k].Verdict.Status != rules.NotRun {
			p.verdicts[res.keys[i]] = part[k].Verdict
		}
	}
	p.declined = true
	var t tally
	t.count(res.findings)
	if err != nil {
		t.Note = report.Redact(err.Error())
	}
	s.mu.Unlock()
	s.publish(p)
	s.mu.Lock()
	p.answer(t) // who hears of it finds it published
	s.mu.Unlock()
	s.log(messageInfo, "planvet: %s: %s", p.root, t.String())
	if err != nil {
		s.showOnce(messageWarning, "planvet: "+err.Error())
	}
}

// recall gives findings the verdicts that were given on the same before, and forgets the
// others; mu is held.
func (p *project) recall() {
	kept := map[string]rules.Verdict{}
	for i := range p.result.findings {
		k := p.result.keys[i]
		if v, ok := p.verdicts[k]; ok {
			kept[k] = v
			p.result.findings[i].Verdict = v
		}
	}
	p.verdicts = kept
}

// keysOf are what verdicts are kept by: all that a planner's answer rests on, which is
// the schema, sizes and settings, and what it is asked. Where the finding stands is none
// of it.
func keysOf(e *engine.Project, fs []rules.Finding) []string {
	base := e.ProofKey()
	out := make([]string, len(fs))
	for i, f := range fs {
		probe := f.Probe
		f.ID, f.Location, f.Related, f.Verdict = "", rules.Location{}, nil, rules.Verdict{}
		b, err := json.Marshal(struct {
			Base    string
			Finding rules.Finding
			Probe   *rules.Probe
		}{base, f, probe})
		if err != nil {
			b = fmt.Appendf(nil, "%s %d %p", base, i, e) // no verdict is carried over
		}
		sum := sha256.Sum256(b)
		out[i] = hex.EncodeToString(sum[:])
	}
	return out
}

// link is the address of a place of the project; mu is held.
func (s *Server) link(p *project) func(rules.Location) string {
	return func(l rules.Location) string {
		return s.uri(filepath.Clean(p.path(l.Path))) + fmt.Sprintf("#L%d", l.Line)
	}
}
