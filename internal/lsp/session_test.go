package lsp

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/planvet/planvet/internal/casetest"
	"github.com/planvet/planvet/internal/report"
	"github.com/planvet/planvet/rules"
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

// What a client may do wrong has its error, and the session goes on.
func TestProtocol(t *testing.T) {
	s := newSession(t, Options{})
	code := func(m message) int {
		t.Helper()
		if m.Error == nil {
			t.Fatalf("no error: %+v", m)
		}
		return m.Error.Code
	}
	if got := code(s.ask("textDocument/hover", map[string]any{})); got != codeNotInitialized {
		t.Errorf("before initialize: %d", got)
	}
	null := func(m message) bool { return m.Method == "" && string(m.ID) == "null" }
	for _, c := range []struct {
		text string
		want int
	}{
		{"Content-Length: 9\r\n\r\n{\"jsonrpc", codeParseError},
		{"Content-Length: 2\r\n\r\n[]", codeInvalidRequest},
		{"Content-Length: 4\r\n\r\nnull", codeInvalidRequest},
		{"Content-Length: 7\r\n\r\n{\"a\":1}", codeInvalidRequest},
		{"no header at all\r\n\r\nContent-Length: -3\r\n\r\nContent-Length: 1\r\n\r\n{", codeParseError},
		{"content-length: 3\r\nContent-Type: x\r\n\r\n\xff\xfe{", codeParseError},
		{strings.Repeat("x", 100_000) + "\r\nContent-Length: 1\r\n\r\n}", codeParseError},
		{fmt.Sprintf("Content-Length: %d\r\n\r\n%s", maxMessage+1, strings.Repeat(" ", maxMessage+1)), codeParseError},
	} {
		s.raw(c.text)
		if got := code(s.until("an error", null)); got != c.want {
			t.Errorf("%.60q: %d, want %d", c.text, got, c.want)
		}
	}
	s.send(map[string]any{"id": map[string]any{"odd": 1}, "method": "shutdown"})
	s.until("an error of an odd id", func(m message) bool { return m.Error != nil && m.Error.Code == codeInvalidRequest })
	s.begin(folderOf(t, small), nil)
	s.told("window/logMessage", found)
	if got := code(s.ask("initialize", map[string]any{})); got != codeInvalidRequest {
		t.Errorf("a second initialize: %d", got)
	}
	if got := code(s.ask("no/such", nil)); got != codeMethodNotFound {
		t.Errorf("an unknown method: %d", got)
	}
	if got := code(s.ask("textDocument/hover", []int{1})); got != codeInvalidParams {
		t.Errorf("wrong parameters: %d", got)
	}
	if got := code(s.ask("workspace/executeCommand", map[string]any{"command": "rm"})); got != codeInvalidParams {
		t.Errorf("an unknown command: %d", got)
	}
	if got := code(s.ask("workspace/executeCommand", map[string]any{"command": confirmCommand, "arguments": []string{"untitled:1"}})); got != codeInvalidParams {
		t.Errorf("a command on no file: %d", got)
	}
	s.notify("no/such", nil)
	s.notify("$/whatever", nil)
	s.notify("textDocument/didChange", map[string]any{"textDocument": map[string]any{"uri": "file:///nowhere.sql"}})
	s.notify("textDocument/didOpen", 7)
	for _, uri := range []string{"untitled:Untitled-1", "", "file:", "git:/a.sql?x", "%zz", "file:///nowhere/x.sql"} {
		s.notify("textDocument/didOpen", map[string]any{"textDocument": map[string]any{"uri": uri, "text": "x"}})
		s.notify("textDocument/didSave", map[string]any{"textDocument": map[string]any{"uri": uri}})
		if m := s.ask("textDocument/hover", map[string]any{"textDocument": map[string]any{"uri": uri}, "position": map[string]any{"line": 1 << 40, "character": -5}}); m.Error != nil || string(m.Result) != "null" {
			t.Errorf("hover in %q: %s %+v", uri, m.Result, m.Error)
		}
		s.notify("textDocument/didClose", map[string]any{"textDocument": map[string]any{"uri": uri}})
	}
	if m := s.ask("shutdown", nil); m.Error != nil || string(m.Result) != "null" {
		t.Errorf("shutdown: %s %+v", m.Result, m.Error)
	}
	if got := code(s.ask("textDocument/hover", map[string]any{})); got != codeInvalidRequest {
		t.Errorf("after shutdown: %d", got)
	}
	s.notify("exit", nil)
	if got := s.ended(); got != 0 {
		t.Errorf("exit %d", got)
	}
	if strings.Contains(s.errs.String(), "panic") {
		t.Error(s.errs)
	}
}

