package pgast

import (
	"sort"
	"strconv"
	"strings"
)

// OffsetMap maps offsets of a rewritten text back to its source. The zero value is
// the identity.
type OffsetMap struct{ segs []mapSeg }

// mapSeg begins a stretch of the rewritten text: copied from src on, or, where fixed
// is set, made in the place of what stands at src.
type mapSeg struct {
	out, src int
	fixed    bool
}

// Src is the offset in the source of the byte at out.
func (m OffsetMap) Src(out int) int {
	i := sort.Search(len(m.segs), func(i int) bool { return m.segs[i].out > out }) - 1
	switch {
	case i < 0:
		return out
	case m.segs[i].fixed:
		return m.segs[i].src
	}
	return m.segs[i].src + out - m.segs[i].out
}

// Placeholders rewrites the placeholders of src to $n; equal names get one number,
// new numbers follow the highest $n of src. m maps offsets of out back to src.
//
// A ? is a placeholder only with Question, and then everywhere outside quotes and
// comments: PostgreSQL's operators ?, ?| and ?& must be written ??, as drivers
// demand. :name is none after a colon, nor as the upper bound of a slice. sqlc.embed(t)
// becomes t.*.
func Placeholders(src string, style PlaceholderStyle) (out string, m OffsetMap) {
	if style == Dollar {
		return src, OffsetMap{}
	}
	p := &placeholders{lexer: newLexer(src), style: style, numbers: map[string]int{}, next: highestParam(src) + 1}
	p.run()
	return p.out.String(), OffsetMap{p.segs}
}

func highestParam(src string) int {
	high := 0
	l := newLexer(src)
	for t := l.next(); t.kind != tokEOF; t = l.next() {
		if t.kind == tokParam {
			if n, err := strconv.Atoi(src[t.start+1 : t.end]); err == nil && n < 1<<16 {
				high = max(high, n)
			}
		}
	}
	return high
}

type placeholders struct {
	*lexer
	style   PlaceholderStyle
	out     strings.Builder
	segs    []mapSeg
	numbers map[string]int
	next    int
	// copied is how far src has been written out.
	copied int
	// prev is the last token, brackets the depth of [ ].
	prev     token
	brackets int
}

func (p *placeholders) run() {
	p.segs = append(p.segs, mapSeg{0, 0, false})
	for t := p.code(); t.kind != tokEOF; t = p.code() {
		switch {
		case t.kind == tokOp:
			p.operatorToken(t)
		case p.at(t, ':') && p.style&Colon != 0 && p.named(t.end) && !p.inSlice(t):
			p.name(t.start, t.end)
		case p.is(t, "sqlc") && p.style&Sqlc != 0:
			p.sqlc(t)
		case p.at(t, '['):
			p.brackets++
		case p.at(t, ']'):
			p.brackets--
		}
		p.prev = t
	}
	p.out.WriteString(p.src[p.copied:])
}

func (p *placeholders) named(i int) bool { return i < len(p.src) && isWordStart(p.src[i]) }

// inSlice reports whether the colon t divides the bounds of a slice.
func (p *placeholders) inSlice(t token) bool {
	if p.brackets <= 0 {
		return false
	}
	switch p.prev.kind {
	case tokOp, tokEOF:
		return false
	case tokPunct:
		c := p.src[p.prev.start]
		return c == ')' || c == ']'
	}
	return true
}

// operatorToken finds ? and @name in a run of operator characters.
func (p *placeholders) operatorToken(t token) {
	if p.style&Question != 0 {
		for i := t.start; i < t.end; i++ {
			if p.src[i] != '?' {
				continue
			}
			if i+1 < t.end && p.src[i+1] == '?' {
				p.replace(i, i+2, "?")
				i++
				continue
			}
			p.replace(i, i+1, p.param(""))
		}
	}
	at := t.end - 1
	if p.style&(AtSign|Sqlc) == 0 || p.src[at] != '@' || !p.named(t.end) {
		return
	}
	switch p.src[t.start:at] {
	case "", "=", "<>", "!=", ">", ">=", "<=", "+", "-", "*", "/", "%", "||", "~", "~*", "!~", "->", "->>":
		p.name(at, t.end)
	}
}

// name replaces the placeholder that begins at start and whose name begins at from.
func (p *placeholders) name(start, from int) {
	end := from
	for end < len(p.src) && (isWordStart(p.src[end]) || isDigit(p.src[end]) ||
		p.src[end] == '.' && p.named(end+1)) {
		end++
	}
	p.pos = max(p.pos, end)
	p.replace(start, end, p.param(p.src[from:end]))
}

// sqlc replaces sqlc.arg(x) and its like; anything else is left alone.
func (p *placeholders) sqlc(t token) {
	back := p.pos
	dot, fn, open, arg, end := p.code(), p.code(), p.code(), p.code(), p.code()
	name := strings.Trim(p.src[arg.start:arg.end], `'"`)
	if !p.at(dot, '.') || !p.at(open, '(') || !p.at(end, ')') || name == "" {
		p.pos = back
		return
	}
	switch strings.ToLower(p.src[fn.start:fn.end]) {
	case "arg", "narg", "slice":
		p.replace(t.start, end.end, p.param(name))
	case "embed":
		p.replace(t.start, end.end, name+".*")
	default:
		p.pos = back
	}
}

// param is $n; an empty name is one of its own.
func (p *placeholders) param(name string) string {
	n, ok := p.numbers[name]
	if !ok || name == "" {
		n = p.next
		p.next++
		p.numbers[name] = n
	}
	return "$" + strconv.Itoa(n)
}

// replace writes text in the place of src[start:end], kept apart from words beside it.
func (p *placeholders) replace(start, end int, text string) {
	p.out.WriteString(p.src[p.copied:start])
	p.segs = append(p.segs, mapSeg{p.out.Len(), start, true})
	if text[0] == '$' {
		if start > 0 && isWord(p.src[start-1]) {
			text = " " + text
		}
		if end < len(p.src) && isWord(p.src[end]) {
			text += " "
		}
	}
	p.out.WriteString(text)
	p.copied = end
	p.segs = append(p.segs, mapSeg{p.out.Len(), end, false})
}
