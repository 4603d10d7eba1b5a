package consumers

import (
	"encoding/json"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/nektos/act/pkg/runner"

	"github.com/planvet/planvet/internal/integration"
)

// pullRequest is a repository with a pull request, as a runner has it: a remote, and a
// checkout of depth 1 of the merge that GitHub makes of it.
type pullRequest struct {
	*clone
	runner, base, merge, head string
}

// newPullRequest has main go on after the pull request left it, and change the request.
func newPullRequest(t *testing.T, change map[string]string) *pullRequest {
	t.Helper()
	c := newClone(t)
	p := &pullRequest{clone: c, runner: filepath.Join(t.TempDir(), "checkout")}
	c.git("checkout", "-q", "-b", "change")
	c.write(change)
	c.commit("the change")
	p.head = c.git("rev-parse", "HEAD")
	c.git("checkout", "-q", "main")
	c.write(map[string]string{"README.md": "main goes on"})
	c.commit("main goes on")
	p.base = c.git("rev-parse", "HEAD")
	c.git("checkout", "-q", "--detach", "main")
	c.git("merge", "-q", "--no-ff", "-m", "Merge change into main", "change")
	p.merge = c.git("rev-parse", "HEAD")
	c.git("update-ref", "refs/pull/7/merge", "HEAD")
	c.git("checkout", "-q", "main")
	c.git("config", "uploadpack.allowAnySHA1InWant", "true") // as GitHub does
	return p
}

// checkout is what actions/checkout does for a ref.
func (p *pullRequest) checkout(ref string) {
	p.t.Helper()
	if err := os.RemoveAll(p.runner); err != nil {
		p.t.Fatal(err)
	}
	p.git("init", "-q", p.runner)
	p.git("-C", p.runner, "remote", "add", "origin", "file://"+p.dir)
	p.git("-C", p.runner, "fetch", "-q", "--no-tags", "--depth=1", "origin", "+"+ref+":refs/remotes/pull/7/merge")
	p.git("-C", p.runner, "checkout", "-q", "--detach", "refs/remotes/pull/7/merge")
}

var (
	dropped  = map[string]string{"svc/migrations/003_drop.sql": "drop index players_name_idx;\n"}
	remarked = map[string]string{"svc/README.md": "nothing to judge\n"}
	// old has a fault that stood there before, in the change of a pull request that does
	// nothing about it.
	old = map[string]string{"svc/old.go": "package app\n\nimport \"database/sql\"\n\n// Old finds players.\n" +
		"func Old(db *sql.DB) { db.Query(\"select id from players order by name desc, id limit 3\") }\n"}
)

