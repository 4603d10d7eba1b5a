package report

import (
	"strings"
	"testing"
)

func TestScopeLines(t *testing.T) {
	stale := make([]StaleEntry, 2)
	for _, c := range []struct {
		s    Summary
		want string
	}{
		{Summary{}, ""},
		{Summary{Since: &Since{Revision: "main", Commit: "0123456789abcdef", FilesChanged: 2}}, "since main (012345678): nothing that planvet reads changed (2 other files)"},
		{Summary{Since: &Since{Revision: "0123456", Commit: "0123456789abcdef", FilesRead: 1, Before: 1}}, "since 0123456: 1 finding was there before"},
		{Summary{Since: &Since{Revision: "main", Commit: "01", FilesRead: 1, Before: 12, Gone: 3, Notes: []string{"so"}}}, "note: so|since main (01): 12 findings were there before, 3 gone"},
		{Summary{Baseline: &Baseline{File: "b.json"}}, "0 baselined in b.json"},
		{Summary{Baseline: &Baseline{File: "b.json", Findings: 3, Stale: stale[:1]}}, "3 baselined in b.json; 1 entry is stale, planvet baseline prune drops it"},
		{Summary{Baseline: &Baseline{File: "b.json", Findings: 3, Stale: stale}, Since: &Since{Revision: "a", Commit: "b", FilesRead: 1}},
			"3 baselined in b.json; 2 entries are stale, planvet baseline prune drops them|since a (b): 0 findings were there before"},
	} {
		if got := strings.Join(scopeLines(&Document{Summary: c.s}), "|"); got != c.want {
			t.Errorf("got %q, want %q", got, c.want)
		}
	}
}

// A long list of stale entries is cut where nobody asked for all.
func TestStaleText(t *testing.T) {
	d := &Document{Summary: Summary{Baseline: &Baseline{File: "b.json", Stale: make([]StaleEntry, 25)}}}
	for _, c := range []struct {
		verbose bool
		lines   int
		more    bool
	}{{false, staleShown + 1, true}, {true, 25, false}} {
		var b strings.Builder
		if err := Text(&b, d, TextOptions{Verbose: c.verbose}); err != nil {
			t.Fatal(err)
		}
		if n := strings.Count(b.String(), "stale"); n != c.lines+1 || strings.Contains(b.String(), "15 more entries are stale") != c.more {
			t.Errorf("verbose %v: %d lines\n%s", c.verbose, n, b.String())
		}
	}
}
