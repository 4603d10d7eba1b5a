package pgast

import "strings"

// Masked is SQL with a ? for each constant and a blank for each comment: what may
// leave the house where values may not. It never fails; what is not closed is a
// constant to the end.
func Masked(src string) string {
	l := newLexer(src)
	var out strings.Builder
	done := 0
	put := func(t token, with string) {
		out.WriteString(src[done:t.start])
		out.WriteString(with)
		done = t.end
	}
	for t := l.next(); t.kind != tokEOF; t = l.next() {
		switch t.kind {
		case tokString, tokDollar, tokNumber:
			put(t, "?")
		case tokComment:
			put(t, " ")
		}
	}
	out.WriteString(src[done:])
	return strings.TrimSpace(out.String())
}