// TestCheckScript runs the action's script as a step would, for what a runner checks out.
func TestCheckScript(t *testing.T) {
	if testing.Short() {
		t.Skip("planvet is built")
	}
	script, err := filepath.Abs("../../../tools/action/check.sh")
	if err != nil {
		t.Fatal(err)
	}
	p := newPullRequest(t, dropped)
	left := p.git("merge-base", "main", "change")
	for _, c := range []struct {
		name, ref string
		env       []string
		fails     bool
		since     string // the output
		says      string
	}{
		{"a merge", "refs/pull/7/merge", []string{"GITHUB_EVENT_NAME=pull_request", "GITHUB_SHA=" + p.merge, "GITHUB_REF=refs/pull/7/merge"}, true, p.base, needsIndex},
		{"the head", "refs/heads/change", []string{"GITHUB_EVENT_NAME=pull_request", "GITHUB_SHA=" + p.merge, "GITHUB_REF=refs/pull/7/merge"}, true, left, needsIndex},
		{"a merge queue", "refs/heads/change", []string{"GITHUB_EVENT_NAME=merge_group", "MERGE_GROUP_BASE=" + p.base}, true, p.base, needsIndex},
		{"a push", "refs/heads/change", []string{"GITHUB_EVENT_NAME=push"}, true, "", needsIndex},
		{"main", "refs/heads/main", []string{"GITHUB_EVENT_NAME=push"}, false, "", "no findings"},
		{"a revision", "refs/heads/change", []string{"GITHUB_EVENT_NAME=pull_request", "INPUT_SINCE=HEAD"}, false, "HEAD", "no findings"},
		{"the whole", "refs/pull/7/merge", []string{"GITHUB_EVENT_NAME=pull_request", "INPUT_SINCE=none"}, true, "", needsIndex},
		{"never", "refs/heads/change", []string{"GITHUB_EVENT_NAME=push", "INPUT_FAIL_ON=never", "INPUT_ARGS=--rules  unindexed-where"}, false, "", needsIndex},
		{"no base", "refs/heads/change", []string{"GITHUB_EVENT_NAME=pull_request", "GITHUB_BASE_REF=gone"}, true, "-", "::error title=planvet::where the change left gone cannot be found: give actions/checkout fetch-depth: 0"},
		{"a flag that there is not", "refs/heads/change", []string{"GITHUB_EVENT_NAME=push", "INPUT_ARGS=--nonsense"}, true, "", "::error title=planvet::planvet check ended with exit code 2"},
	} {
		p.checkout(c.ref)
		temp := t.TempDir()
		output, summary := filepath.Join(temp, "output"), filepath.Join(temp, "summary")
		step := *p.clone
		step.dir = p.runner
		step.env = append(slices.Clone(p.env), "RUNNER_TEMP="+temp, "GITHUB_OUTPUT="+output, "GITHUB_STEP_SUMMARY="+summary, "GITHUB_BASE_REF=main", "GITHUB_SHA=", "GITHUB_REF=", "MERGE_GROUP_BASE=")
		step.env = append(step.env, c.env...)
		out, err := step.run("bash", script)
		if (err != nil) != c.fails || !strings.Contains(out, c.says) {
			t.Errorf("%s: %v\n%s", c.name, err, out)
			continue
		}
		text, _ := os.ReadFile(output)
		got := map[string]string{}
		for line := range strings.Lines(string(text)) {
			k, v, _ := strings.Cut(strings.TrimSpace(line), "=")
			got[k] = v
		}
		if since, ok := got["since"]; since != c.since && (ok || c.since != "-") {
			t.Errorf("%s: since is %q, want %q", c.name, since, c.since)
		}
		if found := strings.Contains(c.says, needsIndex); (got["findings"] == "1") != found {
			t.Errorf("%s: %q findings\n%s", c.name, got["findings"], out)
		} else if found {
			page, err := os.ReadFile(summary)
			if err != nil || !strings.Contains(string(page), "players.name has no index") || !strings.Contains(out, "::warning file=svc/app.go,line=6,") {
				t.Errorf("%s: the run's page is %q, %v; the log\n%s", c.name, page, err, out)
			}
			if text, err := os.ReadFile(got["sarif"]); err != nil || !json.Valid(text) {
				t.Errorf("%s: %s: %v", c.name, got["sarif"], err)
			}
		}
	}
}

// uploadAction stands for the one that uploads to code scanning.
const uploadAction = `name: upload
description: copies what it is given
inputs:
  sarif_file: {description: report, required: true}
  category: {description: category, required: false}
runs:
  using: node20
  main: upload.js
`

