package main

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/planvet/planvet/internal/audit"
	"github.com/planvet/planvet/internal/bench/results"
	"github.com/planvet/planvet/internal/shadow/shadowtest"
)

const benchSuites = `version: 1
suites:
  api:
    base_url: ${BENCH_TEST_URL}
    headers: {authorization: "Bearer ${BENCH_TEST_TOKEN}"}
    rate: 100
    cases:
      - name: open slips
        service: RatingSlip
        operation: List
        path: /slips?state=open
        expect: {status: 200, contains: '"id"'}
      - name: close slip
        service: RatingSlip
        operation: Close
        method: POST
        path: /slips/1/close
        body: '{"by": 7}'
        expect: {status: 204}
`

const benchDBSuite = `  db:
    url: ${BENCH_TEST_DB}
    cases:
      - name: visits of a guest
        service: Visits
        sql: select * from visits where guest = $1 order by at desc limit 20
        params: [7]
      - name: new visit
        service: Visits
        sql: insert into visits (guest) values ($1)
        params: [7]
        rows: 1
`

// benchAPI is an API of two endpoints, and a file of suites of it.
func benchAPI(t *testing.T, suites string) string {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		time.Sleep(2 * time.Millisecond)
		if r.Header.Get("authorization") != "Bearer t0k3n-s3cret" {
			w.WriteHeader(401)
		} else if r.URL.Path == "/slips" {
			io.WriteString(w, `[{"id": 1}]`)
		} else {
			w.WriteHeader(204)
		}
	}))
	t.Cleanup(server.Close)
	t.Setenv("BENCH_TEST_URL", server.URL)
	t.Setenv("BENCH_TEST_TOKEN", "t0k3n-s3cret")
	file := filepath.Join(t.TempDir(), "suites.yaml")
	if err := os.WriteFile(file, []byte(suites), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// The seed's command: a suite, iterations, a correlation id, a report and an audit log.
func TestBench(t *testing.T) {
	file := benchAPI(t, benchSuites)
	dir := t.TempDir()
	log, res, md := filepath.Join(dir, "audit.json"), filepath.Join(dir, "results.json"), filepath.Join(dir, "perf-report.md")
	code, out, errs := planvetRun(t, "bench", "--suite", "api", "--suite-file", file, "--iterations", "100", "--correlation-id", "pr-123",
		"--report", "--output", md, "--dump-audit", log, "--results", res)
	if code != 0 || out != "" {
		t.Fatalf("exit %d: %s%s", code, out, errs)
	}
	text, err := os.ReadFile(md)
	if err != nil || !strings.Contains(string(text), "| open slips | open, 100/s | 100 | 0 |") || !strings.Contains(string(text), "| insufficient |") || !strings.Contains(string(text), "correlation id pr-123") {
		t.Errorf("%s, %v", text, err)
	}
	lines, err := os.ReadFile(log)
	if err != nil {
		t.Fatal(err)
	}
	if s, err := audit.Verify(bytes.NewReader(lines)); err != nil || s.Events != 2 || !strings.Contains(string(lines), `"subject":"api close slip"`) {
		t.Errorf("%s, %v", lines, err)
	}
	written, err := os.ReadFile(res)
	if err != nil {
		t.Fatal(err)
	}
	r, err := results.Read(bytes.NewReader(written))
	if err != nil || r.CorrelationID != "pr-123" || len(r.Suites) != 1 || len(r.Suites[0].Cases) != 2 || r.Suites[0].Cases[0].Service != "RatingSlip" || r.Suites[0].Cases[0].Latency.P95 == nil || r.Suites[0].Cases[0].Latency.P99 != nil {
		t.Errorf("%+v, %v", r, err)
	}
	for _, s := range []string{string(text), string(lines), string(written), errs} {
		if strings.Contains(s, "s3cret") {
			t.Errorf("the token is in %s", s)
		}
	}
	code, out, _ = planvetRun(t, "bench", "--suite-file", file, "--iterations", "60", "--closed")
	if code != 0 || !strings.Contains(out, "closed, 1 client") || strings.Contains(out, "open, 100/s") {
		t.Errorf("exit %d: %s", code, out)
	}
	// A measurement that is none has its own exit code.
	t.Setenv("BENCH_TEST_TOKEN", "another")
	code, out, errs = planvetRun(t, "bench", "--suite-file", file, "--closed")
	if code != 5 || !strings.Contains(out, "open slips: invalid, nothing succeeded") || !strings.Contains(out, "401 ") {
		t.Errorf("exit %d: %s%s", code, out, errs)
	}
}

func TestBenchUsage(t *testing.T) {
	file := benchAPI(t, benchSuites)
	typo := benchAPI(t, strings.Replace(benchSuites, "expect:", "expects:", 1))
	for _, c := range []struct {
		args []string
		want string
	}{
		{[]string{"--suite-file", typo}, `suites.yaml:12:9: unknown key "suites.api.cases[0].expects"; did you mean "expect"?`},
		{[]string{"--suite-file", file, "--suite", "db"}, "has no suite db"},
		{[]string{"--suite-file", file, "--suite", "apj"}, `unknown suite "apj"; did you mean "api"?`},
		{[]string{"--suite-file", file, "--iterations", "0"}, "--iterations 0: use 1 or more"},
		{[]string{"--suite-file", file, "--iterations", "9", "--duration", "1s"}, "exclude each other"},
		{[]string{"--suite-file", file, "--format", "jsn"}, `did you mean "json"?`},
		{[]string{"--suite-file", file + "x"}, "reading the suites"},
		{[]string{"--suite-file", file, "--correlation-id", "a b"}, "correlation id"},
	} {
		code, out, errs := planvetRun(t, append([]string{"bench"}, c.args...)...)
		if code != 2 || !strings.Contains(errs, c.want) {
			t.Errorf("%q: exit %d, %s%s", c.args, code, out, errs)
		}
	}
	os.Unsetenv("BENCH_TEST_TOKEN")
	if code, _, errs := planvetRun(t, "bench", "--suite-file", file); code != 2 || !strings.Contains(errs, "the environment has no BENCH_TEST_TOKEN") {
		t.Errorf("exit %d: %s", code, errs)
	}
}

// Who interrupts gets what was measured until then.
func TestBenchInterrupted(t *testing.T) {
	file := benchAPI(t, benchSuites)
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	var out, errs strings.Builder
	code := run(ctx, []string{"bench", "--suite-file", file, "--duration", "1m"}, &out, &errs)
	if code != 3 || !strings.Contains(out.String(), "open slips: partial") || !strings.Contains(out.String(), "partial: the run was ended") || strings.Contains(out.String(), "close slip") {
		t.Errorf("exit %d: %s%s", code, &out, &errs)
	}
}

func TestBenchDatabase(t *testing.T) {
	conn := shadowtest.Connect(t, "create table visits (id bigint generated always as identity primary key, guest int, at timestamptz default now())",
		"insert into visits (guest) select i % 500 from generate_series(1, 20000) i", "create index on visits (guest, at)", "analyze visits")
	t.Setenv("BENCH_TEST_DB", conn.Config().ConnString())
	file := benchAPI(t, benchSuites+benchDBSuite)
	code, out, errs := planvetRun(t, "bench", "--suite-file", file, "--correlation-id", "pr-123")
	if code != 0 {
		t.Fatalf("exit %d: %s%s", code, out, errs)
	}
	t.Log("\n" + out)
	for _, want := range []string{"suite api", "suite db", "visits of a guest", "closed, 1 client", "open, 100/s", "own overhead "} {
		if !strings.Contains(out, want) {
			t.Errorf("no %q in %s", want, out)
		}
	}
	var n int
	if err := conn.QueryRow(t.Context(), "select count(*) from visits").Scan(&n); err != nil || n != 20_000 {
		t.Errorf("%d visits, %v", n, err)
	}
}
