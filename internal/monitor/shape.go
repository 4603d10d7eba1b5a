package monitor

import (
	"strings"

	"github.com/planvet/planvet/catalog"
	"github.com/planvet/planvet/internal/pgast"
	"github.com/planvet/planvet/internal/predicate"
)

// shape is what a statement's text tells with a schema.
type shape struct {
	fingerprint string
	class       Class
	tables      []string
}

// Shapes remembers what texts tell, since to parse thousands at each reading costs more
// than all else. It is of one schema and one goroutine.
type Shapes struct {
	cat    *catalog.Catalog
	sizes  catalog.Sizes
	byText map[string]shape
	joined map[[2]string]bool
}

// NewShapes remembers nothing yet. cat may be nil.
func NewShapes(cat *catalog.Catalog) *Shapes { return &Shapes{cat: cat, byText: map[string]shape{}} }

// mostShapes bounds the memory of a long watch.
const mostShapes = 20_000

func (s *Shapes) of(text string) shape {
	known, ok := s.byText[text]
	if ok {
		return known
	}
	out := shape{class: Unknown}
	if stmt, err := pgast.Parse(text); err == nil {
		if s.sizes == nil && s.cat != nil {
			if s.sizes = s.cat.Stats; s.sizes == nil {
				s.sizes = predicate.DefaultSizes(s.cat, nil)
			}
		}
		out.fingerprint = pgast.Fingerprint(stmt)
		out.class, out.tables = classify(stmt, s.cat, s.sizes)
	}
	if len(s.byText) >= mostShapes {
		clear(s.byText)
	}
	s.byText[text] = out
	return out
}

// outline is a text without the lengths of its lists of parameters and the numbers of
// parameters, which those lengths move. Statements that differ in lists alone have one
// outline, so that they can be added up before any is parsed. A text without a list is
// its own.
//
// A list is what stands between the parentheses of in ($1, $2), to which PostgreSQL 18
// appends a comment in place of the rest.
func outline(text string) string {
	var out strings.Builder
	kept := 0 // all before it is in out
	for at := 0; ; {
		open := strings.IndexByte(text[at:], '(')
		if open < 0 {
			break
		}
		open += at
		at = open + 1
		in := wordIn(text[:open])
		end := parameters(text[at:])
		if in < kept || end < 0 {
			continue
		}
		unnumbered(&out, text[kept:in])
		out.WriteString("in ($)")
		at += end
		kept = at
	}
	if kept == 0 {
		return text
	}
	unnumbered(&out, text[kept:])
	return out.String()
}

// wordIn is where the word "in" begins, behind which there is nothing but space; -1
// where a text does not end so.
func wordIn(text string) int {
	text = strings.TrimRight(text, space)
	at := len(text) - len("in")
	if at < 0 || !strings.EqualFold(text[at:], "in") || at > 0 && wordByte(text[at-1]) {
		return -1
	}
	return at
}

const space = " \t\n\r\f"

func wordByte(c byte) bool {
	return c == '_' || c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
}

// parameters is where the list of parameters $1, $2 ends that a text begins with, behind
// its closing parenthesis; -1 where there is none.
func parameters(text string) int {
	rest := text
	for {
		rest = strings.TrimLeft(rest, space)
		digits := numberAfterDollar(rest)
		if digits == 0 {
			return -1
		}
		rest = strings.TrimLeft(rest[1+digits:], space)
		if !strings.HasPrefix(rest, ",") {
			break
		}
		rest = rest[1:]
	}
	rest = strings.TrimLeft(strings.TrimPrefix(rest, "/*, ... */"), space)
	if !strings.HasPrefix(rest, ")") {
		return -1
	}
	return len(text) - len(rest) + 1
}

// numberAfterDollar is how many digits $n has that a text begins with; 0 where it does not.
func numberAfterDollar(text string) int {
	if !strings.HasPrefix(text, "$") {
		return 0
	}
	n := 1
	for n < len(text) && text[n] >= '0' && text[n] <= '9' {
		n++
	}
	return n - 1
}

// unnumbered writes a text without the numbers of parameters.
func unnumbered(out *strings.Builder, text string) {
	for {
		at := strings.IndexByte(text, '$')
		if at < 0 {
			out.WriteString(text)
			return
		}
		out.WriteString(text[:at+1])
		text = text[at+1+numberAfterDollar(text[at:]):]
	}
}
