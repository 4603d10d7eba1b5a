package shadow

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/planvet/planvet/internal/casetest"
)

// The test binary is its own victim: with PLANVET_TEST_VICTIM set it starts a
// server, prints where it is, and waits to be killed.
func TestMain(m *testing.M) {
	if os.Getenv("PLANVET_TEST_VICTIM") != "" {
		s, err := Start(context.Background(), Options{Local: true})
		if err != nil {
			fmt.Println("error", err)
			os.Exit(1)
		}
		fmt.Println(s.Dir(), s.proc.Process.Pid)
		select {}
	}
	os.Exit(m.Run())
}

func start(t *testing.T) *Server {
	t.Helper()
	if testing.Short() {
		t.Skip("-short starts no server")
	}
	s, err := Start(context.Background(), Options{})
	if err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal(err)
		}
		t.Skip(err)
	}
	t.Cleanup(func() { s.Stop() })
	return s
}

func TestStartAnswersAndStopLeavesNothing(t *testing.T) {
	ctx := context.Background()
	s := start(t)
	url, err := s.NewDatabase(ctx, "some db")
	if err != nil {
		t.Fatal(err)
	}
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		t.Fatal(err)
	}
	var version, addresses string
	err = conn.QueryRow(ctx, "select current_setting('server_version'), current_setting('listen_addresses')").Scan(&version, &addresses)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(version, s.Version()) || addresses != "" {
		t.Errorf("server says version %q, listens on %q; Version() is %q", version, addresses, s.Version())
	}
	conn.Close(ctx)
	pid := s.proc.Process.Pid
	if err := s.Stop(); err != nil {
		t.Fatal(err)
	}
	if problem := leftovers(s.Dir(), pid); problem != "" {
		t.Error(problem)
	}
	if err := s.Stop(); err != nil {
		t.Errorf("second Stop: %v", err)
	}
}

// A temporary folder may have any name.
func TestStartInOddFolder(t *testing.T) {
	base := casetest.TempDir(t, "pv a+b%20'-")
	if s := start(t); filepath.Dir(s.Dir()) != base {
		t.Errorf("it is in %s", s.Dir())
	}
}

// leftovers says what is left of a server, "" for nothing.
func leftovers(dir string, pid int) string {
	if _, err := os.Stat(dir); !errors.Is(err, fs.ErrNotExist) {
		return dir + " is still there"
	}
	if err := syscall.Kill(pid, 0); err == nil {
		return fmt.Sprintf("process %d is still there", pid)
	}
	return ""
}

// victim starts the test binary as a planvet that is to be killed, as another
// user where uid is not 0.
func victim(t *testing.T, uid uint32) (*exec.Cmd, *bufio.Reader) {
	t.Helper()
	bin, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cache := t.TempDir()
	cmd := exec.Command(bin)
	if uid != 0 {
		// Where go test puts the binary and its folders only root may go.
		home, err := os.MkdirTemp("/tmp", "planvet-victim-")
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { os.RemoveAll(home) })
		if err := copyFile(bin, filepath.Join(home, "victim")); err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(os.Chmod(home, 0o755), os.Chmod(filepath.Join(home, "victim"), 0o755)); err != nil {
			t.Fatal(err)
		}
		cache = filepath.Join(home, "cache")
		if err := errors.Join(os.Mkdir(cache, 0o700), os.Chown(cache, int(uid), int(uid))); err != nil {
			t.Fatal(err)
		}
		cmd = exec.Command(filepath.Join(home, "victim"))
		cmd.Dir = home
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uid, Gid: uid}}
	}
	if os.Getenv("TMPDIR") == "" {
		t.Setenv("TMPDIR", "/tmp") // for the ordinary user, whatever go test has
	}
	cmd.Env = append(os.Environ(), "PLANVET_TEST_VICTIM=1", "XDG_CACHE_HOME="+cache, "HOME="+cache)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cmd.Process.Kill()
		cmd.Wait()
	})
	return cmd, bufio.NewReader(out)
}

// ready reads where a victim's server is.
func ready(t *testing.T, r *bufio.Reader) (dir string, pid int) {
	t.Helper()
	line, err := r.ReadString('\n')
	if err != nil {
		t.Fatalf("the victim ended: %v", err)
	}
	dir, num, _ := strings.Cut(strings.TrimSpace(line), " ")
	pid, err = strconv.Atoi(num)
	if err != nil {
		t.Fatalf("the victim says %q", line)
	}
	return dir, pid
}

