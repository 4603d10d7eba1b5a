package lsp

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"
)

// progressBar shows what goes on, where the client can. Its messages are sent by a goroutine of
// its own, since the client has to agree before the first.
type progressBar struct {
	says  chan map[string]any
	ended atomic.Bool
}

// bar begins one; cancel, where it is not nil, is what a person's cancelling does.
func (s *Server) bar(title string, cancel context.CancelFunc) *progressBar {
	s.mu.Lock()
	can := s.client.Window.WorkDoneProgress
	s.tokens++
	token := fmt.Sprintf("planvet-%d", s.tokens)
	if can && cancel != nil {
		s.progress[token] = cancel
	}
	s.mu.Unlock()
	if !can {
		return &progressBar{}
	}
	b := &progressBar{says: make(chan map[string]any, 64)}
	b.says <- map[string]any{"kind": "begin", "title": title, "cancellable": cancel != nil}
	go func() {
		ctx, stop := context.WithTimeout(s.ctx, 5*time.Second)
		err := s.conn.Call(ctx, "window/workDoneProgress/create", map[string]string{"token": token}, nil)
		stop()
		for kind := any(""); kind != "end"; {
			m := <-b.says
			if kind = m["kind"]; err == nil {
				s.notify("$/progress", map[string]any{"token": token, "value": m})
			}
		}
		s.mu.Lock()
		delete(s.progress, token)
		s.mu.Unlock()
	}()
	return b
}

// report tells the step; one that finds no room is left out.
func (b *progressBar) report(what string) {
	if b.says == nil || b.ended.Load() || len(b.says) > cap(b.says)/2 {
		return
	}
	b.says <- map[string]any{"kind": "report", "message": what}
}

// end is the last message; only the first counts.
func (b *progressBar) end(what string) {
	if b.says == nil || b.ended.Swap(true) {
		return
	}
	b.says <- map[string]any{"kind": "end", "message": what}
}

func (s *Server) cancelProgress(p *struct {
	Token string `json:"token"`
},
) (any, error) {
	s.mu.Lock()
	cancel := s.progress[p.Token]
	s.mu.Unlock()
	if cancel != nil {
		cancel() // it takes mu itself
	}
	return nil, nil
}

// watchFiles asks to be told of files that change outside of the client.
func (s *Server) watchFiles() {
	watchers := []map[string]string{{"globPattern": "**/*.go"}, {"globPattern": "**/*.sql"}}
	for _, name := range configNames {
		watchers = append(watchers, map[string]string{"globPattern": "**/" + name})
	}
	ctx, stop := context.WithTimeout(s.ctx, 30*time.Second)
	defer stop()
	err := s.conn.Call(ctx, "client/registerCapability", map[string]any{"registrations": []map[string]any{{
		"id": "planvet-files", "method": "workspace/didChangeWatchedFiles", "registerOptions": map[string]any{"watchers": watchers},
	}}}, nil)
	if err != nil && s.ctx.Err() == nil {
		s.log(messageWarning, "planvet: asking to be told of changed files: %v", err)
	}
}
