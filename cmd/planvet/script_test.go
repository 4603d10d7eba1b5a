package main

import (
	"bytes"
	"context"
	"os"
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
	os.Exit(m.Run())
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
	wd, err := os.Getwd()
	ts.Check(err)
	ts.Check(os.Chdir(ts.MkAbs(".")))
	defer os.Chdir(wd)
	var out, errs bytes.Buffer
	code := run(context.Background(), args[1:], &out, &errs)
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
