package lsp

import (
	"cmp"
	"context"
	"fmt"
	"path/filepath"
	"sync/atomic"
	"time"

	"github.com/planvet/planvet/internal/engine"
	"github.com/planvet/planvet/internal/report"
	"github.com/planvet/planvet/rules"
)

// project is one root, and what is known of it. All of it is guarded by the server's mu.
type project struct {
	root string
	// folder is where the client sees it, for a config that is named relative to it.
	folder string

	// wanted is set until a run has seen the last change, which was at since.
	wanted bool
	since  time.Time
	// asked are the commands that wait for verdicts.
	asked []chan<- tally
	// working is set while there is a goroutine for it; cancel stops what that does.
	working bool
	cancel  context.CancelFunc
	left    bool

	result  *result
	problem *problem
	// verdicts are what a planner said of findings, by their keys. declined is set where
	// no planner is asked again until the next run: a person, or an error, said so.
	verdicts map[string]rules.Verdict
	declined bool
	// published are the files for which the client has diagnostics.
	published map[string]bool
}

// result is what the last run that could be made found.
type result struct {
	engine     *engine.Project
	findings   []rules.Finding
	suppressed int
	baselined  int
	// files are the lines of files as they were judged, by path relative to the root.
	files      map[string][]string
	remembered map[string][]report.Remembered
	// keys are what verdicts on the findings are kept by.
	keys []string
	// tell is where the engine's progress goes.
	tell *atomic.Pointer[progressBar]
}

// stop ends what is being done; mu is held.
func (p *project) stop() {
	p.wanted = false
	p.answer(tally{Note: "the session or the project ended"})
	if p.cancel != nil {
		p.cancel()
	}
}

// answer tells those that wait for verdicts; mu is held.
func (p *project) answer(t tally) {
	for _, c := range p.asked {
		c <- t
	}
	p.asked = nil
}

// judge has projects judged, soon: a run that is under way has not seen what changed,
// and is stopped.
func (s *Server) judge(ps ...*project) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, p := range ps {
		if p == nil || p.left {
			continue
		}
		p.wanted, p.since = true, time.Now()
		if p.cancel != nil {
			p.cancel()
		}
		s.start(p)
	}
}

// judgeUnknown has a project judged that never was.
func (s *Server) judgeUnknown(p *project) {
	s.mu.Lock()
	known := p.result != nil || p.problem != nil || p.working
	s.mu.Unlock()
	if !known {
		s.judge(p)
	}
}

// start sees to it that a goroutine works on the project; mu is held.
func (s *Server) start(p *project) {
	if p.working || s.phase == shutDown {
		return
	}
	p.working = true
	s.work.Add(1)
	go func() {
		defer s.work.Done()
		for s.step(p) {
		}
	}()
}

// step does what is to be done next, and reports whether there was anything.
func (s *Server) step(p *project) (more bool) {
	s.mu.Lock()
	ctx, cancel := context.WithCancel(s.ctx)
	defer cancel()
	wait := time.Duration(0)
	prove := len(p.asked) > 0 || s.settings.Confirm == "shadow" && !p.declined && len(p.unproved()) > 0
	switch {
	case s.ctx.Err() != nil || p.left || s.phase == shutDown, !p.wanted && !prove:
		p.working = false
		p.answer(tally{Note: "the session or the project ended"})
		s.mu.Unlock()
		return false
	case p.wanted:
		wait = s.o.Debounce - time.Since(p.since)
	}
	if wait <= 0 {
		p.cancel = cancel
	}
	run := p.wanted
	if wait <= 0 {
		p.wanted = false
	}
	s.mu.Unlock()
	if wait > 0 {
		select {
		case <-time.After(wait):
		case <-s.ctx.Done():
		}
		return true
	}
	select {
	case s.turn <- struct{}{}:
	case <-ctx.Done():
		return true
	}
	defer func() { <-s.turn }()
	defer func() {
		if r := recover(); r != nil {
			s.panicked("judging "+p.root, r)
			s.mu.Lock()
			p.answer(tally{Note: "planvet panicked"})
			p.declined = true
			s.mu.Unlock()
			more = true
		}
	}()
	if run {
		s.run(ctx, p)
	} else {
		s.prove(ctx, cancel, p)
	}
	return true
}

