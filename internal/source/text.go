package source

import (
	"errors"
	"regexp"
	"strings"

	"github.com/planvet/planvet/internal/pgast"
	"github.com/planvet/planvet/rules"
	"github.com/planvet/planvet/sqllint"
)

// reading is a text that the grammar took, with what was done to it.
type reading struct {
	text string
	stmt pgast.Stmt
	// from maps offsets of text to the source; nil where they are equal.
	from func(off int) int
	// dynamic is set when a part that is filled in at run time was guessed.
	dynamic bool
}

// read parses a statement of a query file. Placeholders and templates that the
// grammar does not know are tried in this order, and the first reading that
// parses is taken:
//
//  1. as it stands; in sqlc's files with sqlc.arg(x) and @name as parameters;
//  2. ?, :name and @name as parameters;
//  3. goyesql's %part%, and %s, as a name, as a query in parentheses, as nothing;
//     each of the length of what it replaces, so that offsets stay right.
//
// The error is that of the first reading.
func read(src string, sqlc bool) (reading, error) {
	first := pgast.Dollar
	if sqlc {
		first = pgast.Sqlc
	}
	got, err := readAs(src, first)
	if err == nil {
		return got, nil
	}
	const named = pgast.Question | pgast.Colon | pgast.AtSign
	if strings.ContainsAny(src, "?:@") {
		if got, err := readAs(src, named); err == nil {
			return got, nil
		}
	}
	if template.MatchString(src) {
		for _, fill := range fills {
			text := replaceCode(src, fill)
			for _, style := range []pgast.PlaceholderStyle{first, named} {
				if got, err := readAs(text, style); err == nil {
					got.dynamic = true
					return got, nil
				}
			}
		}
	}
	return reading{}, err
}

func readAs(src string, style pgast.PlaceholderStyle) (reading, error) {
	got := reading{text: src}
	if style != pgast.Dollar {
		out, m := pgast.Placeholders(src, style)
		if out != src {
			got.text, got.from = out, m.Src
		}
	}
	st, err := pgast.Parse(got.text)
	if err != nil {
		return reading{}, mapError(err, got.from)
	}
	got.stmt = st
	return got, nil
}

// mapError moves a syntax error's offset back to the source.
func mapError(err error, from func(int) int) error {
	if pe := (*pgast.Error)(nil); errors.As(err, &pe) && from != nil && pe.Offset >= 0 {
		return &pgast.Error{Offset: from(pe.Offset), Msg: pe.Msg}
	}
	return err
}

// template is goyesql's %part%, and Sprintf's %s, %d, %v.
var template = regexp.MustCompile(`%[A-Za-z_]\w*%|%[sdvq]\b`)

// fills are the guesses for a template, each as long as the template itself.
var fills = []func(src string, from, to int) string{
	func(src string, from, to int) string { // a column, a table, a condition
		return "_" + strings.Trim(src[from:to], "%") + strings.Repeat("_", strings.Count(src[from:to], "%")-1)
	},
	func(src string, from, to int) string { // with x as (%query%)
		before := strings.TrimRight(src[:from], " \t\r\n")
		if strings.HasSuffix(before, "(") && to-from >= len("select") {
			return "select" + strings.Repeat(" ", to-from-len("select"))
		}
		return "_" + strings.Trim(src[from:to], "%") + strings.Repeat("_", strings.Count(src[from:to], "%")-1)
	},
	func(_ string, from, to int) string { return strings.Repeat(" ", to-from) },
}

// replaceCode replaces templates outside quotes.
func replaceCode(src string, fill func(src string, from, to int) string) string {
	var b strings.Builder
	last, quoted, pos := 0, false, 0
	for _, m := range template.FindAllStringIndex(src, -1) {
		quoted = quoted != (strings.Count(src[pos:m[0]], "'")%2 == 1)
		pos = m[0]
		if quoted {
			continue
		}
		b.WriteString(src[last:m[0]])
		b.WriteString(fill(src, m[0], m[1]))
		last = m[1]
	}
	b.WriteString(src[last:])
	return b.String()
}

// segments map a reading's text to places. Runs that stand one to one in the
// source are exact; a rewritten placeholder maps to where it stands.
func segments(src string, got reading, at func(off int) rules.Location) []sqllint.Segment {
	if got.from == nil {
		return []sqllint.Segment{{Start: 0, At: at(0), Exact: true}}
	}
	same := func(i int) (int, bool) {
		s := got.from(i)
		return s, s >= 0 && s < len(src) && src[s] == got.text[i]
	}
	var out []sqllint.Segment
	prev, exact := -2, false
	for i := range len(got.text) {
		s, eq := same(i)
		switch {
		case i > 0 && eq && exact && s == prev+1:
		case i > 0 && !eq && !exact:
		default:
			out = append(out, sqllint.Segment{Start: i, At: at(s), Exact: eq})
			exact = eq
		}
		prev = s
	}
	return out
}
