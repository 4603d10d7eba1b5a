package pgast

import (
	"strings"
	"unicode/utf8"
)

// tokKind is the kind of a lexical token.
type tokKind uint8

const (
	tokEOF     tokKind = iota
	tokWord            // identifier or keyword
	tokQuoted          // "identifier", U&"identifier"
	tokString          // 'x', E'x', U&'x', B'x', X'x', N'x'
	tokDollar          // $tag$…$tag$
	tokNumber          // 1, 1.5, 0x1f
	tokParam           // $1
	tokOp              // a run of operator characters
	tokPunct           // one of ( ) [ ] , ; . and :
	tokCast            // ::
	tokComment         // -- … or /* … */
	tokOther           // a byte that no token begins with
)

// maxCommentNest bounds the nesting of comments: the C lexer is quadratic in it.
const maxCommentNest = 64

// token is a lexical token; start and end are bytes of the source.
type token struct {
	kind       tokKind
	start, end int
}

// lexer reads the tokens of PostgreSQL's lexical grammar, with
// standard_conforming_strings on. It never fails: a fault is a token and err.
type lexer struct {
	src string
	pos int
	// err is the first fault, offset at the opening of what was not closed.
	err *Error
}

func newLexer(src string) *lexer {
	l := &lexer{src: src}
	if strings.HasPrefix(src, "\ufeff") {
		l.pos = len("\ufeff")
	}
	return l
}

