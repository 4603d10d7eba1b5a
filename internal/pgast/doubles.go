package pgast

import (
	"strings"

	pg "github.com/planvet/planvet/internal/pgast/grammar"
)

// parse is the linked parser's Parse. Oliphant 0.2.0 takes the first word of an
// argument's type double precision for its name, as in DROP FUNCTION f(double
// precision); such a text is parsed again with FLOAT, which gives the same tree.
func parse(text string) (*pg.ParseResult, *pg.Fault) {
	tree, f := pg.Parse(text)
	if f == nil || !pg.Retries || !strings.Contains(strings.ToLower(f.Msg), `near "precision"`) {
		return tree, f
	}
	again, ok := floatForDouble(text)
	if !ok {
		return nil, f
	}
	return pg.Parse(again)
}

// floatForDouble writes FLOAT for each DOUBLE PRECISION; every place stays where it is.
func floatForDouble(text string) (string, bool) {
	b := []byte(text)
	l := newLexer(text)
	var before token
	found := false
	for t := l.code(); t.kind != tokEOF; t = l.code() {
		if t.kind == tokWord && before.kind == tokWord && strings.EqualFold(text[t.start:t.end], "precision") &&
			strings.EqualFold(text[before.start:before.end], "double") {
			copy(b[before.start:], "float ")
			copy(b[t.start:], strings.Repeat(" ", t.end-t.start))
			found = true
		}
		before = t
	}
	return string(b), found
}
