package rlscheck_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/planvet/planvet/catalog"
	"github.com/planvet/planvet/internal/casetest"
	"github.com/planvet/planvet/internal/pgast"
	"github.com/planvet/planvet/migrationscan"
	"github.com/planvet/planvet/rlscheck"
	"github.com/planvet/planvet/rules"
)

// TestGolden runs the cases of testdata: a folder a rule, a file a case. schema.sql
// is the catalog, query.sql the workload, with "-- role: name" before a statement;
// want lists the findings of all rules. An ok_ case wants none of its folder's rule,
// an err_ case at least one; a limits_ case pins what is known to be missed. UPDATE=1
// rewrites want.
func TestGolden(t *testing.T) {
	for _, c := range casetest.Glob(t, cases) {
		t.Run(c.Rule+"/"+c.Name, func(t *testing.T) {
			found := check(schema(t, c.Section("schema.sql")), c.Section("query.sql"))
			c.Want(t, render(found))
			c.Speaks(t, count(found, c.Rule))
		})
	}
}

// cases are those of all rules.
const cases = "testdata/*/*.txtar"

// TestFixClears applies the fix of each finding and looks again: the finding must
// be gone, and nothing new may have come.
func TestFixClears(t *testing.T) {
	for _, c := range casetest.Glob(t, cases) {
		ddl := c.Section("schema.sql")
		for _, f := range check(schema(t, ddl), c.Section("query.sql")) {
			if f.Fix == nil || len(f.Fix.SQL) == 0 {
				continue
			}
			t.Run(c.Rule+"/"+c.Name+"/"+f.Rule, func(t *testing.T) {
				fixed := ddl + ";\n" + strings.Join(f.Fix.SQL, ";\n")
				for _, g := range check(schema(t, fixed), "") {
					if g.Rule == f.Rule && g.Object.Policy == f.Object.Policy && g.Object.Table == f.Object.Table {
						t.Errorf("after %s: %s", strings.Join(f.Fix.SQL, "; "), g.Message)
					}
				}
			})
		}
	}
}

func count(fs []rules.Finding, rule string) int {
	n := 0
	for _, f := range fs {
		if f.Rule == rule {
			n++
		}
	}
	return n
}

func schema(t testing.TB, ddl string) *catalog.Catalog {
	t.Helper()
	cat, err := migrationscan.FromDDL(ddl)
	if err != nil {
		t.Fatalf("schema: %v", err)
	}
	return cat
}

func check(cat *catalog.Catalog, sql string) []rules.Finding {
	lines := pgast.NewLines(sql)
	var work []rlscheck.Workload
	prev := 0
	for _, p := range pgast.ParseFile(sql) {
		w := rlscheck.Workload{Stmt: p.Stmt, Query: rules.Query{Text: p.Text, Source: "sql"}}
		w.Locate = func(off int) rules.Location {
			line, col := lines.LineCol(p.Start + max(off, 0))
			return rules.Location{Path: "query.sql", Line: line, Column: col}
		}
		if _, rest, ok := strings.Cut(sql[prev:p.Start], "-- role: "); ok {
			role, _, _ := strings.Cut(rest, "\n")
			w.Role = strings.TrimSpace(role)
		}
		prev = p.End
		work = append(work, w)
	}
	return rlscheck.Check(cat, work, rlscheck.Options{})
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
		if f.Probe != nil && len(f.Probe.Apply) > 0 && (f.Fix == nil || strings.Join(f.Probe.Apply, ";") != strings.Join(f.Fix.SQL, ";")) {
			fmt.Fprintf(&b, "  apply: %s\n", strings.Join(f.Probe.Apply, "; "))
		}
	}
	return b.String()
}
