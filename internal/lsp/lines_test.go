package lsp

import (
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

func TestShift(t *testing.T) {
	old := "a\nb\nc\nd\ne"
	for _, c := range []struct {
		now   string
		lines []int // where a to e are; -1-n where it was changed, and n is nearest
	}{
		{"a\nb\nc\nd\ne", []int{0, 1, 2, 3, 4}},
		{"x\na\nb\nc\nd\ne", []int{1, 2, 3, 4, 5}},
		{"a\nb\nC\nd\ne", []int{0, 1, -3, 3, 4}},
		{"a\nb\nd\ne", []int{0, 1, -2, 2, 3}},
		{"a\nb\nc1\nc2\nc3\nd\ne", []int{0, 1, -3, 5, 6}},
		{"", []int{-1, -1, -1, -1, -1}},
		{"b\nc\nd\ne", []int{-1, 0, 1, 2, 3}},
		{"a\na\nb\nc\nd\ne", []int{0, 2, 3, 4, 5}},
	} {
		s := shiftOf(splitLines(old), splitLines(c.now))
		for i, want := range c.lines {
			got, same := s.line(i)
			if !same {
				got = -1 - got
			}
			if got != want {
				t.Errorf("in %q line %d is at %d, want %d", c.now, i, got, want)
			}
		}
	}
}

func TestSpan(t *testing.T) {
	for _, c := range []struct {
		line   string // ‹ is the column, › the end that is wanted
		column bool
	}{
		{"where ‹r.device_serial› = $1", true},
		{"\t/* 😀é */ _, err := ‹db.QueryContext›(ctx, 1)", true},
		{`on ‹a."odd name"› x`, true},
		{"  ‹→› not a name", true},
		{"  ‹(select 1) ›", true},
		{"\t ‹create›  ", false},
		{`  ‹"open is to the end›`, true},
		{"‹naïve_é›-x", true},
	} {
		line := strings.NewReplacer("‹", "", "›", "").Replace(c.line)
		line = strings.TrimSuffix(line, "\r")
		column := 0
		if c.column {
			column = strings.Index(c.line, "‹") + 1
		}
		got := span(line, 0, column, true)
		want := strings.Index(strings.Replace(c.line, "‹", "", 1), "›")
		if line != strings.TrimRight(line, " ") && want == len(line) {
			want = len(strings.TrimRight(line, " "))
		}
		if got.End.Character != want {
			t.Errorf("%s: the end is %d, want %d", c.line, got.End.Character, want)
		}
		in16 := span(line, 0, column, false)
		if units := func(n int) int {
			u := 0
			for _, r := range line[:n] {
				if u++; r > 0xffff {
					u++
				}
			}
			return u
		}; in16.Start.Character != units(got.Start.Character) || in16.End.Character != units(got.End.Character) {
			t.Errorf("%s: in UTF-16 %+v, in bytes %+v", c.line, in16, got)
		}
	}
}

func TestURIs(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("paths of this system are other ones")
	}
	for uri, want := range map[string]string{
		"file:///a/b%20c/%C3%A9.sql":     "/a/b c/é.sql",
		"file:///a/100%25%23x%3Fy.go":    "/a/100%#x?y.go",
		"file:///a/b/../c/":              "/a/c",
		"file://localhost/a":             "/a",
		"file:///c%3A/x.sql":             "C:/x.sql",
		"untitled:a":                     "",
		"file:a":                         "",
		"vscode-remote://wsl/a/x.sql":    "",
		"file:///a%zz":                   "",
		"file:///a/planvet.yaml?x=1#y=2": "/a/planvet.yaml",
	} {
		got, ok := pathOf(uri)
		if got != want || ok != (want != "") {
			t.Errorf("pathOf(%s) = %q, %v", uri, got, ok)
		}
		if ok && !strings.HasPrefix(got, "C:") {
			if back, _ := pathOf(uriOf(got)); back != got {
				t.Errorf("%s becomes %s and %s", got, uriOf(got), back)
			}
		}
	}
	for path, want := range map[string]bool{
		"/a/x.SQL": true, "/a/x.go": true, "/a/go.mod": true, "/a/planvet.yaml": true, "/a/x.yaml": false,
		"/a/node_modules/x.sql": false, "/a/.git/x.go": false,
	} {
		if got := judged(filepath.FromSlash(path)); got != want {
			t.Errorf("judged(%s) = %v", path, got)
		}
	}
}
