package predicate_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/planvet/planvet/catalog"
	"github.com/planvet/planvet/internal/pgast"
	"github.com/planvet/planvet/internal/predicate"
	"github.com/planvet/planvet/migrationscan"
)

func schema(t testing.TB, ddl string) *catalog.Catalog {
	t.Helper()
	cat, err := migrationscan.FromDDL(ddl)
	if err != nil {
		t.Fatal(err)
	}
	return cat
}

const policies = `
create table docs (id bigint primary key, tenant uuid not null, owner uuid, archived boolean, title text);
alter table docs enable row level security;
create policy a on docs for select to app using (tenant = current_setting('app.tenant')::uuid);
create policy b on docs for select to app, other using (owner = current_setting('app.user')::uuid);
create policy c on docs as restrictive to app using (not archived);
create policy d on docs for insert to app with check (true);
create policy e on docs for update to public using (owner is not null);
`

func TestPolicyQuals(t *testing.T) {
	cat := schema(t, policies)
	docs := cat.Relation("public", "docs")
	quals := func(command, role string) string {
		var out []string
		for _, q := range predicate.PolicyQuals(cat, docs, command, role) {
			out = append(out, pgast.Format(q.Expr))
		}
		return strings.Join(out, " AND ")
	}
	cases := []struct{ command, role, want string }{
		{"select", "app", "NOT archived AND tenant = current_setting('app.tenant')::uuid OR owner = current_setting('app.user')::uuid"},
		{"select", "other", "owner = current_setting('app.user')::uuid"},
		{"select", "stranger", "false"},
		{"update", "stranger", "owner IS NOT NULL"},
		{"insert", "app", "NOT archived AND true"},
		{"delete", "app", "false"},
		{"select", "", ""},
		{"select", "postgres", ""},
		{"select", "service_role", ""},
	}
	for _, c := range cases {
		if got := quals(c.command, c.role); !strings.EqualFold(got, c.want) {
			t.Errorf("%s as %q: got %s, want %s", c.command, c.role, got, c.want)
		}
	}
	cat.Roles["app"] = catalog.Role{BypassRLS: true}
	if got := quals("select", "app"); got != "" {
		t.Errorf("a role that bypasses RLS got %s", got)
	}
	docs.RLSForced = true
	if got := quals("select", ""); got != "false" {
		t.Errorf("the owner under forced RLS got %q", got)
	}
	docs.RLSEnabled = false
	if got := quals("select", "other"); got != "" {
		t.Errorf("without RLS: %s", got)
	}
}

func TestPolicyAccess(t *testing.T) {
	cases := []struct {
		name, ddl       string
		served, trivial bool
		columns         []string
	}{
		{"unindexed", "", false, false, []string{"tenant"}},
		{"indexed", "create index on docs (tenant);", true, false, nil},
		{"second key", "create index on docs (id, tenant);", false, false, []string{"tenant"}},
	}
	for _, c := range cases {
		cat := schema(t, policies+c.ddl)
		docs := cat.Relation("public", "docs")
		a := predicate.PolicyAccess(cat, docs, docs.Policy("a"))
		if a.Served != c.served || a.Trivial != c.trivial || !slices.Equal(a.Columns, c.columns) {
			t.Errorf("%s: served %v, trivial %v, columns %v", c.name, a.Served, a.Trivial, a.Columns)
		}
	}
	cat := schema(t, policies)
	docs := cat.Relation("public", "docs")
	if a := predicate.PolicyAccess(cat, docs, docs.Policy("c")); !a.Trivial {
		t.Error("NOT archived needs no index")
	}
}

func TestLeaks(t *testing.T) {
	cat := schema(t, policies+"create index on docs (lower(title)); create index on docs (title);")
	stmt, err := pgast.Parse("select id from docs where lower(title) = $1 and title = $2")
	if err != nil {
		t.Fatal(err)
	}
	leaks := func(role string) []predicate.Leak {
		an := predicate.Analyze(cat, stmt, predicate.Options{Role: role, RoleKnown: true, Policies: true})
		return an.Blocks[0].Rels[0].Leaks
	}
	if got := leaks("app"); len(got) != 1 || got[0].Function != "lower" {
		t.Errorf("as app: %+v", got)
	}
	if got := leaks(""); len(got) != 0 {
		t.Errorf("as the owner: %+v", got)
	}
}

func BenchmarkAnalyze(b *testing.B) {
	var ddl strings.Builder
	for i := range 40 {
		n := string(rune('a'+i%26)) + string(rune('a'+i/26))
		ddl.WriteString("create table t" + n + " (id bigint primary key, parent bigint, name text);\ncreate index on t" + n + " (parent);\n")
	}
	cat := schema(b, ddl.String())
	sizes := predicate.DefaultSizes(cat, nil)
	for _, tables := range []int{2, 16} {
		sql := "select taa.id from taa"
		for i := 1; i < tables; i++ {
			n, p := "t"+string(rune('a'+i))+"a", "t"+string(rune('a'+i-1))+"a"
			sql += " join " + n + " on " + n + ".parent = " + p + ".id"
		}
		stmt, err := pgast.Parse(sql + " where taa.name = $1")
		if err != nil {
			b.Fatal(err)
		}
		b.Run("tables="+string(rune('0'+tables/10))+string(rune('0'+tables%10)), func(b *testing.B) {
			for range b.N {
				predicate.Analyze(cat, stmt, predicate.Options{Sizes: sizes})
			}
		})
	}
}
