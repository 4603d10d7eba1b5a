package main

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/planvet/planvet/internal/bench/baseline"
	"github.com/planvet/planvet/internal/bench/results"
	"github.com/planvet/planvet/internal/bench/verdict"
	"github.com/planvet/planvet/internal/casetest"
	"github.com/planvet/planvet/internal/shadow/shadowtest"
)

// stored writes a baseline of n runs like those of a file of results, each latency
// multiplied and each environment changed.
func stored(t *testing.T, res string, n int, factor float64, change func(*results.Environment)) string {
	t.Helper()
	f, err := os.Open(res)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	r, err := results.Read(f)
	if err != nil {
		t.Fatal(err)
	}
	if change != nil {
		change(&r.Environment)
	}
	b := &baseline.File{}
	for i := range n {
		run := baseline.Of(r)
		run.Finished = run.Finished.Add(time.Duration(i-n) * time.Hour)
		for k := range run.Cases {
			for _, q := range []**float64{&run.Cases[k].P50, &run.Cases[k].P95, &run.Cases[k].P99} {
				if *q != nil {
					ms := **q * factor * math.Exp(0.01*float64(i%3))
					*q = &ms
				}
			}
		}
		b.Add(run, 100)
	}
	path := filepath.Join(t.TempDir(), "baseline.json")
	out, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := b.Write(out); err != nil || out.Close() != nil {
		t.Fatal(err)
	}
	return path
}

func written(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "slos.json")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// live.md row 63: each exit code, as the commands of the seed give it.
func TestGateExits(t *testing.T) {
	file := benchAPI(t, benchSuites)
	res := filepath.Join(t.TempDir(), "results.json")
	if code, out, errs := planvetRun(t, "bench", "--suite-file", file, "--closed", "--iterations", "70", "--results", res); code != 0 {
		t.Fatalf("exit %d: %s%s", code, out, errs)
	}
	slower, same, few := stored(t, res, 12, 50, nil), stored(t, res, 12, 1.0/50, nil), stored(t, res, 9, 1, nil)
	other := stored(t, res, 12, 50, func(e *results.Environment) { e.CPU, e.Cores = "another", 128 })
	kept := written(t, `{"slos": [{"service": "RatingSlip", "operation": "List", "p95_target_ms": 5000}, {"service": "RatingSlip", "operation": "Close", "p95_target_ms": 5000}]}`)
	broken := written(t, `{"slos": [{"service": "RatingSlip", "operation": "List", "p95_target_ms": 0.01}]}`)
	for _, c := range []struct {
		name string
		args []string
		exit int
		want []string
	}{
		{"ok", []string{"gate", "--baseline", slower, "--threshold", "10"}, 0, []string{"gate pass: 2 pass", "low confidence", "--base-ref"}},
		{"regression", []string{"gate", "--baseline", same, "--threshold", "10"}, 1, []string{"gate fail: 2 fail", "over the mean of 12 runs", "again: planvet gate "}},
		{"bench in CI", []string{"bench", "--threshold", "10", "--baseline", slower, "--fail-on-slo", "--slo-file", kept}, 0, []string{"gate pass: 2 pass; objectives met", "suite api"}},
		{"objective", []string{"bench", "--baseline", slower, "--fail-on-slo", "--slo-file", broken}, 3, []string{"objectives broken", "objective RatingSlip List, broken: p95_ms"}},
		{"objective, nobody fails on it", []string{"bench", "--baseline", slower, "--slo-file", broken}, 0, []string{"objectives broken"}},
		{"objective alone", []string{"bench", "--fail-on-slo", "--slo-file", broken}, 3, []string{"gate pass; objectives broken"}},
		{"regression before objective", []string{"bench", "--baseline", same, "--fail-on-slo", "--slo-file", broken}, 1, []string{"2 fail; objectives broken"}},
		{"few runs", []string{"gate", "--baseline", few}, 4, []string{"gate inconclusive: 2 inconclusive", "insufficient: 9 of 10 runs"}},
		{"few runs pass", []string{"gate", "--baseline", few, "--inconclusive", "pass"}, 0, []string{"gate inconclusive: 2 inconclusive"}},
		{"n=50", []string{"gate", "--baseline", slower, "--iterations", "50"}, 4, []string{"insufficient: 50 answers, a p95 needs 60"}},
		{"another CPU", []string{"gate", "--baseline", other}, 5, []string{"gate invalid: 2 invalid", "not comparable: the CPU is ", " and was another", "number of cores is "}},
		{"another CPU, forced", []string{"gate", "--baseline", other, "--force"}, 0, []string{"gate pass: 2 pass", "labels: low-confidence, improved, forced", "compared all the same: the CPU is "}},
		{"no baseline", []string{"gate", "--baseline", slower + "x"}, 2, []string{"planvet bench baseline update writes one"}},
		{"no gate in it", []string{"gate", "--baseline", slower, "--base-url", "http://x"}, 2, []string{"exclude each other"}},
		{"threshold", []string{"gate", "--baseline", slower, "--threshold", "0"}, 2, []string{"--threshold 0"}},
		{"no such case", []string{"gate", "--baseline", slower, "--case", "open slip"}, 2, []string{`did you mean "open slips"?`}},
		{"one case", []string{"gate", "--baseline", slower, "--case", "open slips"}, 0, []string{"gate pass: 1 pass"}},
	} {
		args := append(c.args, "--suite-file", file, "--closed")
		if !strings.Contains(strings.Join(args, " "), "--iterations") {
			args = append(args, "--iterations", "70")
		}
		code, out, errs := planvetRun(t, args...)
		for _, w := range c.want {
			if !strings.Contains(out+errs, w) {
				t.Errorf("%s: no %q in %s%s", c.name, w, out, errs)
			}
		}
		if code != c.exit {
			t.Errorf("%s: exit %d, want %d: %s%s", c.name, code, c.exit, out, errs)
		}
	}
	t.Setenv("BENCH_TEST_TOKEN", "another")
	code, out, errs := planvetRun(t, "gate", "--baseline", same, "--suite-file", file, "--slo-file", broken)
	if code != 5 || !strings.Contains(out, "gate invalid: 2 invalid") || !strings.Contains(out, "nothing succeeded") {
		t.Errorf("exit %d: %s%s", code, out, errs)
	}
}