func isSpace(c byte) bool {
	return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f' || c == '\v'
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

func isWordStart(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c == '_' || c >= 0x80
}

func isWord(c byte) bool { return isWordStart(c) || isDigit(c) || c == '$' }

func isOpChar(c byte) bool { return strings.IndexByte("~!@#^&|`?+-*/%<>=", c) >= 0 }

// next returns the next token, comments included; white space is skipped.
func (l *lexer) next() token {
	for l.pos < len(l.src) && isSpace(l.src[l.pos]) {
		l.pos++
	}
	start := l.pos
	if start >= len(l.src) {
		return token{tokEOF, start, start}
	}
	kind := l.scan(l.src[start])
	if l.pos <= start { // a guard against standing still, whatever the input
		l.pos = start + 1
	}
	return token{kind, start, l.pos}
}

// code returns the next token that is no comment.
func (l *lexer) code() token {
	for {
		t := l.next()
		if t.kind != tokComment {
			return t
		}
	}
}

func (l *lexer) peekByte(i int) byte {
	if l.pos+i < len(l.src) {
		return l.src[l.pos+i]
	}
	return 0
}

func (l *lexer) scan(c byte) tokKind {
	switch {
	case c == '-' && l.peekByte(1) == '-':
		l.lineComment()
		return tokComment
	case c == '/' && l.peekByte(1) == '*':
		l.blockComment()
		return tokComment
	case c == '\'':
		l.quoted('\'', 1, false)
		return tokString
	case c == '"':
		l.quoted('"', 1, false)
		return tokQuoted
	case c == '$':
		return l.dollar()
	case isWordStart(c):
		return l.word(c)
	case isDigit(c) || c == '.' && isDigit(l.peekByte(1)) && (l.pos == 0 || l.src[l.pos-1] != '.'):
		l.number()
		return tokNumber
	case c == ':' && l.peekByte(1) == ':':
		l.pos += 2
		return tokCast
	case strings.IndexByte("()[],;.:", c) >= 0:
		l.pos++
		return tokPunct
	case isOpChar(c):
		l.operator()
		return tokOp
	}
	l.pos++
	return tokOther
}

func (l *lexer) lineComment() {
	if i := strings.IndexAny(l.src[l.pos:], "\n\r"); i >= 0 {
		l.pos += i
	} else {
		l.pos = len(l.src)
	}
}

func (l *lexer) blockComment() {
	open, depth := l.pos, 0
	for i := l.pos; i < len(l.src); {
		switch {
		case strings.HasPrefix(l.src[i:], "/*"):
			depth++
			i += 2
			if depth > maxCommentNest {
				l.fail(open, "comments nested deeper than 64 levels are not parsed")
				// What follows cannot be told apart, so it belongs to the comment.
				l.pos = len(l.src)
				return
			}
		case strings.HasPrefix(l.src[i:], "*/"):
			depth--
			i += 2
			if depth == 0 {
				l.pos = i
				return
			}
		default:
			i++
		}
	}
	l.fail(open, "unclosed comment")
	l.pos = len(l.src)
}

// quoted reads a quoted token whose quote stands prefix-1 bytes after pos.
func (l *lexer) quoted(quote byte, prefix int, escapes bool) {
	open := l.pos
	for i := l.pos + prefix; i < len(l.src); i++ {
		switch c := l.src[i]; {
		case c == '\\' && escapes:
			i++
		case c == quote && i+1 < len(l.src) && l.src[i+1] == quote:
			i++
		case c == quote:
			l.pos = i + 1
			return
		}
	}
	l.fail(open, "unclosed quote")
	l.pos = len(l.src)
}

// dollar reads $1, $tag$…$tag$, or a lone dollar sign.
func (l *lexer) dollar() tokKind {
	if isDigit(l.peekByte(1)) {
		l.pos++
		for isDigit(l.peekByte(0)) {
			l.pos++
		}
		return tokParam
	}
	i := l.pos + 1
	if i < len(l.src) && isWordStart(l.src[i]) {
		for i < len(l.src) && (isWordStart(l.src[i]) || isDigit(l.src[i])) {
			i++
		}
	}
	if i >= len(l.src) || l.src[i] != '$' {
		l.pos++
		return tokOther
	}
	open, tag := l.pos, l.src[l.pos:i+1]
	end := strings.Index(l.src[i+1:], tag)
	if end < 0 {
		l.fail(open, "unclosed dollar quote "+clip(tag, 40))
		l.pos = len(l.src)
		return tokDollar
	}
	l.pos = i + 1 + end + len(tag)
	return tokDollar
}

// word reads an identifier, or a string with a prefix.
func (l *lexer) word(c byte) tokKind {
	switch c {
	case 'e', 'E':
		if l.peekByte(1) == '\'' {
			l.quoted('\'', 2, true)
			return tokString
		}
	case 'b', 'B', 'x', 'X', 'n', 'N':
		if l.peekByte(1) == '\'' {
			l.quoted('\'', 2, false)
			return tokString
		}
	case 'u', 'U':
		if l.peekByte(1) == '&' && l.peekByte(2) == '\'' {
			l.quoted('\'', 3, false)
			return tokString
		}
		if l.peekByte(1) == '&' && l.peekByte(2) == '"' {
			l.quoted('"', 3, false)
			return tokQuoted
		}
	}
	for l.pos < len(l.src) && isWord(l.src[l.pos]) {
		l.pos++
	}
	return tokWord
}

func (l *lexer) number() {
	for l.pos < len(l.src) {
		c := l.src[l.pos]
		switch {
		case isDigit(c) || c == '_' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z':
		case c == '.' && l.peekByte(1) != '.':
		case (c == '+' || c == '-') && (l.src[l.pos-1] == 'e' || l.src[l.pos-1] == 'E') && isDigit(l.peekByte(1)):
		default:
			return
		}
		l.pos++
	}
}

// operator reads a run of operator characters, which ends where a comment begins
// and, as in PostgreSQL, gives back trailing + and - unless the run is one of the
// special ones.
func (l *lexer) operator() {
	start := l.pos
	for l.pos < len(l.src) && isOpChar(l.src[l.pos]) {
		rest := l.src[l.pos:]
		if l.pos > start && (strings.HasPrefix(rest, "--") || strings.HasPrefix(rest, "/*")) {
			break
		}
		l.pos++
	}
	if strings.ContainsAny(l.src[start:l.pos], "~!@#^&|`?%") {
		return
	}
	for l.pos > start+1 && (l.src[l.pos-1] == '+' || l.src[l.pos-1] == '-') {
		l.pos--
	}
}

func (l *lexer) fail(off int, msg string) {
	if l.err == nil {
		l.err = &Error{Offset: off, Msg: msg}
	}
}

// is reports whether t is the keyword w, given in lower case.
func (l *lexer) is(t token, w string) bool {
	return t.kind == tokWord && t.end-t.start == len(w) && strings.EqualFold(l.src[t.start:t.end], w)
}

// at reports whether t is the punctuation c.
func (l *lexer) at(t token, c byte) bool {
	return t.kind == tokPunct && l.src[t.start] == c
}

// Comments lists the comments of src in order, those in strings excepted.
func Comments(src string) []Comment {
	var out []Comment
	l := newLexer(src)
	for t := l.next(); t.kind != tokEOF; t = l.next() {
		if t.kind == tokComment {
			out = append(out, Comment{t.start, t.end, src[t.start:t.end]})
		}
	}
	return out
}

// clip shortens s to about n bytes at a rune's border, on one line.
func clip(s string, n int) string {
	s = strings.Join(strings.Fields(s), " ")
	if len(s) <= n {
		return s
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n] + "…"
}
