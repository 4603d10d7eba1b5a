//go:build unix

package main

import (
	"bytes"
	"os"
	"os/exec"
	"reflect"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/creack/pty"
	"golang.org/x/term"

	"github.com/planvet/planvet/internal/shadow/shadowtest"
)

// terminal is a pseudo terminal that a program runs on.
type terminal struct {
	t        *testing.T
	master   *os.File
	slave    *os.File
	mu       sync.Mutex
	shown    bytes.Buffer
	original *term.State
}

func openTerminal(t *testing.T) *terminal {
	t.Helper()
	master, slave, err := pty.Open()
	if err != nil {
		t.Skipf("no pseudo terminals here: %v", err)
	}
	t.Cleanup(func() { master.Close(); slave.Close() })
	x := &terminal{t: t, master: master, slave: slave}
	x.resize(120, 30)
	if x.original, err = term.GetState(int(slave.Fd())); err != nil {
		t.Fatal(err)
	}
	go func() {
		buf := make([]byte, 4096)
		for {
			n, err := master.Read(buf)
			x.mu.Lock()
			x.shown.Write(buf[:n])
			x.mu.Unlock()
			if err != nil {
				return
			}
		}
	}()
	return x
}

func (x *terminal) resize(width, height uint16) {
	if err := pty.Setsize(x.master, &pty.Winsize{Cols: width, Rows: height}); err != nil {
		x.t.Fatal(err)
	}
}

// wants waits for a text after what was seen before.
func (x *terminal) wants(text string) string {
	x.t.Helper()
	for until := time.Now().Add(60 * time.Second); time.Now().Before(until); time.Sleep(20 * time.Millisecond) {
		x.mu.Lock()
		all := x.shown.String()
		if i := strings.Index(all, text); i >= 0 {
			x.shown.Next(i + len(text))
			x.mu.Unlock()
			return all
		}
		x.mu.Unlock()
	}
	all := x.shown.String()
	x.t.Fatalf("%q was not shown; at the end there is:\n%q", text, all[max(0, len(all)-2000):])
	return ""
}

func (x *terminal) press(keys string) {
	x.t.Helper()
	if _, err := x.master.WriteString(keys); err != nil {
		x.t.Fatal(err)
	}
}

// start runs planvet on the terminal, which is its controlling one.
func (x *terminal) start(args ...string) *exec.Cmd {
	x.t.Helper()
	cmd := exec.Command(os.Args[0], args...)
	cmd.Env = append(os.Environ(), "PLANVET_TEST_MAIN=1", "TERM=xterm", "NO_COLOR=1")
	cmd.Stdin, cmd.Stdout, cmd.Stderr = x.slave, x.slave, x.slave
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	if err := cmd.Start(); err != nil {
		x.t.Fatal(err)
	}
	x.t.Cleanup(func() { cmd.Process.Kill() })
	return cmd
}

// restored waits for the program's end and looks at what it leaves.
func (x *terminal) restored(cmd *exec.Cmd, code int) {
	x.t.Helper()
	err := cmd.Wait()
	x.wants("\x1b[?1049l")
	if got := cmd.ProcessState.ExitCode(); got != code {
		x.t.Errorf("exit %d, %v; want %d; shown: %q", got, err, code, x.shown.String())
	}
	now, err := term.GetState(int(x.slave.Fd()))
	if err != nil {
		x.t.Fatal(err)
	}
	if !reflect.DeepEqual(now, x.original) {
		x.t.Errorf("the terminal is not as it was: %+v, was %+v", now, x.original)
	}
}

func TestWatchOnATerminal(t *testing.T) {
	conn := shadowtest.Connect(t, "create extension pg_stat_statements")
	url := conn.Config().ConnString()
	x := openTerminal(t)
	cmd := x.start("monitor", "--database-url", url, "--watch", "--interval", "1s", "--pool-stats", "--locks")
	x.wants("\x1b[?1049h")
	x.wants("by total")
	x.wants("connections: ")
	x.wants("locks: 0 sessions")
	raw, err := term.GetState(int(x.slave.Fd()))
	if err != nil || reflect.DeepEqual(raw, x.original) {
		t.Errorf("keys are not read one by one: %v", err)
	}
	x.press("c")
	x.wants("by calls")
	x.press("\t")
	x.wants("by io")
	x.wants("in 1s: ")
	x.resize(70, 5)
	x.wants("…\x1b[K") // the line on totals, cut to the new width
	x.press("q")
	x.restored(cmd, 0)

	for name, stop := range map[string]func(*exec.Cmd){
		"an interrupt": func(cmd *exec.Cmd) { cmd.Process.Signal(os.Interrupt) },
		"a TERM":       func(cmd *exec.Cmd) { cmd.Process.Signal(syscall.SIGTERM) },
		"Ctrl-C":       func(*exec.Cmd) { x.press("\x03") },
	} {
		cmd := x.start("monitor", "--database-url", url, "--watch")
		x.wants("since the counters were reset")
		t.Log(name)
		stop(cmd)
		x.restored(cmd, 0)
	}

	// What cannot begin says so on the terminal as it was.
	cmd = x.start("monitor", "--database-url", "postgres://127.0.0.1:1/none", "--watch")
	x.restored(cmd, 3)
	x.wants("planvet: ")
}