// run judges the project once, and publishes what is found.
func (s *Server) run(ctx context.Context, p *project) {
	bar := s.bar("planvet: "+filepath.Base(p.root), nil)
	defer bar.end("stopped")
	res, err := s.analyse(ctx, p, bar)
	if ctx.Err() != nil {
		bar.end("stopped: something changed")
		return
	}
	if err != nil {
		bar.end("could not be judged")
		s.failed(p, err)
		return
	}
	if moved(res.engine.Root, p.root) {
		// Its planvet.yaml is gone: it is part of another project now.
		bar.end("is another project's")
		s.leave(p)
		s.judge(s.projectOfFolder(p.root))
		return
	}
	s.mu.Lock()
	if p.left {
		s.mu.Unlock()
		return
	}
	p.result, p.problem, p.declined = res, nil, false
	p.recall()
	line := p.line()
	s.mu.Unlock()
	bar.end(line)
	s.publish(p)
	s.log(messageInfo, "planvet: %s: %s", p.root, line)
	for _, list := range []struct {
		what string
		of   []engine.Problem
	}{{"unparsed", res.engine.Unparsed}, {"unresolved", res.engine.Unresolved}, {"not applied", res.engine.NotApplied}} {
		for _, q := range list.of[:min(len(list.of), 50)] {
			s.log(messageLog, "%s: %s:%d: %s", list.what, q.Location.Path, q.Location.Line, q.Text)
		}
	}
}

// analyse is one run of the engine. It looks at ctx between its steps.
func (s *Server) analyse(ctx context.Context, p *project, bar *progressBar) (*result, error) {
	res := &result{files: map[string][]string{}, tell: &atomic.Pointer[progressBar]{}}
	res.tell.Store(bar)
	s.mu.Lock()
	config := s.settings.Config
	var earlier *engine.Project
	if p.result != nil {
		earlier = p.result.engine
	}
	s.mu.Unlock()
	if config != "" && !filepath.IsAbs(config) {
		config = filepath.Join(p.folder, config)
	}
	e, err := engine.Open(engine.Options{
		Dir: p.root, Paths: []string{p.root}, ConfigFile: config, Earlier: earlier,
		Progress: func(what string, _, _ int) { res.tell.Load().report(what) },
	})
	if err != nil {
		return nil, err
	}
	known, err := e.Baseline("")
	if err != nil {
		return nil, err
	}
	if err := e.Load(ctx); err != nil {
		return nil, err
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	res.engine = e
	res.findings, res.suppressed = e.Check()
	if known != nil {
		a := e.ApplyBaseline(known, res.findings)
		res.findings, res.baselined = a.Kept, a.Baselined
	}
	res.keys = keysOf(e, res.findings)
	for i := range res.findings {
		f := &res.findings[i]
		res.read(f.Location.Path)
		for _, r := range f.Related {
			res.read(r.Location.Path)
		}
	}
	if s.o.Remember != nil && len(res.findings) > 0 {
		res.remembered = s.o.Remember(ctx, e.Root, res.findings)
	}
	return res, nil
}

// read keeps the lines of a file as they are now.
func (r *result) read(path string) {
	if _, known := r.files[path]; known {
		return
	}
	text, err := r.engine.Read(path)
	if err != nil {
		r.files[path] = nil
		return
	}
	r.files[path] = splitLines(string(text))
}

// line counts what was found; mu is held.
func (p *project) line() string {
	e, n := p.result.engine, 0
	for i := range p.result.findings {
		if p.result.findings[i].Verdict.Status != rules.Refuted {
			n++
		}
	}
	out := cmp.Or(map[int]string{0: "no findings"}[n], report.Plural(n, "finding"))
	if p.result.suppressed > 0 {
		out += fmt.Sprintf(", %d silenced by comments", p.result.suppressed)
	}
	if p.result.baselined > 0 {
		out += fmt.Sprintf(", %d baselined", p.result.baselined)
	}
	if u, r, a := len(e.Unparsed), len(e.Unresolved), len(e.NotApplied); u+r+a > 0 {
		out += fmt.Sprintf("; not analysed: %d unparsed, %d unresolved, %d not applied", u, r, a)
	}
	return out
}

// moved reports whether the engine found another root than the project's.
func moved(root, of string) bool {
	if real, err := filepath.EvalSymlinks(of); err == nil {
		return root != of && root != real
	}
	return false
}
