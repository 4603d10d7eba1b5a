package plan

import (
	"regexp"
	"slices"
	"strings"
)

// conditionKeys returns which keys of an index the conjuncts of an index
// condition stand on, sorted, and whether some conjunct stands on none. The
// server puts the key on the left; a row comparison counts for its first column.
func conditionKeys(cond, alias string, keys []string) (found []int, unexplained bool) {
	if cond == "" {
		return nil, false
	}
	var names []string
	for _, k := range keys {
		names = append(names, operand(k))
	}
	for _, c := range conjuncts(cond) {
		if strings.HasSuffix(c, " IS NOT NULL") {
			continue
		}
		left := leftOperand(Unprefix(c, alias))
		if row, ok := strings.CutPrefix(left, "ROW("); ok {
			left = row[:endOf(row, ",)")]
		}
		i := slices.Index(names, operand(left))
		if i < 0 {
			unexplained = true
			continue
		}
		if !slices.Contains(found, i) {
			found = append(found, i)
		}
	}
	slices.Sort(found)
	return found, unexplained
}

// conjuncts splits a condition at its outermost ANDs, parentheses gone.
func conjuncts(cond string) []string {
	cond = unwrap(cond)
	var out []string
	for {
		i := topLevel(cond, " AND ")
		if i < 0 {
			return append(out, unwrap(cond))
		}
		out = append(out, unwrap(cond[:i]))
		cond = cond[i+len(" AND "):]
	}
}

// leftOperand is what stands before the operator: the text up to the first space
// that is in no parentheses and no quotes.
func leftOperand(conjunct string) string {
	if i := topLevel(conjunct, " "); i >= 0 {
		return conjunct[:i]
	}
	return conjunct
}

var castOnly = regexp.MustCompile(`^(.*[^:])::[a-z_"][^()]*(\([^()]*\))?(\[\])*$`)

// operand brings an operand to the form in which a condition and an index
// definition agree: no outer parentheses and no outer cast, which an index
// condition has only where it changes nothing.
func operand(s string) string {
	for {
		t := unwrap(strings.TrimSpace(s))
		if m := castOnly.FindStringSubmatch(t); m != nil && balanced(m[1]) {
			t = unwrap(m[1])
		}
		if t == s {
			return s
		}
		s = t
	}
}

// unwrap removes parentheses around all of a text.
func unwrap(s string) string {
	for strings.HasPrefix(s, "(") && endOf(s[1:], ")") == len(s)-2 {
		s = s[1 : len(s)-1]
	}
	return s
}

func balanced(s string) bool { return endOf(s, ")") == len(s) }

// topLevel is the first place of sep outside of parentheses and quotes, -1 for none.
func topLevel(s, sep string) int {
	found := -1
	scan(s, func(i, depth int) bool {
		if depth == 0 && strings.HasPrefix(s[i:], sep) {
			found = i
			return false
		}
		return true
	})
	return found
}

// endOf is the first place of one of some bytes outside of parentheses opened in
// s and of quotes, len(s) for none.
func endOf(s, stops string) int {
	end := len(s)
	scan(s, func(i, depth int) bool {
		if depth == 0 && strings.IndexByte(stops, s[i]) >= 0 {
			end = i
			return false
		}
		return true
	})
	return end
}

// scan calls f for each byte outside of quotes until f says false. A closing
// parenthesis is reported at the depth outside of it, an opening one too.
func scan(s string, f func(i, depth int) bool) {
	depth := 0
	for i := 0; i < len(s); i++ {
		switch c := s[i]; c {
		case '\'', '"':
			end := strings.IndexByte(s[i+1:], c)
			if end < 0 {
				return
			}
			i += end + 1
			continue
		case '(', '[':
			if !f(i, depth) {
				return
			}
			depth++
			continue
		case ')', ']':
			if depth > 0 {
				depth--
				if depth == 0 {
					continue
				}
			}
		}
		if !f(i, depth) {
			return
		}
	}
}

var plainName = regexp.MustCompile(`^[a-z_][a-z0-9_$]*$`)

// Unprefix removes the alias that VERBOSE puts before columns.
func Unprefix(s, alias string) string {
	prefix := ident(alias) + "."
	var b strings.Builder
	for i := 0; i < len(s); {
		if strings.HasPrefix(s[i:], prefix) && (i == 0 || !nameByte(s[i-1])) {
			i += len(prefix)
			continue
		}
		if c := s[i]; c == '\'' || c == '"' {
			end := strings.IndexByte(s[i+1:], c)
			if end < 0 {
				end = len(s) - i - 2
			}
			b.WriteString(s[i : i+end+2])
			i += end + 2
			continue
		}
		b.WriteByte(s[i])
		i++
	}
	return b.String()
}

func nameByte(c byte) bool {
	return c == '_' || c == '$' || c == '.' || c == '"' || c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= 0x80
}