// TestAction runs the workflow that users are given, and the action in it, by act.
func TestAction(t *testing.T) {
	if testing.Short() {
		t.Skip("planvet is built, and workflows are run")
	}
	f, err := integration.Named("github")
	if err != nil {
		t.Fatal(err)
	}
	given := strings.NewReplacer("        # with:\n", "        with:\n          version: installed\n          checklist-args: --confirm=none\n", "        #   ", "          ").
		Replace(strings.Replace(f.Text, "        #   args: --confirm shadow\n", "", 1))
	if strings.Count(given, "          checklist: true ") != 1 || strings.Count(given, "          upload-sarif: true ") != 1 || strings.Contains(given, "confirm shadow") {
		t.Fatalf("the workflow has other inputs to ask for:\n%s", given)
	}
	actionsOf := t.TempDir()
	root, err := filepath.Abs("../../..")
	if err != nil {
		t.Fatal(err)
	}
	c := &clone{t: t, dir: actionsOf}
	c.write(map[string]string{
		"upload/upload-sarif/action.yml": uploadAction,
		"upload/upload-sarif/upload.js":  "require('fs').copyFileSync(process.env.INPUT_SARIF_FILE, process.env.UPLOADED)\n",
		"nothing/action.yml":             "name: n\ndescription: d\nruns:\n  using: composite\n  steps:\n    - run: 'true'\n      shell: bash\n",
	})
	for _, name := range []string{"action.yml", "tools/action/install.sh", "tools/action/check.sh", "tools/action/checklist.sh"} {
		text, err := os.ReadFile(filepath.Join(root, name))
		if err != nil {
			t.Fatal(err)
		}
		c.write(map[string]string{"planvet/" + name: string(text)})
	}
	bin, err := planvet()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := exec.LookPath("node"); err != nil {
		t.Skip("node is not installed")
	}
	for _, step := range []struct {
		name, event, ref string
		change           map[string]string
		fork             bool
		fails, uploaded  bool
		comments         int
		places           []place
	}{
		{"a pull request", "pull_request", "refs/pull/7/merge", dropped, false, true, true, 1, []place{{"svc/app.go", 6, 64, "warning"}}},
		{"a pull request from a fork", "pull_request", "refs/pull/7/merge", dropped, true, true, false, 0, []place{{"svc/app.go", 6, 64, "warning"}}},
		{"a pull request with nothing to judge", "pull_request", "refs/pull/7/merge", remarked, false, false, true, 0, nil},
		{"a push", "push", "refs/heads/change", old, false, true, true, 0, []place{{"svc/old.go", 6, 66, "warning"}}},
	} {
		t.Run(step.name, func(t *testing.T) {
			p := newPullRequest(t, step.change)
			p.checkout(step.ref)
			uploaded := filepath.Join(t.TempDir(), "uploaded.sarif")
			head := "o/r"
			if step.fork {
				head = "somebody/r"
			}
			event, err := json.Marshal(map[string]any{
				"ref":          "refs/heads/main",
				"pull_request": map[string]any{"number": 7, "base": map[string]any{"ref": "main"}, "head": map[string]any{"ref": "change", "repo": map[string]any{"full_name": head}}},
			})
			if err != nil {
				t.Fatal(err)
			}
			file := filepath.Join(t.TempDir(), "event.json")
			if err := os.WriteFile(file, event, 0o666); err != nil {
				t.Fatal(err)
			}
			api := &comments{readOnly: step.fork}
			server := httptest.NewServer(api)
			defer server.Close()
			seen, err := workflow(t, given, runner.Config{
				Token:   "a token",
				Workdir: p.runner, EventName: step.event, EventPath: file,
				Env: map[string]string{
					"PATH": filepath.Dir(bin) + string(os.PathListSeparator) + os.Getenv("PATH"), "UPLOADED": uploaded, "GITHUB_REPOSITORY": "o/r",
					"GITHUB_API_URL": server.URL, "GITHUB_REF": step.ref, "GIT_CONFIG_GLOBAL": os.DevNull, "PLANVET_CONFIG": "",
				},
				ActionCache: &runner.LocalRepositoryCache{
					Parent: runner.GoGitActionCache{Path: t.TempDir()}, CacheDirCache: map[string]string{},
					LocalRepositories: map[string]string{
						"planvet/planvet@main":    filepath.Join(actionsOf, "planvet"),
						"github/codeql-action@v3": filepath.Join(actionsOf, "upload"),
						"actions/setup-go@v5":     filepath.Join(actionsOf, "nothing"),
					},
				},
			})
			if (err != nil) != step.fails {
				t.Fatalf("%v", err)
			}
			if got := sorted(seen.places); !slices.Equal(got, step.places) {
				t.Errorf("the lines that are annotated are\n%swant\n%s", lines(got), lines(step.places))
			}
			text, err := os.ReadFile(uploaded)
			if (err == nil) != step.uploaded || step.uploaded && !json.Valid(text) {
				t.Errorf("uploaded: %v", err)
			}
			if len(api.bodies) != step.comments || step.comments == 1 && !strings.Contains(api.bodies[0], "- [") {
				t.Errorf("the pull request has the comments %q", api.bodies)
			}
		})
	}
}
