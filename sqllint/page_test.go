package sqllint_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/planvet/planvet/rules"
	"github.com/planvet/planvet/sqllint"
)

// TestPages runs every block of every rule's page: Bad gives exactly its rule, Good
// gives nothing.
func TestPages(t *testing.T) {
	headings := []string{"What it finds", "Why it is slow", "Bad", "Good", "How it is confirmed", "Known limits"}
	for _, r := range sqllint.Rules {
		if !strings.HasPrefix(r.Page, "# "+r.Name+"\n") {
			t.Errorf("%s: the page starts with another name", r.Name)
		}
		at := 0
		for _, h := range headings {
			i := strings.Index(r.Page[at:], "\n## "+h+"\n")
			if i < 0 {
				t.Fatalf("%s: heading %q is missing or out of order", r.Name, h)
			}
			at += i + 1
		}
		for _, kind := range []string{"Bad", "Good"} {
			for i, block := range blocks(r.Page, kind) {
				t.Run(fmt.Sprintf("%s/%s%d", r.Name, kind, i+1), func(t *testing.T) {
					ddl, query, ok := strings.Cut(block, "-- query\n")
					if !ok {
						t.Fatal("no -- query line")
					}
					found := check(t, ddl, query)
					if kind == "Good" && len(found) > 0 {
						t.Errorf("findings on a good example:\n%s", render(found))
					}
					if kind == "Bad" && (len(found) != 1 || found[0].Rule != r.Name || found[0].Certainty != rules.Certain) {
						t.Errorf("want one certain finding of %s:\n%s", r.Name, render(found))
					}
				})
			}
		}
	}
}

// blocks are the SQL blocks under a heading.
func blocks(page, heading string) []string {
	_, rest, _ := strings.Cut(page, "\n## "+heading+"\n")
	rest, _, _ = strings.Cut(rest, "\n## ")
	var out []string
	for {
		_, after, ok := strings.Cut(rest, "```sql\n")
		if !ok {
			return out
		}
		block, tail, _ := strings.Cut(after, "```")
		out, rest = append(out, block), tail
	}
}
