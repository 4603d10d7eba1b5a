// Package casetest runs the cases under testdata: txtar archives whose file "want" is
// what a package makes of their other files. UPDATE=1 in the environment rewrites it.
//
// A case's name says what it is for: ok_ must stay silent, err_ must speak, and
// limits_ keeps what is known to be missed or wrong. Beside cases it lays out the
// folders that tests work in.
package casetest

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/tools/txtar"
)

// Case is one archive.
type Case struct {
	*txtar.Archive
	// Name is the file's name without its ending.
	Name string
	// Rule is the rule that the file's folder names, where folders name rules.
	Rule string
	file string
}

// Glob reads the cases that a pattern names, in the order of their names; none is
// fatal.
func Glob(t testing.TB, pattern string) []*Case {
	t.Helper()
	files, err := filepath.Glob(pattern)
	if err != nil || len(files) == 0 {
		t.Fatalf("no cases under %s: %v", pattern, err)
	}
	var out []*Case
	for _, file := range files {
		ar, err := txtar.ParseFile(file)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, &Case{
			Archive: ar,
			Name:    strings.TrimSuffix(filepath.Base(file), ".txtar"),
			Rule:    strings.ReplaceAll(filepath.Base(filepath.Dir(file)), "_", "-"),
			file:    file,
		})
	}
	return out
}

// Section returns the text of one of the archive's files, and nothing where it has
// no such file.
func (c *Case) Section(name string) string {
	for _, f := range c.Files {
		if f.Name == name {
			return string(f.Data)
		}
	}
	return ""
}

// Want compares what a package made of the case with its file "want"; without the
// file nothing is wanted.
func (c *Case) Want(t testing.TB, got string) {
	t.Helper()
	got = Grammar(got)
	i := slices.IndexFunc(c.Files, func(f txtar.File) bool { return f.Name == "want" })
	if Update() {
		if i < 0 && got == "" {
			return
		}
		if i < 0 {
			i = len(c.Files)
			c.Files = append(c.Files, txtar.File{Name: "want"})
		}
		c.Files[i].Data = []byte(got)
		if err := os.WriteFile(c.file, txtar.Format(c.Archive), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want := ""
	if i >= 0 {
		want = string(c.Files[i].Data)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s: want (-) and got (+) differ\n%s", c.file, diff)
	}
}

// Speaks holds a case to its name: of the findings that it is about, an ok_ case has
// none and an err_ case at least one.
func (c *Case) Speaks(t testing.TB, findings int) {
	t.Helper()
	switch {
	case strings.HasPrefix(c.Name, "ok_") && findings > 0:
		t.Errorf("%s must stay silent and has %d findings", c.file, findings)
	case strings.HasPrefix(c.Name, "err_") && findings == 0:
		t.Errorf("%s must speak and has no finding", c.file)
	}
}

// WriteFiles writes files into a folder, by their paths below it with slashes.
func WriteFiles(t testing.TB, dir string, files map[string]string) {
	t.Helper()
	for name, text := range files {
		file := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(file), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
}

// Grammar makes a text equal on every parser: what a build without cgo does not know
// is "not in the PostgreSQL 18 grammar", and the files say 16, as the default build does.
func Grammar(text string) string {
	return grammarNote.ReplaceAllString(text, "(not in the PostgreSQL 16 grammar)")
}

var grammarNote = regexp.MustCompile(`\(not in the PostgreSQL \d+ grammar\)`)

// Update reports whether golden files are to be rewritten.
func Update() bool { return os.Getenv("UPDATE") != "" }

// Golden compares got with a file, or writes it under UPDATE.
func Golden(t testing.TB, file, got string) {
	t.Helper()
	got = Grammar(got)
	if Update() {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s: want (-) and got (+) differ; UPDATE=1 rewrites it\n%s", file, diff)
	}
}

// TempDir makes a folder under /tmp that every user can write to, by a pattern as
// os.MkdirTemp takes it, the temporary one of the process: servers of the test live there.
func TempDir(t testing.TB, pattern string) string {
	t.Helper()
	dir, err := os.MkdirTemp("/tmp", pattern)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o777); err != nil {
		t.Fatal(err)
	}
	t.Setenv("TMPDIR", dir)
	return dir
}
