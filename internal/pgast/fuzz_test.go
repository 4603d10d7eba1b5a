package pgast

import (
	"os"
	"strings"
	"testing"
	"unicode/utf8"
)

func seeds(f *testing.F) {
	src, err := os.ReadFile("testdata/convert.sql")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(string(src))
	for _, s := range formatCases {
		f.Add(s)
	}
	for _, s := range NormalExprs {
		f.Add("select " + s + " from docs")
	}
	for _, s := range []string{"select 'a", "$a$ $b$", "/* /* */", "copy t from stdin;\n\\.\n", "\\x", "begin atomic", "\x00", "\xff", "E'\\'", "u&'",
		"declare x int; begin for i in 1..2 loop execute format('%I', i); end loop; exception when others then end", "?? ? :a @b sqlc.arg(x)"} {
		f.Add(s)
	}
}

// FuzzSplit: pieces are in order, do not overlap and lie in the text.
func FuzzSplit(f *testing.F) {
	seeds(f)
	f.Fuzz(func(t *testing.T, src string) {
		at := 0
		for _, p := range Split(src) {
			if p.Start < at || p.End < p.Start || p.End > len(src) {
				t.Fatalf("piece %d-%d after %d of %d", p.Start, p.End, at, len(src))
			}
			at = p.End
		}
		for _, c := range Comments(src) {
			if c.Text != src[c.Start:c.End] {
				t.Fatal("a comment's place is wrong")
			}
		}
		for _, style := range []PlaceholderStyle{Question, Colon, AtSign, Sqlc, Question | Colon | Sqlc} {
			out, m := Placeholders(src, style)
			for i := 0; i <= len(out); i++ {
				if s := m.Src(i); s < 0 || s > len(src) {
					t.Fatalf("%d maps to %d", i, s)
				}
			}
		}
	})
}

// FuzzParse: nothing crashes; what parses is the same again after Format; errors lie
// in the text.
func FuzzParse(f *testing.F) {
	seeds(f)
	f.Fuzz(func(t *testing.T, src string) {
		for _, p := range ParseFile(src) {
			if (p.Stmt == nil) == (p.Err == nil) {
				t.Fatal("neither or both of Stmt and Err")
			}
			if p.Err != nil {
				if p.Err.Offset < 0 || p.Err.Offset > len(src) || p.Err.Msg == "" || strings.Contains(p.Err.Msg, "\n") || !utf8.ValidString(p.Err.Msg) {
					t.Fatalf("%+v", p.Err)
				}
				continue
			}
			Walk(p.Stmt, func(n Node) bool {
				if n.Pos() > len(p.Text) {
					t.Fatalf("%T at %d of %d", n, n.Pos(), len(p.Text))
				}
				return true
			})
			Fingerprint(p.Stmt)
			NormalStmt(p.Stmt, nil)
			if text := Format(p.Stmt); text != "" {
				if _, err := Parse(text); err != nil {
					t.Fatalf("%s\n%s\n%v", p.Text, text, err)
				}
			}
		}
		_, _ = PGFingerprint(src)
		if e, err := ParseExpr(src); err == nil {
			Normal(e, nil, Name{Name: "docs"})
		}
	})
}

// FuzzPLpgSQL: nothing crashes, places lie in the body.
func FuzzPLpgSQL(f *testing.F) {
	seeds(f)
	f.Fuzz(func(t *testing.T, src string) {
		b, _ := PLpgSQL(nil, src)
		for _, s := range b.Stmts {
			if s.At < 0 || s.At > len(src) || s.Offset > len(src) || s.Err != nil && (s.Err.Offset < 0 || s.Err.Offset > len(src)) {
				t.Fatalf("%+v in %d bytes", s, len(src))
			}
			if s.Stmt == nil && s.Err == nil && !s.Dynamic {
				t.Fatalf("%+v has neither statement nor error", s)
			}
		}
	})
}
