package plan

import (
	"regexp"
	"strings"
)

// Match tells which keys of an index the conjuncts of a condition stand on, as
// places in Keys, and whether some conjunct stands on none. alias is that of the
// scan whose condition it is.
func (d IndexDef) Match(cond, alias string) (keys []int, unexplained bool) {
	return conditionKeys(cond, alias, d.Keys)
}

// Conjuncts splits a condition at its outermost ANDs, parentheses gone.
func Conjuncts(cond string) []string {
	if cond == "" {
		return nil
	}
	return conjuncts(cond)
}

// Arms splits a conjunct at its outermost ORs; one without is its only arm.
func Arms(conjunct string) []string {
	conjunct = unwrap(conjunct)
	var out []string
	for {
		i := topLevel(conjunct, " OR ")
		if i < 0 {
			return append(out, unwrap(conjunct))
		}
		out = append(out, unwrap(conjunct[:i]))
		conjunct = conjunct[i+len(" OR "):]
	}
}

var operators = regexp.MustCompile(`^([-+*/<>=~!@#%^&|?]+|IS|OPERATOR\([^ ]*\))$`)

// Sides splits a comparison into its operands and the operator. A condition without
// one has all of it on the left. The spaces of (o.at)::timestamp without time zone are
// its operand's.
func Sides(conjunct string) (left, operator, right string) {
	conjunct = unwrap(conjunct)
	for from := 0; ; {
		i := topLevel(conjunct[from:], " ")
		if i < 0 {
			return conjunct, "", ""
		}
		i += from
		word, rest, _ := strings.Cut(conjunct[i+1:], " ")
		if operators.MatchString(word) {
			return conjunct[:i], word, rest
		}
		from = i + 1
	}
}

// Columns are the columns of an alias in an expression, each once, as the
// expression writes them. Plans made with VERBOSE put the alias before each.
func Columns(expr, alias string) []string {
	prefix := ident(alias) + "."
	var out []string
	seen := map[string]bool{}
	for i := 0; i < len(expr); {
		switch c := expr[i]; {
		case strings.HasPrefix(expr[i:], prefix) && (i == 0 || !nameByte(expr[i-1])):
			i += len(prefix)
			end := identEnd(expr, i)
			if name := expr[i:end]; !seen[name] {
				seen[name] = true
				out = append(out, name)
			}
			i = end
		case c == '\'' || c == '"':
			i = quotedEnd(expr, i)
		default:
			i++
		}
	}
	return out
}

// ident writes a name as the server does.
func ident(name string) string {
	if plainName.MatchString(name) {
		return name
	}
	return `"` + strings.ReplaceAll(name, `"`, `""`) + `"`
}

// identEnd is where the name that starts at i ends.
func identEnd(s string, i int) int {
	if i < len(s) && s[i] == '"' {
		return quotedEnd(s, i)
	}
	for i < len(s) && nameByte(s[i]) && s[i] != '.' && s[i] != '"' {
		i++
	}
	return i
}

// quotedEnd is where the quoted text that starts at i ends; a doubled quote is two
// texts side by side, which comes to the same.
func quotedEnd(s string, i int) int {
	end := strings.IndexByte(s[i+1:], s[i])
	if end < 0 {
		return len(s)
	}
	end += i + 2
	if end < len(s) && s[end] == s[i] {
		return quotedEnd(s, end)
	}
	return end
}
