package embedsql_test

import (
	"fmt"
	"regexp"
	"strings"
	"testing"

	"golang.org/x/tools/txtar"

	"github.com/planvet/planvet/analyzers/embedsql"
	"github.com/planvet/planvet/analyzers/program/programtest"
	"github.com/planvet/planvet/internal/casetest"
	"github.com/planvet/planvet/sqllint"
)

// TestCases compares what is found in each archive with its file want. limits_ cases
// keep what is known not to be found.
func TestCases(t *testing.T) {
	for _, c := range casetest.Glob(t, "testdata/*.txtar") {
		t.Run(c.Name, func(t *testing.T) {
			r := embedsql.Extract(programtest.Load(t, c.Archive, strings.Contains(c.Name, "untyped")), embedsql.Options{
				Root: programtest.Root, ReadFile: programtest.Files(c.Archive),
			})
			places(t, c.Archive, r)
			c.Want(t, render(r))
		})
	}
}

func render(r *embedsql.Result) string {
	var b strings.Builder
	one := func(s string) string { return strings.Join(strings.Fields(s), " ") }
	for _, s := range r.Statements {
		fmt.Fprintf(&b, "%s:%d:%d: %s %s %s", s.Location.Path, s.Location.Line, s.Location.Column, s.Symbol, s.Call, s.ResolvedBy)
		for _, f := range []struct {
			set  bool
			name string
		}{{s.Dynamic, "dynamic"}, {s.InLoop, "loop"}, {s.Generated, "generated"}, {s.RoleKnown, "role=" + s.Role}} {
			if f.set {
				b.WriteString(" " + f.name)
			}
		}
		fmt.Fprintf(&b, "\n  %s\n", one(s.Text))
	}
	for _, s := range r.Scripts {
		fmt.Fprintf(&b, "script %s:%d:%d: %s exact=%v\n  %s\n", s.Location.Path, s.Location.Line, s.Location.Column, s.Symbol, s.Exact, one(s.Text))
	}
	for _, u := range r.Unresolved {
		fmt.Fprintf(&b, "unresolved %s:%d:%d: %s: %s\n", u.Location.Path, u.Location.Line, u.Location.Column, u.Call, u.Reason)
	}
	for _, u := range r.Unparsed {
		fmt.Fprintf(&b, "unparsed %s:%d:%d: %s: %s\n", u.Location.Path, u.Location.Line, u.Location.Column, u.Call, u.Error)
	}
	if r.OtherDialect > 0 {
		fmt.Fprintf(&b, "other dialect: %d\n", r.OtherDialect)
	}
	return b.String()
}

var word = regexp.MustCompile(`[A-Za-z_][A-Za-z_0-9]+`)

// places checks that each word of a statement stands where its segment says, if the
// segment is exact.
func places(t *testing.T, a *txtar.Archive, r *embedsql.Result) {
	t.Helper()
	lines := map[string][]string{}
	for _, f := range a.Files {
		lines[f.Name] = strings.Split(string(f.Data), "\n")
	}
	checked := 0
	for _, s := range r.Statements {
		for off := range s.Text {
			if s.Locate(off).Path == "" {
				t.Errorf("byte %d of %q is in no file", off, s.Text)
			}
		}
		for _, m := range word.FindAllStringIndex(s.Text, -1) {
			if !exactAt(s, m[0]) || !exactAt(s, m[1]-1) {
				continue
			}
			at, w := s.Locate(m[0]), s.Text[m[0]:m[1]]
			file := lines[at.Path]
			if at.Line < 1 || at.Line > len(file) || at.Column < 1 || !strings.HasPrefix(file[at.Line-1][min(at.Column-1, len(file[at.Line-1])):], w) {
				t.Errorf("%q of %q is not at %s:%d:%d", w, s.Text, at.Path, at.Line, at.Column)
			}
			checked++
		}
	}
	if checked == 0 && len(r.Statements) > 0 && !strings.Contains(render(r), "directive") {
		t.Error("no word of any statement has an exact place")
	}
}

func exactAt(s *sqllint.Statement, off int) bool {
	exact := false
	for _, g := range s.Segments {
		if g.Start <= off {
			exact = g.Exact
		}
	}
	return exact
}
