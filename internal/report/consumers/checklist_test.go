package consumers

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// comments answers as GitHub's REST API does for those of pull request 7 of o/r.
type comments struct {
	readOnly bool
	bodies   []string
}

func (c *comments) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	refuse := func(status int, message string) {
		w.WriteHeader(status)
		fmt.Fprintf(w, `{"message": %q}`, message)
	}
	var in struct{ Body string }
	switch r.Method + " " + r.URL.Path {
	case "GET /user":
		refuse(http.StatusForbidden, "Resource not accessible by integration")
	case "GET /repos/o/r/issues/7/comments":
		all := []any{}
		for i, body := range c.bodies {
			all = append(all, map[string]any{"id": i + 1, "body": body, "user": map[string]any{"login": "github-actions[bot]", "type": "Bot"}})
		}
		json.NewEncoder(w).Encode(all)
	case "POST /repos/o/r/issues/7/comments", "PATCH /repos/o/r/issues/comments/1":
		switch err := json.NewDecoder(r.Body).Decode(&in); {
		case c.readOnly:
			refuse(http.StatusForbidden, "Resource not accessible by integration")
		case err != nil:
			refuse(http.StatusBadRequest, err.Error())
		default:
			if r.Method == http.MethodPatch {
				c.bodies = nil
			}
			c.bodies = append(c.bodies, in.Body)
			fmt.Fprint(w, `{"html_url": "https://github.com/o/r/pull/7"}`)
		}
	default:
		refuse(http.StatusNotFound, "Not Found")
	}
}

// TestChecklistScript runs the action's script that comments, twice: there is one comment.
// Where the token may not write one, the list is on the page of the run.
func TestChecklistScript(t *testing.T) {
	if testing.Short() {
		t.Skip("planvet is built")
	}
	script, err := filepath.Abs("../../../tools/action/checklist.sh")
	if err != nil {
		t.Fatal(err)
	}
	p := newPullRequest(t, dropped)
	for _, readOnly := range []bool{false, true} {
		api := &comments{readOnly: readOnly}
		server := httptest.NewServer(api)
		defer server.Close()
		temp := t.TempDir()
		summary := filepath.Join(temp, "summary")
		step := *p.clone
		step.env = append(slices.Clone(p.env), "RUNNER_TEMP="+temp, "GITHUB_STEP_SUMMARY="+summary, "GITHUB_API_URL="+server.URL, "GITHUB_REPOSITORY=o/r",
			"GITHUB_TOKEN=a token", "GITHUB_REF=refs/pull/7/merge", "SINCE=main", "INPUT_ARGS=--confirm none", "INPUT_WORKING_DIRECTORY=svc")
		p.git("checkout", "-q", "--detach", p.merge)
		var out string
		for range 2 {
			if out, err = step.run("bash", script); err != nil {
				t.Fatalf("%v\n%s", err, out)
			}
		}
		page, _ := os.ReadFile(summary)
		switch {
		case !readOnly && (len(api.bodies) != 1 || !strings.Contains(api.bodies[0], "players.name has no index") || len(page) > 0):
			t.Errorf("the comments are %q, the page %q\n%s", api.bodies, page, out)
		case readOnly && (len(api.bodies) != 0 || strings.Count(string(page), "players.name has no index") == 0 || !strings.Contains(out, "::notice title=planvet::the token may not comment")):
			t.Errorf("the page is %q, the log %s", page, out)
		}
	}
	// What cannot be judged fails the step.
	step := *p.clone
	step.env = append(slices.Clone(p.env), "RUNNER_TEMP="+t.TempDir(), "SINCE=no-such-revision", "GITHUB_REPOSITORY=o/r", "GITHUB_TOKEN=a token", "GITHUB_REF=refs/pull/7/merge", "GITHUB_API_URL=http://127.0.0.1:1")
	if out, err := step.run("bash", script); err == nil {
		t.Errorf("a revision that there is not passes: %s", out)
	}
}