// The exit code says whether the client said goodbye.
func TestExit(t *testing.T) {
	for name, c := range map[string]struct {
		does func(*session)
		want int
	}{
		"exit before initialize": {func(s *session) { s.notify("exit", nil) }, 1},
		"exit without shutdown":  {func(s *session) { s.begin(folderOf(t, small), nil); s.notify("exit", nil) }, 1},
		"the input ends":         {func(s *session) { s.begin(folderOf(t, small), nil); s.in.Close() }, 1},
		"it ends in a message":   {func(s *session) { s.raw("Content-Length: 10\r\n\r\n{"); s.in.Close() }, 1},
		"it ends after shutdown": {func(s *session) { s.begin(folderOf(t, small), nil); s.ask("shutdown", nil); s.in.Close() }, 0},
		"exit and the end at once": {func(s *session) {
			s.begin(folderOf(t, small), nil)
			s.ask("shutdown", nil)
			s.notify("exit", nil)
			s.in.Close()
		}, 0},
		"the client is killed": {func(s *session) {
			client := exec.Command("sleep", "600")
			if err := client.Start(); err != nil {
				t.Skip(err)
			}
			s.begin(folderOf(t, small), map[string]any{"processId": client.Process.Pid})
			client.Process.Kill()
			client.Wait()
		}, 1},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSession(t, Options{})
			c.does(s)
			if got := s.ended(); got != c.want {
				t.Errorf("exit %d, want %d", got, c.want)
			}
		})
	}
	// A process that is not there belongs to another machine: it ends nothing.
	s := newSession(t, Options{})
	s.begin(folderOf(t, small), map[string]any{"processId": 1 << 30})
	s.told("window/logMessage", found)
	s.stop()
}

// A panic in a run, and one in an answer, is told, and the session goes on.
func TestPanic(t *testing.T) {
	panics := true
	dir := folderOf(t, small)
	s := newSession(t, Options{Remember: func(context.Context, string, []rules.Finding) map[string][]report.Remembered {
		if panics {
			panics = false
			panic("boom")
		}
		return nil
	}})
	methods["test/panic"] = on(func(*Server, *struct{}) (any, error) { panic("bang") })
	t.Cleanup(func() { delete(methods, "test/panic") })
	s.begin(dir, map[string]any{"capabilities": map[string]any{"window": map[string]any{"workDoneProgress": true}}})
	m := s.until("the request for progress", func(m message) bool { return m.Method == "window/workDoneProgress/create" })
	s.send(map[string]any{"id": m.ID, "result": nil})
	s.told("window/showMessage", "panic: boom")
	s.told("$/progress", `"end"`)
	if m := s.ask("test/panic", map[string]any{}); m.Error == nil || m.Error.Code != codeInternal {
		t.Errorf("%+v", m)
	}
	s.notify("textDocument/didSave", map[string]any{"textDocument": map[string]any{"uri": uriOf(filepath.Join(dir, "queries.sql"))}})
	s.told("window/logMessage", found)
	s.stop()
	for _, want := range []string{"boom", "bang", "session_test.go"} {
		if !strings.Contains(s.errs.String(), want) {
			t.Errorf("standard error lacks %s: %s", want, s.errs)
		}
	}
}

// A burst of saves is one run; a save during a run stops it, and what that found is not
// published.
func TestRuns(t *testing.T) {
	dir := folderOf(t, small)
	entered, stopped := make(chan bool, 100), make(chan bool, 100)
	var mu sync.Mutex
	block := false
	s := newSession(t, Options{Debounce: 300 * time.Millisecond, Remember: func(ctx context.Context, root string, _ []rules.Finding) map[string][]report.Remembered {
		entered <- true
		mu.Lock()
		b := block
		block = false
		mu.Unlock()
		if b {
			<-ctx.Done()
			stopped <- true
		}
		return nil
	}})
	s.begin(dir, nil)
	s.told("window/logMessage", found)
	query := filepath.Join(dir, "queries.sql")
	save := func() {
		s.notify("textDocument/didSave", map[string]any{"textDocument": map[string]any{"uri": uriOf(query)}})
	}
	<-entered
	for range 20 {
		save()
	}
	s.told("window/logMessage", found)
	if n := len(entered); n != 1 {
		t.Errorf("20 saves are %d runs", n)
	}
	<-entered
	mu.Lock()
	block = true
	mu.Unlock()
	s.kept = nil
	save()
	<-entered
	if err := os.WriteFile(query, []byte("-- nothing\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	save()
	<-stopped
	s.told("window/logMessage", "no findings")
	n := 0
	for _, m := range s.kept {
		if m.Method == "textDocument/publishDiagnostics" {
			n++
			if !strings.Contains(string(m.Params), `"diagnostics":[]`) {
				t.Errorf("a run that was stopped published %s", m.Params)
			}
		}
	}
	if n != 1 {
		t.Errorf("%d times diagnostics were published, want 1: the empty ones", n)
	}
	s.stop()
}
