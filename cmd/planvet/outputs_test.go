package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/planvet/planvet/internal/casetest"
	"github.com/planvet/planvet/internal/report"
)

// faulty is a project of so many findings, in a part of a repository, which it makes
// the working directory.
func faulty(t *testing.T, tables int) (repository string) {
	t.Helper()
	sql := "create table a (id bigint primary key);\n"
	for i := range tables {
		sql += "create table b" + strings.Repeat("x", i) + " (id bigint primary key, a_id bigint references a (id));\n"
	}
	repository = project(t, map[string]string{"svc/planvet.yaml": "version: 1\nmigrations: db\n", "svc/db/1_init.sql": sql, ".git/HEAD": ""})
	t.Chdir(repository)
	return repository
}

func TestOutputs(t *testing.T) {
	faulty(t, 1)
	for _, c := range []struct {
		args string
		// stdout starts so; "" is silent.
		stdout string
		// files and how each starts
		files map[string]string
	}{
		{"", "svc", nil},
		{"--format json", "{", nil},
		{"--output json", "{", nil},
		{"-o out.txt", "", map[string]string{"out.txt": "db/1_init.sql:2:"}},
		{"-o out.json --format json", "", map[string]string{"out.json": "{"}},
		{"--output=sarif=x.sarif", "", map[string]string{"x.sarif": "{"}},
		{"--output sarif=x.sarif --output text", "db/1_init.sql:2:", map[string]string{"x.sarif": "{"}},
		{"--output sarif=x.sarif --format json", "{", map[string]string{"x.sarif": "{"}},
		{"-o gcc=- -o junit=j.xml --output rdjson=r.json", "svc/db/1_init.sql:2:", map[string]string{"j.xml": "<?xml", "r.json": "{"}},
		{"-o a=b/x,y.txt -o html=p=q.html", "", nil},
		{"-o ./a=b.txt -o html=p=q,r.html", "", map[string]string{"a=b.txt": "db/1_init.sql:2:", "p=q,r.html": "<!DOCTYPE html>"}},
		{"-o text -o github", "db/1_init.sql:2:", nil},
	} {
		t.Run(c.args, func(t *testing.T) {
			if c.args == "" {
				c.stdout = "db/1_init.sql:2:"
			}
			code, out, errs := planvetRun(t, append([]string{"check", "svc"}, strings.Fields(c.args)...)...)
			if c.files == nil && c.stdout == "" {
				if code != 2 || !strings.Contains(errs, `unknown format "a"`) {
					t.Errorf("exit %d: %s", code, errs)
				}
				return
			}
			if code != 0 && code != 1 || errs != "" {
				t.Fatalf("exit %d: %s", code, errs)
			}
			if !strings.HasPrefix(out, c.stdout) || c.stdout == "" && out != "" {
				t.Errorf("stdout is %.80q", out)
			}
			for file, start := range c.files {
				b, err := os.ReadFile(file)
				if err != nil || !strings.HasPrefix(string(b), start) {
					t.Errorf("%s is %.80q (%v)", file, b, err)
				}
			}
		})
	}
}

func TestOutputMistakes(t *testing.T) {
	faulty(t, 1)
	t.Setenv(summaryEnv, "")
	for _, c := range []struct{ args, says string }{
		{"--format srif", `--format srif: unknown format "srif"; did you mean "sarif"?`},
		{"--output srif=x", `--output srif=x: unknown format "srif"`},
		{"--output sarif=", "--output sarif= names no file: write sarif=FILE"},
		{"--output json --output sarif", "json and sarif both go to stdout: write one of them to a file of its own"},
		{"--output text --output json", "text and json both go to stdout"},
		{"--output text --format text", "text and text both go to stdout"},
		{"--output json=x --output sarif=./x", "json and sarif both go to ./x"},
		{"-o a.txt -o b.txt -o ./a.txt", "text and text both go to ./a.txt"},
		{"--output github-summary", "GITHUB_STEP_SUMMARY is not set"},
	} {
		code, out, errs := planvetRun(t, append([]string{"check", "svc"}, strings.Fields(c.args)...)...)
		if code != 2 || out != "" || !strings.Contains(errs, c.says) {
			t.Errorf("%s: exit %d, %q, want %q", c.args, code, errs, c.says)
		}
	}
}

// One report that cannot be written keeps no other from it.
func TestOutputUnwritable(t *testing.T) {
	faulty(t, 1)
	code, out, errs := planvetRun(t, "check", "svc", "-o", "json=no/such/folder/x.json", "-o", "gcc", "-o", "sarif=x.sarif")
	if _, err := os.Stat("x.sarif"); code != 3 || err != nil || !strings.Contains(out, "svc/db/1_init.sql:2:") || !strings.Contains(errs, "writing the json report: ") {
		t.Errorf("exit %d, %q, %q, %v", code, out, errs, err)
	}
}

