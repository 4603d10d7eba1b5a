package report

import (
	"bytes"
	"io"
	"strings"
	"testing"
)

// What a memory tells stands beside its finding, follows the contract, and changes nothing
// else.
func TestRemembered(t *testing.T) {
	d := sample()
	var plain bytes.Buffer
	if err := Text(&plain, d, TextOptions{}); err != nil {
		t.Fatal(err)
	}
	d.Remembered = map[string][]Remembered{d.Findings[0].ID: {{Entry: "01X", Text: "the same shape\x1b was fixed"}}, "v1:gone": {{Entry: "01Y", Text: "of no finding"}}}
	validate(t, "findings.schema.json", func(w io.Writer) error { return JSON(w, d) })
	for name, write := range map[string]func(io.Writer, *Document) error{
		"text": func(w io.Writer, d *Document) error { return Text(w, d, TextOptions{}) }, "json": JSON, "lines": JSONLines, "checklist": Checklist,
	} {
		var b bytes.Buffer
		if err := write(&b, d); err != nil {
			t.Fatal(err)
		}
		out := b.String()
		if strings.Count(out, "was fixed") != 1 || strings.Contains(out, "of no finding") || strings.Contains(out, "\x1b") {
			t.Errorf("%s: %s", name, out)
		}
		if name != "text" {
			continue
		}
		var rest []string
		for l := range strings.Lines(out) {
			if !strings.HasPrefix(l, "  remembered: ") {
				rest = append(rest, l)
			}
		}
		if strings.Join(rest, "") != plain.String() {
			t.Errorf("more than a line was added: %s", out)
		}
	}
}
