package launch

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/planvet/planvet/internal/bench/suite"
)

// TestMain is the server that tests start, too.
func TestMain(m *testing.M) {
	if os.Getenv("LAUNCH_TEST_SERVER") == "" {
		os.Exit(m.Run())
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	s := &http.Server{Addr: "127.0.0.1:" + os.Getenv("PORT"), Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprint(w, os.Getpid(), " ", os.Getenv("DATABASE_URL"))
	})}
	go s.ListenAndServe()
	<-ctx.Done()
}

func serving(s suite.Serve) *suite.Serve {
	s.Env = map[string]string{"LAUNCH_TEST_SERVER": "1"}
	if s.Command == "" {
		s.Command = "'" + os.Args[0] + "'; true" // a child of the shell
	}
	return &s
}

// What is started answers, on a database with the migrations and with rows, and is gone
// when it is stopped, with all of its processes.
func TestLaunch(t *testing.T) {
	if testing.Short() {
		t.Skip("-short starts no server")
	}
	dir := t.TempDir()
	if err := os.MkdirAll(filepath.Join(dir, "migrations"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "migrations", "001_slips.sql"), []byte("create table slips (id int primary key);"), 0o600); err != nil {
		t.Fatal(err)
	}
	s, err := Start(t.Context(), serving(suite.Serve{Shadow: true, Prepare: "printf %s \"$DATABASE_URL\" > url", Values: map[string]string{"TOKEN": "echo t-$PORT"}}), Options{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Stop()
	written, err := os.ReadFile(filepath.Join(dir, "url"))
	if err != nil || string(written) != s.Values["DATABASE_URL"] || s.Values["TOKEN"] != "t-"+s.Values["PORT"] || s.Values["BASE_URL"] != "http://127.0.0.1:"+s.Values["PORT"] {
		t.Errorf("got %q, %v, %v", written, s.Values, err)
	}
	conn, err := pgx.Connect(t.Context(), s.Values["DATABASE_URL"])
	if err != nil {
		t.Fatal(err)
	}
	if _, err := conn.Exec(t.Context(), "insert into slips values (1)"); err != nil {
		t.Error(err)
	}
	conn.Close(t.Context())
	ask := func() (pid int) {
		t.Helper()
		answer, err := http.Get(s.Values["BASE_URL"])
		if err != nil {
			t.Fatal(err)
		}
		text, _ := io.ReadAll(answer.Body)
		answer.Body.Close()
		if _, err := fmt.Sscan(string(text), &pid); err != nil || !strings.HasSuffix(string(text), s.Values["DATABASE_URL"]) {
			t.Fatalf("got %s, %v", text, err)
		}
		return pid
	}
	pid := ask()
	if err := s.Restart(t.Context()); err != nil {
		t.Fatal(err)
	}
	if again := ask(); again == pid {
		t.Errorf("process %d is still there", pid)
	} else {
		pid = again
	}
	url := s.Values["BASE_URL"]
	if err := s.Stop(); err != nil {
		t.Error(err)
	}
	if answer, err := http.Get(url); err == nil {
		answer.Body.Close()
		t.Errorf("process %d still answers", pid)
	}
	if _, err := pgx.Connect(t.Context(), s.Values["DATABASE_URL"]); err == nil {
		t.Error("the database is still there")
	}
}

// The server ends when planvet does, also where that has no time to stop it.
func TestLaunchDies(t *testing.T) {
	s, err := Start(t.Context(), serving(suite.Serve{}), Options{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Stop()
	s.lifeline.Close() // as the death of the process does
	select {
	case <-s.ended:
	case <-time.After(10 * time.Second):
		t.Error("the server is still there")
	}
}

// What does not come up says why, and leaves nothing.
func TestLaunchFails(t *testing.T) {
	for _, c := range []struct {
		serve suite.Serve
		want  string
	}{
		{suite.Serve{Command: "echo no secret >&2; exit 3"}, "ended before it answered at http://127.0.0.1:"},
		{suite.Serve{Command: "echo no secret >&2; exit 3"}, "no secret"},
		{suite.Serve{Command: "exec sleep 60", Timeout: 200 * time.Millisecond}, "does not answer"},
		{suite.Serve{Prepare: "echo no rows >&2; false"}, "serve.prepare: echo no rows >&2; false: exit status 1: no rows"},
		{suite.Serve{Values: map[string]string{"TOKEN": "false"}}, "serve.values.TOKEN"},
	} {
		if _, err := Start(t.Context(), serving(c.serve), Options{Dir: t.TempDir()}); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("got %v, want %s", err, c.want)
		}
	}
}

func TestRoot(t *testing.T) {
	for file, want := range map[string]string{".perf/suites.yaml": ".", "a/.perf/suites.yaml": "a", "a/suites.yaml": "a", "suites.yaml": "."} {
		if got := Root(file); got != want {
			t.Errorf("%s: got %s, want %s", file, got, want)
		}
	}
}
