package report

import (
	"net/url"
	"path"
	"strings"
	"unicode/utf8"

	"github.com/planvet/planvet/rules"
)

// A unit says what a format's columns count, as the documentation has it.
const (
	bytesUnit = "bytes"
	utf16Unit = "UTF-16 units"
)

// unit is how a column is counted.
type unit int

const (
	inBytes unit = iota
	inUTF16
)

// places turns locations of the project into those of a reader: paths from another
// root, columns in another unit.
type places struct {
	prefix string
	unit   unit
	read   func(path string) ([]byte, error)
	files  map[string]*excerpts
	held   int // bytes of files
}

func placesOf(d *Document, prefix string, u unit) *places {
	return &places{prefix: prefix, unit: u, read: d.Read, files: map[string]*excerpts{}}
}

// of returns a location as its reader counts. A column that cannot be told, since
// the file is gone, is 0.
func (p *places) of(l rules.Location) rules.Location {
	l = valid(l)
	if p.unit == inUTF16 && l.Column > 1 {
		line, ok := p.line(l)
		if ok && l.Column-1 <= len(line) {
			l.Column = UTF16Column(line, l.Column)
		} else {
			l.Column = 0
		}
	}
	l.Path = p.path(l.Path)
	return l
}

func (p *places) path(s string) string {
	if p.prefix != "" && s != "" {
		return path.Join(p.prefix, s)
	}
	return s
}

// line reads through a few files at a time: findings that are sorted by their
// weight go from file to file.
func (p *places) line(l rules.Location) (string, bool) {
	if p.read == nil {
		return "", false
	}
	x := p.files[l.Path]
	if x == nil {
		const most = 32 << 20
		if p.held > most {
			clear(p.files)
			p.held = 0
		}
		x = &excerpts{read: p.read}
		x.open(l.Path)
		p.files[l.Path] = x
		p.held += len(x.text) + 8*len(x.lines)
	}
	return x.line(l)
}

// UTF16Column turns a column of bytes from 1 into one of UTF-16 units. Bytes that
// are no text count as the one character that decoders make of each.
func UTF16Column(line string, column int) int {
	n := 1
	for i := 0; i < column-1 && i < len(line); {
		r, size := utf8.DecodeRuneInString(line[i:])
		if i+size > column-1 {
			break // a column inside a character is that of its start
		}
		n++
		if r > 0xffff {
			n++
		}
		i += size
	}
	return n
}

// uri is a relative path as a URI reference.
func uri(p string) string {
	parts := strings.Split(p, "/")
	for i, s := range parts {
		parts[i] = url.PathEscape(s)
	}
	// A colon in the first segment would make it a scheme.
	parts[0] = strings.ReplaceAll(parts[0], ":", "%3A")
	return strings.Join(parts, "/")
}

// says is a finding on one line: message, certainty, verdict, and where the user wrote down
// what it is held to.
func says(f *rules.Finding) string {
	s := f.Message
	var parts []string
	if f.Certainty == rules.Possible {
		parts = append(parts, "possible")
	}
	if v := describe(&f.Verdict); v != "" {
		parts = append(parts, v)
	}
	if f.SpecRef != "" {
		parts = append(parts, "spec "+f.SpecRef)
	}
	if len(parts) > 0 {
		s += " (" + strings.Join(parts, "; ") + ")"
	}
	return Printable(strings.Join(strings.Fields(s), " "))
}

// explains is a finding in full, on several lines.
func explains(f *rules.Finding, at *places) string {
	var b strings.Builder
	b.WriteString(says(f))
	if f.Fix != nil {
		for _, s := range f.Fix.SQL {
			b.WriteString("\nfix: " + printableLines(dedent(s)))
		}
		if f.Fix.Note != "" {
			b.WriteString("\nnote: " + Printable(f.Fix.Note))
		}
	}
	for _, r := range f.Related {
		b.WriteString("\nsee " + Printable(placeOf(at.of(r.Location))+": "+r.Message))
	}
	if s := circumstances(&f.Verdict); s != "" {
		b.WriteString("\n" + Printable(s))
	}
	if s := workloadLine(f.Query); s != "" {
		b.WriteString("\nworkload: " + Printable(s))
	}
	return b.String()
}

func printableLines(s string) string {
	lines := strings.Split(strings.ReplaceAll(s, "\r\n", "\n"), "\n")
	for i := range lines {
		lines[i] = Printable(lines[i])
	}
	return strings.Join(lines, "\n")
}

// RulePage is where a rule's page can be read.
func RulePage(rule string) string { return repository + "/blob/main/docs/rules/" + rule + ".md" }

const repository = "https://github.com/planvet/planvet"
