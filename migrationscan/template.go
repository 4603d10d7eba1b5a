package migrationscan

import (
	"regexp"
	"strings"
)

// Templates are rewritten byte for byte, so that offsets stay:
//
//  1. /* TEMPLATE … */ becomes spaces (as a comment it means nothing, but it also
//     stands inside strings).
//  2. {{if}}, {{end}}, {{range}}, {{/* */}} and the like become spaces. Of the branches
//     the first stays, and the others become spaces too; a branch for another
//     database, {{if .mysql}}, is none.
//  3. {{expr}}. and "{{expr}}". qualify a name by a schema that is chosen at run
//     time: they become spaces with the dot, the search path resolves the name.
//  4. Any other {{expr}} becomes an identifier of the same length.
//  5. ${name} is treated as {{name}}.
//  6. {{template "file" .}} becomes spaces; includes lists such files.
var (
	templateComment = regexp.MustCompile(`/\* *TEMPLATE[^*]*\*/`)
	templateAction  = regexp.MustCompile(`\{\{[^}]*(?:\}[^}]+)*\}\}|\$\{[A-Za-z_][\w.:-]*\}`)
	templateWord    = regexp.MustCompile(`^\{\{-?\s*(/\*|[a-z]+\b)?`)
	templateName    = regexp.MustCompile(`[A-Za-z_][A-Za-z0-9_]*`)
	templateInclude = regexp.MustCompile(`\{\{-?\s*(?:template|include)\s+"([^"]+)"`)
)

// includes are the files that a text pulls in by {{template "file" .}}.
func includes(text string) []string {
	if !strings.Contains(text, "{{") {
		return nil
	}
	var out []string
	for _, m := range templateInclude.FindAllStringSubmatch(text, -1) {
		out = append(out, m[1])
	}
	return out
}

// untemplate rewrites the templates of text; the result is as long as text.
func untemplate(text string) string {
	if strings.Contains(text, "TEMPLATE") {
		text = templateComment.ReplaceAllStringFunc(text, blank)
	}
	if !strings.Contains(text, "{{") && !strings.Contains(text, "${") {
		return text
	}
	t := templating{src: text, out: []byte(text)}
	for _, m := range templateAction.FindAllStringIndex(text, -1) {
		t.action(m[0], m[1])
	}
	return string(t.out)
}

type templating struct {
	src  string
	out  []byte
	open []branch
}

// branch is the one that is open of a block.
type branch struct {
	// at is where it begins.
	at int
	// drop is set when it goes, taken when it or one before it stays.
	drop, taken bool
}

func (t *templating) begin(at int, condition string) branch {
	other := forOther(condition)
	return branch{at: at, drop: other, taken: !other}
}

func (t *templating) finish(b branch, to int) {
	if b.drop {
		t.blank(b.at, to)
	}
}

var negation = regexp.MustCompile(`\b(not|ne)\b`)

// forOther reports whether a condition holds for another database than PostgreSQL.
func forOther(condition string) bool {
	not := negation.MatchString(condition)
	if ownDialect.MatchString(condition) {
		return not
	}
	return dialectOf(condition) != "" && !not
}

func (t *templating) action(from, to int) {
	text := t.src[from:to]
	word := ""
	if m := templateWord.FindStringSubmatch(text); m != nil && strings.HasPrefix(text, "{{") {
		word = m[1]
	}
	switch word {
	case "if":
		t.open = append(t.open, t.begin(to, text))
		t.blank(from, to)
	case "range", "with", "define", "block":
		t.open = append(t.open, branch{at: to, taken: true})
		t.blank(from, to)
	case "else":
		t.blank(from, to)
		if n := len(t.open); n > 0 {
			b := t.open[n-1]
			t.finish(b, from)
			if b.taken {
				t.open[n-1] = branch{at: to, drop: true, taken: true}
			} else {
				t.open[n-1] = t.begin(to, text)
			}
		}
	case "end":
		t.blank(from, to)
		if n := len(t.open); n > 0 {
			t.finish(t.open[n-1], from)
			t.open = t.open[:n-1]
		}
	case "/*", "template", "include", "break", "continue":
		t.blank(from, to)
	default:
		t.value(from, to)
	}
}

func (t *templating) blank(from, to int) {
	for i := from; i < to; i++ {
		if t.out[i] != '\n' && t.out[i] != '\r' {
			t.out[i] = ' '
		}
	}
}

func (t *templating) value(from, to int) {
	quoted := from > 0 && t.src[from-1] == '"' && to < len(t.src) && t.src[to] == '"'
	a, b := from, to
	if quoted {
		a, b = from-1, to+1
	}
	if b < len(t.src) && t.src[b] == '.' && (a == 0 || !isWord(t.src[a-1])) {
		t.blank(a, b+1)
		return
	}
	names := templateName.FindAllString(t.src[from:to], -1)
	name := "template"
	if len(names) > 0 {
		name = strings.ToLower(names[len(names)-1])
	}
	// The underscore keeps it from being a reserved word.
	name += "_"
	if n := to - from; len(name) > n {
		name = name[:n]
	}
	pad := byte(' ')
	if to < len(t.src) && isWord(t.src[to]) {
		pad = '_'
	}
	t.blank(a, b)
	if quoted {
		pad = ' '
		name = `"` + name + `"`
	}
	for i := a; i < b; i++ {
		switch {
		case i-a < len(name):
			t.out[i] = name[i-a]
		default:
			t.out[i] = pad
		}
	}
}

func isWord(b byte) bool {
	return b == '_' || b == '$' || b >= 0x80 || '0' <= b && b <= '9' || 'a' <= b|0x20 && b|0x20 <= 'z'
}
