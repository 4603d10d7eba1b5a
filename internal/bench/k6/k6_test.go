package k6

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/planvet/planvet/internal/bench/slo"
	"github.com/planvet/planvet/internal/bench/suite"
)

const suites = `version: 1
suites:
  api:
    base_url: ${K6_URL}/api/
    headers: {authorization: "Bearer ${K6_TOKEN}"}
    rate: 0.5
    cases:
      - {name: "list, all", service: Slip, operation: List, path: "/list?q=\"x\"", iterations: 10}
      - {name: fails, method: POST, path: /fails, body: '{"a": "${K6_TOKEN}"}', rate: 40, headers: {Authorization: none}}
  db:
    cases: [{name: x, sql: select 1}]
  e2e:
    base_url: ${K6_URL}
    clients: 2
    flows:
      - name: slip
        service: Slip
        rate: 5
        data: [{guest: "g/1"}, {guest: "g 2"}, {guest: "g3"}]
        steps:
          - {name: open, operation: Open, method: POST, path: /slips, body: '{"guest": "{{guest}}", "run": {{run}}}', expect: {status: 201, contains: '"slip"'}, capture: {slip: $.slip.id, tag: "$.slip.tags[0]", where: header location}}
          - {name: update, operation: Update, think: 1500ms, path: "/update/{{slip}}/{{tag}}?t={{tag}}"}
          - parallel: [{name: a, path: /a}, {name: b, path: "/b/{{guest}}"}]
          - {name: close, path: "{{where}}/fails"}
          - {name: never, path: /never}
      - {name: sql, steps: [{name: ask, sql: select 1}]}
    database_url: x
`

const objectives = `{"slos": [{"service": "Slip", "operation": "List", "p95_target_ms": 80, "p99_target_ms": 200, "error_rate": 0.02}, {"service": "Slip", "operation": "Update", "tier": "fast"}]}`

// node is where node is. It is there in CI.
func node(t *testing.T) string {
	t.Helper()
	path, err := exec.LookPath("node")
	if err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal("no node, with which scripts are run")
		}
		t.Skip("no node on PATH")
	}
	return path
}

func written(t *testing.T) (text string, left []string) {
	t.Helper()
	f, err := suite.Parse("s.yaml", []byte(suites))
	if err != nil {
		t.Fatal(err)
	}
	o, err := slo.Read(strings.NewReader(objectives))
	if err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	left, err = Write(&out, f, suite.Names, o)
	if err != nil {
		t.Fatal(err)
	}
	return out.String(), left
}

// A script is JavaScript, says the same arrivals and objectives as the suites, and sends the
// same requests with what was captured.
func TestScript(t *testing.T) {
	text, left := written(t)
	if got := strings.Join(left, "; "); got != "suite db is left out: k6 sends no SQL; flow sql is left out: step ask is a statement" {
		t.Error(got)
	}
	dir := t.TempDir()
	if err := os.CopyFS(filepath.Join(dir, "node_modules", "k6"), os.DirFS("testdata/k6")); err != nil {
		t.Fatal(err)
	}
	run, err := os.ReadFile("testdata/run.mjs")
	if err != nil {
		t.Fatal(err)
	}
	script := filepath.Join(dir, "script.mjs")
	for path, text := range map[string]string{script: text, filepath.Join(dir, "run.mjs"): string(run)} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if out, err := exec.Command(node(t), "--check", script).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s\n%s", err, out, text)
	}
	c := exec.Command(node(t), filepath.Join(dir, "run.mjs"), script)
	c.Env = append(os.Environ(), "K6_URL=http://host:1", "K6_TOKEN=t0k3n", "CORRELATION_ID=pr-123")
	out, err := c.Output()
	if err != nil {
		t.Fatalf("%v: %s\n%s", err, out, text)
	}
	var got struct {
		Options struct {
			Scenarios map[string]struct {
				Executor, StartTime, Duration, TimeUnit string
				Rate, MaxVUs                            int
			}
			Thresholds map[string][]string
		}
		Sent []struct {
			Method, URL, Body string
			Headers, Tags     map[string]string
		}
		Slept []float64
		Added []struct {
			Value bool
			Tags  map[string]string
		}
	}
	if err := json.Unmarshal(out, &got); err != nil {
		t.Fatal(err)
	}
	s := got.Options.Scenarios
	if c := s["case1"]; c.Executor != "constant-arrival-rate" || c.Rate != 5 || c.TimeUnit != "10s" || c.Duration != "20000ms" || c.StartTime != "0ms" || c.MaxVUs != 64 {
		t.Errorf("got %+v", c)
	}
	if c := s["case2"]; c.Rate != 40 || c.TimeUnit != "1s" || c.Duration != "8000ms" || c.StartTime != "31000ms" {
		t.Errorf("got %+v", c)
	}
	for metric, want := range map[string]string{
		"http_req_duration{case:list; all}":        "p(95)<=80 p(99)<=200",
		"failed{case:list; all}":                   "rate<=0.02",
		"failed{case:fails}":                       "rate<=0.01",
		"dropped_iterations{case:slip}":            "count==0",
		"http_req_duration{case:slip,step:update}": "p(50)<=50 p(95)<=100 p(99)<=200",
	} {
		if c := strings.Join(got.Options.Thresholds[metric], " "); c != want {
			t.Errorf("%s: got %q, want %q", metric, c, want)
		}
	}
	var requests []string
	for _, r := range got.Sent {
		requests = append(requests, strings.TrimSpace(r.Method+" "+strings.TrimPrefix(r.URL, "http://host:1")+" "+r.Body))
		if r.Headers["x-correlation-id"] != "pr-123" {
			t.Errorf("got %v", r.Headers)
		}
	}
	// Run 5 has the second row; a step that fails ends the flow.
	if got := strings.Join(requests, "\n"); got != `GET /api/list?q="x"
POST /api/fails {"a": "t0k3n"}
POST /slips {"guest": "g 2", "run": 5}
GET /update/7/a%20b?t=a%20b
GET /a
GET /b/g%202
GET /slips/7/fails` {
		t.Error(got)
	}
	if h := got.Sent[0].Headers["authorization"]; h != "Bearer t0k3n" {
		t.Error(h)
	}
	if h := got.Sent[1].Headers; h["Authorization"] != "none" || h["authorization"] != "" {
		t.Errorf("got %v", h)
	}
	if len(got.Slept) != 1 || got.Slept[0] != 1.5 || len(got.Added) != 7 || got.Added[0].Value || !got.Added[1].Value || !got.Added[6].Value || got.Added[6].Tags["step"] != "close" {
		t.Errorf("got %v, %+v", got.Slept, got.Added)
	}
}

// Secrets are not in a script: only their names are.
func TestScriptHasNoSecrets(t *testing.T) {
	t.Setenv("K6_TOKEN", "t0k3n")
	if text, _ := written(t); strings.Contains(text, "t0k3n") || !strings.Contains(text, `env("K6_TOKEN")`) {
		t.Error(text)
	}
}
