package engine

import (
	"fmt"
	"strings"
	"testing"

	"github.com/planvet/planvet/internal/casetest"
	"github.com/planvet/planvet/internal/shadow/shadowtest"
	"github.com/planvet/planvet/rules"
)

// generate writes a project of some tables, two migrations a table, and some queries:
// a service that grew, with half of its queries by what has an index, half by what has
// none, row level security on every fourth table.
func generate(tb testing.TB, tables, queries int) string {
	tb.Helper()
	dir := tb.TempDir()
	write := func(name, text string) { casetest.WriteFiles(tb, dir, map[string]string{name: text}) }
	write("planvet.yaml", "version: 1\nsettings: {app.tenant: 6f9619ff-8b86-4d01-b42d-00cf4fc964ff}\n")
	for i := range tables {
		parent := ""
		if i > 0 {
			parent = fmt.Sprintf(" references t%03d", i-1-i%min(i, 7))
		}
		write(fmt.Sprintf("migrations/%04d_create.sql", 2*i+1), fmt.Sprintf(`create table t%03[1]d (
  id bigint generated always as identity primary key,
  tenant_id uuid not null,
  parent_id bigint%[2]s,
  email text not null,
  reference varchar(40) not null,
  status text not null check (status in ('new', 'open', 'done')),
  amount numeric(12,2) not null default 0,
  payload jsonb,
  created_at timestamptz not null default now()
);
create index t%03[1]d_parent on t%03[1]d (parent_id);
`, i, parent))
		second := fmt.Sprintf("alter table t%03[1]d add column updated_at timestamptz, add column note text;\ncreate index t%03[1]d_tenant on t%03[1]d (tenant_id, created_at);\n", i)
		if i%4 == 0 {
			second += fmt.Sprintf("alter table t%03[1]d enable row level security;\ncreate policy tenant on t%03[1]d using (tenant_id = (select current_setting('app.tenant')::uuid));\n", i)
		}
		write(fmt.Sprintf("migrations/%04d_extend.sql", 2*i+2), second)
	}
	forms := []string{
		"select * from %[1]s where id = $1",
		"select id, email from %[1]s where email = $1",
		"select * from %[1]s where tenant_id = $1 order by created_at desc limit $2",
		"select c.id, p.id from %[1]s c join %[2]s p on p.id = c.parent_id where c.reference = $1",
		"update %[1]s set status = 'done', updated_at = now() where id = $1",
		"select * from %[1]s order by updated_at desc limit $1",
		"select count(*) from %[1]s where parent_id = any($1::bigint[])",
		"delete from %[1]s where reference = $1",
		"select * from %[1]s where tenant_id = $1 and status = 'open'",
		"select id from %[1]s where lower(email) = lower($1)",
	}
	var sql strings.Builder
	for q := range queries {
		t := q % tables
		fmt.Fprintf(&sql, "-- name: Query%d :many\n%s;\n\n", q, fmt.Sprintf(forms[(q+q/tables)%len(forms)]+"%.0[1]s%.0[2]s", fmt.Sprintf("t%03d", t), fmt.Sprintf("t%03d", max(t-1-t%max(min(t, 7), 1), 0))))
	}
	write("queries/all.sql", sql.String())
	return dir
}

// proved checks a project and proves its findings.
func proved(tb testing.TB, dir string) []rules.Finding {
	tb.Helper()
	p, err := Open(Options{Dir: dir})
	if err != nil {
		tb.Fatal(err)
	}
	if err := p.Load(tb.Context()); err != nil {
		tb.Fatal(err)
	}
	fs, _ := p.Check()
	fs, err = p.Confirm(tb.Context(), fs, ConfirmOptions{})
	if err != nil {
		tb.Fatal(err)
	}
	if len(p.NotApplied) > 0 {
		tb.Fatalf("not applied: %v", p.NotApplied)
	}
	return fs
}

// BenchmarkConfirm proves the findings of a project of 200 tables and 400 migrations
// with two numbers of queries: what the second costs more is what queries cost.
func BenchmarkConfirm(b *testing.B) {
	shadowtest.Server(b)
	for _, queries := range []int{500, 1000} {
		b.Run(fmt.Sprintf("queries=%d", queries), func(b *testing.B) {
			dir := generate(b, 200, queries)
			findings := 0
			for b.Loop() {
				findings = len(proved(b, dir))
			}
			b.ReportMetric(float64(findings), "findings")
		})
	}
}
