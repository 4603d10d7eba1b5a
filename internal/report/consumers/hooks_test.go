package consumers

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"testing"

	"github.com/planvet/planvet/internal/integration"
)

// clone is a repository whose commits are judged, and the programs that its hooks find.
type clone struct {
	t   *testing.T
	dir string
	env []string
}

// changed are a project's files before the change: an index, and a query that needs it.
var changed = map[string]string{
	"svc/go.mod":                     "module example.com/app\n\ngo 1.26.0\n",
	"svc/migrations/001_players.sql": "create table players (id bigint primary key, name text not null);\n",
	"svc/migrations/002_index.sql":   "create index on players (name);\n",
	"svc/app.go": "package app\n\nimport \"database/sql\"\n\n// Find finds players.\n" +
		"func Find(db *sql.DB) { db.Query(\"select id from players where name = $1\", \"é\") }\n",
}

// needsIndex is the finding of the query that stood there before.
const needsIndex = "svc/app.go:6:64: warning: players.name has no index"

func newClone(t *testing.T, env ...string) *clone {
	t.Helper()
	for _, program := range []string{"git", "sh"} {
		if _, err := exec.LookPath(program); err != nil {
			t.Skip("this test needs " + program)
		}
	}
	bin, err := planvet()
	if err != nil {
		t.Fatal(err)
	}
	c := &clone{t: t, dir: t.TempDir()}
	c.env = append(os.Environ(), "PATH="+filepath.Dir(bin)+string(os.PathListSeparator)+os.Getenv("PATH"), "GIT_CONFIG_GLOBAL="+os.DevNull, "GIT_CONFIG_NOSYSTEM=1",
		"GIT_AUTHOR_NAME=a", "GIT_AUTHOR_EMAIL=a@example.com", "GIT_COMMITTER_NAME=a", "GIT_COMMITTER_EMAIL=a@example.com", "PLANVET_CONFIG=", "NO_COLOR=1", "CI=")
	c.env = append(c.env, env...)
	c.git("init", "-q", "-b", "main")
	c.write(changed)
	c.commit("the project")
	return c
}

func (c *clone) write(files map[string]string) {
	c.t.Helper()
	for name, text := range files {
		name = filepath.Join(c.dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(name), 0o777); err != nil {
			c.t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(text), 0o666); err != nil {
			c.t.Fatal(err)
		}
	}
}

// run runs a program in the repository and returns what it printed.
func (c *clone) run(name string, args ...string) (string, error) {
	c.t.Helper()
	cmd := exec.Command(name, args...)
	cmd.Dir, cmd.Env = c.dir, c.env
	out, err := cmd.CombinedOutput()
	return string(out), err
}

