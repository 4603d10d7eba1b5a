package main

import (
	"strings"
	"testing"
)

func TestBenchExport(t *testing.T) {
	file := benchAPI(t, benchSuites+benchDBSuite)
	code, out, errs := planvetRun(t, "bench", "export", "--k6", "--suite-file", file)
	if code != 0 || !strings.Contains(out, "constant-arrival-rate") || !strings.Contains(out, `env("BENCH_TEST_TOKEN")`) || !strings.Contains(errs, "suite db is left out: k6 sends no SQL") {
		t.Errorf("exit %d: %s%s", code, out, errs)
	}
	if code, _, errs := planvetRun(t, "bench", "export", "--k6", "--suite", "e2e", "--suite-file", file); code != 2 || !strings.Contains(errs, "has no suite e2e") {
		t.Errorf("exit %d: %s", code, errs)
	}
	if code, _, errs := planvetRun(t, "bench", "export", "--k6", "--suite", "db", "--suite-file", file); code != 2 || !strings.Contains(errs, "nothing is left") {
		t.Errorf("exit %d: %s", code, errs)
	}
}
