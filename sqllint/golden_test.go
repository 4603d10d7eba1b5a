package sqllint_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/planvet/planvet/catalog"
	"github.com/planvet/planvet/internal/casetest"
	"github.com/planvet/planvet/internal/pgast"
	"github.com/planvet/planvet/migrationscan"
	"github.com/planvet/planvet/rules"
	"github.com/planvet/planvet/sqllint"
)

// TestGolden runs the cases of testdata: a folder a rule, a file a case. schema.sql
// is the catalog, query.sql the workload, one statement a line or more; want lists
// the findings. An ok_ case wants none of its folder's rule, an err_ case at least
// one; a limits_ case pins what is known to be missed. UPDATE=1 rewrites want.
func TestGolden(t *testing.T) {
	for _, c := range casetest.Glob(t, cases) {
		t.Run(c.Rule+"/"+c.Name, func(t *testing.T) {
			found := check(t, c.Section("schema.sql"), c.Section("query.sql"))
			c.Want(t, render(found))
			c.Speaks(t, count(found, c.Rule))
		})
	}
}

// cases are those of all rules.
const cases = "testdata/*/*.txtar"

func count(fs []rules.Finding, rule string) int {
	n := 0
	for _, f := range fs {
		if f.Rule == rule {
			n++
		}
	}
	return n
}

// schema replays DDL into a catalog.
func schema(t testing.TB, ddl string) *catalog.Catalog {
	t.Helper()
	cat, err := migrationscan.FromDDL(ddl)
	if err != nil {
		t.Fatalf("schema: %v", err)
	}
	return cat
}

// statements splits a workload. A comment "-- role: name" before a statement sets
// its role.
func statements(t testing.TB, sql string) []*sqllint.Statement {
	t.Helper()
	lines := pgast.NewLines(sql)
	var out []*sqllint.Statement
	prev := 0
	for i, p := range pgast.ParseFile(sql) {
		if p.Err != nil {
			t.Fatalf("query: %v", p.Err)
		}
		line, col := lines.LineCol(p.Start)
		at := rules.Location{Path: "query.sql", Line: line, Column: col}
		s := &sqllint.Statement{
			Text: p.Text, Stmt: p.Stmt, Source: sqllint.FromSQL, Fingerprint: fmt.Sprint(i), Location: at,
			Segments: []sqllint.Segment{{At: at, Exact: true}},
		}
		if _, rest, ok := strings.Cut(sql[prev:p.Start], "-- role: "); ok {
			role, _, _ := strings.Cut(rest, "\n")
			s.Role, s.RoleKnown = strings.TrimSpace(role), true
		}
		prev = p.End
		out = append(out, s)
	}
	return out
}

func check(t testing.TB, ddl, sql string) []rules.Finding {
	t.Helper()
	return sqllint.Check(schema(t, ddl), statements(t, sql), sqllint.Options{Policies: true, Pooling: &sqllint.Pooling{Declared: true}})
}

func render(fs []rules.Finding) string {
	var b strings.Builder
	for _, f := range fs {
		fmt.Fprintf(&b, "%s:%d:%d %s %s %s\n  %s\n", f.Location.Path, f.Location.Line, f.Location.Column, f.Rule, f.Severity, f.Certainty, f.Message)
		if f.Fix != nil {
			for _, s := range f.Fix.SQL {
				fmt.Fprintf(&b, "  fix: %s\n", s)
			}
		}
	}
	return b.String()
}

type finding = rules.Finding

func fixes(fs []rules.Finding) []string {
	var out []string
	for _, f := range fs {
		if f.Fix != nil {
			out = append(out, f.Fix.SQL...)
		}
	}
	return out
}
