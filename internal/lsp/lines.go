package lsp

import (
	"strings"

	"github.com/planvet/planvet/internal/report"
)

// splitLines are the lines of a text without their ends, as clients count them.
func splitLines(text string) []string {
	lines := strings.Split(text, "\n")
	for i, l := range lines {
		lines[i] = strings.TrimSuffix(l, "\r")
	}
	return lines
}

// shift carries lines of an old text to a new one: what stands before the first change
// and behind the last one is where it was.
type shift struct{ head, tail, old, new int }

func shiftOf(old, now []string) shift {
	s := shift{old: len(old), new: len(now)}
	for s.head < min(s.old, s.new) && old[s.head] == now[s.head] {
		s.head++
	}
	for s.tail < min(s.old, s.new)-s.head && old[s.old-1-s.tail] == now[s.new-1-s.tail] {
		s.tail++
	}
	return s
}

// line is where a line, from 0, of the old text stands now; same is false where it was
// itself changed, and the line nearest to it is meant.
func (s shift) line(n int) (now int, same bool) {
	switch {
	case n < s.head:
		return n, true
	case n >= s.old-s.tail:
		return n + s.new - s.old, true
	}
	return max(0, min(n, s.new-s.tail-1)), false
}

// character counts what stands before a byte of a line, both from 0.
func character(line string, at int, utf8 bool) int {
	at = min(max(at, 0), len(line))
	if utf8 {
		return at
	}
	return report.UTF16Column(line, at+1) - 1
}

// word is the end of what begins at a byte of a line: a name with its dots and quotes,
// or a character that is none, up to the line's end.
func word(line string, at int) int {
	end := at
	for end < len(line) {
		c := line[end]
		if close := strings.IndexByte(line[end+1:], '"'); c == '"' && close >= 0 {
			end += close + 2
			continue
		}
		if c != '_' && c != '.' && c != '$' && (c < '0' || c > '9') && (c|0x20 < 'a' || c|0x20 > 'z') && c < 0x80 {
			break
		}
		end++
	}
	if end == at {
		return len(strings.TrimRight(line, " \t"))
	}
	return end
}

// span is the range of a finding on its line: what begins at its column, in bytes from 1,
// or the text of the line.
func span(line string, n, column int, utf8 bool) Range {
	from := column - 1
	if column <= 0 || from >= len(line) {
		from = len(line) - len(strings.TrimLeft(line, " \t"))
	}
	return Range{Position{n, character(line, from, utf8)}, Position{n, character(line, word(line, from), utf8)}}
}
