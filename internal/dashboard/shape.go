package dashboard

import (
	"regexp"
	"slices"
	"strings"

	"github.com/planvet/planvet/internal/monitor"
)

// A dashboard is passed on, so that no value of a row and no secret is on it. Most
// statements come without: pg_stat_statements has parameters for them. Those that it
// keeps as they were sent (alter role … password …), and those of sessions that wait,
// are shown up to their first text, without numbers.

var number = regexp.MustCompile(`\$?\b\d[\d.]*\b`)

// shape is a statement without values.
func shape(sql string) string {
	if i := strings.IndexAny(sql, "'"); i >= 0 {
		sql = sql[:i] + "…"
	}
	if i := dollarQuote.FindStringIndex(sql); i != nil {
		sql = sql[:i[0]] + "…"
	}
	return number.ReplaceAllStringFunc(sql, func(n string) string {
		if n[0] == '$' {
			return n
		}
		return "…"
	})
}

// dollarQuote begins a text: $$ or $tag$.
var dollarQuote = regexp.MustCompile(`\$[\pL_]*\$`)

// shapes are waits whose statements have no values.
func shapes(trees []monitor.Blocker) []monitor.Blocker {
	out := slices.Clone(trees)
	for i := range out {
		out[i].Query, out[i].Holds = shape(out[i].Query), shapes(out[i].Holds)
	}
	return out
}
