package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/planvet/planvet/internal/bench/load"
	"github.com/planvet/planvet/internal/bench/verdict"
)

// live.md row 43: one run writes each format by the file's ending, the step's summary, and
// one comment, which the next run replaces.
func TestBenchOutputs(t *testing.T) {
	var wrote []string
	body := ""
	github := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		comment := map[string]any{"id": 9, "html_url": "https://example.org/9", "body": body, "user": map[string]string{"type": "Bot"}}
		switch {
		case r.Header.Get("Authorization") != "Bearer t0k3n":
			w.WriteHeader(401)
		case r.URL.Path == "/user":
			w.WriteHeader(403)
		case r.Method == "GET" && body == "":
			fmt.Fprint(w, "[]")
		case r.Method == "GET":
			json.NewEncoder(w).Encode([]any{comment})
		default:
			var in struct{ Body string }
			json.NewDecoder(r.Body).Decode(&in)
			wrote, body = append(wrote, r.Method+" "+r.URL.Path), in.Body
			json.NewEncoder(w).Encode(comment)
		}
	}))
	defer github.Close()
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	for k, v := range map[string]string{"GITHUB_API_URL": github.URL, "GITHUB_TOKEN": "t0k3n", "GITHUB_REPOSITORY": "o/r", "GITHUB_REF": "refs/pull/7/merge", "GITHUB_STEP_SUMMARY": at("summary.md")} {
		t.Setenv(k, v)
	}
	if err := os.WriteFile(at("summary.md"), []byte("# Of a step before\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	file := benchAPI(t, benchSuites)
	broken := written(t, `{"slos": [{"service": "RatingSlip", "operation": "List", "p95_target_ms": 0.01}, {"service": "RatingSlip", "operation": "Close", "p95_target_ms": 5000}]}`)
	args := []string{"bench", "--suite-file", file, "--closed", "--iterations", "70", "--correlation-id", "pr-123", "--slo-file", broken, "--fail-on-slo", "--comment"}
	code, out, errs := planvetRun(t, append(args, "--report", "--output", at("perf-report.md"), "--output", at("perf.html"), "--output", at("perf.xml"), "--output", at("perf.json"), "--output", "github-summary", "--output", "text")...)
	if code != 3 || !strings.HasPrefix(out, "suite api\n") || !strings.Contains(errs, "commented: https://example.org/9") {
		t.Fatalf("exit %d: %s%s", code, out, errs)
	}
	for name, want := range map[string][]string{
		"perf-report.md": {verdict.Marker + "\n# Gate pass; objectives broken", "| RatingSlip | broken, critical | List broken, Close met |", "\n# Benchmark: measured"},
		"perf.html":      {"<!DOCTYPE html>", "Objectives, by service", `id="measured-1"`, "pr-123", "How to reproduce"},
		"perf.xml":       {`<testsuites name="planvet" tests="4" failures="1"`, `<testsuite name="objectives" tests="2" failures="1"`},
		"perf.json":      {`"mode": "run"`},
		"summary.md":     {"# Of a step before\n" + verdict.Marker, "\n# Benchmark: measured"},
	} {
		text, err := os.ReadFile(at(name))
		if err != nil {
			t.Fatal(err)
		}
		for _, w := range want {
			if !strings.Contains(string(text), w) {
				t.Errorf("%s: no %q in %s", name, w, text)
			}
		}
		if strings.Contains(string(text), "s3cret") || strings.Contains(string(text), "t0k3n") {
			t.Errorf("a token is in %s", name)
		}
	}
	first := body
	if code, _, errs = planvetRun(t, args...); code != 3 || strings.Join(wrote, ", ") != "POST /repos/o/r/issues/7/comments, PATCH /repos/o/r/issues/comments/9" || body == first {
		t.Errorf("exit %d, wrote %v: %s", code, wrote, errs)
	}
	// A benchmark alone has a comment and a report of its own.
	body = ""
	code, _, errs = planvetRun(t, "bench", "--suite-file", file, "--closed", "--iterations", "70", "--comment", "--output", at("alone.html"), "--output", "junit="+at("alone"))
	page, _ := os.ReadFile(at("alone.html"))
	suites, _ := os.ReadFile(at("alone"))
	if code != 0 || !strings.HasPrefix(body, load.Marker+"\n# Benchmark: measured") || !strings.Contains(string(page), "Benchmark: measured") || !strings.Contains(string(suites), `<testsuite name="bench api" tests="2" failures="0"`) {
		t.Errorf("exit %d: %s%s%s", code, errs, body, suites)
	}
}

func TestBenchOutputsUsage(t *testing.T) {
	file := benchAPI(t, benchSuites)
	for _, k := range []string{"GITHUB_TOKEN", "GITHUB_STEP_SUMMARY", "GITHUB_REPOSITORY"} {
		t.Setenv(k, "")
	}
	for _, c := range []struct {
		args []string
		want string
	}{
		{[]string{"--format", "htm"}, `unknown format "htm"`},
		{[]string{"--output", "jsn=x"}, `unknown format "jsn"`},
		{[]string{"--output", "html="}, "names no file"},
		{[]string{"--output", "a.md", "--output", "html=a.md"}, "two reports go to a.md"},
		{[]string{"--output", "json", "--output", "text"}, "two reports go to stdout"},
		{[]string{"--output", "github-summary"}, "GITHUB_STEP_SUMMARY is not set"},
		{[]string{"--report", "--format", "text"}, "--report is Markdown"},
		{[]string{"--comment"}, "GITHUB_TOKEN is not set"},
		{[]string{"--pull-request", "7"}, "--pull-request is for --comment"},
		{[]string{"--sweep-clients", "1,2", "--format", "html"}, `"html"`},
		{[]string{"--sweep-clients", "1,2", "--output", "a.md", "--output", "b.md"}, "written to one place"},
	} {
		code, out, errs := planvetRun(t, append([]string{"bench", "--suite-file", file}, c.args...)...)
		if code != 2 || out != "" || !strings.Contains(errs, c.want) {
			t.Errorf("%v: exit %d, %s%s, want %q", c.args, code, out, errs, c.want)
		}
	}
}
