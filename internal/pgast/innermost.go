package pgast

import (
	"strings"
	"unicode/utf8"

	pg "github.com/planvet/planvet/internal/pgast/grammar"
)

const (
	// maxRefine bounds the text that innermost parses again, in bytes, and
	// maxRefineLevels how often.
	maxRefine, maxRefineLevels = 64 << 10, 16
)

// innermost finds where a syntax error in a subquery really is. A parser that tries
// alternatives reports the last one's: that no expression begins with SELECT, at the
// subquery's first word.
//
//  1. While the fault is at SELECT, VALUES, TABLE or WITH after a parenthesis:
//  2. what the parenthesis holds is parsed as a statement; if that fails, its fault is
//     the next one to look at. Its end is the closing parenthesis.
func innermost(text string, f *pg.Fault) *pg.Fault {
	if !pg.Retries || len(text) > maxRefine {
		return f
	}
	start := 0 // of the text under the knife, in text
	for range maxRefineLevels {
		at := byteOffset(text, f.Cursor-1)
		inner, ok := subqueryAt(text, at)
		if !ok || !strings.HasPrefix(f.Msg, "syntax error at or near") || at < start {
			return f
		}
		_, deeper := parse(inner)
		if deeper == nil || !strings.HasPrefix(deeper.Msg, "syntax error") {
			return f
		}
		start = at + 1
		next := &pg.Fault{Msg: deeper.Msg, Cursor: f.Cursor + max(deeper.Cursor-1, 0)}
		if strings.HasSuffix(deeper.Msg, "at end of input") {
			next.Cursor = f.Cursor + utf8.RuneCountInString(inner)
			next.Msg = `syntax error at or near ")"`
		}
		f = next
	}
	return f
}

// subqueryAt is the text from a subquery's first word at off up to its closing
// parenthesis; ok is false where off is no such place or the parenthesis is not closed.
func subqueryAt(text string, off int) (inner string, ok bool) {
	if off <= 0 || !strings.HasSuffix(strings.TrimRight(text[:off], " \t\r\n"), "(") {
		return "", false
	}
	l := &lexer{src: text, pos: off}
	first := l.code()
	if first.kind != tokWord || first.start != off || !selectWords[strings.ToLower(text[off:first.end])] {
		return "", false
	}
	depth := 1
	for t := l.code(); t.kind != tokEOF; t = l.code() {
		if t.kind != tokPunct {
			continue
		}
		switch text[t.start] {
		case '(':
			depth++
		case ')':
			if depth--; depth == 0 {
				return text[off:t.start], true
			}
		}
	}
	return "", false
}
