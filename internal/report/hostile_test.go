package report

import (
	"bytes"
	"encoding/xml"
	"errors"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/planvet/planvet/rules"
)

// hostile has texts that would break a terminal, a Markdown comment or a format.
func hostile() *Document {
	evil := "a\x00b\x1b[2J\xff --> `x` | <script> @team\n[y](z)\u202e"
	return &Document{
		Version: "1", Summary: Summary{Tables: 1},
		Read: func(string) ([]byte, error) {
			return []byte("\x00\x1b]0;title\x07\xff\xfe\tx" + strings.Repeat("é", 5000) + "\nlast"), nil
		},
		Findings: []rules.Finding{
			{
				ID: "v1:--> x", Rule: "unindexed-where", Severity: rules.Warning, Certainty: rules.Certain, Message: evil,
				Location: rules.Location{Path: evil, Line: 1, Column: 600}, Fix: &rules.Fix{SQL: []string{evil}, Note: evil},
				Related: []rules.Related{{Message: evil}},
				Verdict: rules.Verdict{Status: rules.Inconclusive, Reason: evil},
			},
			{Rule: "x", Severity: rules.Info, Certainty: rules.Certain, Location: rules.Location{Path: "a", Line: 2, Column: 99}},
			{Rule: "x", Severity: rules.Info, Certainty: rules.Certain, Location: rules.Location{Path: "a", Line: 99, Column: -4}},
			{Rule: "x", Severity: rules.Info, Certainty: rules.Certain, Location: rules.Location{Path: "a", Line: -1, EndLine: -9}},
		},
		Unparsed: []Problem{{rules.Location{Path: evil, Line: 3}, evil}},
	}
}

func TestHostileText(t *testing.T) {
	var b bytes.Buffer
	if err := Text(&b, hostile(), TextOptions{Verbose: true}); err != nil {
		t.Fatal(err)
	}
	out := b.String()
	if !utf8.ValidString(out) {
		t.Error("the text is not UTF-8")
	}
	for _, r := range out {
		if r < ' ' && r != '\n' && r != '\t' || r == 0x7f || r == 0x202e {
			t.Errorf("the text holds the control character %U", r)
		}
	}
	for line := range strings.Lines(out) {
		if strings.Contains(line, "é") && utf8.RuneCountInString(line) > maxLine+20 {
			t.Errorf("a line of %d characters is shown", utf8.RuneCountInString(line))
		}
	}
}

// No format lets through what a terminal acts on, and each stays what it is.
func TestHostileFormats(t *testing.T) {
	for _, f := range Formats() {
		t.Run(f.Name, func(t *testing.T) {
			var b bytes.Buffer
			if _, err := f.Write(&b, hostile(), nil); err != nil {
				t.Fatal(err)
			}
			out := b.String()
			if !utf8.ValidString(out) {
				t.Error("the output is not UTF-8")
			}
			// JSON escapes control characters; its other text is as it was.
			for _, r := range out {
				if r < ' ' && r != '\n' && r != '\t' || r == 0x7f || r == 0x202e && !strings.HasPrefix(f.Name, "json") && f.Name != "sarif" {
					t.Errorf("the output holds %U", r)
				}
			}
			lines := strings.Split(strings.TrimSuffix(out, "\n"), "\n")
			switch f.Name {
			case "gcc", "vscode", "github":
				if len(lines) != len(hostile().Findings) {
					t.Errorf("%d lines of %d findings", len(lines), len(hostile().Findings))
				}
			case "junit", "checkstyle":
				if err := xml.Unmarshal(b.Bytes(), new(struct{ XMLName xml.Name })); err != nil {
					t.Error(err)
				}
			case "html":
				if strings.Contains(out, "<script") {
					t.Error("a message is markup")
				}
			}
		})
	}
}

func TestHostileChecklist(t *testing.T) {
	var b bytes.Buffer
	if err := Checklist(&b, hostile()); err != nil {
		t.Fatal(err)
	}
	spans := regexp.MustCompile("`[^`]*`")
	for line := range strings.Lines(b.String()) {
		line = spans.ReplaceAllString(strings.ReplaceAll(line, "\\`", ""), "")
		if strings.Count(line, "-->") > 1 || strings.Contains(line, "<script>") || strings.Contains(line, "@team") {
			t.Errorf("a message reaches the Markdown: %q", line)
		}
		if strings.ContainsAny(line, "\x00\x1b\u202e") || !utf8.ValidString(line) {
			t.Errorf("control characters get through: %q", line)
		}
	}
}

func TestChecklistFits(t *testing.T) {
	d := many(5000)
	for i := range d.Findings {
		d.Findings[i].Message = strings.Repeat("x", 400)
	}
	var b bytes.Buffer
	if err := Checklist(&b, d); err != nil {
		t.Fatal(err)
	}
	if b.Len() > 65_536 {
		t.Errorf("%d bytes do not fit a comment", b.Len())
	}
	if n := strings.Count(b.String(), "**: "); n != len(boxes) {
		t.Errorf("%d boxes, want %d", n, len(boxes))
	}
}

