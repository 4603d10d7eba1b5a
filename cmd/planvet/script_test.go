package main

import (
	"bytes"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

// TestMain lets the test binary be planvet itself, for scripts and for go vet.
func TestMain(m *testing.M) {
	if os.Getenv("PLANVET_TEST_MAIN") != "" {
		main()
		return
	}
	if url := os.Getenv("PLANVET_TEST_GET"); url != "" { // a client, for flows
		if res, err := http.Get(url); err != nil || res.StatusCode != http.StatusOK {
			os.Exit(1)
		}
		return
	}
	code := m.Run()
	if lspMade != "" {
		os.RemoveAll(lspMade)
	}
	os.Exit(code)
}

// TestScripts runs the scenarios under testdata/script: arguments in, exit code,
// standard output and standard error out.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir: filepath.Join("testdata", "script"),
		Setup: func(e *testscript.Env) error {
			e.Setenv("HOME", e.WorkDir)
			e.Setenv("XDG_CACHE_HOME", filepath.Join(e.WorkDir, ".cache"))
			e.Setenv("GOFLAGS", "-mod=mod")
			for _, k := range []string{"GOCACHE", "GOMODCACHE", "GOPATH", "GOPROXY", "GONOSUMDB", "GOFLAGS", "GONOSUMCHECK", "GOTOOLCHAIN"} {
				if v := os.Getenv(k); v != "" {
					e.Setenv(k, v)
				}
			}
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"exits":  exits,
			"repeat": repeat,
		},
	})
}

// exits runs planvet and wants an exit code: exits 2 check /no/such/dir. What it
// printed can be matched with stdout and stderr.
func exits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits CODE args…")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	self, err := os.Executable()
	ts.Check(err)
	// Scripts run side by side, and a process has one working directory.
	cmd := exec.Command(self, args[1:]...)
	cmd.Dir = ts.MkAbs(".")
	cmd.Env = append(os.Environ(), "PLANVET_TEST_MAIN=1", "GOFLAGS=-mod=mod",
		"HOME="+ts.Getenv("HOME"), "XDG_CACHE_HOME="+ts.Getenv("XDG_CACHE_HOME"))
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Run(); cmd.ProcessState == nil {
		ts.Fatalf("running planvet: %v", err)
	}
	code := cmd.ProcessState.ExitCode()
	ts.Check(os.WriteFile(ts.MkAbs("out.txt"), out.Bytes(), 0o666))
	ts.Check(os.WriteFile(ts.MkAbs("err.txt"), errs.Bytes(), 0o666))
	ts.Logf("%s%s", out.String(), errs.String())
	if code != want {
		ts.Fatalf("planvet %s: exit code %d, want %d", strings.Join(args[1:], " "), code, want)
	}
	if want >= 2 && want != 4 {
		if n := strings.Count(strings.TrimSpace(errs.String()), "\n"); n > 0 {
			ts.Fatalf("an error of %d lines, want one", n+1)
		}
	}
}

// repeat writes a text n times into a file: repeat out.sql 'select 1' '+1' 100000
// writes the head once and the rest n times.
func repeat(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 4 {
		ts.Fatalf("usage: repeat FILE HEAD TEXT N")
	}
	n, err := strconv.Atoi(args[3])
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(args[1]+strings.Repeat(args[2], n)), 0o666))
}
