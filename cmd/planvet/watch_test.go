package main

import (
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/planvet/planvet/internal/audit"
	"github.com/planvet/planvet/internal/monitor"
	"github.com/planvet/planvet/internal/shadow/shadowtest"
)

// pipe is output that is looked at while it is written.
type pipe struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (p *pipe) Write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.b.Write(b)
}

func (p *pipe) String() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.b.String()
}

// wants waits until a pattern is there so many times.
func (p *pipe) wants(t *testing.T, pattern string, times int) {
	t.Helper()
	re := regexp.MustCompile(pattern)
	for until := time.Now().Add(60 * time.Second); time.Now().Before(until); time.Sleep(20 * time.Millisecond) {
		if len(re.FindAllString(p.String(), -1)) >= times {
			return
		}
	}
	t.Fatalf("%q was not written %d times:\n%s", pattern, times, p)
}

// watching runs a watch until stop is called, which gives its exit code.
func watching(t *testing.T, args ...string) (stdout, stderr *pipe, stop func() int) {
	ctx, cancel := context.WithCancel(t.Context())
	stdout, stderr = &pipe{}, &pipe{}
	done := make(chan int, 1)
	go func() {
		done <- run(ctx, append([]string{"monitor", "--watch", "--interval", "1s"}, args...), stdout, stderr)
	}()
	return stdout, stderr, func() int { cancel(); return <-done }
}

func TestWatchPlain(t *testing.T) {
	conn := shadowtest.Connect(t, "create extension pg_stat_statements")
	dir := t.TempDir()
	history, log := filepath.Join(dir, "history.jsonl"), filepath.Join(dir, "audit.jsonl")
	out, errs, stop := watching(t, "--database-url", conn.Config().ConnString(), "--json-output", history, "--audit", log)
	between := func(sql string) {
		if _, err := conn.Exec(t.Context(), sql); err != nil {
			t.Fatal(err)
		}
	}
	out.wants(t, `(?m)^--- \d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC\n.* in 1\S*s until`, 1)
	between("select 'in an interval'")
	out.wants(t, `select \$1`, 1)
	// The connection is lost, as in a restart of the server: the watch goes on.
	between("select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid() and application_name like 'planvet%'")
	seen := strings.Count(out.String(), "--- ")
	out.wants(t, `(?m)^--- `, seen+2)
	if code := stop(); code != 0 {
		t.Errorf("exit %d: %s", code, errs)
	}
	h, err := monitor.OpenHistory(t.Context(), history)
	if err != nil {
		t.Fatal(err)
	}
	defer h.Close(t.Context())
	n := 0
	if err := h.Readings(t.Context(), func(*monitor.Reading) error { n++; return nil }); err != nil || n < 4 {
		t.Errorf("%d readings in the history, %v", n, err)
	}
	f, err := os.Open(log)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if s, err := audit.Verify(f); err != nil || s.Events < 3 {
		t.Errorf("got %+v, %v", s, err)
	}
}

// TestFleet watches two servers that are there and one that is not.
func TestFleet(t *testing.T) {
	one := shadowtest.Connect(t, "create extension pg_stat_statements")
	two := shadowtest.Connect(t, "create extension pg_stat_statements", "select 'of two'::text as note")
	t.Setenv("PLANVET_TEST_TWO", two.Config().ConnString())
	file := filepath.Join(t.TempDir(), "targets")
	list := "# ours\none " + one.Config().ConnString() + "\ntwo ${PLANVET_TEST_TWO}\n\ndown postgres://u:s3cret@127.0.0.1:1/none\n"
	if err := os.WriteFile(file, []byte(list), 0o600); err != nil {
		t.Fatal(err)
	}
	code, out, errs := planvetRun(t, "monitor", "--targets", file, "--format", "json")
	if code != 0 || strings.Count(errs, "planvet: down was not read: ") != 1 || strings.Contains(out+errs, "s3cret") {
		t.Fatalf("exit %d: %s", code, errs)
	}
	var doc struct {
		Version int
		Targets []monitor.Target
	}
	if err := json.Unmarshal([]byte(out), &doc); err != nil {
		t.Fatal(err)
	}
	if doc.Version != 1 || len(doc.Targets) != 3 || doc.Targets[0].Report == nil || doc.Targets[1].Report == nil || doc.Targets[2].Report != nil || doc.Targets[2].Error == "" {
		t.Fatalf("got %s", out)
	}
	code, out, _ = planvetRun(t, "monitor", "--targets", file, "--format", "csv")
	rows, err := csv.NewReader(strings.NewReader(out)).ReadAll()
	if code != 0 || err != nil || rows[0][0] != "target" || rows[1][0] != "one" || rows[len(rows)-1][0] != "two" {
		t.Errorf("exit %d, %v: %q", code, err, rows)
	}
	for format, want := range map[string][]string{"text": {"== one\n", "== two\n", "== down\nnot read: "}, "markdown": {"## one\n", "## two\n", "Not read: "}} {
		code, out, _ := planvetRun(t, "monitor", "--targets", file, "--format", format)
		for _, w := range want {
			if code != 0 || !strings.Contains(out, w) {
				t.Errorf("%s: exit %d, %q is not in\n%s", format, code, w, out)
			}
		}
	}
	// URLs as arguments, one of which the flag names; all that fail is a failure.
	code, out, errs = planvetRun(t, "monitor", "--database-url", one.Config().ConnString(), two.Config().ConnString(), "--format", "json")
	if err := json.Unmarshal([]byte(out), &doc); code != 0 || err != nil || len(doc.Targets) != 2 || doc.Targets[0].Name == doc.Targets[1].Name {
		t.Errorf("exit %d, %v: %s%s", code, err, out, errs)
	}
	if code, _, errs := planvetRun(t, "monitor", "postgres://127.0.0.1:1/a", "postgres://127.0.0.1:1/b"); code != 3 || !strings.Contains(errs, "none of 2 servers could be read") {
		t.Errorf("exit %d: %s", code, errs)
	}
	live, errPipe, stop := watching(t, "--targets", file)
	live.wants(t, `(?s)--- .*== one.*== two.*== down\nnot read`, 1)
	live.wants(t, `(?m)^--- `, 2)
	if code := stop(); code != 0 || strings.Count(errPipe.String(), "down: ") != 1 {
		t.Errorf("exit %d: %s", code, errPipe)
	}
}

func TestFleetUsage(t *testing.T) {
	file := filepath.Join(t.TempDir(), "targets")
	if err := os.WriteFile(file, []byte("a postgres://u:s3cret@h:x/d\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	empty := filepath.Join(t.TempDir(), "empty")
	if err := os.WriteFile(empty, []byte("# none\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{
		{"--targets", file}, {"--targets", empty}, {"--targets", file + ".missing"}, {"postgres://u:s3cret@h:x/d"},
		{"postgres://h/a", "postgres://h/b", "--supavisor", "http://h/metrics"},
		{"postgres://h/a", "--watch", "--listen", "127.0.0.1:0"}, {"postgres://h/a", "--watch", "--format", "csv"}, {"postgres://h/a", "--watch", "--interval", "10ms"},
	} {
		if code, out, errs := planvetRun(t, append([]string{"monitor"}, args...)...); code != 2 || strings.Contains(out+errs, "s3cret") || !strings.HasPrefix(errs, "planvet: ") {
			t.Errorf("%q: exit %d: %s", args, code, errs)
		}
	}
}
