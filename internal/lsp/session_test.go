package lsp

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/planvet/planvet/internal/casetest"
)

// session is a server in this process, and its client's ends of the pipes.
type session struct {
	t    testing.TB
	in   io.WriteCloser
	got  chan message
	code chan int
	errs *locked
	kept []message
	ids  int
}

// message is what the server sends.
type message struct {
	ID     json.RawMessage
	Method string
	Params json.RawMessage
	Result json.RawMessage
	Error  *struct {
		Code    int
		Message string
	}
}

type locked struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *locked) Write(p []byte) (int, error) { l.mu.Lock(); defer l.mu.Unlock(); return l.b.Write(p) }
func (l *locked) String() string              { l.mu.Lock(); defer l.mu.Unlock(); return l.b.String() }

func newSession(t testing.TB, o Options) *session {
	t.Helper()
	fromClient, in := io.Pipe()
	out, toClient := io.Pipe()
	s := &session{t: t, in: in, got: make(chan message, 1000), code: make(chan int, 1), errs: &locked{}}
	o.Log = s.errs
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		s.code <- Run(ctx, fromClient, toClient, o)
		toClient.Close()
	}()
	t.Cleanup(func() { cancel(); in.Close(); out.Close() })
	go func() {
		defer close(s.got)
		r := newStream(io.NopCloser(bufio.NewReader(out)), io.Discard)
		for {
			body, err := r.body()
			if err != nil {
				return
			}
			var m message
			if err := json.Unmarshal(body, &m); err != nil {
				t.Errorf("the server sends %s", body)
			}
			s.got <- m
		}
	}()
	return s
}

func (s *session) raw(text string) {
	s.t.Helper()
	if _, err := io.WriteString(s.in, text); err != nil {
		s.t.Fatal(err)
	}
}

func (s *session) send(m map[string]any) {
	s.t.Helper()
	m["jsonrpc"] = "2.0"
	b, err := json.Marshal(m)
	if err != nil {
		s.t.Fatal(err)
	}
	s.raw(fmt.Sprintf("Content-Length: %d\r\n\r\n%s", len(b), b))
}

func (s *session) notify(method string, params any) {
	s.t.Helper()
	s.send(map[string]any{"method": method, "params": params})
}

// ask sends a request, and waits for its answer.
func (s *session) ask(method string, params any) message {
	s.t.Helper()
	s.ids++
	id := fmt.Sprint(s.ids)
	s.send(map[string]any{"id": s.ids, "method": method, "params": params})
	return s.until("the answer to "+method, func(m message) bool { return m.Method == "" && string(m.ID) == id })
}

func (s *session) until(what string, meant func(message) bool) message {
	s.t.Helper()
	for i, m := range s.kept {
		if meant(m) {
			s.kept = append(s.kept[:i:i], s.kept[i+1:]...)
			return m
		}
	}
	late := time.After(time.Minute)
	for {
		select {
		case m, ok := <-s.got:
			if !ok {
				s.t.Fatalf("the server ended before %s: %s", what, s.errs)
			}
			if meant(m) {
				return m
			}
			s.kept = append(s.kept, m)
		case <-late:
			s.t.Fatalf("no %s; there is %+v; %s", what, s.kept, s.errs)
		}
	}
}

// told waits for a message in the client's log, or shown, that has the words.
func (s *session) told(method, words string) message {
	s.t.Helper()
	return s.until(words, func(m message) bool { return m.Method == method && strings.Contains(string(m.Params), words) })
}

// ended waits for the exit code.
func (s *session) ended() int {
	s.t.Helper()
	select {
	case code := <-s.code:
		return code
	case <-time.After(time.Minute):
		s.t.Fatal("the server does not end")
		return -1
	}
}

func (s *session) begin(root string, more map[string]any) {
	s.t.Helper()
	params := map[string]any{"processId": nil, "rootUri": uriOf(root), "capabilities": map[string]any{
		"textDocument": map[string]any{"codeAction": map[string]any{"codeActionLiteralSupport": map[string]any{}}},
	}}
	for k, v := range more {
		params[k] = v
	}
	if m := s.ask("initialize", params); m.Error != nil {
		s.t.Fatalf("%+v", m.Error)
	}
	s.notify("initialized", map[string]any{})
}

func (s *session) stop() {
	s.t.Helper()
	if m := s.ask("shutdown", nil); m.Error != nil {
		s.t.Errorf("shutdown: %+v", m.Error)
	}
	s.notify("exit", nil)
	if code := s.ended(); code != 0 {
		s.t.Errorf("exit %d", code)
	}
}

const found = "planvet: /"

// An index is missing, for a query and for a foreign key.
var small = map[string]string{
	"planvet.yaml":          "version: 1\n",
	"migrations/1_base.sql": "create table visits (id bigint primary key, guest bigint not null);\n",
	"queries.sql":           "-- name: Of :many\nselect id from visits where guest = $1;\n",
}

func folderOf(t *testing.T, files map[string]string) string {
	t.Helper()
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	casetest.WriteFiles(t, dir, files)
	return dir
}
