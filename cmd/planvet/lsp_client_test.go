package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"
)

// What the language server is driven by: the library that VS Code's client is made of.
var lspClient = []string{"vscode-languageserver-protocol@3.18.5", "vscode-languageserver-textdocument@1.0.16"}

// lspLibrary is a folder with the client and its libraries, made once.
var lspLibrary = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "planvet-lsp-client-")
	if err != nil {
		return "", err
	}
	lspMade = dir
	text, err := os.ReadFile("testdata/lsp/client.cjs")
	if err != nil {
		return "", err
	}
	if err := os.WriteFile(filepath.Join(dir, "client.cjs"), text, 0o600); err != nil {
		return "", err
	}
	npm := exec.Command("npm", append([]string{"install", "--no-audit", "--no-fund", "--ignore-scripts", "--prefer-offline"}, lspClient...)...)
	npm.Dir = dir
	if out, err := npm.CombinedOutput(); err != nil {
		return "", fmt.Errorf("npm install: %w: %s", err, out)
	}
	return dir, nil
})

// lspMade is removed by TestMain.
var lspMade string

// editor is a client under node with a server of ours.
type editor struct {
	t     *testing.T
	root  string
	in    io.Writer
	node  *exec.Cmd
	lines chan editorLine
	// kept are events that were read while another was waited for.
	kept []editorLine
	ids  int
	// shown are the diagnostics that the client has, by file relative to the root.
	shown map[string][]editorDiagnostic
}

type editorLine struct {
	Reply int
	Value json.RawMessage
	Error string
	Code  int
	Event string
}

type editorPosition struct{ Line, Character int }

type editorRange struct{ Start, End editorPosition }

type editorDiagnostic struct {
	Range           editorRange
	Severity        int
	Code            string
	CodeDescription struct{ Href string }
	Source, Message string
	Tags            []int
	Related         []struct {
		Location struct {
			URI   string
			Range editorRange
		}
		Message string
	} `json:"relatedInformation"`
	Data json.RawMessage
}

