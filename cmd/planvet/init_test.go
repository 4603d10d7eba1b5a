package main

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/urfave/cli/v2"

	"github.com/planvet/planvet/internal/casetest"
	"github.com/planvet/planvet/internal/report"
	"github.com/planvet/planvet/internal/scaffold"
	"github.com/planvet/planvet/rules"
)

// shop is a repository with migrations, a query that lacks an index, hooks and CI.
func shop(t *testing.T) string {
	t.Helper()
	return project(t, map[string]string{
		".git/HEAD":                "ref: refs/heads/main\n",
		"migrations/1_init.sql":    "create table orders (id bigint primary key, customer_id bigint not null);\n",
		"queries.sql":              "-- name: OrdersOf :many\nselect id from orders where customer_id = $1;\n",
		".pre-commit-config.yaml":  "repos: []\n",
		".github/workflows/ci.yml": "jobs:\n  test:\n    services:\n      db:\n        image: postgres:16\n",
	})
}

// init writes, shows a true finding and what comes next; a second run changes nothing,
// and neither does one after a person changed what it wrote.
func TestInit(t *testing.T) {
	dir := shop(t)
	code, out, errs := planvetRun(t, "init", dir)
	if code != 0 {
		t.Fatalf("exit %d: %s", code, errs)
	}
	for _, want := range []string{
		"database default: 1 file in migrations", "PostgreSQL 16 (.github/workflows/ci.yml)",
		"wrote   planvet.yaml", "wrote   .perf/baseline.json", "wrote   .github/workflows/planvet.yml", "add to  .pre-commit-config.yaml",
		"\nadd to .pre-commit-config.yaml:\n  repos:\n", "- id: planvet",
		"queries.sql:2:29: warning: orders.customer_id has no index", "1 finding: 1 warning",
		"planvet check --confirm shadow",
	} {
		if !strings.Contains(out, want) {
			t.Errorf("no %q in\n%s", want, out)
		}
	}
	for _, name := range []string{"slos-template.json", "slos.json", "baseline.json", "references/slo-definitions.md", "references/query-patterns.md", "references/rls-performance.md", "references/pr-checklist.md"} {
		if _, err := os.Stat(filepath.Join(dir, ".perf", name)); err != nil {
			t.Error(err)
		}
	}
	if text, err := os.ReadFile(filepath.Join(dir, ".pre-commit-config.yaml")); err != nil || string(text) != "repos: []\n" {
		t.Errorf("a file of the user's is now %q, %v", text, err)
	}
	first := textsBelow(t, dir)
	code, out, errs = planvetRun(t, "init", dir)
	if code != 0 || strings.Contains(out, "wrote") || strings.Contains(out, "renewed") {
		t.Errorf("a second run ends with %d %s and\n%s", code, errs, out)
	}
	differ(t, first, textsBelow(t, dir))
	casetest.WriteFiles(t, dir, map[string]string{"planvet.yaml": "version: 1\nrules: {indexes: off}\n", ".perf/references/pr-checklist.md": "ours\n"})
	changed := textsBelow(t, dir)
	if _, out, _ = planvetRun(t, "init", dir); !strings.Contains(out, "no findings") {
		t.Errorf("the check does not go by the config that is there:\n%s", out)
	}
	differ(t, changed, textsBelow(t, dir))
}

// The output in docs/init.md is that of this repository; UPDATE=1 writes it.
func TestInitPage(t *testing.T) {
	page, err := filepath.Abs("../../docs/init.md")
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	t.Chdir(shop(t))
	_, out, _ := planvetRun(t, "init")
	block := regexp.MustCompile("(?s)(<!-- planvet init -->\n```text\n)(.*?)(```\n<!-- /planvet init -->)")
	fresh := block.ReplaceAllLiteral(text, []byte("<!-- planvet init -->\n```text\n"+strings.TrimRight(out, "\n")+"\n```\n<!-- /planvet init -->"))
	switch {
	case bytes.Equal(fresh, text):
	case casetest.Update():
		if err := os.WriteFile(page, fresh, 0o644); err != nil {
			t.Fatal(err)
		}
	default:
		t.Errorf("docs/init.md is stale: UPDATE=1 go test ./cmd/planvet -run TestInitPage; planvet init prints\n%s", out)
	}
}

