package explain

import (
	"testing"

	"github.com/planvet/planvet/internal/report"
)

// Plans of every kind of node, as a server gives them, go through every writer, and
// their JSON follows the schema.
func TestWritersOnRealPlans(t *testing.T) {
	b := newBench(t, shop, "vacuum analyze")
	schema := compiledSchema(t)
	for _, s := range statements {
		if b.major < 14 && (s.name == "tid range" || s.name == "memoize") {
			continue
		}
		for _, analyze := range []bool{true, false} {
			p := b.explain(s.sql, s.settings, analyze)
			r := &Report{SQL: s.sql, Plans: []Plan{{Label: "given", Analyzed: analyze, Blocks: p.Blocks(), Root: tree(p)}}}
			if err := validateReport(t, schema, asJSON(t, r)); err != nil {
				t.Errorf("%s: %v", s.name, err)
			}
			elements(t, asHTML(t, r))
			if asText(t, r, report.TextOptions{}) == "" || asMarkdown(t, r) == "" {
				t.Errorf("%s: nothing is written", s.name)
			}
		}
	}
}
