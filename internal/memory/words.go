package memory

import (
	"slices"
	"strings"
	"unicode"
)

// words are a text's letters and digits, in lower case: both stores then see the same
// words, whatever their own idea of a file name or an identifier is.
func words(text string) []string {
	return strings.FieldsFunc(strings.ToLower(strings.ToValidUTF8(text, " ")), func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) })
}

// stop are words that say nothing of what is sought.
var stop = strings.Fields("a an and are as at be by for from in is it of on or that the this to was were with")

// asked are the distinct words of a query, without those that say nothing unless there
// are no others; the first 32.
func asked(text string) []string {
	var out []string
	all := words(text)
	for _, w := range all {
		if !slices.Contains(stop, w) && !slices.Contains(out, w) {
			out = append(out, w)
		}
	}
	if len(out) == 0 {
		out = all
	}
	return out[:min(len(out), 32)]
}

// indexed is what an entry is found by, what weighs most first: what it is about, what
// was learned, and the rest.
func (e *Entry) indexed() [3]string {
	join := func(lists ...[]string) string {
		return strings.Join(words(strings.Join(slices.Concat(lists...), " ")), " ")
	}
	return [3]string{
		join([]string{e.Task, e.Pattern, e.Rule}, e.Tags),
		join(e.Lessons),
		join([]string{e.Object, e.Category, e.Skill, e.Outcome, e.Query}, e.Files, e.Fix),
	}
}