func (c *clone) git(args ...string) string {
	c.t.Helper()
	out, err := c.run("git", args...)
	if err != nil {
		c.t.Fatalf("git %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return strings.TrimSpace(out)
}

// commit commits all without hooks.
func (c *clone) commit(message string) {
	c.t.Helper()
	c.git("add", "-A")
	c.git("commit", "-q", "--no-verify", "-m", message)
}

// hooked commits changes under the hooks that are installed, each from the same start.
// passed and skipped are what the program says of a change without a fault, and of one
// that there is nothing to judge in.
func (c *clone) hooked(passed, skipped string) {
	start := c.git("rev-parse", "HEAD")
	drop := map[string]string{"svc/migrations/003_drop.sql": "drop index players_name_idx;\n"}
	remark := map[string]string{"svc/migrations/001_players.sql": changed["svc/migrations/001_players.sql"] + "-- a remark\n"}
	for _, step := range []struct {
		name   string
		change func()
		commit []string
		fails  bool
		says   string
	}{
		{"an index is dropped", func() { c.write(drop); c.git("add", "-A") }, nil, true, needsIndex},
		{"its migration is deleted", func() { c.git("rm", "-q", "svc/migrations/002_index.sql") }, nil, true, needsIndex},
		{"it is dropped, and not staged", func() { c.write(remark); c.git("add", "-A"); c.write(drop) }, nil, false, passed},
		{"it is staged, and not of this commit", func() { c.write(drop); c.write(remark); c.git("add", "-A") }, []string{"svc/migrations/001_players.sql"}, false, passed},
		{"it is of this commit, and not staged", func() { c.write(drop); c.git("add", "-N", "."); c.write(remark) }, []string{"-a"}, true, needsIndex},
		{"a text is written", func() { c.write(map[string]string{"README.md": "x"}); c.git("add", "-A") }, nil, false, skipped},
	} {
		step.change()
		out, err := c.run("git", append([]string{"commit", "-m", "change"}, step.commit...)...)
		if (err != nil) != step.fails || !strings.Contains(out, step.says) {
			c.t.Errorf("%s: %v\n%s", step.name, err, out)
		}
		if moved := c.git("rev-parse", "HEAD") != start; moved == step.fails {
			c.t.Errorf("%s: the commit is made: %t", step.name, moved)
		}
		c.git("reset", "-q", "--hard", start)
		c.git("clean", "-qfd")
	}
}

func TestLefthook(t *testing.T) {
	if testing.Short() {
		t.Skip("planvet is built")
	}
	c := newClone(t)
	f, err := integration.Named("lefthook")
	if err != nil {
		t.Fatal(err)
	}
	c.write(map[string]string{f.Path: f.Text})
	c.commit("hooks")
	lefthook := filepath.Join(fromNPM(t, "lefthook@2.2.2"), "node_modules", ".bin", "lefthook")
	c.env = append(c.env, "LEFTHOOK_BIN="+lefthook)
	for _, args := range [][]string{{"validate"}, {"install"}} {
		if out, err := c.run(lefthook, args...); err != nil {
			t.Fatalf("lefthook %v: %v\n%s", args, err, out)
		}
	}
	c.hooked("no findings", "planvet (skip) no matching staged files")
}

// preCommit is pre-commit, of the PATH or of Debian's packages, and its environment.
func preCommit(t *testing.T) (command, env []string) {
	t.Helper()
	env = []string{"PRE_COMMIT_HOME=" + t.TempDir()}
	if path, err := exec.LookPath("pre-commit"); err == nil {
		return []string{path}, env
	}
	const python = "/usr/bin/python3"
	if _, err := os.Stat(python); err != nil {
		t.Skip("there is neither pre-commit nor Debian's Python")
	}
	root := fromDebian(t, "pre-commit", "python3-cfgv", "python3-identify", "nodeenv", "python3-virtualenv", "python3-yaml",
		"python3-filelock", "python3-distlib", "python3-platformdirs", "libyaml-0-2")
	return []string{python, "-m", "pre_commit"}, append(env, "PYTHONPATH="+filepath.Join(root, "usr/lib/python3/dist-packages"))
}

// hooksRepository is a repository as pre-commit clones it: planvet's, or what of it
// a hook of the PATH's planvet needs.
func hooksRepository(t *testing.T, whole bool) (dir, rev string) {
	t.Helper()
	dir = t.TempDir()
	c := &clone{t: t, dir: dir, env: append(os.Environ(), "GIT_CONFIG_GLOBAL="+os.DevNull, "GIT_CONFIG_NOSYSTEM=1",
		"GIT_AUTHOR_NAME=a", "GIT_AUTHOR_EMAIL=a@example.com", "GIT_COMMITTER_NAME=a", "GIT_COMMITTER_EMAIL=a@example.com")}
	const root = "../../.."
	files := ".pre-commit-hooks.yaml\x00"
	if whole {
		out, err := exec.Command("git", "-C", root, "ls-files", "-z", "-co", "--exclude-standard").Output()
		if err != nil {
			t.Skip("planvet's own tree is no clone")
		}
		files = string(out)
	}
	for name := range strings.SplitSeq(strings.TrimSuffix(files, "\x00"), "\x00") {
		if text, err := os.ReadFile(filepath.Join(root, name)); err == nil {
			c.write(map[string]string{name: string(text)})
		}
	}
	c.git("init", "-q", "-b", "main")
	c.commit("planvet")
	return dir, c.git("rev-parse", "HEAD")
}

// The hook that pre-commit builds takes minutes where nothing is cached: it is asked for
// by PLANVET_TEST_PRE_COMMIT_BUILD, as make test-all does.
func TestPreCommit(t *testing.T) {
	if testing.Short() || runtime.GOOS == "windows" {
		t.Skip("planvet is built")
	}
	command, env := preCommit(t)
	f, err := integration.Named("pre-commit")
	if err != nil {
		t.Fatal(err)
	}
	for _, id := range []string{"planvet-system", "planvet"} {
		t.Run(id, func(t *testing.T) {
			if id == "planvet" && os.Getenv("PLANVET_TEST_PRE_COMMIT_BUILD") == "" {
				t.Skip("PLANVET_TEST_PRE_COMMIT_BUILD is not set")
			}
			c := newClone(t, env...)
			if id == "planvet" {
				c.env = append(c.env, "GOFLAGS=-modcacherw", "PATH="+os.Getenv("PATH")) // no planvet but pre-commit's
			}
			repository, rev := hooksRepository(t, id == "planvet")
			config := strings.Replace(f.Text, "https://github.com/planvet/planvet", repository, 1)
			config = strings.Replace(config, "rev: main", "rev: "+rev, 1)
			config = strings.Replace(config, "- id: planvet #", "- id: "+id+" #", 1)
			c.write(map[string]string{f.Path: config})
			c.commit("hooks")
			for _, args := range [][]string{
				{"validate-manifest", filepath.Join(repository, ".pre-commit-hooks.yaml")}, {"validate-config", f.Path}, {"install", "--install-hooks"},
			} {
				if out, err := c.run(command[0], append(command[1:], args...)...); err != nil {
					t.Fatalf("pre-commit %v: %v\n%s", args, err, out)
				}
			}
			c.hooked("Passed", "Passed")
		})
	}
}

// revision is that of HEAD, which is another in each run.
var revision = regexp.MustCompile(`HEAD \([0-9a-f]+\)`)

// What docs/hooks.md shows is what a hook prints.
func TestHooksPage(t *testing.T) {
	if testing.Short() {
		t.Skip("planvet is built")
	}
	c := newClone(t)
	c.git("rm", "-qr", "svc")
	c.write(map[string]string{
		"go.mod": changed["svc/go.mod"], "migrations/001_players.sql": changed["svc/migrations/001_players.sql"], "migrations/002_index.sql": changed["svc/migrations/002_index.sql"],
		"store/players.go": `package store

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
	c.commit("the page's project")
	c.git("rm", "-q", "migrations/002_index.sql")
	bin, err := planvet()
	if err != nil {
		t.Fatal(err)
	}
	got, err := c.run(bin, "check", "--staged")
	if err == nil {
		t.Fatal("the commit passes")
	}
	text, err := os.ReadFile("../../../docs/hooks.md")
	if err != nil {
		t.Fatal(err)
	}
	_, shown, _ := strings.Cut(string(text), "<!-- planvet hook -->\n```text\n")
	shown, _, _ = strings.Cut(shown, "```\n<!-- /planvet hook -->")
	if mask := func(s string) string { return revision.ReplaceAllString(s, "HEAD (…)") }; mask(shown) != mask(got) {
		t.Errorf("docs/hooks.md shows\n%sand a hook prints\n%s", shown, got)
	}
}
