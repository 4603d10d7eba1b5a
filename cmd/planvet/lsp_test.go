package main

import (
	"encoding/json"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/planvet/planvet/internal/casetest"
	"github.com/planvet/planvet/internal/report"
	"github.com/planvet/planvet/rules"
)

var counted = regexp.MustCompile(`^planvet: .*: (no findings|\d+ findings?)`)

// casinoCopy is the example, to be edited.
func casinoCopy(t *testing.T) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "casino")
	if err := os.CopyFS(dir, os.DirFS(casino)); err != nil {
		t.Fatal(err)
	}
	return dir
}

// checkFindings are what planvet check says of a project.
func checkFindings(t *testing.T, dir string) []rules.Finding {
	t.Helper()
	var doc struct{ Findings []rules.Finding }
	code, out, errs := planvetRun(t, "check", dir, "--format", "json")
	if err := json.Unmarshal([]byte(out), &doc); err != nil || code > 1 {
		t.Fatalf("exit %d, %v: %s", code, err, errs)
	}
	return doc.Findings
}

var lspSeverities = map[rules.Severity]int{rules.Error: 1, rules.Warning: 2, rules.Info: 3}

// sameFindings holds what the editor shows against what planvet check says, counted by
// the standard library: places, severities, rules, other ends, and nothing more.
func (e *editor) sameFindings(utf8 bool) {
	e.t.Helper()
	at := func(l rules.Location) string {
		line := ""
		if text, err := os.ReadFile(e.path(l.Path)); err == nil {
			line = strings.Split(string(text), "\n")[l.Line-1]
		}
		if l.Column == 0 {
			return fmt.Sprintf("%s:%d", l.Path, l.Line-1)
		}
		n := l.Column - 1
		if !utf8 {
			n = len(utf16.Encode([]rune(line[:n])))
		}
		return fmt.Sprintf("%s:%d:%d", l.Path, l.Line-1, n)
	}
	var want, got []string
	for _, f := range checkFindings(e.t, e.root) {
		s := fmt.Sprintf("%s %d %s %s %s", at(f.Location), lspSeverities[f.Severity], f.Rule, report.RulePage(f.Rule), f.Message)
		for _, r := range f.Related {
			s += " | " + at(r.Location) + " " + r.Message
		}
		want = append(want, s)
	}
	for path, ds := range e.shown {
		for _, d := range ds {
			s := fmt.Sprintf("%s:%d:%d %d %s %s %s", path, d.Range.Start.Line, d.Range.Start.Character, d.Severity, d.Code, d.CodeDescription.Href, strings.TrimSuffix(d.Message, " (possible)"))
			for _, r := range d.Related {
				rel, _ := filepath.Rel(e.root, uriPath(e.t, r.Location.URI))
				s += fmt.Sprintf(" | %s:%d:%d %s", filepath.ToSlash(rel), r.Location.Range.Start.Line, r.Location.Range.Start.Character, r.Message)
			}
			got = append(got, s)
		}
	}
	slices.Sort(want)
	slices.Sort(got)
	if len(want) == 0 || !slices.Equal(got, want) {
		e.t.Errorf("the editor shows\n  %s\nplanvet check says\n  %s", strings.Join(got, "\n  "), strings.Join(want, "\n  "))
	}
}

// shownOf is the first diagnostic of a rule in a file.
func (e *editor) shownOf(rel, rule string) *editorDiagnostic {
	for i, d := range e.shown[rel] {
		if d.Code == rule {
			return &e.shown[rel][i]
		}
	}
	return nil
}

// hover is what an editor shows at a place, "" for nothing.
func (e *editor) hover(rel string, at editorPosition) string {
	e.t.Helper()
	var h *struct {
		Contents struct{ Kind, Value string }
		Range    editorRange
	}
	raw := e.request("textDocument/hover", map[string]any{"textDocument": map[string]any{"uri": fileURI(e.path(rel))}, "position": at})
	if err := json.Unmarshal(raw, &h); err != nil {
		e.t.Fatal(err)
	}
	if h == nil {
		return ""
	}
	return h.Contents.Value
}

