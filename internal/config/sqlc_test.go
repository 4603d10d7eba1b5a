package config

import (
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

func TestFindSQLC(t *testing.T) {
	fsys := fstest.MapFS{
		"a/sqlc.yaml": {Data: []byte(`version: "2"
sql:
  - engine: postgresql
    schema: ../migrations
    queries: [queries, more/*.sql]
    gen: {go: {package: db, out: internal/db, sql_package: pgx/v5}}
  - engine: mysql
    schema: x
    queries: y.sql
`)},
		"b/sqlc.json":              {Data: []byte(`{"version":"1","packages":[{"path":"db","schema":"schema.sql","queries":"./q.sql"},{"path":"s","engine":"sqlite","schema":"s","queries":"s"}]}`)},
		"node_modules/x/sqlc.yaml": {Data: []byte("version: '2'\nsql: [{engine: postgresql}]\n")},
		".hidden/sqlc.yaml":        {Data: []byte("version: '2'\nsql: [{engine: postgresql}]\n")},
		"skipped/sqlc.yaml":        {Data: []byte("version: '2'\nsql: [{engine: postgresql}]\n")},
		"migrations/2_b.up.sql":    {},
		"migrations/2_b.down.sql":  {},
		"migrations/1_a.sql":       {},
		"migrations/sub/3_c.sql":   {},
		"a/queries/x.sql":          {},
		"a/queries/.hidden.sql":    {},
		"a/queries/readme.md":      {},
		"a/more/z.sql":             {},
		"b/schema.sql":             {},
		"a/y.sql":                  {},
		"b/q.sql":                  {},
	}
	got, others, err := FindSQLC(fsys, func(p string) bool { return p == "skipped" })
	if err != nil {
		t.Fatal(err)
	}
	want := []SQLC{
		{File: "a/sqlc.yaml", Schema: []string{"migrations/1_a.sql", "migrations/2_b.up.sql"}, Queries: []string{"a/more/z.sql", "a/queries/x.sql"}, Out: "a/internal/db"},
		{File: "b/sqlc.json", Schema: []string{"b/schema.sql"}, Queries: []string{"b/q.sql"}, Out: "b/db"},
	}
	if d := cmp.Diff(want, got, cmpopts.IgnoreUnexported(SQLC{})); d != "" {
		t.Error(d)
	}
	want = []SQLC{{File: "a/sqlc.yaml", Queries: []string{"a/y.sql"}}, {File: "b/sqlc.json", Out: "b/s"}}
	if d := cmp.Diff(want, others, cmpopts.IgnoreUnexported(SQLC{}), cmpopts.EquateEmpty()); d != "" {
		t.Error(d)
	}
}

func TestFindSQLCBroken(t *testing.T) {
	fsys := fstest.MapFS{
		"a/sqlc.yaml": {Data: []byte("sql: [\n")},
		"b/sqlc.yaml": {Data: []byte("version: '2'\nsql: [{engine: postgresql, schema: no, queries: no}]\n")},
	}
	got, _, err := FindSQLC(fsys, nil)
	if err == nil {
		t.Error("a broken sqlc.yaml gave no error")
	}
	if len(got) != 1 || got[0].File != "b/sqlc.yaml" {
		t.Errorf("the other file is lost: %v", got)
	}
}