func TestWindow(t *testing.T) {
	long := strings.Repeat("a", 500) + "X" + strings.Repeat("b", 500)
	for _, c := range []struct {
		name, line string
		column     int
		under      string
	}{
		{"ok_first", "select", 1, "s"},
		{"ok_tabs", "\t\tselect", 3, "s"},
		{"ok_two_bytes", "é select", 4, "s"},
		{"ok_combining", "e\u0301 select", 5, "s"},
		{"ok_long", long, 501, "X"},
		{"ok_long_start", long, 1, "a"},
		{"ok_long_end", long, 1001, "b"},
	} {
		t.Run(c.name, func(t *testing.T) {
			shown, indent := window(c.line, c.column)
			// Each rune before the caret takes its own width in the indentation.
			width, at := 0, ""
			for i, r := range shown {
				if blankOf(shown[:i]) == indent {
					at = string(r)
					width++
				}
			}
			if width == 0 || !strings.HasPrefix(at, c.under) && c.name != "ok_combining" {
				t.Errorf("the caret stands under %q of %q", at, shown)
			}
			if len(shown) > maxLine+10 {
				t.Errorf("%d bytes are shown", len(shown))
			}
		})
	}
	if _, indent := window("漢字x", 7); indent != "    " {
		t.Errorf("wide characters take %d cells", len(indent))
	}
}

func TestRedact(t *testing.T) {
	for _, c := range []struct{ in, want string }{
		{"connect to postgres://app:s3cret@db:5432/x failed", "connect to postgres://app:***@db:5432/x failed"},
		{"postgresql://app:p@ss:w/rd@db/x?sslmode=off", "postgresql://app:***@db/x?sslmode=off"},
		{"postgres://:only@db/x", "postgres://:***@db/x"},
		{"postgres://app@db/x?password=s3cret&sslmode=off", "postgres://app@db/x?password=***&sslmode=off"},
		{"host=db user=app password=s3cret dbname=x", "host=db user=app password=*** dbname=x"},
		{"host=db password = 'a b\\'c' dbname=x", "host=db password = *** dbname=x"},
		{"PGPASSWORD=s3cret psql", "PGPASSWORD=*** psql"},
		{`{"password": "a\"b", "user": "x"}`, `{"password": "***", "user": "x"}`},
		{"postgres://app@db/x", "postgres://app@db/x"},
		{"reading db/001.sql: no such file", "reading db/001.sql: no such file"},
		{"see https://example.com/a:b", "see https://example.com/a:b"},
	} {
		if got := Redact(c.in); got != c.want {
			t.Errorf("Redact(%q)\n got %q\nwant %q", c.in, got, c.want)
		}
	}
}

// TestNoPassword holds every writer to what Redact promises.
func TestNoPassword(t *testing.T) {
	d := clean()
	d.Findings = []rules.Finding{{
		Rule: "x", Severity: rules.Info, Certainty: rules.Certain,
		Verdict: rules.Verdict{Status: rules.Inconclusive, Reason: "connect to postgres://a:s3cret@h/d refused"},
	}}
	d.Unparsed = []Problem{{Text: "password=s3cret"}}
	d.Unresolved, d.NotApplied = d.Unparsed, d.Unparsed
	var b bytes.Buffer
	for _, f := range Formats() {
		if _, err := f.Write(&b, d, &WriteOptions{Text: TextOptions{Verbose: true}}); err != nil {
			t.Fatal(err)
		}
	}
	if strings.Contains(b.String(), "s3cret") {
		t.Errorf("a password is printed:\n%s", b.String())
	}
}

func TestWriteError(t *testing.T) {
	for _, f := range Formats() {
		if _, err := f.Write(broken{}, sample(), nil); err == nil {
			t.Errorf("%s: a writer that fails gives no error", f.Name)
		}
	}
}

type broken struct{}

func (broken) Write([]byte) (int, error) { return 0, errors.New("full") }

func TestFigures(t *testing.T) {
	for in, want := range map[float64]string{0: "0", 0.0213: "0.021", 1.234: "1.23", 12.34: "12.3", 1234.6: "1,235", 1e6: "1,000,000"} {
		if got := Figure(in); got != want {
			t.Errorf("Figure(%v) = %s, want %s", in, got, want)
		}
	}
	for in, want := range map[int64]string{0: "0", 999: "999", 1000: "1,000", -1234567: "-1,234,567"} {
		if got := rules.Thousands(in); got != want {
			t.Errorf("rules.Thousands(%d) = %s, want %s", in, got, want)
		}
	}
}

func TestProgressSilent(t *testing.T) {
	var b bytes.Buffer
	p := NewProgress(&b)
	p.Step("reading", 1, 2)
	p.Done()
	if b.Len() > 0 {
		t.Errorf("progress on no terminal: %q", b.String())
	}
	p = &Progress{w: &b}
	p.Step("reading\nmigrations\x1b[2J", 1, 2)
	p.Done()
	p.Done()
	if want := "\r\x1b[Kreading 1/2\r\x1b[K"; b.String() != want {
		t.Errorf("got %q, want %q", b.String(), want)
	}
}

func TestColorFor(t *testing.T) {
	var b bytes.Buffer
	if ColorFor(&b, "auto") || ColorFor(&b, "never") || !ColorFor(&b, "always") {
		t.Error("colour without a terminal, or none where it is forced")
	}
}