type editorAction struct {
	Title, Kind string
	Edit        json.RawMessage
	Command     *struct {
		Command   string
		Arguments []any
	}
}

// actions are offered for a diagnostic, as an editor asks for them; nil where none has a
// title with the words.
func (e *editor) action(rel string, d *editorDiagnostic, words string) *editorAction {
	e.t.Helper()
	if d == nil {
		e.t.Fatalf("%s shows no such finding: %+v", rel, e.shown)
	}
	var all []editorAction
	raw := e.request("textDocument/codeAction", map[string]any{
		"textDocument": map[string]any{"uri": fileURI(e.path(rel))}, "range": d.Range,
		"context": map[string]any{"diagnostics": []any{map[string]any{"range": d.Range, "message": d.Message, "source": d.Source, "data": d.Data}}},
	})
	if err := json.Unmarshal(raw, &all); err != nil {
		e.t.Fatal(err)
	}
	for i, a := range all {
		if strings.Contains(a.Title, words) {
			return &all[i]
		}
	}
	return nil
}

func uriPath(t *testing.T, uri string) string {
	t.Helper()
	u, err := url.Parse(uri)
	if err != nil {
		t.Fatal(err)
	}
	return filepath.FromSlash(u.Path)
}

const slips = "supabase/migrations/20250115083000_tables_and_slips.sql"

// The example in an editor: what is found is what planvet check finds, is explained, and
// is gone after the fix; a suppression holds once it has a reason.
func TestLSPCasino(t *testing.T) {
	e := newEditor(t, casinoCopy(t))
	var answer struct {
		Capabilities struct{ PositionEncoding string }
		ServerInfo   struct{ Name string }
	}
	if err := json.Unmarshal(e.begin(nil), &answer); err != nil || answer.ServerInfo.Name != "planvet" || answer.Capabilities.PositionEncoding != "utf-16" {
		t.Fatalf("%+v, %v", answer, err)
	}
	e.judged()
	e.sameFindings(false)
	var watched struct {
		Registrations []struct{ Method string }
	}
	if e.event("register", &watched); len(watched.Registrations) != 1 || watched.Registrations[0].Method != "workspace/didChangeWatchedFiles" {
		t.Errorf("the server asks for %+v", watched)
	}
	var begun struct{ Kind, Title string }
	if e.event("progress", &begun); begun.Kind != "begin" || begun.Title != "planvet: casino" {
		t.Errorf("the progress begins with %+v", begun)
	}

	e.file("open", slips)
	d := e.shownOf(slips, "unindexed-foreign-key")
	if d == nil {
		t.Fatalf("%+v", e.shown)
	}
	text := e.hover(slips, d.Range.Start)
	for _, want := range []string{`rating\_slips.closed\_by has no index`, "```sql\ncreate index on rating_slips (closed_by);\n```", "no planner was asked", "see [supabase/", "#L15"} {
		if !strings.Contains(text, want) {
			t.Errorf("the hover lacks %q:\n%s", want, text)
		}
	}
	if got := e.hover(slips, editorPosition{0, 0}); got != "" {
		t.Errorf("where nothing is the hover says %s", got)
	}
	fix := e.action(slips, d, "add migration")
	if fix == nil || fix.Kind != "quickfix" {
		t.Fatalf("the fix is %+v", fix)
	}
	e.do("apply", map[string]any{"edit": fix.Edit})
	e.judged()
	if e.shownOf(slips, "unindexed-foreign-key") != nil {
		t.Errorf("after the fix there is still %+v", e.shown[slips])
	}
	if made, _ := filepath.Glob(e.path("supabase/migrations/*_index_rating_slips_closed_by.sql")); len(made) != 1 {
		t.Errorf("the fix made %q", made)
	}
	e.sameFindings(false)

	const jobs = "internal/jobs/jobs.go"
	e.file("open", jobs)
	silence := e.action(jobs, e.shownOf(jobs, "unindexed-where"), "silence unindexed-where")
	if silence == nil {
		t.Fatal("nothing silences a finding in Go")
	}
	e.do("apply", map[string]any{"edit": silence.Edit})
	e.judged()
	if e.shownOf(jobs, "unindexed-where") == nil || e.shownOf(jobs, "ignore-without-reason") == nil {
		t.Errorf("a comment without a reason holds: %+v", e.shown[jobs])
	}
	now, err := os.ReadFile(e.path(jobs))
	if err != nil {
		t.Fatal(err)
	}
	e.do("change", map[string]any{"file": e.path(jobs), "text": strings.Replace(string(now), "<reason>", "a page for two people", 1)})
	e.file("save", jobs)
	e.judged()
	if len(e.shown[jobs]) != 1 || e.shownOf(jobs, "unindexed-order") == nil {
		t.Errorf("with a reason there is %+v", e.shown[jobs])
	}
	if out, err := exec.Command("gofmt", "-l", e.path(jobs)).CombinedOutput(); err != nil || len(out) > 0 {
		t.Errorf("gofmt: %s%v", out, err)
	}
	if code := e.stop(); code != 0 {
		t.Errorf("exit %d", code)
	}
}

