package embedsql

import (
	"go/token"
	"strings"

	"github.com/planvet/planvet/analyzers/program"
	"github.com/planvet/planvet/rules"
)

// How a text came about, or-ed.
type how int

const (
	byConcat how = 1 << iota
	byVariable
	byEmbed
	byBuilder
	byWrapper
	byDirective
	// guessed is set when a value is one of too many, or of a loop.
	guessed
)

type pieceKind int

const (
	pieceText pieceKind = iota
	pieceParam
	pieceHole
)

type holeKind int

const (
	holeAny holeKind = iota
	holeNumber
	holeName
	// holeConditions is a list of conditions joined by AND.
	holeConditions
)

// piece is a run of a text.
type piece struct {
	kind pieceKind
	text string
	// at is the place of text's first byte; file is set instead for an embedded one.
	at    token.Pos
	pkg   *Package
	file  *rules.Location
	exact bool
	// param is the number of the parameter of fn.
	param int
	fn    *program.Func
	// hole says what is missing, why in words.
	hole holeKind
	why  string
}

// text is one possible text.
type text struct {
	pieces []piece
	how    how
}

// value is what is known of an expression: possible texts, a list or map of
// values, a struct's fields, or nothing.
type value struct {
	texts []text
	// items are the elements of a list, in order; list is set even when there are
	// none. keys are those of a map.
	items []value
	keys  []string
	list  bool
	// open is set when there may be more.
	open   bool
	fields map[string]value
	// lit is a function value.
	lit *program.Func
	// prepared is the call that prepared this statement.
	prepared any
}

const (
	maxTexts = 32
	maxItems = 2000
)

func hole(kind holeKind, why string) value {
	return value{texts: []text{{pieces: []piece{{kind: pieceHole, hole: kind, why: why}}}}}
}

func literal(p piece) value { return value{texts: []text{{pieces: []piece{p}}}} }

// plain is a text without a place.
func plain(s string) value { return literal(piece{kind: pieceText, text: s}) }

func (v value) known() bool {
	return len(v.texts) > 0 || v.list || v.fields != nil || v.lit != nil || v.prepared != nil
}

// with adds flags to every text.
func (v value) with(h how) value {
	out := v
	out.texts = make([]text, len(v.texts))
	for i, t := range v.texts {
		out.texts[i] = text{t.pieces, t.how | h}
	}
	return out
}

// concat joins the texts of a and b in every combination.
func concat(a, b value) value {
	if len(a.texts) == 0 {
		a = hole(holeAny, "a value that is not known")
	}
	if len(b.texts) == 0 {
		b = hole(holeAny, "a value that is not known")
	}
	var out value
	for _, x := range a.texts {
		for _, y := range b.texts {
			if len(out.texts) == maxTexts {
				return out.with(guessed)
			}
			ps := make([]piece, 0, len(x.pieces)+len(y.pieces))
			ps = append(append(ps, x.pieces...), y.pieces...)
			out.texts = append(out.texts, text{ps, x.how | y.how | byConcat})
		}
	}
	return out
}

// either merges what is known on two paths.
func either(a, b value) value {
	if !a.known() {
		return b
	}
	if !b.known() {
		return a
	}
	out := a
	out.texts = a.texts
	seen := map[string]bool{}
	for _, t := range a.texts {
		seen[t.key()] = true
	}
	for _, t := range b.texts {
		if k := t.key(); !seen[k] {
			seen[k] = true
			if len(out.texts) >= maxTexts && !a.list {
				out = out.with(guessed)
				break
			}
			out.texts = append(out.texts[:len(out.texts):len(out.texts)], t)
		}
	}
	if a.list || b.list {
		out.list = true
		out.open = a.open || b.open || len(a.items) != len(b.items)
		if len(b.items) > len(a.items) {
			out.items, out.keys = b.items, b.keys
		}
	}
	if out.fields == nil {
		out.fields = b.fields
	} else if b.fields != nil {
		fs := map[string]value{}
		for k, v := range a.fields {
			fs[k] = v
		}
		for k, v := range b.fields {
			fs[k] = either(fs[k], v)
		}
		out.fields = fs
	}
	if out.lit == nil {
		out.lit = b.lit
	}
	if out.prepared == nil {
		out.prepared = b.prepared
	}
	return out
}

func (t text) key() string {
	var b strings.Builder
	for _, p := range t.pieces {
		switch p.kind {
		case pieceText:
			b.WriteString(p.text)
		case pieceParam:
			b.WriteString("\x00" + p.fn.Key + "\x01" + string(rune('a'+p.param)))
		case pieceHole:
			b.WriteString("\x02")
		}
	}
	return b.String()
}

// constant is the text when it is known in full.
func (t text) constant() (string, bool) {
	var b strings.Builder
	for _, p := range t.pieces {
		if p.kind != pieceText {
			return "", false
		}
		b.WriteString(p.text)
	}
	return b.String(), true
}

// element is any of a list's elements.
func (v value) element() value {
	var out value
	for i, it := range v.items {
		if i >= maxItems {
			break
		}
		if i == 0 {
			out = it
			out.texts = out.texts[:len(out.texts):len(out.texts)]
			continue
		}
		out.texts = append(out.texts, it.texts...)
		if it.fields != nil {
			if out.fields == nil {
				out.fields = map[string]value{}
			} else if i == 1 {
				fs := map[string]value{}
				for k, f := range out.fields {
					fs[k] = f
				}
				out.fields = fs
			}
			for k, f := range it.fields {
				g := out.fields[k]
				g.texts = append(g.texts[:len(g.texts):len(g.texts)], f.texts...)
				if f.list {
					g.list = true
					g.items = append(g.items[:len(g.items):len(g.items)], f.items...)
				}
				out.fields[k] = g
			}
		}
		if it.list {
			out.list = true
			out.items = append(out.items[:len(out.items):len(out.items)], it.items...)
		}
	}
	return out
}
