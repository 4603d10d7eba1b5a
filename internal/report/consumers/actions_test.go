package consumers

import (
	"context"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/nektos/act/pkg/common"
	"github.com/nektos/act/pkg/model"
	"github.com/nektos/act/pkg/runner"
	"github.com/sirupsen/logrus"
)

// annotations collects the workflow commands that a runner takes from a step's log.
type annotations struct {
	mu     sync.Mutex
	places []place
	texts  []string
}

func (*annotations) Levels() []logrus.Level { return logrus.AllLevels }

func (a *annotations) Fire(e *logrus.Entry) error {
	command, _ := e.Data["command"].(string)
	severity := map[string]string{"error": "error", "warning": "warning", "notice": "info"}[command]
	if severity == "" {
		return nil
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	at, _ := e.Data["kvPairs"].(map[string]string)
	if at["file"] != "" {
		line, _ := strconv.Atoi(at["line"])
		column, _ := strconv.Atoi(at["col"])
		a.places = append(a.places, place{at["file"], line, column, severity})
	}
	text, _ := e.Data["arg"].(string)
	a.texts = append(a.texts, text)
	return nil
}

// actions runs a script as a step of a workflow, by act, on this machine.
func actions(t *testing.T, dir, script string) *annotations {
	t.Helper()
	seen, err := workflow(t, "on: push\njobs:\n  planvet:\n    runs-on: here\n    steps:\n      - run: |\n          "+
		strings.ReplaceAll(script, "\n", "\n          ")+"\n", runner.Config{Workdir: dir, EventName: "push", BindWorkdir: true})
	if err != nil {
		t.Fatal(err)
	}
	return seen
}

// workflow runs a workflow's text for the event that a configuration names. The error is
// that of a step that fails.
func workflow(t *testing.T, text string, config runner.Config) (*annotations, error) {
	t.Helper()
	if runtime.GOOS == "windows" {
		t.Skip("the steps are scripts of bash")
	}
	file := filepath.Join(t.TempDir(), "workflow.yml")
	if err := os.WriteFile(file, []byte(text), 0o666); err != nil {
		t.Fatal(err)
	}
	planner, err := model.NewWorkflowPlanner(file, true, false)
	if err != nil {
		t.Fatal(err)
	}
	plan, err := planner.PlanEvent(config.EventName)
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("HOME", t.TempDir()) // act keeps its cache there
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	config.Actor, config.Platforms = "planvet", map[string]string{"here": "-self-hosted", "ubuntu-latest": "-self-hosted"}
	config.DefaultBranch, config.JSONLogger, config.GitHubInstance = "main", true, "github.com"
	r, err := runner.New(&config)
	if err != nil {
		t.Fatal(err)
	}
	seen := &annotations{}
	logger := logrus.New()
	logger.SetOutput(logWriter{t})
	logger.AddHook(seen)
	ctx := runner.WithJobLoggerFactory(context.Background(), loggers{logger})
	return seen, r.NewPlanExecutor(plan)(common.WithLogger(ctx, logger))
}

// loggers gives every job the one logger.
type loggers struct{ logger *logrus.Logger }

func (l loggers) WithJobLogger() *logrus.Logger { return l.logger }

type logWriter struct{ t *testing.T }

func (w logWriter) Write(b []byte) (int, error) {
	w.t.Log(strings.TrimSpace(string(b)))
	return len(b), nil
}

// A runner sees what planvet writes in a step: annotations in the log, and the
// step's summary in the file that it names.
func TestActions(t *testing.T) {
	if testing.Short() {
		t.Skip("a workflow is run")
	}
	t.Run("check", func(t *testing.T) {
		r := checked(t)
		repository, _ := project(t)
		summary := filepath.Join(t.TempDir(), "summary.md")
		bin, err := planvet()
		if err != nil {
			t.Fatal(err)
		}
		seen := actions(t, repository, "echo before >> \"$GITHUB_STEP_SUMMARY\"\n"+
			quoted(bin)+" check "+quoted(filepath.Join(repository, "svc é"))+" --output text --output github --output github-summary || test $? = 1\n"+
			"cp \"$GITHUB_STEP_SUMMARY\" "+quoted(summary))
		same(t, seen.places, r.places(byUTF16))
		got, err := os.ReadFile(summary)
		if err != nil {
			t.Fatal(err)
		}
		if want := "before\n" + string(r.outputs["github-summary"]); string(got) != want {
			t.Errorf("the summary is\n%s\nwant\n%s", got, want)
		}
	})
	t.Run("document", func(t *testing.T) {
		r := written(t, document(), "sub dir/é/")
		file := filepath.Join(t.TempDir(), "log")
		if err := os.WriteFile(file, r.outputs["github"], 0o666); err != nil {
			t.Fatal(err)
		}
		seen := actions(t, t.TempDir(), "cat "+quoted(file))
		want := r.places(byUTF16)
		for i := range want {
			if strings.Contains(want[i].Path, "=") {
				// act drops a property whose value has an equals sign; GitHub's runner does not.
				want[i].Path = ""
			}
		}
		got := seen.places
		dropped := 0
		want = deleteEmpty(want, &dropped)
		if dropped != 1 {
			t.Fatalf("%d paths have an equals sign", dropped)
		}
		same(t, got, want)
		if all := strings.Join(seen.texts, "\n"); !strings.Contains(all, "100 % of it is read, \"é\" & <b> (confirmed (measured on 1,000 rows)") ||
			!strings.Contains(all, "\nfix: create index on visits (player_id)\n") {
			t.Errorf("the messages are %q", seen.texts)
		}
	})
}

func deleteEmpty(ps []place, n *int) []place {
	var out []place
	for _, p := range ps {
		if p.Path == "" {
			*n++
			continue
		}
		out = append(out, p)
	}
	return out
}

func quoted(s string) string { return "'" + s + "'" }
