package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"

	"github.com/planvet/planvet/internal/shadow/shadowtest"
)

// TestWorkflow runs what planvet top-queries --workflow prints, step by step, in a
// repository with a remote: the document is written and proposed once (row 91).
func TestWorkflow(t *testing.T) {
	for _, program := range []string{"git", "bash"} {
		if _, err := exec.LookPath(program); err != nil {
			t.Skip("this test needs " + program)
		}
	}
	conn := shadowtest.Connect(t, "create extension pg_stat_statements", "select 'of this week'")
	const document = `docs/50 "ops"/TOP $HOME.md`
	code, text, errs := planvetRun(t, "top-queries", "--workflow", "github", "--output", document, "--top", "5", "--sort", "mean")
	if code != 0 {
		t.Fatalf("exit %d: %s", code, errs)
	}
	var w struct {
		On struct {
			Schedule []struct{ Cron string }
		} `yaml:"on"`
		Env  map[string]string
		Jobs map[string]struct {
			If    string
			Steps []struct {
				Name, Run, Uses string
				Env             map[string]string
			}
		}
	}
	if err := yaml.Unmarshal([]byte(text), &w); err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	if len(w.On.Schedule) != 1 || w.On.Schedule[0].Cron != "17 5 * * 1" || w.Env["DOCUMENT"] != document || len(w.Jobs) != 2 {
		t.Fatalf("got %+v", w)
	}

	// A runner: planvet is this test, gh writes down what it is asked.
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	home := t.TempDir()
	bin, remote, tree, asked := filepath.Join(home, "bin"), filepath.Join(home, "remote.git"), filepath.Join(home, "tree"), filepath.Join(home, "asked")
	scripts := map[string]string{
		"planvet": "#!/bin/sh\nPLANVET_TEST_MAIN=1 exec '" + self + "' \"$@\"\n",
		"gh": "#!/bin/sh\nif [ \"$2\" = list ]; then [ -e '" + asked + "' ] && echo 7; exit 0; fi\n" +
			"echo \"$@\" >> '" + asked + "'\n",
	}
	if err := os.MkdirAll(bin, 0o755); err != nil {
		t.Fatal(err)
	}
	for name, script := range scripts {
		if err := os.WriteFile(filepath.Join(bin, name), []byte(script), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	sh := func(dir, script string, env map[string]string) (string, error) {
		cmd := exec.Command("bash", "-e", "-o", "pipefail", "-c", script)
		cmd.Dir = dir
		cmd.Env = append(os.Environ(), "PATH="+bin+":"+os.Getenv("PATH"), "HOME="+home, "GIT_CONFIG_NOSYSTEM=1")
		for _, vars := range []map[string]string{w.Env, env} {
			for k, v := range vars {
				v = strings.ReplaceAll(v, "${{ secrets.PLANVET_DATABASE_URL }}", conn.Config().ConnString())
				cmd.Env = append(cmd.Env, k+"="+v)
			}
		}
		out, err := cmd.CombinedOutput()
		return string(out), err
	}
	if out, err := sh(home, "git init -q --bare "+remote+" && git clone -q "+remote+" tree && cd tree && git -c user.name=a -c user.email=a@b commit -q --allow-empty -m one && git push -q origin HEAD", nil); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	steps := func(job string) (failed string) {
		t.Helper()
		installed := false
		for _, s := range w.Jobs[job].Steps {
			switch {
			case s.Uses != "":
			case strings.HasPrefix(s.Run, "go install "):
				// The module is this one; the newest release is not what is tested.
				installed = s.Run == "go install github.com/planvet/planvet/cmd/planvet@latest"
			default:
				if out, err := sh(tree, s.Run, s.Env); err != nil {
					return s.Name + ": " + out
				}
			}
		}
		if !installed {
			t.Errorf("job %s installs no planvet", job)
		}
		return ""
	}
	if failed := steps("check"); !strings.Contains(failed, "is not there") {
		t.Errorf("before the document is made the check says %q", failed)
	}
	for range 2 { // in the second week there is a branch, and a pull request
		if failed := steps("update"); failed != "" {
			t.Fatal(failed)
		}
	}
	if failed := steps("check"); failed != "" {
		t.Error(failed)
	}
	if text, err := os.ReadFile(asked); err != nil || strings.Count(string(text), "pr create --head planvet/top-queries") != 1 {
		t.Errorf("gh was asked %q, %v", text, err)
	}
	out, err := sh(home, `git -C `+remote+` show "planvet/top-queries:$DOCUMENT"`, nil)
	if err != nil || !strings.Contains(out, "by mean") && !strings.Contains(out, "mean") {
		t.Errorf("%v\n%s", err, out)
	}
	if code, _, errs := planvetRun(t, "top-queries", "--workflow", "gitlub"); code != 2 || !strings.Contains(errs, "github") {
		t.Errorf("exit %d: %s", code, errs)
	}
}
