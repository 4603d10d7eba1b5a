package pgast

import "strings"

// splitter finds the statements of a file.
//
//  1. A semicolon ends a statement, unless it stands in a BEGIN ATOMIC body or in
//     the parentheses of a CREATE RULE: nowhere else does the grammar have one
//     inside a statement, so a parenthesis left open hides nothing that follows.
//  2. A backslash and a letter outside quotes begin a psql meta-command, which
//     takes the rest of its line and ends the statement before it.
//  3. After COPY … FROM stdin; the lines up to \. are data.
type splitter struct {
	*lexer
	out []Piece
	// start is the first token of the statement under way, -1 for none; end is the
	// end of its last token.
	start, end int
	// words are the first keywords of the statement, lower case; prev the last one.
	words []string
	prev  string
	// atomic is the depth of BEGIN ATOMIC and CASE, parens that of parentheses.
	atomic, parens int
	copyStdin      bool
	// noData is set once no \. line follows, so that none is looked for again.
	noData bool
}

// Split finds the statements of src, whatever state they are in. Linear in src.
func Split(src string) []Piece {
	s := &splitter{lexer: newLexer(src), start: -1}
	for t := s.code(); t.kind != tokEOF; t = s.code() {
		s.token(t)
		if s.err != nil {
			break
		}
	}
	s.flush()
	return s.out
}

func (s *splitter) token(t token) {
	switch {
	case t.kind == tokOther && s.src[t.start] == '\\' && s.metaAt(t.start):
		s.flush()
		s.meta(t.start)
		return
	case s.at(t, ';') && s.ends():
		data := s.copyStdin
		s.flush()
		if data {
			s.copyData()
		}
		return
	}
	if s.start < 0 {
		s.start = t.start
	}
	s.end = t.end
	switch {
	case t.kind == tokWord:
		s.word(t)
		return
	case s.at(t, '('):
		s.parens++
	case s.at(t, ')'):
		s.parens--
	}
	s.prev = ""
}

func (s *splitter) ends() bool {
	if s.atomic > 0 {
		return false
	}
	return s.parens <= 0 || !s.isRule()
}

func (s *splitter) isRule() bool {
	return s.begins("create", "rule") || s.begins("create", "or", "replace", "rule")
}

func (s *splitter) begins(words ...string) bool {
	if len(s.words) < len(words) {
		return false
	}
	for i, w := range words {
		if s.words[i] != w {
			return false
		}
	}
	return true
}

func (s *splitter) word(t token) {
	w := ""
	if t.end-t.start <= 12 {
		w = strings.ToLower(s.src[t.start:t.end])
	}
	if len(s.words) < 4 {
		s.words = append(s.words, w)
	}
	switch {
	case w == "atomic" && s.prev == "begin" && s.atomic == 0 && s.words[0] == "create":
		s.atomic = 1
	case s.atomic > 0 && w == "case":
		s.atomic++
	case s.atomic > 0 && w == "end":
		s.atomic--
	case w == "stdin" && s.prev == "from" && s.words[0] == "copy":
		s.copyStdin = true
	}
	s.prev = w
}

func (s *splitter) flush() {
	if s.start >= 0 || s.err != nil {
		p := Piece{Start: s.start, End: s.end, Err: s.err}
		if s.start < 0 { // the fault is in a comment before any token
			p.Start, p.End = s.err.Offset, len(s.src)
		}
		if p.Err != nil && p.Err.Offset >= p.End {
			p.End = len(s.src)
		}
		s.out = append(s.out, p)
	}
	s.start, s.words, s.prev = -1, s.words[:0], ""
	s.atomic, s.parens, s.copyStdin = 0, 0, false
}

func (s *splitter) metaAt(i int) bool {
	if i+1 >= len(s.src) {
		return false
	}
	c := s.src[i+1]
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c == '!' || c == '?' || c == '.'
}

func (s *splitter) meta(start int) {
	s.lineComment()
	s.out = append(s.out, Piece{Start: start, End: s.pos, Meta: true})
}

// copyData skips the lines of data that follow COPY … FROM stdin;.
func (s *splitter) copyData() {
	nl := strings.IndexByte(s.src[s.pos:], '\n')
	if s.noData || nl < 0 {
		return
	}
	start := s.pos + nl
	end := strings.Index(s.src[start:], "\n\\.")
	if end < 0 {
		s.noData = true
		return
	}
	s.pos = start + end + len("\n\\.")
	s.out = append(s.out, Piece{Start: start + 1, End: s.pos, Meta: true})
}
