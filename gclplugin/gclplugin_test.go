package gclplugin

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/golangci/plugin-module-register/register"
	"golang.org/x/tools/go/analysis"
	"golang.org/x/tools/go/analysis/checker"
	"golang.org/x/tools/go/packages"

	"github.com/planvet/planvet/internal/casetest"
)

const (
	table = "create table players (id bigint primary key, name text not null);\n"
	store = `package %s

import (
	"context"
	"database/sql"
	"embed"
)

//go:embed find.sql
var find string

//go:embed queries
var queries embed.FS

func Find(ctx context.Context, db *sql.DB) {
	db.QueryContext(ctx, "select id from players where name = $1", "a")
	db.QueryContext(ctx, "select id from players where name = $1", "a") //nolint:planvet // golangci-lint's
	db.QueryContext(ctx, "select id from players where name = $1", "a") //planvet:ignore unindexed-where: ours
	db.QueryContext(ctx, find, "a")
	q, _ := queries.ReadFile("queries/by_name.sql")
	db.QueryContext(ctx, string(q), "a")
}
`
)

func built(t *testing.T, settings any) []*analysis.Analyzer {
	t.Helper()
	newPlugin, err := register.GetPlugin("planvet")
	if err != nil {
		t.Fatal(err)
	}
	p, err := newPlugin(settings)
	if err != nil {
		t.Fatal(err)
	}
	if p.GetLoadMode() != register.LoadModeTypesInfo {
		t.Errorf("the load mode is %s", p.GetLoadMode())
	}
	as, err := p.BuildAnalyzers()
	if err != nil {
		t.Fatal(err)
	}
	if err := analysis.Validate(as); err != nil {
		t.Fatal(err)
	}
	return as
}

// project is one of several packages that do the same, and the working directory.
func project(t *testing.T) {
	t.Helper()
	dir := t.TempDir()
	files := map[string]string{"go.mod": "module example.com/app\n\ngo 1.26\n", "migrations/1_init.sql": table}
	for i := range 8 {
		name := fmt.Sprintf("p%d", i)
		files[name+"/store.go"] = fmt.Sprintf(store, name)
		files[name+"/find.sql"] = "select id\nfrom players where name = $1"
		files[name+"/queries/by_name.sql"] = "select id from players where name = $1"
	}
	casetest.WriteFiles(t, dir, files)
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	t.Setenv("PLANVET_CONFIG", "")
	t.Setenv("GOWORK", "off")
	t.Chdir(dir)
}

// Packages are analysed side by side, and give the same.
func TestIssues(t *testing.T) {
	project(t)
	pkgs, err := packages.Load(&packages.Config{Mode: packages.LoadSyntax | packages.NeedModule}, "./...")
	if err != nil || len(pkgs) != 8 {
		t.Fatalf("%d packages, %v", len(pkgs), err)
	}
	graph, err := checker.Analyze(built(t, nil), pkgs, nil)
	if err != nil {
		t.Fatal(err)
	}
	const message = "unindexed-where: players.name has no index; this query reads all of players (100,000 assumed rows)"
	want := []string{
		"store.go:10:5: " + message + " (find.sql:2:20)",
		"store.go:13:5: " + message + " (by_name.sql:1:30)",
		"store.go:16:53: " + message,
		"store.go:17:53: " + message,
	}
	for _, root := range graph.Roots {
		var got []string
		for _, d := range root.Diagnostics {
			at := root.Package.Fset.Position(d.Pos)
			got = append(got, fmt.Sprintf("%s:%d:%d: %s", filepath.Base(at.Filename), at.Line, at.Column, d.Message))
			if len(d.Related) > 0 {
				t.Errorf("%s has other ends, which golangci-lint makes issues of", d.Message)
			}
		}
		slices.Sort(got)
		if root.Err != nil {
			t.Error(root.Err)
		}
		switch {
		case strings.HasPrefix(root.Analyzer.Name, "planvetschema"):
			if len(got) > 0 {
				t.Errorf("the marker reports %q", got)
			}
		case !slices.Equal(got, want):
			t.Errorf("%s: got\n  %s\nwant\n  %s", root.Package.PkgPath, strings.Join(got, "\n  "), strings.Join(want, "\n  "))
		}
	}
}

// The name that golangci-lint's cache looks at is another for each state of the schema,
// of embedded queries and of the config, and the same for the same.
func TestMarker(t *testing.T) {
	project(t)
	name := func() string { return built(t, map[string]any{})[1].Name }
	first := name()
	if got := name(); got != first {
		t.Errorf("it is %s, and then %s", first, got)
	}
	seen := map[string]string{first: "the first"}
	for _, change := range []struct{ file, text string }{
		{"migrations/1_init.sql", table + "create index on players (name);\n"},
		{"migrations/2_more.sql", "drop index players_name_idx;\n"},
		{"p3/find.sql", "select 1"},
		{"p3/queries/by_name.SQL", "select 1"},
		{".planvet-baseline.json", "{\"version\": 1, \"findings\": []}\n"},
		{"planvet.yaml", "version: 1\n"},
		{"planvet.yaml", "version: 1\nfail_on: error\n"},
	} {
		if err := os.WriteFile(change.file, []byte(change.text), 0o666); err != nil {
			t.Fatal(err)
		}
		got := name()
		if other := seen[got]; other != "" {
			t.Errorf("after %s the name is that of %s", change.file, other)
		}
		seen[got] = change.file
	}
}

func TestSettings(t *testing.T) {
	project(t)
	casetest.WriteFiles(t, ".", map[string]string{"sub/planvet.yaml": "version: 1\nmigrations: nowhere\n"})
	if _, err := New(map[string]any{"confg": "x"}); err == nil || !strings.Contains(err.Error(), `"confg"`) {
		t.Errorf("an unknown key gives %v", err)
	}
	p, err := New(map[string]any{"config": "sub/planvet.yaml"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.BuildAnalyzers(); err == nil || !strings.Contains(err.Error(), "nowhere") {
		t.Errorf("the config is not the one that is named: %v", err)
	}
}
