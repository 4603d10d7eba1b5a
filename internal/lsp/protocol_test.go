package lsp

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/planvet/planvet/internal/report"
	"github.com/planvet/planvet/rules"
)

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
	for _, want := range []string{"boom", "bang", "protocol_test.go"} {
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
