package explain

import (
	"bytes"
	"errors"
	"io"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/planvet/planvet/internal/casetest"
	"github.com/planvet/planvet/internal/report"
)

// written is what a writer gives.
func written(t *testing.T, write func(w io.Writer) error) string {
	t.Helper()
	var b bytes.Buffer
	if err := write(&b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func asText(t *testing.T, r *Report, o report.TextOptions) string {
	t.Helper()
	return written(t, func(w io.Writer) error { return Text(w, r, o) })
}

func asHTML(t *testing.T, r *Report) string {
	t.Helper()
	return written(t, func(w io.Writer) error { return HTML(w, r) })
}

func asMarkdown(t *testing.T, r *Report) string {
	t.Helper()
	return written(t, func(w io.Writer) error { return Markdown(w, r) })
}

// samples are reports of every kind.
func samples() map[string]*Report {
	return map[string]*Report{
		"slow": slowSample(), "planned": plannedSample(), "policy": policySample(), "hostile": hostileSample(), "big": bigSample(300), "deep": deepSample(30),
		"empty": {}, "bare": {Plans: []Plan{{Label: "generic"}}, Timing: &Timing{}, RLS: &Overhead{}, Findings: []Finding{{ID: 1, Severity: Note}}},
	}
}

func TestGolden(t *testing.T) {
	for name, write := range map[string]func(w io.Writer) error{
		"slow.txt":        func(w io.Writer) error { return Text(w, slowSample(), report.TextOptions{}) },
		"slow_color.txt":  func(w io.Writer) error { return Text(w, slowSample(), report.TextOptions{Color: true, Width: 120}) },
		"slow_narrow.txt": func(w io.Writer) error { return Text(w, slowSample(), report.TextOptions{Width: 64}) },
		"planned.txt":     func(w io.Writer) error { return Text(w, plannedSample(), report.TextOptions{}) },
		"policy.txt":      func(w io.Writer) error { return Text(w, policySample(), report.TextOptions{}) },
		"slow.md":         func(w io.Writer) error { return Markdown(w, slowSample()) },
		"planned.md":      func(w io.Writer) error { return Markdown(w, plannedSample()) },
		"policy.md":       func(w io.Writer) error { return Markdown(w, policySample()) },
		"policy.json":     func(w io.Writer) error { return JSON(w, policySample()) },
	} {
		t.Run(name, func(t *testing.T) {
			casetest.Golden(t, filepath.Join("testdata", "golden", name), written(t, write))
		})
	}
}

// Lines keep to the width, but for SQL, which is there to be copied.
func TestTextWidth(t *testing.T) {
	for _, width := range []int{64, 80, 100, 160} {
		r := slowSample()
		r.Recommendations = nil
		for line := range strings.Lines(asText(t, r, report.TextOptions{Width: width})) {
			if n := report.Cells(strings.TrimSuffix(line, "\n")); n > width {
				t.Errorf("a line takes %d of %d columns: %q", n, width, line)
			}
		}
	}
}

// No text of a report reaches the terminal but as text.
func TestHostileText(t *testing.T) {
	out := asText(t, hostileSample(), report.TextOptions{})
	if !utf8.ValidString(out) {
		t.Error("the text is not UTF-8")
	}
	for _, r := range out {
		if r < ' ' && r != '\n' || r == 0x7f || r >= 0x202a && r <= 0x202e || r >= 0x2066 && r <= 0x2069 {
			t.Errorf("the text holds the control character %U", r)
		}
	}
}

// Outside of code, hostile text is escaped; in a fence it cannot end it.
func TestHostileMarkdown(t *testing.T) {
	out := asMarkdown(t, hostileSample())
	fence := ""
	for line := range strings.Lines(out) {
		line = strings.TrimSpace(line)
		if ticks := line[:len(line)-len(strings.TrimLeft(line, "`"))]; len(ticks) >= 3 {
			switch {
			case fence == "":
				fence = ticks
				continue
			case line == ticks && len(ticks) >= len(fence):
				fence = ""
				continue
			}
		}
		if fence != "" {
			continue
		}
		for i, part := range strings.Split(strings.ReplaceAll(line, "\\`", ""), "`") {
			if i%2 == 0 && (strings.Contains(part, "<script") || strings.Contains(part, "<img") || strings.Contains(part, "@team") || strings.Contains(part, "[y]")) {
				t.Errorf("a text of the report is Markdown: %q", line)
			}
		}
		if strings.ContainsAny(line, "\x00\x1b\u202e\u2066") {
			t.Errorf("control characters get through: %q", line)
		}
	}
	if fence != "" {
		t.Error("a fence is left open")
	}
}

// Rows of a table have as many cells as its head, whatever the texts hold.
func TestMarkdownTables(t *testing.T) {
	for name, r := range samples() {
		cells := 0
		for line := range strings.Lines(asMarkdown(t, r)) {
			if !strings.HasPrefix(line, "|") {
				cells = 0
				continue
			}
			n := strings.Count(strings.ReplaceAll(strings.ReplaceAll(line, `\\`, ""), `\|`, ""), "|")
			if cells == 0 {
				cells = n
			}
			if n != cells {
				t.Errorf("%s: %d bars in a row under %d: %q", name, n, cells, line)
			}
		}
	}
}

// A comment holds 65,536 characters: what is heavy is cut, the verdict never, and the
// cut is said.
func TestMarkdownFits(t *testing.T) {
	r := bigSample(2000)
	out := asMarkdown(t, r)
	if len(out) > 65_536 || !strings.Contains(out, "lines of the plan are not shown") || !strings.Contains(out, "rounds is read in full") {
		t.Errorf("%d bytes, ending in %q", len(out), out[max(0, len(out)-300):])
	}
	r = hostileSample()
	worse := strings.Repeat("<@|`*", 4000)
	for range 200 {
		r.Findings = append(r.Findings, Finding{ID: 9, Heuristic: worse, Severity: Note, Message: worse, Advice: worse, Cause: worse})
		r.Indexes = append(r.Indexes, IndexUse{Index: worse, Relation: worse, Keys: []string{worse}, Condition: worse, Filter: worse})
		r.Recommendations = append(r.Recommendations, Recommendation{Kind: Index, Title: worse, SQL: []string{worse}, Why: worse, Cost: worse, Replaces: []string{worse}})
		r.Notes = append(r.Notes, worse)
		r.RLS.Policies = append(r.RLS.Policies, PolicyCost{Table: worse, Policy: worse, Using: worse, Functions: []PolicyCall{{Function: worse}, {Function: worse}}})
		r.RLS.Demoted = append(r.RLS.Demoted, Demotion{Table: worse, Condition: worse, Advice: worse})
		r.SQL += worse
	}
	out = asMarkdown(t, r)
	if len(out) > 65_536 || !strings.Contains(out, "more are not shown") || !strings.Contains(out, "</details>") {
		t.Errorf("%d bytes of a report that is large in all parts", len(out))
	}
}

func TestNoPassword(t *testing.T) {
	for name, write := range writers {
		if out := written(t, func(w io.Writer) error { return write(w, hostileSample()) }); strings.Contains(out, "s3cret") {
			t.Errorf("%s: a password is printed", name)
		}
	}
}

var writers = map[string]func(w io.Writer, r *Report) error{
	"text": func(w io.Writer, r *Report) error { return Text(w, r, report.TextOptions{}) },
	"json": JSON, "markdown": Markdown, "html": HTML,
}

// Writers leave the report as it was, give the same bytes twice, and an error of the
// writer below.
func TestWriters(t *testing.T) {
	for name, write := range writers {
		for kind, r := range samples() {
			first := written(t, func(w io.Writer) error { return write(w, r) })
			if again := written(t, func(w io.Writer) error { return write(w, r) }); again != first {
				t.Errorf("%s of %s: two runs differ", name, kind)
			}
		}
		if write(broken{}, slowSample()) == nil {
			t.Errorf("%s: a writer that fails gives no error", name)
		}
	}
}

type broken struct{}

func (broken) Write([]byte) (int, error) { return 0, errors.New("full") }
