package explain

import (
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"
)

// elsewhere are the tests of heuristics that need tables, or a role, of their own.
var elsewhere = map[string]string{
	"planning-time": "TestPlanningTime", "policy-call-per-row": "TestPolicyCalls", "leakproof-demotion": "TestLeakproofDemotion",
}

// TestEveryHeuristicIsTried asserts that each has its metadata, a case that fires and
// a near miss that does not.
func TestEveryHeuristicIsTried(t *testing.T) {
	fires, silent := map[string]bool{}, map[string]bool{}
	note := func(name string, f bool) {
		fires[name], silent[name] = fires[name] || f, silent[name] || !f
	}
	for _, c := range faultCases {
		note(c.heuristic, c.fires)
	}
	for _, c := range recorded {
		note(c.heuristic, c.fires)
	}
	seen := map[string]bool{}
	for _, h := range heuristics {
		if !regexp.MustCompile(`^[a-z]+(-[a-z]+)*$`).MatchString(h.Name) || seen[h.Name] || h.Fires == "" || h.Source == "" || h.Severity == "" || h.Advice == "" || h.find == nil {
			t.Errorf("heuristic %q lacks something, or is there twice", h.Name)
		}
		seen[h.Name] = true
		if elsewhere[h.Name] == "" && (!fires[h.Name] || !silent[h.Name]) {
			t.Errorf("%s: a case that fires %v, one that does not %v", h.Name, fires[h.Name], silent[h.Name])
		}
	}
	for name := range fires {
		if !seen[name] {
			t.Errorf("a case is of %s, which is no heuristic", name)
		}
	}
}

// TestHeuristicsPage holds docs/explain-heuristics.md to the heuristics; UPDATE=1
// writes it.
func TestHeuristicsPage(t *testing.T) {
	const path = "../../docs/explain-heuristics.md"
	want := heuristicsPage()
	if os.Getenv("UPDATE") == "1" {
		if err := os.WriteFile(path, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(path)
	if err != nil || string(got) != want {
		t.Errorf("%s is not what the heuristics say (%v): UPDATE=1 go test ./internal/explain -run TestHeuristicsPage", path, err)
	}
}

func heuristicsPage() string {
	var b strings.Builder
	fmt.Fprintf(&b, `# Heuristics of planvet explain

<!-- Made from the heuristics themselves: UPDATE=1 go test ./internal/explain -run TestHeuristicsPage -->

A heuristic looks for one fault of a plan. It is told only where it weighs: a query
of under %d ms is left alone (a plan that was not run: under a cost of %d), and so is a
finding that concerns under %s of the query. The share is of time where each step was
timed, else of blocks, else of cost; findings come heaviest first. What several
partitions of a table have is told once.

A step's own part of time and blocks is what EXPLAIN prints times loops, without what
the steps below took. InitPlans and CTEs are charged to the step that ran them,
times in parallel workers are those of the slowest process, and all parts sum to the
whole. Steps that were never executed are marked and have no findings.

A plan that could not be better has no finding; where that cannot be told apart, the
heuristic is silent. Thresholds stand in internal/explain/thresholds.go; pev2, joe and
QuerySense are readers of plans that they come from.

| heuristic | severity | thresholds from |
| --- | --- | --- |
`, leastMS, leastCost, percent(leastShare))
	for _, h := range heuristics {
		fmt.Fprintf(&b, "| [%s](#%s) | %s | %s |\n", h.Name, h.Name, h.Severity, tableCell(h.Source))
	}
	for _, h := range heuristics {
		fmt.Fprintf(&b, "\n## %s\n\nFires when %s.\n\nWhat to do: %s.\n", h.Name, h.Fires, h.Advice)
		if h.Needs != "" {
			fmt.Fprintf(&b, "\nIt asks the server for %s.\n", h.Needs)
		}
	}
	return b.String()
}

func tableCell(s string) string { return strings.ReplaceAll(s, "|", `\|`) }
