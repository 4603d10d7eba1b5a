package consumers

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/planvet/planvet/internal/integration"
)

// TestGitLabCI runs the job that users are given by gitlab-ci-local, which holds it against
// GitLab's own JSON Schema first: for a merge request, and for the default branch.
func TestGitLabCI(t *testing.T) {
	if testing.Short() {
		t.Skip("planvet is built, and packages are fetched")
	}
	f, err := integration.Named("gitlab")
	if err != nil {
		t.Fatal(err)
	}
	program := filepath.Join(fromNPM(t, "gitlab-ci-local@4.61.0"), "node_modules", ".bin", "gitlab-ci-local")
	// It copies the tree for jobs in containers, of which there are none here.
	bin := t.TempDir()
	if err := os.WriteFile(filepath.Join(bin, "rsync"), []byte("#!/bin/sh\n"), 0o777); err != nil {
		t.Fatal(err)
	}
	// The module is this one; the branch main is not what is tested.
	const install = `go install "github.com/planvet/planvet/cmd/planvet@$PLANVET_VERSION"`
	for _, c := range []struct {
		name   string
		change map[string]string
		since  bool
		fails  bool
		paths  []string
	}{
		{"a merge request", dropped, true, true, []string{"svc/app.go"}},
		{"one with nothing to judge", remarked, true, false, nil},
		{"one beside an old fault", dropped, true, true, []string{"svc/app.go"}},
		{"the default branch", remarked, false, true, []string{"svc/old.go"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := newClone(t)
			p.write(map[string]string{".gitignore": ".gitlab-ci-local/\n", f.Path: strings.Replace(f.Text, install, `test "$PLANVET_VERSION" = main`, 1)})
			if c.name != "a merge request" && c.name != "one with nothing to judge" {
				p.write(old)
			}
			p.commit("before")
			before := p.git("rev-parse", "HEAD")
			p.write(c.change)
			p.commit("change")
			p.git("remote", "add", "origin", "git@gitlab.com:o/r.git")
			tool, err := planvet()
			if err != nil {
				t.Fatal(err)
			}
			p.env = append(p.env, "HOME="+t.TempDir(), "PATH="+strings.Join([]string{bin, filepath.Dir(tool), os.Getenv("PATH")}, string(os.PathListSeparator)))
			args := []string{"--force-shell-executor", "--no-shell-isolation", "--file", f.Path, "--variable", "CI_PIPELINE_SOURCE=push"}
			if c.since {
				args = append(args[:len(args)-1], "CI_PIPELINE_SOURCE=merge_request_event", "--variable", "CI_MERGE_REQUEST_DIFF_BASE_SHA="+before)
			}
			out, err := p.run(program, append(args, "planvet")...)
			if (err != nil) != c.fails {
				t.Fatalf("%v\n%s", err, out)
			}
			text, err := os.ReadFile(filepath.Join(p.dir, "gl-code-quality-report.json"))
			if err != nil {
				t.Fatalf("%v\n%s", err, out)
			}
			var issues []struct{ Location struct{ Path string } }
			if err := json.Unmarshal(text, &issues); err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, i := range issues {
				got = append(got, i.Location.Path)
			}
			if !slices.Equal(got, c.paths) {
				t.Errorf("the widget has %q, want %q\n%s", got, c.paths, out)
			}
			if _, err := os.Stat(filepath.Join(p.dir, "planvet-junit.xml")); err != nil {
				t.Error(err)
			}
		})
	}
	// The schema is in force.
	p := newClone(t)
	p.write(map[string]string{f.Path: strings.Replace(f.Text, "when: always", "when: sometimes", 1)})
	p.git("remote", "add", "origin", "git@gitlab.com:o/r.git")
	if out, err := p.run(program, "--list"); err == nil || !strings.Contains(out, "sometimes") && !strings.Contains(out, "when") {
		t.Errorf("any value passes: %v\n%s", err, out)
	}
}