// Both versions of an API side by side, and what is slower on one side.
func TestGateLive(t *testing.T) {
	if testing.Short() {
		t.Skip("-short measures nothing side by side")
	}
	file := benchAPI(t, benchSuites)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var asked atomic.Int64
	slow := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if asked.Add(1) == 600 && r.Header.Get("x-correlation-id") == "ended" {
			cancel()
		}
		if r.URL.Path == "/slips" {
			fmt.Fprint(w, `[{"id": 1}]`)
			return
		}
		time.Sleep(6 * time.Millisecond)
		w.WriteHeader(204)
	}))
	defer slow.Close()
	md, jsonFile := filepath.Join(t.TempDir(), "gate.md"), filepath.Join(t.TempDir(), "gate.json")
	code, out, errs := planvetRun(t, "bench", "--suite-file", file, "--base-url", slow.URL, "--report", "--output", md, "--seed", "7", "--correlation-id", "pr-123")
	text, err := os.ReadFile(md)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%s", text)
	// The list takes 2 ms now and took none; closing takes 2 ms and took 6.
	if code != 1 || out != "" || !strings.Contains(string(text), "# Gate fail: 1 fail, 1 pass") || !strings.Contains(string(text), "| open slips | **fail** |") || !strings.Contains(string(text), "labels: improved") ||
		!strings.Contains(string(text), "--case 'open slips' --base-url") || !strings.Contains(string(text), "--seed 7") || strings.Contains(string(text), "s3cret") {
		t.Errorf("exit %d: %s%s%s", code, text, out, errs)
	}
	asked.Store(0)
	var o, e strings.Builder
	code = run(ctx, []string{"gate", "--correlation-id", "ended", "--suite-file", file, "--base-url", slow.URL, "--format", "json", "--output", jsonFile}, &o, &e)
	var r verdict.Report
	if text, err = os.ReadFile(jsonFile); err == nil {
		err = json.Unmarshal(text, &r)
	}
	if err != nil || code != 3 || !r.Partial || r.Exit != 3 || len(r.Cases) != 2 || r.Cases[0].A.Requests == 0 {
		t.Errorf("exit %d, %v: %s%s%s", code, err, text, &o, &e)
	}
}

