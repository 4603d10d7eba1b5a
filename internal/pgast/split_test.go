package pgast

import (
	"strings"
	"testing"
)

func pieces(src string) []string {
	var out []string
	for _, p := range Split(src) {
		s := src[p.Start:p.End]
		switch {
		case p.Err != nil:
			s = "ERR " + src[p.Err.Offset:]
		case p.Meta:
			s = "META " + s
		}
		out = append(out, s)
	}
	return out
}

func TestSplit(t *testing.T) {
	for _, c := range []struct {
		name, src string
		want      []string
	}{
		{"empty", "", nil},
		{"only comments", "-- a\n/* b; */ ; ;;\n", nil},
		{"bom", "\ufeffselect 1;", []string{"select 1"}},
		{"two", " select 1 ;\n-- c\nselect 2 -- d", []string{"select 1", "select 2"}},
		{"no keyword", "select 1; SELEC 2; 3", []string{"select 1", "SELEC 2", "3"}},
		{"quotes", `select 'a;''b;', "c;""d;", E'e;\';', U&'f;', U&"g;"; select 2`, []string{`select 'a;''b;', "c;""d;", E'e;\';', U&'f;', U&"g;"`, "select 2"}},
		{"backslash is plain", `select 'a\'; select 2`, []string{`select 'a\'`, "select 2"}},
		{"dollars", "do $$ a; $b$ c; $b$ $$; select $é$ ; $é$, $1, a$b$c; select 3", []string{"do $$ a; $b$ c; $b$ $$", "select $é$ ; $é$, $1, a$b$c", "select 3"}},
		{"nested comments", "select 1 /* a /* b; */ c; */ + 2; select 3", []string{"select 1 /* a /* b; */ c; */ + 2", "select 3"}},
		{"operators and comments", "select 1 +-- x;\n2; select a @-1; select 4--;\n", []string{"select 1 +-- x;\n2", "select a @-1", "select 4"}},
		{"atomic", "create or replace function f() returns int begin atomic select 1; select case when true then 2 end; end; select 2",
			[]string{"create or replace function f() returns int begin atomic select 1; select case when true then 2 end; end", "select 2"}},
		{"begin is no atomic", "begin; select 1; end; begin atomic; select 2", []string{"begin", "select 1", "end", "begin atomic", "select 2"}},
		{"rule", "create rule r as on insert to t do (select 1; select 2); select 3", []string{"create rule r as on insert to t do (select 1; select 2)", "select 3"}},
		{"open parenthesis", "create table t (a int; select 1", []string{"create table t (a int", "select 1"}},
		{"copy", "copy t (a) from stdin;\n1\t';\n\\N\n\\.\nselect 1;", []string{"copy t (a) from stdin", "META 1\t';\n\\N\n\\.", "select 1"}},
		{"copy with options", "COPY t FROM STDIN WITH (format csv);\r\nx,\"\r\n\\.\r\nselect 1", []string{"COPY t FROM STDIN WITH (format csv)", "META x,\"\r\n\\.", "select 1"}},
		{"copy without data", "copy t from stdin; select 1; copy u from stdin;\nselect 2;", []string{"copy t from stdin", "select 1", "copy u from stdin", "select 2"}},
		{"meta", "\\connect \"my db\"\n\\restrict abc'def\nselect 1;\n\\unrestrict\n\\set x `cmd;`\n\\!ls\nselect 2", []string{"META \\connect \"my db\"", "META \\restrict abc'def", "select 1", "META \\unrestrict", "META \\set x `cmd;`", "META \\!ls", "select 2"}},
		{"meta ends a statement", "select 1 \\gset\nselect 2", []string{"select 1", "META \\gset", "select 2"}},
		{"breakpoint", "create table t ();--> statement-breakpoint\nselect 1", []string{"create table t ()", "select 1"}},
		{"unclosed quote", "select 1; select 'abc; select 2", []string{"select 1", "ERR 'abc; select 2"}},
		{"unclosed dollar", "do $a$ begin; end; $b$", []string{"ERR $a$ begin; end; $b$"}},
		{"unclosed comment", "select 1; /* x", []string{"select 1", "ERR /* x"}},
		{"unclosed comment in statement", "select 1 /* x", []string{"ERR /* x"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := pieces(c.src)
			if strings.Join(got, "\x01") != strings.Join(c.want, "\x01") {
				t.Errorf("got  %q\nwant %q", got, c.want)
			}
		})
	}
}

func TestParseFilePlaces(t *testing.T) {
	src := "-- head\n\nselect a from t; \\x\n /* é */ update u set x = 1 where y = 2;\nselec;"
	got := ParseFile(src)
	if len(got) != 3 || got[0].Err != nil || got[1].Err != nil || got[2].Err == nil {
		t.Fatalf("%+v", got)
	}
	for _, p := range got {
		if p.Text != src[p.Start:p.End] {
			t.Errorf("%q is not %q", p.Text, src[p.Start:p.End])
		}
	}
	u := got[1].Stmt.(*Update)
	if !strings.HasPrefix(src[got[1].Start+u.Table.Pos():], "u set") || !strings.HasPrefix(got[1].Text[u.Where.Pos():], "y = 2") {
		t.Errorf("places: %d %d", u.Table.Pos(), u.Where.Pos())
	}
	if line, col := NewLines(src).LineCol(got[2].Err.Offset); line != 5 || col != 1 {
		t.Errorf("error at %d:%d", line, col)
	}
}

func TestLines(t *testing.T) {
	l := NewLines("ab\né\n\nx")
	for _, c := range [][3]int{{0, 1, 1}, {2, 1, 3}, {3, 2, 1}, {5, 2, 3}, {6, 3, 1}, {7, 4, 1}, {8, 4, 2}, {-1, 1, 1}} {
		if line, col := l.LineCol(c[0]); line != c[1] || col != c[2] {
			t.Errorf("%d: %d:%d, want %d:%d", c[0], line, col, c[1], c[2])
		}
	}
	if line, col := (Lines{}).LineCol(5); line != 1 || col != 1 {
		t.Error("the zero value")
	}
}

func TestComments(t *testing.T) {
	src := "-- name: x :one\nselect '-- no', \"/* no */\" /* a /* b */ */ -- planvet:ignore r: z\nfrom t; $$ -- no $$ --"
	var got []string
	for _, c := range Comments(src) {
		if src[c.Start:c.End] != c.Text {
			t.Errorf("%+v", c)
		}
		got = append(got, c.Text)
	}
	if strings.Join(got, "|") != "-- name: x :one|/* a /* b */ */|-- planvet:ignore r: z|--" {
		t.Errorf("%q", got)
	}
}
