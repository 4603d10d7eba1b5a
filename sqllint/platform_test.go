package sqllint_test

import (
	"testing"

	"github.com/planvet/planvet/sqllint"
)

// Indexes of tables that the platform brings are not a project's to make; a table of
// its own in the same schema is.
func TestPlatformTables(t *testing.T) {
	cat := schema(t, "create schema auth; create table auth.users (id uuid primary key, phone text, created_at timestamptz)")
	stmts := statements(t, "select id from auth.users where phone = $1;\nselect id from auth.users order by created_at desc limit 10")
	if fs := sqllint.Check(cat, stmts, sqllint.Options{}); len(fs) != 2 {
		t.Fatalf("of the project's own table: %v", fs)
	}
	cat.Relation("auth", "users").Platform = true
	if fs := sqllint.Check(cat, stmts, sqllint.Options{}); len(fs) != 0 {
		t.Errorf("of the platform's table: %v", fs)
	}
}
