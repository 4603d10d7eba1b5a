package rlscheck_test

import (
	"strings"
	"testing"

	"github.com/planvet/planvet/rlscheck"
)

// TestPages runs every SQL block of the rules' pages: one under Bad gives exactly
// its rule, one under Good gives nothing. What follows SET ROLE are statements.
func TestPages(t *testing.T) {
	for _, r := range rlscheck.Rules {
		for _, side := range []string{"Bad", "Good"} {
			blocks := sqlBlocks(r.Page, side)
			if len(blocks) == 0 {
				t.Errorf("%s: the page has no SQL under %s", r.Name, side)
			}
			for _, sql := range blocks {
				ddl, queries := sql, ""
				if i := strings.Index(sql, "set role "); i >= 0 {
					role, statements, _ := strings.Cut(sql[i+len("set role "):], ";")
					ddl, queries = sql[:i], "-- role: "+role+"\n"+statements
				}
				found := check(schema(t, ddl), queries)
				if n := count(found, r.Name); side == "Bad" && (n != 1 || len(found) != 1) || side == "Good" && len(found) != 0 {
					t.Errorf("%s, %s: %d findings, %d of its rule:\n%s", r.Name, side, len(found), n, render(found))
				}
			}
		}
	}
}

// sqlBlocks are the ```sql blocks of a page's section.
func sqlBlocks(page, section string) []string {
	_, rest, _ := strings.Cut(page, "\n## "+section+"\n")
	rest, _, _ = strings.Cut(rest, "\n## ")
	var out []string
	for {
		_, block, found := strings.Cut(rest, "```sql\n")
		if !found {
			return out
		}
		block, rest, _ = strings.Cut(block, "```")
		out = append(out, block)
	}
}

func TestRules(t *testing.T) {
	for i, r := range rlscheck.Rules {
		if r.Package != "rlscheck" || r.Severity.Rank() == 0 || !strings.HasPrefix(r.Page, "# "+r.Name+"\n") {
			t.Errorf("%s is incomplete", r.Name)
		}
		if i > 0 && rlscheck.Rules[i-1].Name >= r.Name {
			t.Errorf("%s is out of order", r.Name)
		}
	}
}

func TestDisabledRule(t *testing.T) {
	cat := schema(t, "create table orders (id bigint primary key);\nalter table orders enable row level security;")
	all := rlscheck.Check(cat, nil, rlscheck.Options{})
	none := rlscheck.Check(cat, nil, rlscheck.Options{Enabled: func(rule string) bool { return rule != "rls-enabled-no-policy" }})
	if len(all) != 1 || len(none) != 0 {
		t.Errorf("%d and %d findings", len(all), len(none))
	}
}