// live.md rows 59 and 62 from the command line: one iteration finds the index.
func TestGateDatabase(t *testing.T) {
	var urls [2]string
	for i := range urls {
		conn := shadowtest.Connect(t, "create table visits (id bigint generated always as identity primary key, guest int, at timestamptz default now())",
			"insert into visits (guest) select i % 500 from generate_series(1, 20000) i", "create index visits_guest_at_idx on visits (guest, at)", "vacuum analyze visits")
		if i == 1 {
			if _, err := conn.Exec(t.Context(), "drop index visits_guest_at_idx"); err != nil {
				t.Fatal(err)
			}
		}
		urls[i] = conn.Config().ConnString()
	}
	t.Setenv("BENCH_TEST_DB", urls[1])
	file := benchAPI(t, "version: 1\nsuites:\n"+benchDBSuite)
	code, out, errs := planvetRun(t, "gate", "--suite-file", file, "--base-dsn", urls[0], "--iterations", "1")
	if code != 1 {
		t.Errorf("exit %d: %s%s", code, out, errs)
	}
	for _, want := range []string{"gate fail: 1 fail, 1 inconclusive", "shared blocks ", "cause, index-gone: B has no index public.visits_guest_at_idx on public.visits", "cause, new-seq-scan: public.visits: Index Scan Backward using visits_guest_at_idx on visits → Seq Scan on visits",
		"  -   Index Scan Backward using visits_guest_at_idx on visits", "  +     Seq Scan on visits", "labels: more-work"} {
		if !strings.Contains(out, want) {
			t.Errorf("no %q in %s", want, out)
		}
	}
	// What did not help is remembered from the verdicts.
	verdicts, store := filepath.Join(t.TempDir(), "gate.json"), filepath.Join(t.TempDir(), "memory.db")
	if code, out, errs := planvetRun(t, "gate", "--suite-file", file, "--base-dsn", urls[0], "--iterations", "1", "--format", "json", "-o", verdicts); code != 1 {
		t.Errorf("exit %d: %s%s", code, out, errs)
	}
	planvetRun(t, "memory", "add", "--store", store, "--from", verdicts, "--pattern", "dropped an index")
	if code, out, errs := planvetRun(t, "memory", "search", "--store", store, "dropped index"); code != 0 || !strings.Contains(out, "visits of a guest  failure") || !strings.Contains(out, " blocks (+") || !strings.Contains(out, "lesson: B has no index public.visits_guest_at_idx") {
		t.Errorf("exit %d: %s%s", code, out, errs)
	}
	// The same by a stored run, of one iteration.
	res := filepath.Join(t.TempDir(), "results.json")
	t.Setenv("BENCH_TEST_DB", urls[0])
	if code, out, errs := planvetRun(t, "bench", "--suite-file", file, "--iterations", "1", "--results", res); code != 0 {
		t.Fatalf("exit %d: %s%s", code, out, errs)
	}
	base := filepath.Join(t.TempDir(), "perf", "baseline.json")
	if code, out, errs := planvetRun(t, "bench", "baseline", "update", "--results", res, "--baseline", base, "--force"); code != 0 || !strings.Contains(out, "1 run") {
		t.Fatalf("exit %d: %s%s", code, out, errs)
	}
	t.Setenv("BENCH_TEST_DB", urls[1])
	code, out, errs = planvetRun(t, "gate", "--suite-file", file, "--baseline", base, "--iterations", "1")
	if code != 1 || !strings.Contains(out, "cause, index-gone: B has no index public.visits_guest_at_idx") || !strings.Contains(out, "visits of a guest: fail") {
		t.Errorf("exit %d: %s%s", code, out, errs)
	}
	// Data that is not the same makes no comparison.
	conn, err := pgx.Connect(t.Context(), urls[1])
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(t.Context())
	if _, err := conn.Exec(t.Context(), "delete from visits where id % 2 = 0"); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{{"--baseline", base}, {"--base-dsn", urls[0]}} {
		code, out, errs = planvetRun(t, append([]string{"gate", "--suite-file", file, "--iterations", "1"}, args...)...)
		if code != 5 || !strings.Contains(out, "table public.visits has 10000 rows and had 20000") {
			t.Errorf("%q: exit %d: %s%s", args, code, out, errs)
		}
	}
}