func TestInitWritesNothing(t *testing.T) {
	dir := shop(t)
	before := textsBelow(t, dir)
	for _, args := range [][]string{{"--dry-run"}, {"--without", "config,perf,references,hooks,ci", "--without", "check"}} {
		if code, out, errs := planvetRun(t, append([]string{"init", dir}, args...)...); code != 0 || strings.Contains(out, "first check") {
			t.Errorf("%v: exit %d, %s\n%s", args, code, errs, out)
		}
		differ(t, before, textsBelow(t, dir))
	}
	for _, args := range [][]string{{"--with", "jenkins"}, {"--without", "hook"}, {"--color", "blue"}, {"a", "b"}, {"no/such/folder"}, {filepath.Join(dir, "queries.sql")}} {
		if code, _, errs := planvetRun(t, append([]string{"init"}, args...)...); code != int(report.ExitUsage) || strings.Count(errs, "\n") != 1 {
			t.Errorf("%v: exit %d, %q", args, code, errs)
		}
	}
	differ(t, before, textsBelow(t, dir))
}

// What init made promises nothing: the gate goes without objectives, and slo init may
// fill the file.
func TestInitPromisesNothing(t *testing.T) {
	dir := shop(t)
	planvetRun(t, "init", dir, "--without", "check")
	file := filepath.Join(dir, ".perf", "slos.json")
	if promises(file) || promises(file+".no") {
		t.Error("an empty file, or none, promises something")
	}
	if !promises(filepath.Join(dir, ".perf", "slos-template.json")) || !promises(filepath.Join(dir, "queries.sql")) {
		t.Error("objectives, or a file that cannot be read, promise nothing")
	}
}

// The schema that config schema prints is the one that init writes beside the config.
func TestConfigSchema(t *testing.T) {
	_, out, _ := planvetRun(t, "config", "schema")
	if !strings.Contains(out, `"unindexed-where"`) || !strings.Contains(out, `"fail_on"`) {
		t.Errorf("config schema prints %s", out)
	}
}

// commandSpan is a command in a text: in backticks, in a block, or after a colon.
var commandSpan = regexp.MustCompile("(?:`|: |^)planvet ([a-z][^`\\n#]*)")

// Each command and each flag that init's files and its own output name is there.
func TestInitNamesCommands(t *testing.T) {
	files, err := scaffold.Files(&scaffold.Facts{}, scaffold.Options{})
	if err != nil {
		t.Fatal(err)
	}
	app := newApp(io.Discard, io.Discard, new(report.ExitCode))
	named := 0
	for _, f := range files {
		if strings.HasSuffix(f.Path, ".json") {
			continue
		}
		for _, m := range commandSpan.FindAllStringSubmatch(f.Text, -1) {
			named++
			known(t, app, f.Path, m[1])
		}
	}
	var next bytes.Buffer
	for _, d := range []*report.Document{{}, {Findings: make([]rules.Finding, backlog)}} {
		if err := nextCommands(&next, d); err != nil {
			t.Fatal(err)
		}
	}
	for line := range strings.Lines(next.String()) {
		if command, ok := strings.CutPrefix(strings.TrimSpace(line), "planvet "); ok {
			named++
			known(t, app, "what comes next", command)
		}
	}
	if named < 20 {
		t.Errorf("%d commands are named: the test does not see them", named)
	}
}

// known fails where a command line names a command or a flag that there is not.
func known(t *testing.T, app *cli.App, where, line string) {
	t.Helper()
	commands, flags, path := app.Commands, app.Flags, "planvet"
	for i, word := range strings.Fields(line) {
		if c := findCommand(commands, word); c != nil {
			commands, flags, path = c.Subcommands, c.Flags, path+" "+word
			continue
		}
		if i == 0 {
			t.Errorf("%s: planvet %s: there is no such command", where, line)
			return
		}
		if name, ok := strings.CutPrefix(word, "-"); ok {
			name, _, _ = strings.Cut(strings.TrimPrefix(name, "-"), "=")
			if _, _, err := takesValue(flags, name, false); err != nil {
				t.Errorf("%s: planvet %s: %s has no flag %s", where, line, path, word)
			}
		}
	}
}

func textsBelow(t *testing.T, dir string) map[string]string {
	t.Helper()
	out := map[string]string{}
	err := filepath.Walk(dir, func(p string, st os.FileInfo, err error) error {
		if err != nil || !st.Mode().IsRegular() {
			return err
		}
		text, err := os.ReadFile(p)
		out[p] = string(text)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func differ(t *testing.T, was, is map[string]string) {
	t.Helper()
	for p, text := range is {
		if old, ok := was[p]; !ok || old != text {
			t.Errorf("%s is new or changed", p)
		}
	}
	if len(is) < len(was) {
		t.Errorf("%d files of %d are left", len(is), len(was))
	}
}
