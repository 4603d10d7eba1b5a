package selftest

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/planvet/planvet/internal/bench/gate"
)

func quiet(string, int, int) {}

// TestLive holds a gate of the same version and of one that is much slower, and ends in
// the middle of a third: what was decided is kept.
func TestLive(t *testing.T) {
	a := arena(t)
	var said []string
	p := Plan{
		Gates: 1, Scenarios: Scenarios[:1], Noises: []string{"cpu"}, Cases: []string{"read by key"}, State: filepath.Join(t.TempDir(), "state.json"),
		Say: func(line string) { said = append(said, line) }, Progress: quiet,
	}
	out, err := a.Live(t.Context(), p)
	if err != nil || len(out) != 1 || out[0].Verdict == gate.Fail || out[0].Verdict == gate.Invalid || out[0].Rounds < gate.Looks[0] || out[0].Noise != "cpu" {
		t.Fatalf("%+v, %v", out, err)
	}
	p.Scenarios = append(p.Scenarios[:1:1], Scenario{Name: "+400 %", Slowdown: Slowdown{Factor: 5}})
	p.State += "2"
	out, err = a.Live(t.Context(), Plan{Gates: 1, Scenarios: p.Scenarios[1:], Noises: []string{"disk"}, Cases: p.Cases, State: p.State, Say: p.Say, Progress: quiet})
	if err != nil || len(out) != 1 || out[0].Verdict != gate.Fail {
		t.Fatalf("five times as slow: %+v, %v", out, err)
	}
	ended, end := context.WithCancel(t.Context())
	p.Noises, p.Progress = []string{"disk"}, func(string, int, int) { end() }
	if out, err = a.Live(ended, p); err == nil || len(out) != 1 {
		t.Errorf("ended in the second gate: %+v, %v", out, err)
	}
	if last := said[len(said)-1]; !strings.HasPrefix(last, "1 gates of 1 cases each are left of 2, that takes about ") {
		t.Errorf("said last: %s", last)
	}
}

// TestLiveGates is the examination of `make test-all`: 30 gates of the same version under
// each noise in turn, of which none may fail, and 10 of each that is slower, in at most
// 20 minutes.
func TestLiveGates(t *testing.T) {
	if os.Getenv("PLANVET_GATE_LIVE") == "" {
		t.Skip("takes 20 minutes: PLANVET_GATE_LIVE=1")
	}
	began := time.Now()
	ctx, end := context.WithTimeout(t.Context(), 20*time.Minute)
	defer end()
	a := arena(t)
	p := Plan{
		Gates: 30, Scenarios: Scenarios[:1], Noises: Noises, Cases: []string{"short sum"}, State: os.Getenv("PLANVET_GATE_STATE"),
		Say: func(line string) { t.Log(line) }, Progress: quiet,
	}
	out, err := a.Live(ctx, p)
	if err == nil {
		p.Gates, p.Scenarios, p.Noises = 10, Scenarios[1:4], Noises[:1]
		var more []Outcome
		more, err = a.Live(ctx, p)
		if p.State == "" {
			more = append(out, more...)
		}
		out = more
	}
	rows := Rows(out)
	for _, r := range rows {
		t.Log(strings.Join(r.cells(), " | "))
		if r.Broken != "" {
			t.Errorf("%s, %s: %s", r.Scenario, r.Noise, r.Broken)
		}
	}
	t.Logf("%s, in %s", Summary(rows), time.Since(began).Round(time.Second))
	if err != nil {
		t.Error(err)
	}
}
