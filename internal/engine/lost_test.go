package engine

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/planvet/planvet/internal/casetest"
	"github.com/planvet/planvet/internal/shadow/shadowtest"
	"github.com/planvet/planvet/rules"
)

// lossy is a project whose findings are asked about one after the other.
func lossy(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	ddl, queries := "", ""
	for i := range 4 {
		ddl += fmt.Sprintf("create table t%d (id bigint primary key, guest bigint not null);\n", i)
		queries += fmt.Sprintf("-- name: Q%d :many\nselect id from t%d where guest = $1;\n", i, i)
	}
	casetest.WriteFiles(t, dir, map[string]string{"migrations/1_init.sql": ddl, "queries.sql": queries, "planvet.yaml": "version: 1\nconfirm: {rows: 5000}\n"})
	return dir
}

func confirmed(t *testing.T, dir string, progress func(string)) ([]rules.Finding, error) {
	t.Helper()
	p, err := Open(Options{Dir: dir, NoGo: true, Progress: func(what string, _, _ int) { progress(what) }})
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Load(t.Context()); err != nil {
		t.Fatal(err)
	}
	fs, _ := p.Check()
	return p.Confirm(t.Context(), fs, ConfirmOptions{})
}

// A server that is killed in the middle takes no verdict with it that was given, and
// each finding after that says why it has none.
func TestServerKilledInTheMiddle(t *testing.T) {
	shadowtest.Server(t)
	dir, tmp := lossy(t), casetest.TempDir(t, "pv")
	fs, err := confirmed(t, dir, func(what string) {
		if !strings.HasPrefix(what, "asking about finding 3 of") {
			return
		}
		found, _ := filepath.Glob(filepath.Join(tmp, "planvet-pg-*", "d", "postmaster.pid"))
		if len(found) != 1 {
			t.Fatalf("servers: %v", found)
		}
		text, err := os.ReadFile(found[0])
		if err != nil {
			t.Fatal(err)
		}
		first, _, _ := strings.Cut(string(text), "\n")
		pid, _ := strconv.Atoi(first)
		if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Second) // its children notice
	})
	if err == nil || strings.Contains(err.Error(), "\n") || KindOf(err) != Unfinished || !strings.Contains(err.Error(), "the server ended") {
		t.Errorf("error: %v", err)
	}
	want := []rules.Status{rules.Confirmed, rules.Confirmed, rules.NotRun, rules.NotRun}
	if len(fs) != len(want) {
		t.Fatalf("%d findings, want %d", len(fs), len(want))
	}
	for i, f := range fs {
		if f.Verdict.Status != want[i] || f.Verdict.Status == rules.NotRun && f.Verdict.Reason == "" {
			t.Errorf("finding %d: %+v, want %s", i+1, f.Verdict, want[i])
		}
	}
	left, _ := filepath.Glob(filepath.Join(tmp, "*"))
	if len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

// A disk that is full stops the making of rows: what needs none keeps its verdict, the
// rest says why it has none, and the error is one line.
func TestDiskFull(t *testing.T) {
	shadowtest.Server(t)
	tmp := casetest.TempDir(t, "pv")
	if err := syscall.Mount("tmpfs", tmp, "tmpfs", 0, "size=150m,mode=777"); err != nil {
		t.Skipf("mounting a small file system: %v", err)
	}
	t.Cleanup(func() { syscall.Unmount(tmp, 0) })
	dir := lossy(t)
	for name, text := range map[string]string{
		"planvet.yaml": "version: 1\nconfirm: {rows: 1000000}\ntables: {t9: {rows: 1000000}}\nsettings: {app.a: x}\n",
		"migrations/2_wide.sql": "create table t9 (id bigint primary key, a text not null, b text not null, c text not null, d text not null, e text not null);\n" +
			"alter table t9 enable row level security;\ncreate policy slow on t9 using (a = current_setting('app.a'));\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	fs, err := confirmed(t, dir, func(string) {})
	if err == nil || strings.Contains(err.Error(), "\n") || KindOf(err) != Unfinished || !strings.Contains(err.Error(), "No space left") {
		t.Errorf("error: %v", err)
	}
	planned, rest := 0, 0
	for _, f := range fs {
		switch {
		case f.Verdict.Level == rules.Estimated && f.Verdict.Status == rules.Confirmed:
			planned++
		case f.Rule == "rls-initplan" && (f.Verdict.Status == rules.NotRun || f.Verdict.Status == rules.Inconclusive) && strings.Contains(f.Verdict.Reason, "No space left"):
			rest++
		default:
			t.Errorf("%s: %+v", f.Rule, f.Verdict)
		}
	}
	if planned < 4 || rest != 1 {
		t.Errorf("%d findings keep their verdicts, %d say why they have none: %+v", planned, rest, fs)
	}
}

// A folder that has another major than the wanted one is refused in one line.
func TestWrongVersion(t *testing.T) {
	srv := shadowtest.Server(t)
	dir := lossy(t)
	other := 13
	if srv.Major() == 13 {
		other = 14
	}
	if err := os.WriteFile(filepath.Join(dir, "planvet.yaml"), fmt.Appendf(nil, "version: 1\npostgres: %d\n", other), 0o666); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PLANVET_PG_BIN", srv.Bin())
	fs, err := confirmed(t, dir, func(string) {})
	want := fmt.Sprintf("has PostgreSQL %s, and version %d is asked for", srv.Version(), other)
	if err == nil || strings.Contains(err.Error(), "\n") || KindOf(err) != Unfinished || !strings.Contains(err.Error(), want) {
		t.Errorf("error: %v, want %q", err, want)
	}
	for _, f := range fs {
		if f.Verdict.Status != rules.NotRun || !strings.Contains(f.Verdict.Reason, want) {
			t.Errorf("%+v", f.Verdict)
		}
	}
}