func gone(t *testing.T, dir string, pid int) {
	t.Helper()
	end := time.Now().Add(5 * time.Second)
	for {
		problem := leftovers(dir, pid)
		if problem == "" {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("5 s after SIGKILL %s", problem)
		}
		time.Sleep(50 * time.Millisecond)
	}
}

func TestKilledLeavesNothing(t *testing.T) {
	start(t).Stop() // skips without a PostgreSQL
	users := map[string]uint32{"same user": 0}
	if os.Geteuid() == 0 {
		users["ordinary user"] = 65534
	}
	for name, uid := range users {
		t.Run(name, func(t *testing.T) {
			cmd, out := victim(t, uid)
			dir, pid := ready(t, out)
			cmd.Process.Kill()
			gone(t, dir, pid)
		})
	}
}

// A kill at any moment of the start: nothing may stay.
func TestKilledWhileStarting(t *testing.T) {
	start(t).Stop()
	base := casetest.TempDir(t, "pv-")
	for _, wait := range []time.Duration{30, 150, 600} {
		cmd, _ := victim(t, 0)
		time.Sleep(wait * time.Millisecond)
		cmd.Process.Kill()
		cmd.Wait()
	}
	end := time.Now().Add(5 * time.Second)
	for {
		left, err := filepath.Glob(filepath.Join(base, "planvet-pg-*"))
		if err != nil {
			t.Fatal(err)
		}
		if len(left) == 0 {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("5 s after SIGKILL %v are still there", left)
		}
		time.Sleep(50 * time.Millisecond)
	}
}

// initdb's own server maps shared memory that is a file outside of the data
// directory (until PostgreSQL 15 nothing can be said against it), and forgets it
// when it is killed.
func TestKilledWhileInitialising(t *testing.T) {
	start(t).Stop()
	if _, err := os.Stat("/dev/shm"); err != nil {
		t.Skip("shared memory is no file here")
	}
	base := casetest.TempDir(t, "pv-")
	cmd, _ := victim(t, 0)
	var mapped []string
	for end := time.Now().Add(20 * time.Second); len(mapped) == 0; time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Skip("initdb was not seen at work, or maps no shared memory")
		}
		mapped = sharedMemory(base)
	}
	cmd.Process.Kill()
	cmd.Wait()
	for end := time.Now().Add(5 * time.Second); ; time.Sleep(50 * time.Millisecond) {
		left, err := filepath.Glob(filepath.Join(base, "planvet-pg-*"))
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range mapped {
			if _, err := os.Stat(f); err == nil {
				left = append(left, f)
			}
		}
		if len(left) == 0 {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("5 s after SIGKILL %v are still there", left)
		}
	}
}

// sharedMemory are the segments that processes working below a folder map.
func sharedMemory(base string) []string {
	var out []string
	maps, _ := filepath.Glob("/proc/[0-9]*/maps")
	for _, m := range maps {
		cwd, err := os.Readlink(filepath.Join(filepath.Dir(m), "cwd"))
		if err != nil || !strings.HasPrefix(cwd, base+"/") {
			continue
		}
		text, err := os.ReadFile(m)
		if err != nil {
			continue
		}
		for l := range strings.Lines(string(text)) {
			if i := strings.Index(l, "/dev/shm/PostgreSQL."); i >= 0 && !strings.Contains(l, "(deleted)") {
				out = append(out, strings.TrimSpace(l[i:]))
			}
		}
	}
	return out
}

func TestManyAtOnce(t *testing.T) {
	start(t).Stop()
	n := 6
	if v, err := strconv.Atoi(os.Getenv("PLANVET_TEST_PARALLEL")); err == nil {
		n = v
	}
	type running struct {
		cmd *exec.Cmd
		out *bufio.Reader
	}
	var all []running
	for range n {
		cmd, out := victim(t, 0)
		all = append(all, running{cmd, out})
	}
	for _, r := range all {
		dir, pid := ready(t, r.out)
		defer gone(t, dir, pid)
	}
	for _, r := range all {
		r.cmd.Process.Kill()
	}
}

func TestNamedFolderWithoutServer(t *testing.T) {
	_, err := Start(context.Background(), Options{Bin: t.TempDir()})
	if err == nil || !strings.Contains(err.Error(), "has no initdb") {
		t.Errorf("error is %v", err)
	}
}