// newEditor starts a client and a server for a project; nothing is sent yet.
func newEditor(t *testing.T, root string, args ...string) *editor {
	t.Helper()
	if testing.Short() {
		t.Skip("-short fetches nothing")
	}
	for _, tool := range []string{"node", "npm"} {
		if _, err := exec.LookPath(tool); err != nil {
			if os.Getenv("CI") == "true" {
				t.Fatalf("no %s, with which the server is driven", tool)
			}
			t.Skipf("no %s on PATH", tool)
		}
	}
	dir, err := lspLibrary()
	if err != nil {
		t.Fatal(err)
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	e := &editor{t: t, root: root, lines: make(chan editorLine, 1000), shown: map[string][]editorDiagnostic{}}
	e.node = exec.Command("node", "client.cjs")
	e.node.Dir, e.node.Stderr = dir, os.Stderr
	e.node.Env = append(os.Environ(), "PLANVET_TEST_MAIN=1")
	in, err := e.node.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := e.node.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := e.node.Start(); err != nil {
		t.Fatal(err)
	}
	e.in = in
	t.Cleanup(func() { in.Close(); e.node.Process.Kill(); e.node.Wait() })
	go func() {
		defer close(e.lines)
		r := bufio.NewReader(out)
		for {
			line, err := r.ReadBytes('\n')
			if err != nil {
				return
			}
			var l editorLine
			if json.Unmarshal(line, &l) == nil {
				e.lines <- l
			}
		}
	}()
	e.do("start", map[string]any{"command": self, "args": append([]string{"lsp", "--stdio"}, args...), "cwd": root})
	return e
}

// lspAbilities are what the client says that it can do; VS Code says as much.
func lspAbilities() map[string]any {
	return map[string]any{
		"window": map[string]any{"workDoneProgress": true},
		"workspace": map[string]any{
			"workspaceEdit":         map[string]any{"documentChanges": true, "resourceOperations": []string{"create", "rename", "delete"}},
			"didChangeWatchedFiles": map[string]any{"dynamicRegistration": true}, "workspaceFolders": true,
		},
		"textDocument": map[string]any{
			"publishDiagnostics": map[string]any{"relatedInformation": true, "codeDescriptionSupport": true, "dataSupport": true, "tagSupport": map[string]any{"valueSet": []int{1, 2}}},
			"codeAction":         map[string]any{"codeActionLiteralSupport": map[string]any{"codeActionKind": map[string]any{"valueSet": []string{"quickfix"}}}},
			"hover":              map[string]any{"contentFormat": []string{"markdown", "plaintext"}},
		},
	}
}

// begin initializes, as with a folder opened; change may change what is sent.
func (e *editor) begin(change func(params map[string]any)) json.RawMessage {
	e.t.Helper()
	params := map[string]any{
		"processId": e.node.Process.Pid, "rootUri": fileURI(e.root), "capabilities": lspAbilities(),
		"workspaceFolders": []any{map[string]any{"uri": fileURI(e.root), "name": "root"}},
	}
	if change != nil {
		change(params)
	}
	answer := e.request("initialize", params)
	e.notify("initialized", map[string]any{})
	return answer
}

func fileURI(path string) string {
	return (&url.URL{Scheme: "file", Path: filepath.ToSlash(path)}).String()
}

// do is one operation of the client's, and its result.
func (e *editor) do(op string, with map[string]any) json.RawMessage {
	e.t.Helper()
	l := e.try(op, with)
	if l.Error != "" {
		e.t.Fatalf("%s %v: %s", op, with, l.Error)
	}
	return l.Value
}

func (e *editor) try(op string, with map[string]any) editorLine {
	e.t.Helper()
	id := e.send(op, with)
	return e.until("the reply to "+op, func(l editorLine) bool { return l.Reply == id })
}

func (e *editor) send(op string, with map[string]any) int {
	e.t.Helper()
	e.ids++
	all := map[string]any{"id": e.ids, "op": op}
	for k, v := range with {
		all[k] = v
	}
	b, err := json.Marshal(all)
	if err != nil {
		e.t.Fatal(err)
	}
	if _, err := e.in.Write(append(b, '\n')); err != nil {
		e.t.Fatal(err)
	}
	return e.ids
}

func (e *editor) request(method string, params any) json.RawMessage {
	e.t.Helper()
	return e.do("request", map[string]any{"method": method, "params": params})
}

func (e *editor) notify(method string, params any) {
	e.t.Helper()
	e.do("notify", map[string]any{"method": method, "params": params})
}

func (e *editor) path(rel string) string { return filepath.Join(e.root, filepath.FromSlash(rel)) }

func (e *editor) file(op, rel string) {
	e.t.Helper()
	e.do(op, map[string]any{"file": e.path(rel)})
}

// until reads what the client says up to a line that is meant; events before it are kept.
func (e *editor) until(what string, meant func(editorLine) bool) editorLine {
	e.t.Helper()
	for i, l := range e.kept {
		if meant(l) {
			e.kept = append(e.kept[:i:i], e.kept[i+1:]...)
			return l
		}
	}
	late := time.After(3 * time.Minute)
	for {
		select {
		case l, ok := <-e.lines:
			if !ok {
				e.t.Fatalf("the client ended before %s; it said %s", what, e.said())
			}
			e.take(l)
			if meant(l) {
				return l
			}
			e.kept = append(e.kept, l)
		case <-late:
			e.t.Fatalf("no %s; the client said %s", what, e.said())
		}
	}
}

// take keeps the diagnostics that a client would show.
func (e *editor) take(l editorLine) {
	e.t.Helper()
	if l.Event != "diagnostics" {
		return
	}
	var p struct {
		URI         string
		Diagnostics []editorDiagnostic
	}
	if err := json.Unmarshal(l.Value, &p); err != nil {
		e.t.Fatal(err)
	}
	rel, err := filepath.Rel(e.root, uriPath(e.t, p.URI))
	if err != nil {
		e.t.Fatal(err)
	}
	e.shown[filepath.ToSlash(rel)] = p.Diagnostics
}

func (e *editor) said() string {
	out := ""
	for _, l := range e.kept {
		out += fmt.Sprintf("\n  %s %s %s", l.Event, l.Value, l.Error)
	}
	return out
}

// event waits for an event, and reads it into to.
func (e *editor) event(name string, to any) {
	e.t.Helper()
	l := e.until(name, func(l editorLine) bool { return l.Event == name })
	if err := json.Unmarshal(l.Value, to); err != nil {
		e.t.Fatal(err)
	}
}

// judged waits for the end of a run: the line that counts what was found.
func (e *editor) judged() string {
	e.t.Helper()
	l := e.until("the end of a run", func(l editorLine) bool {
		var m struct{ Message string }
		return l.Event == "log" && json.Unmarshal(l.Value, &m) == nil && counted.MatchString(m.Message)
	})
	return string(l.Value)
}

// stop ends the session as a client should, and returns the exit code.
func (e *editor) stop() int {
	e.t.Helper()
	e.request("shutdown", nil)
	e.notify("exit", nil)
	return e.exit()
}

func (e *editor) exit() int {
	e.t.Helper()
	var code struct{ Code *int }
	e.event("exit", &code)
	if code.Code == nil {
		e.t.Fatal("the server was killed")
	}
	return *code.Code
}
