package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestBenchTrace(t *testing.T) {
	dir := t.TempDir()
	trace := filepath.Join(dir, "rq.jsonl")
	var lines strings.Builder
	for range 60 {
		lines.WriteString(`{"v":1,"set":"players","ms":20,"ok":true,"at":"2026-03-02T10:05:00Z"}` + "\n" + `{"v":1,"set":"slips","ms":150,"ok":true,"at":"2026-03-02T10:05:09Z"}` + "\n")
	}
	slos := filepath.Join(dir, "slos.json")
	for path, text := range map[string]string{trace: lines.String(), slos: `{"slos": [{"service": "ReactQuery", "operation": "slips", "p95_target_ms": 200}]}`} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	res := filepath.Join(dir, "results.json")
	code, out, errs := planvetRun(t, "bench", "--rq-trace", trace, "--results", res)
	if code != 1 || !strings.Contains(out, "slips  broken") || !strings.Contains(out, "target 100 ms") || !strings.Contains(out, "players  met") {
		t.Errorf("exit %d: %s%s", code, out, errs)
	}
	if text, err := os.ReadFile(res); err != nil || !strings.Contains(string(text), `"react-query"`) {
		t.Errorf("%s, %v", text, err)
	}
	for _, args := range [][]string{{"--slo-file", slos}, {"--rq-target", "200ms"}} {
		if code, out, errs := planvetRun(t, append([]string{"bench", "--rq-trace", trace}, args...)...); code != 0 {
			t.Errorf("%v: exit %d: %s%s", args, code, out, errs)
		}
	}
	if code, _, errs := planvetRun(t, "bench", "--rq-trace", trace, "--suite", "api"); code != 2 || !strings.Contains(errs, "does not go with --suite") {
		t.Errorf("exit %d: %s", code, errs)
	}
	if code, out, _ := planvetRun(t, "bench", "rq-probe"); code != 0 || !strings.Contains(out, "export function probe(") {
		t.Errorf("exit %d: %s", code, out)
	}
}
