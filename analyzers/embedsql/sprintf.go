package embedsql

import (
	"go/ast"
	"go/token"
	"strconv"
	"strings"
)

// cut is the part of a piece between two offsets, with its place.
func (p piece) cut(from, to int) piece {
	q := p
	q.text = p.text[from:to]
	if p.exact {
		if p.file != nil {
			at := *p.file
			for _, b := range []byte(p.text[:from]) {
				if b == '\n' {
					at.Line++
					at.Column = 1
				} else {
					at.Column++
				}
			}
			q.file = &at
		} else if p.at.IsValid() {
			q.at = p.at + token.Pos(from)
		}
	}
	return q
}

// sprintf is fmt.Sprintf: verbs whose argument is known are filled in.
func (w *walker) sprintf(args []ast.Expr) value {
	if len(args) == 0 {
		return value{}
	}
	format := w.eval(args[0])
	vals := make([]value, len(args)-1)
	for i, a := range args[1:] {
		if vals[i] = w.eval(a); len(vals[i].texts) == 0 {
			vals[i] = hole(holeAny, "an argument of Sprintf")
		}
	}
	out := value{}
	for _, t := range format.texts {
		v := formatted(t, vals)
		room := maxTexts - len(out.texts)
		if room < len(v.texts) {
			v.texts = v.texts[:max(room, 0)]
			out = out.with(guessed)
		}
		out.texts = append(out.texts, v.texts...)
	}
	return out
}

func formatted(t text, vals []value) value {
	out := value{texts: []text{{how: t.how}}}
	next := 0
	for _, p := range t.pieces {
		if p.kind != pieceText {
			// The format itself is unknown: its verbs are filled when it is known.
			p.why = "format"
			out = join2(out, p)
			continue
		}
		for {
			n := strings.IndexByte(p.text, '%')
			if n < 0 {
				break
			}
			if n > 0 {
				out = join2(out, p.cut(0, n))
			}
			verb, width, arg := parseVerb(p.text[n:])
			switch verb {
			case '%', 0:
				q := p.cut(n, n+1)
				out = join2(out, q)
			default:
				if arg > 0 {
					next = arg - 1
				}
				v := hole(holeAny, "an argument of Sprintf")
				if next < len(vals) {
					v = vals[next]
				}
				next++
				if verb == 'd' && !allConstant(v) {
					v = hole(holeNumber, "a number")
				}
				if verb == 'q' {
					v = concat(concat(plain(`"`), v), plain(`"`))
				}
				h := out
				out = concat(h, v)
			}
			p = p.cut(n+width, len(p.text))
		}
		if p.text != "" {
			out = join2(out, p)
		}
	}
	if len(out.texts) == 1 && len(out.texts[0].pieces) == 0 {
		out.texts[0].pieces = []piece{{kind: pieceText}}
	}
	return out
}

func allConstant(v value) bool {
	for _, t := range v.texts {
		if _, ok := t.constant(); !ok {
			return false
		}
	}
	return len(v.texts) > 0
}

func join2(v value, p piece) value {
	out := value{texts: make([]text, len(v.texts))}
	for i, t := range v.texts {
		out.texts[i] = text{append(t.pieces[:len(t.pieces):len(t.pieces)], p), t.how}
	}
	return out
}

// parseVerb reads %[1]-5s: the verb, its length in bytes, and the explicit
// argument's number or 0. A lone % gives verb 0 and length 1.
func parseVerb(s string) (verb byte, width, arg int) {
	i := 1
	for i < len(s) {
		c := s[i]
		switch {
		case c == '[':
			j := strings.IndexByte(s[i:], ']')
			if j < 0 {
				return 0, 1, 0
			}
			arg, _ = strconv.Atoi(s[i+1 : i+j])
			i += j + 1
		case strings.IndexByte("+-# .0123456789*", c) >= 0:
			i++
		case c == '%' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z':
			return c, i + 1, arg
		default:
			return 0, 1, 0
		}
	}
	return 0, 1, 0
}
