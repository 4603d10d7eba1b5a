package consumers

import (
	"bytes"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rhysd/actionlint"

	"github.com/planvet/planvet/internal/integration"
)

// TestActionLint holds the workflow that users are given, and planvet's own, against
// actionlint, which reads the inputs of the action that they use.
func TestActionLint(t *testing.T) {
	f, err := integration.Named("github")
	if err != nil {
		t.Fatal(err)
	}
	c := &clone{t: t, dir: t.TempDir()}
	action, err := os.ReadFile("../../../action.yml")
	if err != nil {
		t.Fatal(err)
	}
	own, err := os.ReadFile("../../../.github/workflows/ci.yml")
	if err != nil {
		t.Fatal(err)
	}
	release, err := os.ReadFile("../../../.github/workflows/release.yml")
	if err != nil {
		t.Fatal(err)
	}
	local := strings.Replace(f.Text, "uses: planvet/planvet@main", "uses: ./", 1)
	asked := strings.NewReplacer("        # with:", "        with:", "        #   ", "          ", "  # pull-requests", "  pull-requests", "  # security-events", "  security-events").Replace(local)
	if strings.Count(asked, "# ") != strings.Count(local, "# ")-6 {
		t.Fatalf("the workflow says else what may be asked for:\n%s", asked)
	}
	const dir = ".github/workflows/"
	c.write(map[string]string{
		".git/HEAD": "ref: refs/heads/main\n", "action.yml": string(action), dir + "ci.yml": string(own), dir + "release.yml": string(release),
		dir + "given.yml": local, dir + "asked.yml": asked, dir + "wrong.yml": strings.Replace(asked, "          checklist:", "          checkslist:", 1),
	})
	project, err := actionlint.NewProject(c.dir)
	if err != nil {
		t.Fatal(err)
	}
	l, err := actionlint.NewLinter(io.Discard, &actionlint.LinterOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{"ci.yml": "", "release.yml": "", "given.yml": "", "asked.yml": "", "wrong.yml": `input "checkslist" is not defined in action "planvet"`} {
		errs, err := l.LintFile(filepath.Join(c.dir, dir+name), project)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, e := range errs {
			got = append(got, e.Error())
		}
		if text := strings.Join(got, "\n"); want == "" && text != "" || !strings.Contains(text, want) {
			t.Errorf("%s: %s", name, text)
		}
	}
}

// TestShellCheck holds the action's scripts against ShellCheck.
func TestShellCheck(t *testing.T) {
	if testing.Short() {
		t.Skip("packages are fetched")
	}
	program, err := exec.LookPath("shellcheck")
	if err != nil {
		program = filepath.Join(fromDebian(t, "shellcheck"), "usr/bin/shellcheck")
		if err := exec.Command(program, "--version").Run(); err != nil {
			t.Skipf("Debian's shellcheck does not run here: %v", err)
		}
	}
	scripts, err := filepath.Glob("../../../tools/action/*.sh")
	if err != nil || len(scripts) != 3 {
		t.Fatalf("%d scripts, %v", len(scripts), err)
	}
	if out, err := exec.Command(program, scripts...).CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
	cmd := exec.Command(program, "-s", "bash", "-")
	cmd.Stdin = bytes.NewReader([]byte("cd $1\n"))
	if err := cmd.Run(); err == nil {
		t.Error("shellcheck finds nothing in a script that has a fault")
	}
}
