package reactquery

import (
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/planvet/planvet/internal/bench/slo"
)

// queryCore is the version of @tanstack/query-core that the probe is run with.
const queryCore = "@tanstack/query-core@5.108.0"

// live.md row 46: of endpoints of 20 and of 150 ms the first keeps the 100 ms, the second
// does not. The probe runs under node, with the real cache.
func TestProbe(t *testing.T) {
	if testing.Short() {
		t.Skip("-short fetches nothing")
	}
	for _, tool := range []string{"node", "npm"} {
		if _, err := exec.LookPath(tool); err != nil {
			if os.Getenv("CI") == "true" {
				t.Fatalf("no %s, with which the probe is run", tool)
			}
			t.Skipf("no %s on PATH", tool)
		}
	}
	dir := t.TempDir()
	run, err := os.ReadFile("testdata/run.mjs")
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{"package.json": `{"private": true}`, "run.mjs": string(run), "perf-rq-probe.mjs": Probe} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	install := exec.Command("npm", "install", "--no-audit", "--no-fund", "--ignore-scripts", "--prefer-offline", queryCore)
	install.Dir = dir
	if out, err := install.CombinedOutput(); err != nil {
		t.Fatalf("npm install: %v: %s", err, out)
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/fast":
			time.Sleep(20 * time.Millisecond)
		case "/slow":
			time.Sleep(150 * time.Millisecond)
		default:
			w.WriteHeader(http.StatusInternalServerError)
		}
	}))
	defer server.Close()
	c := exec.Command("node", "run.mjs", server.URL, "60")
	c.Dir = dir
	out, err := c.Output()
	if err != nil {
		t.Fatalf("node: %v: %s", err, out)
	}
	r, err := Read(strings.NewReader(string(out)))
	if err != nil {
		t.Fatal(err)
	}
	cases := r.Suites[0].Cases
	if len(cases) != 3 || cases[1].Name != "fast" || cases[1].Requests != 60 || cases[1].Errors.Count != 0 || cases[2].Requests != 60 || cases[0].Name != "broken" || cases[0].Errors.Count != cases[0].Requests || cases[0].Requests == 0 {
		t.Fatalf("got %+v\n%s", cases, out)
	}
	if strings.Contains(string(out), "page") {
		t.Errorf("more than the set is written of a key: %s", out)
	}
	if got := verdicts(t, string(out), nil); got != "fast met, slow broken critical, broken inconclusive" {
		t.Error(got)
	}
	t.Logf("fast %+v, slow %+v", cases[1].Latency.P95, cases[2].Latency.P95)
}

// verdicts are those of fast, slow and broken.
func verdicts(t *testing.T, trace string, written []slo.Objective) string {
	t.Helper()
	r, err := Read(strings.NewReader(trace))
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]string{}
	for _, c := range slo.Check(Objectives(r, written, DefaultTarget), r).Checked {
		if all[c.Operation] = string(c.Verdict); c.Verdict == slo.Broken {
			all[c.Operation] += " " + string(c.State)
		}
	}
	return "fast " + all["fast"] + ", slow " + all["slow"] + ", broken " + all["broken"]
}

// A file of objectives says another target for a set; others keep theirs.
func TestObjectives(t *testing.T) {
	var trace strings.Builder
	for range 60 {
		for set, ms := range map[string]string{"fast": "20", "slow": "190", "broken": "1"} {
			trace.WriteString(`{"v":1,"set":"` + set + `","ms":` + ms + `,"ok":true,"at":"2026-03-02T10:05:00.000Z"}` + "\n")
		}
	}
	if got := verdicts(t, trace.String(), nil); got != "fast met, slow broken critical, broken met" {
		t.Error(got)
	}
	written := []slo.Objective{{Service: Service, Operation: "slow", P95Target: 200}, {Service: Service, Operation: "fast", P95Target: 10}, {Service: "Player", Operation: "Search", P95Target: 1}}
	if got := verdicts(t, trace.String(), written); got != "fast broken critical, slow met, broken met" {
		t.Error(got)
	}
}

func TestReadMistakes(t *testing.T) {
	const good = `{"v":1,"set":"a","ms":1,"ok":true,"at":"2026-03-02T10:05:00Z"}` + "\n"
	for text, want := range map[string]string{
		"": "no lines", "\n\n": "no lines", good + "x": "line 2: ", `{"v":2,"set":"a","ms":1,"at":"2026-03-02T10:05:00Z"}`: "line 1: version 2",
		`{"v":1,"ms":1,"at":"2026-03-02T10:05:00Z"}`: "line 1 has no set", `{"v":1,"set":"a","ms":-1,"at":"2026-03-02T10:05:00Z"}`: "line 1 has no set",
	} {
		if _, err := Read(strings.NewReader(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: got %v, want %s", text, err, want)
		}
	}
}
