package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/planvet/planvet/internal/integration"
)

const (
	table = "create table players (id bigint primary key, name text not null, email text not null);\n"
	byID  = "select id from players where id = $1"
	index = "create index on players (name);\n"
	code  = `package app

import (
	"context"
	"database/sql"
	_ "embed"
)

//go:embed find.sql
var find string

func ByName(ctx context.Context, db *sql.DB) {
	db.QueryContext(ctx, "select id from players where name = $1", "a")
	db.QueryContext(ctx, "select id from players where email = $1", "a") //nolint:planvet // a report, once a month
	db.QueryContext(ctx, "select id from players where id = $1", 1) //nolint:planvet // hides nothing
	db.QueryContext(ctx, find, "a")
}
`
)

// linter is the program, and a project that it is run on.
type linter struct {
	t        *testing.T
	bin, dir string
	env      []string
}

func newLinter(t *testing.T) *linter {
	t.Helper()
	if testing.Short() {
		t.Skip("builds golangci-lint")
	}
	l := &linter{t: t, bin: filepath.Join(t.TempDir(), "custom-gcl"), dir: t.TempDir()}
	if out, err := exec.Command("go", "build", "-o", l.bin, ".").CombinedOutput(); err != nil {
		t.Fatalf("building golangci-lint: %v\n%s", err, out)
	}
	cache, err := exec.Command("go", "env", "GOCACHE").Output()
	if err != nil {
		t.Fatal(err)
	}
	l.env = append(os.Environ(), "GOCACHE="+strings.TrimSpace(string(cache)), "GOLANGCI_LINT_CACHE="+t.TempDir(),
		"XDG_CACHE_HOME="+t.TempDir(), "GOFLAGS=", "GOWORK=off", "PLANVET_CONFIG=")
	f, err := integration.Named("golangci-lint")
	if err != nil {
		t.Fatal(err)
	}
	l.write(map[string]string{
		"go.mod": "module example.com/app\n\ngo 1.26\n", "app.go": code, "find.sql": byID,
		"migrations/001_players.sql": table + index,
		f.Path:                       strings.Replace(f.Text, "  enable:\n", "  default: none\n  enable:\n    - nolintlint\n", 1),
	})
	return l
}

func (l *linter) write(files map[string]string) {
	l.t.Helper()
	for name, text := range files {
		name = filepath.Join(l.dir, name)
		if err := os.MkdirAll(filepath.Dir(name), 0o777); err != nil {
			l.t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(text), 0o666); err != nil {
			l.t.Fatal(err)
		}
	}
}

// run gives the issues as line linter: text, sorted.
func (l *linter) run() []string {
	l.t.Helper()
	out, stderr, err := l.program("run", "--output.json.path", "stdout", "--show-stats=false")
	var doc struct {
		Issues []struct {
			FromLinter, Text string
			Pos              struct {
				Filename string
				Line     int
			}
		}
	}
	if json.Unmarshal([]byte(out), &doc) != nil {
		l.t.Fatalf("%v\n%s%s", err, out, stderr)
	}
	var got []string
	for _, i := range doc.Issues {
		got = append(got, fmt.Sprintf("%s:%d %s: %s", i.Pos.Filename, i.Pos.Line, i.FromLinter, i.Text))
	}
	if (err != nil) != (len(got) > 0) {
		l.t.Fatalf("%d issues, and %v\n%s", len(got), err, stderr)
	}
	slices.Sort(got)
	return got
}

func (l *linter) program(args ...string) (stdout, stderr string, err error) {
	l.t.Helper()
	cmd := exec.Command(l.bin, args...)
	cmd.Dir, cmd.Env = l.dir, l.env
	var errs strings.Builder
	cmd.Stderr = &errs
	out, err := cmd.Output()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		l.t.Fatal(err)
	}
	return string(out), errs.String(), err
}

const (
	byName = "app.go:13 planvet: unindexed-where: players.name has no index; this query reads all of players (100,000 assumed rows)"
	unused = "app.go:15 nolintlint: directive `//nolint:planvet // hides nothing` is unused for linter \"planvet\""
	byFile = "app.go:10 planvet: unindexed-where: players.email has no index; this query reads all of players (100,000 assumed rows) (find.sql:1:30)"
)

