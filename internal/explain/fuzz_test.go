package explain

import (
	"math"
	"strings"
	"testing"

	"github.com/planvet/planvet/internal/plan"
)

// FuzzDiagnose holds the reading half to plans that no server prints: it ends, it
// does not panic, and no part is negative or beyond the whole.
func FuzzDiagnose(f *testing.F) {
	for _, c := range recorded {
		f.Add(c.text)
	}
	for _, seed := range []string{
		`{"Plan": {"Node Type": "Nested Loop", "Actual Loops": 1, "Actual Rows": 5, "Actual Total Time": 9, "Plans": [
			{"Node Type": "CTE Scan", "CTE Name": "a", "Parent Relationship": "Outer", "Actual Loops": 1, "Actual Total Time": 5, "Shared Hit Blocks": 7, "Filter": "(x = $0)"},
			{"Node Type": "Memoize", "Parent Relationship": "Inner", "Actual Loops": 2000, "Actual Rows": 90, "Actual Total Time": 1},
			{"Node Type": "Seq Scan", "Relation Name": "t", "Alias": "t", "Parent Relationship": "InitPlan", "Subplan Name": "CTE a", "Actual Loops": 1, "Actual Total Time": 4, "Shared Hit Blocks": 7},
			{"Node Type": "Result", "Parent Relationship": "InitPlan", "Subplan Name": "InitPlan 2 (returns $0)", "Output": ["$0"], "Actual Loops": 1, "Actual Total Time": 2}]}, "Execution Time": 10}`,
		`{"Plan": {"Node Type": "Hash Join", "Actual Loops": 1, "Actual Rows": 500, "Plan Rows": 1, "Plans": [{"Node Type": "Seq Scan", "Parent Relationship": "Outer",
			"Relation Name": "t", "Alias": "t", "Actual Loops": 1, "Actual Rows": 1, "Plan Rows": 90000, "Filter": "((t.a = 1) OR (lower(t.b) = 'x'::text))", "Rows Removed by Filter": 90000, "Shared Hit Blocks": 900}]}, "Execution Time": 10}`,
		`{"Plan": {"Node Type": "Gather", "Workers Planned": 2, "Actual Loops": 1, "Actual Total Time": 99, "Plans": [{"Node Type": "Aggregate", "Parent Relationship": "Outer", "Actual Loops": 3,
			"Actual Total Time": 40, "Workers": [{"Worker Number": 0, "Actual Loops": 1, "Actual Total Time": 60, "Actual Rows": 9000}]}]}, "Execution Time": 100}`,
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		p, err := plan.Parse([]byte(text))
		if err != nil {
			return
		}
		root := tree(p)
		findings, _ := diagnose(p, root, nil)
		negative := strings.Contains(text, "-") // no server counts below zero
		for _, s := range root.all() {
			if !negative && (s.SelfMS < 0 || s.SelfBlocks < 0 || s.Share < 0 || s.Share > 1+1e-9 || math.IsNaN(s.Share)) {
				t.Errorf("%s has the part %g ms, %d blocks, share %g", s.Title, s.SelfMS, s.SelfBlocks, s.Share)
			}
		}
		for _, x := range findings {
			if x.Message == "" || x.Advice == "" || x.Step > len(root.all()) || !negative && math.IsNaN(x.Share) {
				t.Errorf("finding %+v", x)
			}
		}
	})
}
