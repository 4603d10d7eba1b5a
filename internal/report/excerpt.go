package report

import (
	"bytes"
	"strings"
	"unicode/utf8"

	"github.com/planvet/planvet/rules"
)

// excerpts reads lines of the project's files; findings come file by file, so that
// one file is held at a time.
type excerpts struct {
	read  func(path string) ([]byte, error)
	path  string
	text  []byte
	lines []int // where each line starts
}

// line returns a line of a file, ok false where there is none.
func (x *excerpts) line(l rules.Location) (string, bool) {
	if x.read == nil || l.Path == "" || l.Line < 1 {
		return "", false
	}
	if x.lines == nil || x.path != l.Path {
		x.open(l.Path)
	}
	if l.Line > len(x.lines) {
		return "", false
	}
	s := x.text[x.lines[l.Line-1]:]
	if i := bytes.IndexByte(s, '\n'); i >= 0 {
		s = s[:i]
	}
	return strings.TrimSuffix(string(s), "\r"), true
}

func (x *excerpts) open(path string) {
	x.path, x.text, x.lines = path, nil, []int{}
	text, err := x.read(path)
	if err != nil {
		return // a finding may name a file that is gone; it is shown without
	}
	x.text, x.lines = text, append(x.lines, 0)
	for i := 0; i < len(text); i++ {
		if text[i] == '\n' && i+1 < len(text) {
			x.lines = append(x.lines, i+1)
		}
	}
}

// window cuts a long line around a column (bytes from 1, 0 for none), and returns
// what stands before the column as a caret's indentation: tabs stay tabs, so that
// both lines are shifted alike, and wide characters take two cells.
func window(line string, column int) (shown, indent string) {
	const before = maxLine / 2
	at := min(max(column-1, 0), len(line))
	for at > 0 && at < len(line) && !utf8.RuneStart(line[at]) {
		at-- // a column inside a character
	}
	start, end := 0, len(line)
	if len(line) > maxLine {
		start = max(0, at-before)
		end = min(len(line), start+maxLine)
	}
	for start > 0 && start < len(line) && !utf8.RuneStart(line[start]) {
		start--
	}
	for end < len(line) && !utf8.RuneStart(line[end]) {
		end++
	}
	pre, post := "", ""
	if start > 0 {
		pre = "…"
	}
	if end < len(line) {
		post = "…"
	}
	return pre + line[start:end] + post, blankOf(pre + line[start:max(at, start)])
}

// blankOf is the white space as wide as a text.
func blankOf(s string) string {
	var b strings.Builder
	for _, r := range s {
		if r == '\t' {
			b.WriteByte('\t')
			continue
		}
		b.WriteString(strings.Repeat(" ", runeCells(r)))
	}
	return b.String()
}
