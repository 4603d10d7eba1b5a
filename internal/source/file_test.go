package source

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/planvet/planvet/internal/casetest"
)

// TestFile runs testdata/*.txtar: in.sql, and in want what File makes of it.
// UPDATE=1 rewrites want.
func TestFile(t *testing.T) {
	for _, c := range casetest.Glob(t, "testdata/*.txtar") {
		t.Run(c.Name, func(t *testing.T) {
			in := c.Files[0]
			c.Want(t, dump(File(in.Name, in.Data)))
		})
	}
}

func dump(r Result) string {
	var b strings.Builder
	for _, s := range r.Statements {
		fmt.Fprintf(&b, "%d:%d %s", s.Location.Line, s.Location.Column, s.Source)
		if s.Symbol != "" {
			fmt.Fprintf(&b, " %s", s.Symbol)
		}
		if s.Dynamic {
			b.WriteString(" dynamic")
		}
		if s.InLoop {
			b.WriteString(" in a loop")
		}
		if s.RoleKnown {
			fmt.Fprintf(&b, " role=%q", s.Role)
		}
		if s.SearchPath != nil {
			fmt.Fprintf(&b, " path=%q", s.SearchPath)
		}
		if len(s.Variables) > 0 {
			var vs []string
			for v := range s.Variables {
				vs = append(vs, v)
			}
			slices.Sort(vs)
			fmt.Fprintf(&b, " vars=%s", strings.Join(vs, ","))
		}
		b.WriteString("\n")
		for line := range strings.SplitSeq(s.Text, "\n") {
			fmt.Fprintf(&b, "    %s\n", line)
		}
		// Every word "here" must be found back at its place in the file.
		for off := 0; ; {
			i := strings.Index(s.Text[off:], "here")
			if i < 0 {
				break
			}
			off += i
			l := s.Locate(off)
			fmt.Fprintf(&b, "    here is at %d:%d\n", l.Line, l.Column)
			off++
		}
	}
	for _, p := range r.Unparsed {
		fmt.Fprintf(&b, "%d:%d unparsed: %s\n", p.Location.Line, p.Location.Column, p.Error)
	}
	for _, p := range r.Unresolved {
		fmt.Fprintf(&b, "%d:%d unresolved: %s\n", p.Location.Line, p.Location.Column, p.Error)
	}
	return b.String()
}

func TestIsQueryFile(t *testing.T) {
	for text, want := range map[string]bool{
		"-- name: GetUser :one\nselect 1;":                                    true,
		"--name: get-user\nselect 1;":                                         true,
		"-- comment\n\n  -- name: get-user\nselect":                           true,
		"/* name: GetUser :many */\nselect 1;":                                true,
		"-- name: GetUser :one\r\nselect 1;\r\n":                              true,
		"-- Name: users; Type: TABLE; Schema: public\ncreate table users ();": false,
		"-- name: users; Type: TABLE\n":                                       false,
		"-- the name: of a thing\nselect 1":                                   false,
		"-- name: two words\nselect 1":                                        false,
		"select '-- name: x';":                                                false,
		"":                                                                    false,
	} {
		if got := IsQueryFile([]byte(text)); got != want {
			t.Errorf("IsQueryFile(%q) = %v", text, got)
		}
	}
}

func TestFindQueryFiles(t *testing.T) {
	q := &fstest.MapFile{Data: []byte("-- name: x :one\nselect 1;\n")}
	fsys := fstest.MapFS{
		"queries/b.sql": q, "queries/a.sql": q, "queries/plain.sql": {Data: []byte("select 1;")},
		"migrations/1.sql": q, "node_modules/x/q.sql": q, ".git/q.sql": q, "pkg/testdata/q.sql": q, "doc.txt": q,
	}
	got, err := FindQueryFiles(fsys, func(p string) bool { return p == "migrations" })
	if want := []string{"queries/a.sql", "queries/b.sql"}; err != nil || !slices.Equal(got, want) {
		t.Errorf("got %q, %v; want %q", got, err, want)
	}
}

func FuzzFile(f *testing.F) {
	f.Add("-- name: x :one\nselect * from t where a = sqlc.arg(b) and c = @d;\n-- name: y\nselect %s from %part% where %q%")
	f.Add("select ?::int from t where a = :b\x00\xff")
	f.Fuzz(func(t *testing.T, src string) {
		for _, s := range File("f.sql", []byte(src)).Statements {
			for off := range len(s.Text) + 1 {
				if l := s.Locate(off); l.Line < 1 || l.Path != "f.sql" {
					t.Fatalf("offset %d of %q has no place: %+v", off, s.Text, l)
				}
			}
		}
	})
}