// live.md row 64: a baseline is updated from the main branch alone, and keeps its history.
func TestBaselineUpdate(t *testing.T) {
	file := benchAPI(t, benchSuites)
	dir := t.TempDir()
	t.Chdir(dir)
	t.Setenv("GITHUB_REF_NAME", "feature/slips")
	for i := range 2 {
		if code, out, errs := planvetRun(t, "bench", "--suite-file", file, "--closed", "--iterations", "60", "--results", ".perf-results.json", "--correlation-id", fmt.Sprint("run-", i)); code != 0 {
			t.Fatalf("exit %d: %s%s", code, out, errs)
		}
		update := []string{"bench", "baseline", "update", "--results", ".perf-results.json"}
		t.Setenv("GITHUB_REF_NAME", "feature/slips")
		if code, _, errs := planvetRun(t, update...); code != 2 || !strings.Contains(errs, "the branch is feature/slips, a baseline is of main") {
			t.Errorf("exit %d: %s", code, errs)
		}
		t.Setenv("GITHUB_REF_NAME", "main")
		code, out, errs := planvetRun(t, update...)
		want := []string{"open slips: p95 ", "the first run"}
		if i == 1 {
			want[1] = "% from the mean of 1 runs"
		}
		for _, w := range want {
			if code != 0 || !strings.Contains(out, w) {
				t.Errorf("exit %d, no %q: %s%s", code, w, out, errs)
			}
		}
		if code, _, errs := planvetRun(t, update...); code != 2 || !strings.Contains(errs, "is in it already") {
			t.Errorf("exit %d: %s", code, errs)
		}
	}
	f, err := os.Open(".perf/baseline.json")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	b, err := baseline.Read(f)
	if err != nil || len(b.Runs) != 2 || b.Runs[1].CorrelationID != "run-1" || len(b.Runs[0].Cases) != 2 || len(b.Runs[0].Cases[0].Histogram) == 0 || b.Runs[0].Environment.Cores == 0 {
		t.Errorf("%+v, %v", b, err)
	}
}

// A migration that drops an index fails against the commit before it: both versions of the
// schema are made on one throwaway server, with the same data, and the index is named.
func TestGateRef(t *testing.T) {
	shadowtest.Server(t)            // skips where there is no PostgreSQL
	t.Setenv("TMPDIR", t.TempDir()) // what other processes make there is not looked at
	dir := casetest.TempDir(t, "gate-ref")
	casetest.WriteFiles(t, dir, map[string]string{
		"app/planvet.yaml":               "version: 1\n",
		"app/migrations/0001_visits.sql": "create table visits (id bigint generated always as identity primary key, guest int not null, at timestamptz not null default now());\ncreate index visits_guest_at_idx on visits (guest, at);\n",
		"app/.perf/visits.sql":           "insert into visits (guest, at) select i % 500, now() - i * interval '1 minute' from generate_series(1, 20000) i;\n",
		"app/.perf/suites.yaml":          "version: 1\nsuites:\n" + strings.Replace(benchDBSuite, "url: ${BENCH_TEST_DB}", "fixture: [visits.sql]", 1),
	})
	git := func(args ...string) {
		t.Helper()
		c := exec.Command("git", append([]string{"-C", dir, "-c", "user.name=t", "-c", "user.email=t@example.invalid", "-c", "commit.gpgsign=false"}, args...)...)
		if out, err := c.CombinedOutput(); err != nil {
			t.Fatalf("git %q: %v\n%s", args, err, out)
		}
	}
	git("init", "-q", "-b", "main")
	git("add", "-A")
	git("commit", "-q", "-m", "visits")
	t.Chdir(filepath.Join(dir, "app"))
	os.Unsetenv("DATABASE_URL")
	casetest.WriteFiles(t, dir, map[string]string{"app/migrations/0002_drop.sql": "drop index visits_guest_at_idx;\n"})
	code, out, errs := planvetRun(t, "gate", "--base-ref", "HEAD", "--iterations", "1")
	for _, want := range []string{"A is HEAD (", "B is this tree", "cause, index-gone: B has no index public.visits_guest_at_idx on public.visits", "→ Seq Scan on visits", "again: planvet gate --suite db --case 'visits of a guest' --base-ref HEAD"} {
		if code != 1 || !strings.Contains(out, want) {
			t.Errorf("exit %d, no %q: %s%s", code, want, out, errs)
		}
	}
	// Nothing is left in the repository, or of it.
	if out, err := exec.Command("git", "-C", dir, "status", "--porcelain").Output(); err != nil || string(out) != "?? app/migrations/0002_drop.sql\n" {
		t.Errorf("%s, %v", out, err)
	}
	if left, _ := filepath.Glob(filepath.Join(os.TempDir(), "planvet-base-*")); len(left) > 0 {
		t.Errorf("left behind: %q", left)
	}
	// A column more is no change of the data, and one that the fixture needs has its own.
	casetest.WriteFiles(t, dir, map[string]string{"app/migrations/0002_drop.sql": "alter table visits add note text;\n",
		"app/.perf/visits.sql": "insert into visits (guest, at, note) select i % 500, now() - i * interval '1 minute', 'n' from generate_series(1, 20000) i;\n"})
	code, out, errs = planvetRun(t, "gate", "--base-ref", "main", "--iterations", "1", "--case", "new visit")
	if code != 4 || !strings.Contains(out, "the fixture visits.sql does not fit the version before, which has its own") {
		t.Errorf("exit %d: %s%s", code, out, errs)
	}
	for _, c := range [][2]string{{"no-such-branch", "git knows no revision no-such-branch"}, {"", ""}} {
		if c[0] == "" {
			casetest.WriteFiles(t, dir, map[string]string{"app/.perf/suites.yaml": "version: 1\nsuites:\n" + benchDBSuite})
			c = [2]string{"HEAD", "name files of SQL that make it as fixture of suite db"}
		}
		if code, _, errs := planvetRun(t, "gate", "--base-ref", c[0]); code != 2 || !strings.Contains(errs, c[1]) {
			t.Errorf("exit %d: %s", code, errs)
		}
	}
}

