package main

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// The target of a case is its objective's; a case without one is not looked at.
func TestBenchMaxRPS(t *testing.T) {
	if testing.Short() {
		t.Skip("-short does not look for rates: it takes most of a minute")
	}
	workers := make(chan struct{}, 2)
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		workers <- struct{}{}
		time.Sleep(50 * time.Millisecond)
		<-workers
	}))
	defer server.Close()
	dir := t.TempDir()
	suites, slos, flows := filepath.Join(dir, "suites.yaml"), filepath.Join(dir, "slos.json"), filepath.Join(dir, "flows.yaml")
	for path, text := range map[string]string{
		suites: "version: 1\nsuites: {api: {base_url: " + server.URL + ", rate: 20, cases: [{name: capped, service: Slip, operation: List, path: /}, {name: free, path: /}]}}",
		flows:  "version: 1\nsuites: {e2e: {base_url: " + server.URL + ", flows: [{name: f, steps: [{name: a, path: /}]}]}}",
		slos:   `{"slos": [{"service": "Slip", "operation": "List", "p95_target_ms": 150}]}`,
	} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	// Two workers of 50 ms take 40 a second.
	code, out, errs := planvetRun(t, "bench", "--suite-file", suites, "--max-rps", "--slo-file", slos, "--iterations", "60")
	if code != 0 || !strings.Contains(out, "capped: 3") || !strings.Contains(out, "is the most at which p95 stays within 150 ms") || strings.Count(out, "is the most") != 1 {
		t.Errorf("exit %d: %s%s", code, out, errs)
	}
	for _, c := range []struct {
		args []string
		want string
	}{
		{[]string{"--max-rps"}, "--max-rps needs a target"},
		{[]string{"--target-p95", "1s"}, "--target-p95 is for --max-rps"},
		{[]string{"--max-rps", "--target-p95", "1s", "--closed"}, "goes with neither"},
		{[]string{"--max-rps", "--target-p95", "-1s"}, "use a positive duration"},
		{[]string{"--max-rps", "--target-p95", "1s", "--suite-file", flows}, "are of suites api and db"},
		{[]string{"--sweep-clients", "1,2", "--suite-file", flows}, "are of suites api and db"},
	} {
		if code, _, errs := planvetRun(t, append([]string{"bench", "--suite-file", suites}, c.args...)...); code != 2 || !strings.Contains(errs, c.want) {
			t.Errorf("%v: exit %d: %s", c.args, code, errs)
		}
	}
}