// A step's summary is added to, and what a limit left out is said.
func TestStepSummary(t *testing.T) {
	faulty(t, 15)
	file := filepath.Join(t.TempDir(), "summary.md")
	t.Setenv(summaryEnv, file)
	if err := os.WriteFile(file, []byte("before\n"), 0o666); err != nil {
		t.Fatal(err)
	}
	code, out, errs := planvetRun(t, "check", "svc", "--output", "github", "--output", "github-summary")
	b, err := os.ReadFile(file)
	if err != nil || code != 0 {
		t.Fatalf("exit %d: %s%v", code, errs, err)
	}
	if s := string(b); !strings.HasPrefix(s, "before\n<!-- planvet:v1 findings -->\n") || strings.Count(s, "`svc/db/1_init.sql:") < 15 {
		t.Errorf("the summary is %s", s)
	}
	const cut = "9 of 15 findings, the worst first; a step shows 10 annotations of each severity"
	if want := "planvet: github: " + cut + "\n"; errs != want {
		t.Errorf("stderr is %q, want %q", errs, want)
	}
	if n := strings.Count(out, "::notice file=svc/db/1_init.sql,line="); n != 9 || !strings.Contains(out, "::notice title=planvet::annotated "+cut+"\n") {
		t.Errorf("%d annotations: %s", n, out)
	}
}

// Paths are those of the reader: the repository's for platforms, the working
// directory's for editors.
func TestOutputPaths(t *testing.T) {
	repository := faulty(t, 1)
	for _, c := range []struct{ dir, platform, editor string }{
		{".", "svc/db/1_init.sql", "svc/db/1_init.sql"},
		{"svc", "svc/db/1_init.sql", "db/1_init.sql"},
		{"svc/db", "svc/db/1_init.sql", "../db/1_init.sql"},
	} {
		t.Chdir(filepath.Join(repository, c.dir))
		project := "."
		if c.dir == "." {
			project = "svc"
		}
		_, out, errs := planvetRun(t, "check", project, "-o", "gcc", "-o", "github")
		if !strings.HasPrefix(out, c.editor+":2:") || !strings.Contains(out, " file="+c.platform+",line=2,") {
			t.Errorf("in %s: %s%s", c.dir, out, errs)
		}
	}
}

// formatTable is the table of docs/outputs.md.
func formatTable() string {
	var rows [][]string
	for _, f := range report.Formats() {
		columns, limit := f.Columns, f.Limit
		if columns == "" {
			columns = "no columns"
		}
		if limit == "" {
			limit = "none"
		}
		rows = append(rows, []string{"`" + f.Name + "`", f.For, columns, limit})
	}
	return report.MarkdownTable([]report.Column{{Title: "format"}, {Title: "for"}, {Title: "columns count"}, {Title: "kept within"}}, rows)
}

// TestOutputsDoc holds the table of docs/outputs.md against the formats; UPDATE=1
// writes it.
func TestOutputsDoc(t *testing.T) {
	const file, open, end = "../../docs/outputs.md", "<!-- planvet:formats -->\n", "<!-- /planvet:formats -->\n"
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, ok := strings.Cut(string(text), open)
	old, after, ok2 := strings.Cut(rest, end)
	if !ok || !ok2 {
		t.Fatalf("%s has no table of formats", file)
	}
	fresh := formatTable()
	if casetest.Update() {
		if err := os.WriteFile(file, []byte(before+open+fresh+end+after), 0o644); err != nil {
			t.Fatal(err)
		}
	} else if old != fresh {
		t.Errorf("%s is stale; run UPDATE=1 go test ./cmd/planvet -run OutputsDoc", file)
	}
}

// TestOutputsDocCommands runs the commands of docs/outputs.md, on a small project.
func TestOutputsDocCommands(t *testing.T) {
	text, err := os.ReadFile("../../docs/outputs.md")
	if err != nil {
		t.Fatal(err)
	}
	faulty(t, 1)
	t.Setenv(summaryEnv, filepath.Join(t.TempDir(), "summary.md"))
	ran := 0
	for line := range strings.Lines(string(text)) {
		_, command, ok := strings.Cut(strings.TrimSpace(line), "planvet check")
		if !ok || strings.HasPrefix(line, "|") || strings.Contains(command, "`") {
			continue
		}
		command, _, _ = strings.Cut(command, " #")
		command, _, _ = strings.Cut(command, " |")
		command = strings.TrimSuffix(strings.TrimSpace(command), "|| test $? = 1")
		args := strings.Fields(command)
		if code, _, errs := planvetRun(t, append([]string{"check", "svc"}, args...)...); code > 1 {
			t.Errorf("planvet check%s: exit %d: %s", command, code, errs)
		}
		ran++
	}
	if ran < 5 {
		t.Errorf("%d commands were run", ran)
	}
}
