package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/planvet/planvet/internal/bench/results"
)

// Two machines' runs become one.
func TestBenchMerge(t *testing.T) {
	file := benchAPI(t, benchSuites)
	dir := t.TempDir()
	var parts []string
	for _, name := range []string{"a.json", "b.json"} {
		parts = append(parts, filepath.Join(dir, name))
		if code, out, errs := planvetRun(t, "bench", "--suite-file", file, "--iterations", "40", "--correlation-id", "pr-1", "--results", parts[len(parts)-1]); code != 0 {
			t.Fatalf("exit %d: %s%s", code, out, errs)
		}
	}
	merged := filepath.Join(dir, "merged.json")
	code, out, errs := planvetRun(t, "bench", "merge", parts[0], parts[1], "--results", merged)
	if code != 0 || !strings.Contains(out, "open, 200/s") || !strings.Contains(out, " 80 ") || strings.Contains(out, "own overhead") {
		t.Errorf("exit %d: %s%s", code, out, errs)
	}
	f, err := os.Open(merged)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	// 40 samples are too few for a p95, 80 are not.
	if r, err := results.Read(f); err != nil || r.Suites[0].Cases[0].Requests != 80 || r.Suites[0].Cases[0].Latency.P95 == nil || r.CorrelationID != "pr-1" {
		t.Errorf("%+v, %v", r, err)
	}
	if code, _, errs := planvetRun(t, "bench", "merge", parts[0]); code != 2 || !strings.Contains(errs, "two runs or more") {
		t.Errorf("exit %d: %s", code, errs)
	}
	if code, _, errs := planvetRun(t, "bench", "merge", parts[0], file); code != 2 || !strings.Contains(errs, "no results of a benchmark") {
		t.Errorf("exit %d: %s", code, errs)
	}
}
