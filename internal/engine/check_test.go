package engine

import (
	"testing"

	"github.com/planvet/planvet/rules"
	"github.com/planvet/planvet/sqllint"
)

func TestRunsOnce(t *testing.T) {
	for path, want := range map[string]bool{
		"internal/migrations/v1.go":       true,
		"internal/database/migrations.go": true,
		"cmd/migrate/main.go":             true,
		"internal/migration_status.go":    false,
		"internal/store/orders.go":        false,
	} {
		s := &sqllint.Statement{Source: sqllint.FromGo, Location: rules.Location{Path: path}}
		if got := runsOnce(s); got != want {
			t.Errorf("%s: %v, want %v", path, got, want)
		}
	}
	body := &sqllint.Statement{Source: sqllint.FromFunction, Location: rules.Location{Path: "db/migrations/1.sql"}}
	if runsOnce(body) {
		t.Error("a function's body stands in a migration and runs at each call")
	}
}

func TestMatchGlob(t *testing.T) {
	for _, c := range []struct {
		glob, name string
		want       bool
	}{
		{"internal/store", "internal/store/orders.go", true},
		{"internal/store", "internal/storage/orders.go", false},
		{"**/*.sql", "a/b/c.sql", true},
		{"db/*/x.sql", "db/a/x.sql", true},
		{"db/*/x.sql", "db/a/b/x.sql", false},
		{"**/gen", "a/gen/b.go", true},
	} {
		if got := matchGlob(c.glob, c.name); got != c.want {
			t.Errorf("matchGlob(%q, %q) = %v", c.glob, c.name, got)
		}
	}
}

func TestOnePlaceOnce(t *testing.T) {
	at := rules.Location{Path: "a.go", Line: 3, Column: 7}
	other := rules.Location{Path: "a.go", Line: 9, Column: 7}
	got := onePlaceOnce([]rules.Finding{
		{Rule: "r", Location: at, Certainty: rules.Possible, Message: "a"},
		{Rule: "r", Location: at, Certainty: rules.Certain, Message: "b"},
		{Rule: "r", Location: at, Object: rules.Object{Table: "t"}},
		{Rule: "r", Location: other},
	})
	if len(got) != 3 || got[0].Message != "b" || got[2].Location != other {
		t.Errorf("got %+v", got)
	}
}
