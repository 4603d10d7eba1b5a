package rlscheck_test

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/planvet/planvet/catalog"
	"github.com/planvet/planvet/internal/casetest"
	"github.com/planvet/planvet/internal/live"
	"github.com/planvet/planvet/internal/predicate"
	"github.com/planvet/planvet/internal/shadow/shadowtest"
	"github.com/planvet/planvet/migrationscan"
	"github.com/planvet/planvet/rules"
)

// TestServer asks a real planner about every case: the server's own catalog gives
// the findings that the files give; facts are true; a table that is said to have no
// path has no index condition before the fix and one after it, as the policy's role
// with sequential scans off; a call that is said to run for each row is gone from
// the plan after the fix.
func TestServer(t *testing.T) {
	url := shadowtest.URL(t)
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.Background())
	database{t, ctx, conn}.exec(migrationscan.SupabaseSQL())
	for _, c := range casetest.Glob(t, cases) {
		t.Run(c.Rule+"/"+c.Name, func(t *testing.T) {
			ddl, queries := c.Section("schema.sql"), c.Section("query.sql")
			files := schema(t, ddl)
			found := check(files, queries)
			db := database{t, ctx, conn}
			defer db.exec(clean)
			// The case's function of which nothing is known is there on a server.
			ddl = strings.Replace(ddl, "create schema tenancy;", tenancy, 1)
			db.exec(ddl)
			db.exec("grant usage on schema public, auth, storage to public; grant all on all tables in schema public, storage to public")
			if !strings.Contains(c.Name, "unknown") {
				db.compare(files, found, queries)
			}
			for _, f := range found {
				db.exec("begin")
				db.prove(f)
				db.exec("rollback")
			}
		})
	}
}