// lspOdd is a project whose findings stand behind é and emoji.
var lspOdd = map[string]string{
	"db/migrations/001_é.sql": "create table players (id bigint primary key, email text not null);\n" +
		"/* é 😀 𝄞 */ create table visits (id bigint primary key, player_id bigint references players (id));\n",
	"go.mod": "module example.com/app\n\ngo 1.26.0\n",
	"store/store.go": "package store\n\nimport (\n\t\"context\"\n\t\"database/sql\"\n)\n\n" +
		"// Find is é.\nfunc Find(ctx context.Context, db *sql.DB, email string) error {\n" +
		"\t/* 😀é */ _, err := db.QueryContext(ctx, `/* é😀 */ select id from players where email = $1`, email)\n\treturn err\n}\n",
}

func TestLSPPositions(t *testing.T) {
	for _, encoding := range []string{"utf-16", "utf-8"} {
		t.Run(encoding, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "svc é")
			casetest.WriteFiles(t, dir, lspOdd)
			e := newEditor(t, dir)
			e.begin(func(p map[string]any) {
				if encoding == "utf-8" {
					p["capabilities"].(map[string]any)["general"] = map[string]any{"positionEncodings": []string{"utf-8", "utf-16"}}
				}
			})
			e.judged()
			e.sameFindings(encoding == "utf-8")
			// Unsaved lines above carry what is known along; nothing is judged anew.
			const file = "store/store.go"
			e.file("open", file)
			d := *e.shownOf(file, "unindexed-where")
			if e.hover(file, d.Range.Start) == "" {
				t.Error("no hover")
			}
			e.do("change", map[string]any{"file": e.path(file), "text": "// more\n// é\n" + lspOdd[file]})
			if e.hover(file, d.Range.Start) != "" {
				t.Error("the hover is where the finding was")
			}
			d.Range.Start.Line, d.Range.End.Line = d.Range.Start.Line+2, d.Range.End.Line+2
			if e.hover(file, d.Range.Start) == "" {
				t.Error("the hover is not where the finding is now")
			}
			silence := e.action(file, &d, "silence")
			if silence == nil {
				t.Fatal("nothing silences it")
			}
			// An edited line is no place to write to, before it is judged.
			e.do("change", map[string]any{"file": e.path(file), "text": strings.Replace(lspOdd[file], "email = $1", "email = $1 and id > 0", 1)})
			if d.Range.Start.Line -= 2; e.action(file, &d, "silence") != nil {
				t.Error("an edited line can be silenced")
			}
			if h := e.hover(file, d.Range.Start); !strings.Contains(h, "as it was saved last") {
				t.Errorf("of an edited line the hover says %s", h)
			}
			if code := e.stop(); code != 0 {
				t.Errorf("exit %d", code)
			}
		})
	}
}