// golangci-lint runs planvet, caches what it said, and asks again when a .sql file has
// changed, whichever way. A finding of //nolint:planvet is golangci-lint's to hide.
func TestGolangCILint(t *testing.T) {
	l := newLinter(t)
	build, err := integration.Named("golangci-lint-build")
	if err != nil {
		t.Fatal(err)
	}
	// The file that users build by names the golangci-lint that this is.
	if out, _, err := l.program("version", "--short"); err != nil || !strings.Contains(build.Text, "version: v"+strings.TrimSpace(out)+"\n") {
		t.Errorf("%s builds another golangci-lint than %q (%v)", build.Path, out, err)
	}
	migration := func(sql string) map[string]string { return map[string]string{"migrations/001_players.sql": sql} }
	for _, step := range []struct {
		what   string
		change map[string]string
		want   []string
	}{
		{"as it is", nil, []string{unused}},
		{"the index is dropped", migration(table), []string{byName, unused}},
		{"nothing has changed", nil, []string{byName, unused}},
		{"the index is back", migration(table + index), []string{unused}},
		{"it is dropped by a new migration", map[string]string{"migrations/002_drop.sql": "drop index players_name_idx;\n"}, []string{byName, unused}},
		{"the embedded query is another", map[string]string{"find.sql": "select id from players where email = $1"}, []string{byFile, byName, unused}},
		{"the config says that the table is small", map[string]string{"planvet.yaml": "version: 1\ntables:\n  players: {rows: 20}\n"}, []string{
			"app.go:14 nolintlint: directive `//nolint:planvet // a report, once a month` is unused for linter \"planvet\"", unused,
		}},
	} {
		l.write(step.change)
		if got := l.run(); !slices.Equal(got, step.want) {
			t.Errorf("%s: got\n  %s\nwant\n  %s", step.what, strings.Join(got, "\n  "), strings.Join(step.want, "\n  "))
		}
	}

	// The settings name a config, and know no other key.
	for settings, want := range map[string]string{
		"settings: {config: other/planvet.yaml}": "",
		"settings: {confg: other/planvet.yaml}":  `unknown field "confg"`,
		"settings: {config: gone.yaml}":          "gone.yaml",
	} {
		f, err := integration.Named("golangci-lint")
		if err != nil {
			t.Fatal(err)
		}
		files := map[string]string{"other/planvet.yaml": "version: 1\n", f.Path: strings.TrimRight(f.Text, "\n") + "\n        " + settings + "\n"}
		maps.Copy(files, migration(table))
		l.write(files)
		_, stderr, err := l.program("run")
		if want != "" && (err == nil || !strings.Contains(stderr, want)) {
			t.Errorf("%s: %v, %s", settings, err, stderr)
		}
		if want == "" && err != nil && !strings.Contains(err.Error(), "exit status 1") {
			t.Errorf("%s: %v, %s", settings, err, stderr)
		}
	}
}

// What docs/ci.md shows is what golangci-lint prints, of the project of docs/hooks.md.
func TestPage(t *testing.T) {
	l := newLinter(t)
	f, err := integration.Named("golangci-lint")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"app.go", "find.sql"} {
		if err := os.Remove(filepath.Join(l.dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	l.write(map[string]string{
		f.Path: f.Text, "migrations/001_players.sql": table, "store/players.go": `package store

import (
	"context"
	"database/sql"
)

// ByName finds players.
func ByName(ctx context.Context, db *sql.DB, name string) (*sql.Rows, error) {
	return db.QueryContext(ctx, "select id from players where name = $1", name)
}
`,
	})
	got, stderr, err := l.program("run", "--color=never")
	if err == nil {
		t.Fatal("there is no issue")
	}
	page, err := os.ReadFile("../../docs/ci.md")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(page), "<!-- planvet golangci-lint -->\n```text\n"+got+"```\n") {
		t.Errorf("docs/ci.md does not show what golangci-lint prints:\n%s%s", got, stderr)
	}
}
