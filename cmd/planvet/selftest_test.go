package main

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/planvet/planvet/internal/bench/gate"
	"github.com/planvet/planvet/internal/bench/selftest"
)

const recordedTraces = "../../internal/bench/selftest/testdata"

// TestGateSelftest draws a few gates from the recorded traces, in each format.
func TestGateSelftest(t *testing.T) {
	args := []string{"gate", "selftest", "--traces", recordedTraces, "--gates", "5", "--scenario", "+25 %", "--scenario", "A/A", "--noise", "idle"}
	code, out, errs := planvetRun(t, append(args, "--format", "json")...)
	var rows []selftest.Row
	if err := json.Unmarshal([]byte(out), &rows); err != nil || code != 0 || len(rows) != 8 {
		t.Fatalf("exit %d, %d rows, %v: %s%s", code, len(rows), err, out, errs)
	}
	for _, r := range rows {
		want := 5
		if r.Scenario == "A/A" || r.Small > 0 {
			want = 0
		}
		if r.Noise != selftest.All && r.Verdicts[gate.Fail] != want {
			t.Errorf("%+v: want %d to fail", r, want)
		}
	}
	_, out, _ = planvetRun(t, args...)
	if !strings.HasPrefix(out, "B is   noise  case ") || !strings.Contains(out, "\neverything holds; where nothing changed 0 of 15 fail (at 95 % at most 18.1 %), by a stored p95 of 100 requests and +10 % ") {
		t.Error(out)
	}
	_, out, _ = planvetRun(t, append(args, "--format", "markdown")...)
	if !strings.HasPrefix(out, "| B is | noise | case |") || !strings.Contains(out, "| +25 % | all | all | 10 | 100.0 % |") {
		t.Error(out)
	}
}

func TestGateSelftestUsage(t *testing.T) {
	for _, c := range []struct {
		args []string
		want string
	}{
		{[]string{"--gates", "0"}, "--gates 0: use 1 or more"},
		{[]string{"--scenario", "+15%"}, `unknown scenario "+15%"; did you mean "+15 %"?: there are A/A, +5 %,`},
		{[]string{"--noise", "cpus"}, `unknown noise "cpus"; did you mean "cpu"?: there are idle, cpu, disk`},
		{[]string{"--case", "key"}, `unknown case "key": there are read by key,`},
		{[]string{"--scenario", "drift"}, "scenario drift needs --traces"},
		{[]string{"--format", "xml"}, `--format "xml"`},
		{[]string{"more"}, `gate selftest takes no arguments, got "more"`},
	} {
		code, _, errs := planvetRun(t, append([]string{"gate", "selftest"}, c.args...)...)
		if code != 2 || !strings.Contains(errs, c.want) {
			t.Errorf("%v: exit %d, %s", c.args, code, errs)
		}
	}
	if code, _, errs := planvetRun(t, "gate", "selftest", "--traces", t.TempDir()); code != 3 || !strings.Contains(errs, "idle-read-by-key.jsonl.gz") {
		t.Errorf("no traces: exit %d, %s", code, errs)
	}
}