// compare checks the server's own catalog, at the sizes of the files'.
func (d database) compare(files *catalog.Catalog, found []rules.Finding, queries string) {
	d.t.Helper()
	cat, err := live.LoadCatalog(d.ctx, d.conn)
	if err != nil {
		d.t.Fatal(err)
	}
	for _, r := range cat.Relations() {
		r.Platform = slices.Contains([]string{"auth", "storage", "realtime"}, r.Schema)
	}
	cat.Stats = predicate.DefaultSizes(files, nil)
	if got, want := says(check(cat, queries)), says(found); !slices.Equal(got, want) {
		d.t.Errorf("the server's catalog gives\n%s\nthe files'\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// clean takes a case's objects away again.
const clean = `rollback; drop schema if exists public, tenancy cascade; create schema public;
do $$ declare p record; begin
  for p in select policyname from pg_policies where schemaname = 'storage' loop
    execute format('drop policy %I on storage.objects', p.policyname);
  end loop;
end $$`

const tenancy = `create schema tenancy; grant usage on schema tenancy to public;
create function tenancy.current_user_id() returns uuid language sql stable as
  $$ select current_setting('app.me', true)::uuid $$;`

func says(fs []rules.Finding) []string {
	var out []string
	for _, f := range fs {
		out = append(out, f.Rule+" "+string(f.Severity)+" "+f.Message)
	}
	slices.Sort(out)
	return out
}

type database struct {
	t    *testing.T
	ctx  context.Context
	conn *pgx.Conn
}

func (d database) exec(sql string) {
	d.t.Helper()
	if _, err := d.conn.PgConn().Exec(d.ctx, sql).ReadAll(); err != nil {
		d.t.Fatalf("%v in %s", err, sql)
	}
}

// prove holds one finding against the server.
func (d database) prove(f rules.Finding) {
	p := f.Probe
	switch {
	case p == nil:
	case p.Kind == rules.ProbeFact:
		for _, q := range p.Facts {
			var holds bool
			if err := d.conn.QueryRow(d.ctx, q.SQL).Scan(&holds); err != nil || !holds {
				d.t.Errorf("%s: %v %v", q.Says, holds, err)
			}
		}
	case len(p.Apply) > 0:
		before := d.plan(p)
		for _, sql := range p.Apply {
			d.exec(sql)
		}
		after := d.plan(p)
		switch {
		case f.Rule == "rls-unindexed-predicate":
			if d.served(before, p.Table) {
				d.t.Errorf("%s: has a path before:\n%s", f.Message, before)
			}
			if !d.served(after, p.Table) {
				d.t.Errorf("%s: no path after %s:\n%s", f.Message, strings.Join(p.Apply, "; "), after)
			}
		case f.Rule == "rls-initplan" && f.Severity == rules.Warning:
			if call := f.Object.Function + "("; strings.Contains(after.conditions(), call) {
				d.t.Errorf("%s: still called after %s:\n%s", f.Message, strings.Join(p.Apply, "; "), after)
			}
		}
	}
}

// node is a node of a plan, as far as this test looks.
type node struct {
	Type    string `json:"Node Type"`
	Table   string `json:"Relation Name"`
	Filter  string `json:"Filter"`
	Index   string `json:"Index Cond"`
	Recheck string `json:"Recheck Cond"`
	Name    string `json:"Index Name"`
	Plans   []node `json:"Plans"`
}

func (d database) plan(p *rules.Probe) node {
	d.t.Helper()
	role := p.Role
	for _, r := range p.Roles {
		if role == "" && r != "public" {
			role = r
		}
	}
	if role == "" {
		role = "authenticated"
	}
	table := pgx.Identifier{p.Schema, p.Table}.Sanitize()
	sql := map[string]string{
		"select": "select * from " + table, "delete": "delete from " + table,
		"update": "update " + table + " set user_id = user_id",
	}[p.Command]
	if p.SQL != "" {
		sql = p.SQL
	}
	d.exec(`set local enable_seqscan = off; set local app.team = '1'; set local app."user" = 'x'; set local role ` + role)
	var text []byte
	if err := d.conn.QueryRow(d.ctx, "explain (format json) "+sql).Scan(&text); err != nil {
		d.t.Fatalf("%s: %v", sql, err)
	}
	d.exec("set local enable_seqscan = on; set local role none")
	var plans []struct{ Plan node }
	if err := json.Unmarshal(text, &plans); err != nil || len(plans) != 1 {
		d.t.Fatalf("plan of %s: %v", sql, err)
	}
	return plans[0].Plan
}

func (n node) String() string {
	b, _ := json.MarshalIndent(n, "", " ")
	return string(b)
}

// served reports whether each scan of a table has a condition on an index's leading
// key.
func (d database) served(n node, table string) bool {
	if n.Table == table && n.Type != "ModifyTable" {
		return d.leads(n)
	}
	for _, c := range n.Plans {
		if c.has(table) && !d.served(c, table) {
			return false
		}
	}
	return n.has(table)
}

func (d database) leads(n node) bool {
	if n.Name != "" {
		var key string
		if err := d.conn.QueryRow(d.ctx, "select pg_get_indexdef($1::text::regclass, 1, false)", n.Name).Scan(&key); err != nil {
			d.t.Fatal(err)
		}
		return strings.Contains(n.Index, strings.Trim(key, "()"))
	}
	return len(n.Plans) > 0 && !slices.ContainsFunc(n.Plans, func(c node) bool {
		return (c.Type == "Bitmap Index Scan" || c.Type == "BitmapOr" || c.Type == "BitmapAnd") && !d.leads(c)
	}) && n.Type != "Seq Scan"
}

func (n node) has(table string) bool {
	return n.Table == table || slices.ContainsFunc(n.Plans, func(c node) bool { return c.has(table) })
}

// conditions are the plan's filters and index conditions.
func (n node) conditions() string {
	s := n.Filter + " " + n.Index + " " + n.Recheck
	for _, c := range n.Plans {
		s += " " + c.conditions()
	}
	return s
}