// What the file of suites starts is started of the revision, too: here a server whose answer
// changes.
func TestGateServed(t *testing.T) {
	if testing.Short() {
		t.Skip("-short builds no server")
	}
	const server = `package main

import (
	"fmt"
	"net/http"
	"os"
)

func main() {
	http.ListenAndServe("127.0.0.1:"+os.Getenv("PORT"), http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "an answer") }))
}
`
	t.Setenv("TMPDIR", t.TempDir())
	dir := casetest.TempDir(t, "gate-served")
	casetest.WriteFiles(t, dir, map[string]string{"server.go": server, ".perf/suites.yaml": `version: 1
serve:
  command: go run server.go
  ready: /
suites:
  api:
    base_url: ${BASE_URL}
    cases: [{path: /x}]
`})
	for _, args := range [][]string{{"init", "-q"}, {"add", "-A"}, {"-c", "user.name=t", "-c", "user.email=t@example.invalid", "-c", "commit.gpgsign=false", "commit", "-q", "-m", "x"}} {
		if out, err := exec.Command("git", append([]string{"-C", dir}, args...)...).CombinedOutput(); err != nil {
			t.Fatalf("git %q: %v\n%s", args, err, out)
		}
	}
	t.Chdir(dir)
	code, out, errs := planvetRun(t, "gate", "--base-ref", "HEAD", "--iterations", "1")
	if code != 4 || !strings.Contains(out, "A is HEAD (") || !strings.Contains(out, "api GET /x: inconclusive") {
		t.Errorf("exit %d: %s%s", code, out, errs)
	}
	casetest.WriteFiles(t, dir, map[string]string{"server.go": strings.Replace(server, "an answer", "an answer that is longer", 1)})
	code, out, errs = planvetRun(t, "gate", "--base-ref", "HEAD", "--iterations", "1")
	if code != 5 || !strings.Contains(out, "bodies of A have 9 bytes in the mean, those of B 24") {
		t.Errorf("exit %d: %s%s", code, out, errs)
	}
	if left, _ := filepath.Glob(filepath.Join(os.TempDir(), "planvet-base-*")); len(left) > 0 {
		t.Errorf("left behind: %q", left)
	}
}
