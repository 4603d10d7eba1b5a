package embedsql

import (
	"go/token"
	"regexp"
	"strconv"
	"strings"

	"github.com/planvet/planvet/internal/pgast"
	"github.com/planvet/planvet/rules"
	"github.com/planvet/planvet/sqllint"
)

// rendered is a text with its holes filled and its placeholders numbered.
type rendered struct {
	text    string
	segs    []sqllint.Segment
	dynamic bool
	// origin counts the pieces that it was made of.
	origin int
}

// locate is the place of an offset, or at when nothing finer is known.
func (r rendered) locate(off int, at rules.Location) rules.Location {
	s := sqllint.Statement{Text: r.text, Segments: r.segs, Location: at}
	return s.Locate(off)
}

// from cuts the segments to a statement of the text.
func (r rendered) from(start, end int) []sqllint.Segment {
	var out []sqllint.Segment
	whole := sqllint.Statement{Text: r.text, Segments: r.segs}
	for i, g := range r.segs {
		next := len(r.text)
		if i+1 < len(r.segs) {
			next = r.segs[i+1].Start
		}
		if g.Start >= end || next <= start && i+1 < len(r.segs) {
			continue
		}
		if g.Start < start {
			g.At = whole.Locate(start)
			g.Start = start
		}
		g.Start -= start
		out = append(out, g)
	}
	return out
}

// fillers are tried for the holes of a text that does not parse with the guess of
// their context.
var fillers = []string{"", "planvet_dynamic", "true", "and true", "$1", "'x'"}

// render fills the holes. A text without any is taken as it is; otherwise the first
// filling that parses is taken, or the guess when none does.
func (x *extraction) render(t text, s *sink) []rendered {
	guess := x.fill(t, s, nil)
	if !t.hasHole() || parses(guess.text) {
		return []rendered{guess}
	}
	for i := range fillers {
		if r := x.fill(t, s, &fillers[i]); parses(r.text) {
			return []rendered{r}
		}
	}
	return []rendered{guess}
}

func parses(s string) bool {
	for _, p := range pgast.ParseFile(s) {
		if p.Err != nil {
			return false
		}
	}
	return true
}

func (t text) hasHole() bool {
	for _, p := range t.pieces {
		if p.kind == pieceHole {
			return true
		}
	}
	return false
}

var (
	wantsTable  = regexp.MustCompile(`(?i)\b(from|join|into|update|table|only|using)\s+("?\w*"?\.)?["']?\w*$`)
	wantsNumber = regexp.MustCompile(`(?i)\b(limit|offset|interval|top)\s+'?$`)
	wantsOrder  = regexp.MustCompile(`(?i)\border\s+by\s+([\w."]+(\s+(asc|desc))?\s*,\s*)*$`)
	wantsList   = regexp.MustCompile(`(?i)\b(in|any|values)\s*\(\s*$`)
	wantsBool   = regexp.MustCompile(`(?i)\b(where|and|or|not|on|having|when)\s*\(*\s*$`)
	wantsValue  = regexp.MustCompile(`(?i)([=<>,+*/-]|\b(like|ilike|between|select|set|by|any|all|then|else))\s*\(?\s*$`)
	endsDollar  = regexp.MustCompile(`\$$`)
)

// filler guesses what a hole stands for from the text before it.
func filler(before string, kind holeKind, param *int) (text string, dynamic bool) {
	switch {
	case endsDollar.MatchString(before):
		*param++
		return strconv.Itoa(*param), false
	case inQuotes(before):
		return "x", kind != holeNumber
	case wantsNumber.MatchString(before):
		return "1", false
	case wantsTable.MatchString(before):
		return "planvet_dynamic", true
	case strings.HasSuffix(before, "."):
		return "planvet_dynamic", true
	case kind == holeConditions:
		return "true", true
	case kind == holeNumber:
		return "1", true
	case wantsOrder.MatchString(before):
		return "planvet_dynamic", true
	case wantsList.MatchString(before):
		*param++
		return "$" + strconv.Itoa(*param), true
	case wantsBool.MatchString(before):
		return "true", true
	case wantsValue.MatchString(before):
		return "planvet_dynamic", true
	case kind == holeName:
		return "planvet_dynamic", true
	case before == "" || strings.HasSuffix(before, " ") || strings.HasSuffix(before, "\n") || strings.HasSuffix(before, "\t"):
		return "", true
	}
	return "", true
}

// inQuotes reports whether a text ends inside a quoted string or name.
func inQuotes(s string) bool {
	return strings.Count(s, "'")%2 == 1 || strings.Count(s, `"`)%2 == 1
}

// fill writes the pieces one after the other; fixed is put in the place of every
// hole whose context does not tell, nil guesses.
func (x *extraction) fill(t text, s *sink, fixed *string) rendered {
	var b strings.Builder
	r := rendered{dynamic: t.how&guessed != 0}
	param := highest(t)
	for _, p := range t.pieces {
		switch p.kind {
		case pieceText:
			if p.text == "" {
				continue
			}
			r.origin++
			g := x.segment(b.Len(), p)
			if g.At.Path == "" && len(r.segs) > 0 {
				g.At = r.locate2(b.String(), b.Len())
			}
			r.segs = append(r.segs, g)
			b.WriteString(p.text)
		case pieceHole:
			r.origin++
			text, dynamic := filler(b.String(), p.hole, &param)
			before := b.String()
			if fixed != nil && dynamic && !wantsTable.MatchString(before) && !inQuotes(before) {
				text = *fixed
			}
			r.dynamic = r.dynamic || dynamic
			if text != "" {
				g := sqllint.Segment{Start: b.Len()}
				if n := len(r.segs); n > 0 {
					g.At = r.locate2(b.String(), b.Len())
				}
				r.segs = append(r.segs, g)
				b.WriteString(text)
			}
		}
	}
	r.text = b.String()
	return numbered(r, s)
}

// locate2 is the place of an offset of a text that is still being written.
func (r rendered) locate2(text string, off int) rules.Location {
	s := sqllint.Statement{Text: text, Segments: r.segs}
	return s.Locate(off)
}

func (x *extraction) segment(start int, p piece) sqllint.Segment {
	g := sqllint.Segment{Start: start, Exact: p.exact}
	switch {
	case p.file != nil:
		g.At = *p.file
	case p.at != token.NoPos && p.pkg != nil:
		g.At = x.place(p.pkg, p.at)
	default:
		g.Exact = false
	}
	return g
}

var dollarParam = regexp.MustCompile(`\$(\d+)`)

// highest is the greatest $n of the known pieces.
func highest(t text) int {
	high := 0
	for _, p := range t.pieces {
		if p.kind != pieceText {
			continue
		}
		for _, m := range dollarParam.FindAllStringSubmatch(p.text, -1) {
			if n, err := strconv.Atoi(m[1]); err == nil && n < 1<<16 {
				high = max(high, n)
			}
		}
	}
	return high
}

var (
	colonParam = regexp.MustCompile(`(^|[^:\w]):[a-zA-Z_]\w*`)
	atParam    = regexp.MustCompile(`(^|[\s(,=<>])@[a-zA-Z_]\w*`)
)

// numbered rewrites ?, :name and @name to $n where the text is in that style: :name
// where the method says so, else whatever makes the text parse.
func numbered(r rendered, s *sink) rendered {
	var styles []pgast.PlaceholderStyle
	at := atParam.MatchString(r.text)
	switch {
	case s.named:
		styles = []pgast.PlaceholderStyle{pgast.Colon, pgast.Dollar}
	case at:
		styles = []pgast.PlaceholderStyle{pgast.AtSign, pgast.Dollar}
	default:
		styles = []pgast.PlaceholderStyle{pgast.Dollar}
	}
	if strings.Contains(r.text, "?") {
		styles = append(styles, pgast.Question)
	}
	if colonParam.MatchString(r.text) && !s.named {
		styles = append(styles, pgast.Colon)
	}
	if len(styles) == 1 {
		return rewritten(r, styles[0])
	}
	for _, st := range styles {
		if c := rewritten(r, st); parses(c.text) {
			return c
		}
	}
	return rewritten(r, styles[0])
}

func rewritten(r rendered, style pgast.PlaceholderStyle) rendered {
	if style == pgast.Dollar {
		return r
	}
	out, m := pgast.Placeholders(r.text, style)
	if out == r.text {
		return r
	}
	whole := sqllint.Statement{Text: r.text, Segments: r.segs}
	var segs []sqllint.Segment
	// A new segment begins where one began, and where the distance to the source
	// changes: around a placeholder that was rewritten.
	next, shift, first := 0, 0, true
	for off := range len(out) {
		src := m.Src(off)
		began := false
		for next < len(r.segs) && r.segs[next].Start <= src {
			next++
			began = true
		}
		if next == 0 || !began && !first && src-off == shift {
			continue
		}
		segs = append(segs, sqllint.Segment{Start: off, At: whole.Locate(src), Exact: r.segs[next-1].Exact})
		shift, first = src-off, false
	}
	r.text, r.segs = out, segs
	return r
}
