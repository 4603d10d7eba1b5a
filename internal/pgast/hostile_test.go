package pgast

import (
	"errors"
	"strings"
	"testing"

	"github.com/planvet/planvet/internal/casetest"
)

// Hostile input ends in a clear error that has a place, never in a crash or a hang.
func TestHostile(t *testing.T) {
	const n = 100_000
	nested := func(open, mid, end string) string {
		return "select " + strings.Repeat(open, n) + mid + strings.Repeat(end, n)
	}
	cases := map[string]struct{ sql, msg string }{
		"plus":         {"select 1" + strings.Repeat("+1", n), "too complex"},
		"concat":       {"select 'a'" + strings.Repeat("||'a'", n), "too complex"},
		"casts":        {"select 1" + strings.Repeat("::int", n), "too complex"},
		"joins":        {"select * from t" + strings.Repeat(" join t on true", n), "too complex"},
		"cross-joins":  {"select * from t" + strings.Repeat(" cross join t", n), "too complex"},
		"unions":       {"select 1" + strings.Repeat(" union select 1", n), "too complex"},
		"collates":     {"select a" + strings.Repeat(` collate "C"`, n), "too complex"},
		"zones":        {"select a" + strings.Repeat(" at time zone 'x'", n), "too complex"},
		"nots":         {"select " + strings.Repeat("not ", n) + "a", "too complex"},
		"minuses":      {"select " + strings.Repeat("- ", n) + "a", "too complex"},
		"is-null":      {"select " + strings.Repeat("(", 10) + "a" + strings.Repeat(" is null)", 10) + strings.Repeat(" is null", n), "too complex"},
		"parens":       {nested("(", "1", ")"), "too complex"},
		"open-parens":  {"select " + strings.Repeat("(", n), "too complex"},
		"calls":        {nested("f(", "1", ")"), "too complex"},
		"arrays":       {nested("array[", "1", "]"), "too complex"},
		"cases":        {nested("case when ", "true", " then 1 end"), "too complex"},
		"subqueries":   {nested("(select ", "1", ")"), "too complex"},
		"comments":     {"select 1 " + strings.Repeat("/*", n), "nested deeper than 64"},
		"comment-only": {strings.Repeat("/*", n) + strings.Repeat("*/", n), "nested deeper than 64"},
		"nul":          {"select 1\x00, 2", "NUL"},
		"utf8":         {"select 'a\xff'", "0xff is not valid UTF-8"},
		"quote":        {"select 'abc", "unclosed quote"},
		"ident":        {`select "abc`, "unclosed quote"},
		"dollar":       {"select $a$ b", "unclosed dollar quote $a$"},
		"comment":      {"select 1 /* x", "unclosed comment"},
		"huge":         {strings.Repeat("select 1; ", 5<<20), "50 MiB"},
		"prefix-ops":   {"select " + strings.Repeat("@ ", n) + "1", "too complex"},
		"nested-union": {"select 1 " + strings.Repeat("union (select 1 ", n), "too complex"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			_, err := Parse(c.sql)
			if err == nil || !strings.Contains(err.Error(), c.msg) {
				t.Fatalf("Parse: %v, want %q", err, c.msg)
			}
			file := ParseFile(c.sql)
			if len(file) == 0 || file[0].Err == nil || !strings.Contains(file[0].Err.Msg, c.msg) {
				t.Fatalf("ParseFile: want one error %q", c.msg)
			}
			if _, err := PGFingerprint(c.sql); err == nil && c.msg == "too complex" {
				t.Error("PGFingerprint let it pass")
			}
			if _, err := ParseExpr(strings.TrimPrefix(c.sql, "select ")); err == nil {
				t.Error("ParseExpr let it pass")
			}
		})
	}
}

// Long flat lists are ordinary: seeds and generated filters have them.
func TestLongListsParse(t *testing.T) {
	const n = 20_000
	for name, sql := range map[string]string{
		"and":    "select a = 1" + strings.Repeat(" and a = 1", n),
		"or":     "select a = 1" + strings.Repeat(" or a::int = 1 + 2", n),
		"in":     "select a in (1" + strings.Repeat(", 1", n) + ")",
		"values": "insert into t values ('{}'::jsonb, now() - interval '1 day')" + strings.Repeat(", ('{}'::jsonb, now() - interval '1 day')", n),
		"select": "select a::int" + strings.Repeat(", a::int", n),
		"when":   "select case" + strings.Repeat(" when a = 1 then b + 1", n) + " end",
		"array":  "select array[1::int" + strings.Repeat(", 1::int", n) + "]",
	} {
		if _, err := Parse(sql); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// A chain just below the limit parses, one above does not.
func TestDepthLimit(t *testing.T) {
	for _, c := range []struct {
		n  int
		ok bool
	}{{stackDepth() - 10, true}, {stackDepth() + 10, false}} {
		_, err := Parse("select 1" + strings.Repeat("+1", c.n))
		if (err == nil) != c.ok {
			t.Errorf("%d operators: %v", c.n, err)
		}
	}
}

// A bad statement hides nothing of the rest.
func TestBadStatementHidesNothing(t *testing.T) {
	src := "select 1; selec 2; select (3; create table t (a int; select 'é\xc3'; select '\x00'; select 5"
	var ok, bad []string
	for _, p := range ParseFile(src) {
		if p.Err != nil {
			if p.Err.Offset < p.Start || p.Err.Offset > p.End {
				t.Errorf("%q: offset %d outside %d-%d", p.Text, p.Err.Offset, p.Start, p.End)
			}
			bad = append(bad, p.Text)
		} else {
			ok = append(ok, p.Text)
		}
	}
	if got := strings.Join(ok, "|"); got != "select 1|select 5" {
		t.Errorf("parsed %q", got)
	}
	if len(bad) != 5 {
		t.Errorf("%d errors: %q", len(bad), bad)
	}
}

func TestErrorPlace(t *testing.T) {
	for _, c := range []struct {
		sql string
		at  string
		msg string
	}{
		{"select 'äöü日本', from t", "from", `syntax error at or near "from" (not in the PostgreSQL 16 grammar)`},
		{"select 1 +", "", "syntax error at end of input (not in the PostgreSQL 16 grammar)"},
		{"create tabel x()", "tabel", `syntax error at or near "tabel" (not in the PostgreSQL 16 grammar)`},
	} {
		_, err := Parse(c.sql)
		var e *Error
		if !errors.As(err, &e) || casetest.Grammar(e.Msg) != c.msg || !strings.HasPrefix(c.sql[e.Offset:], c.at) {
			t.Errorf("%s: %+v", c.sql, err)
		}
	}
}

// A body with very many arms, or very deep, is refused with the place where it
// became so; each statement carries the conditions around it.
func TestPLpgSQLHostile(t *testing.T) {
	const n = 20_000
	for name, body := range map[string]string{
		"elsif":  "begin if true then null; " + strings.Repeat("elsif true then perform 1; ", n) + "end if; end",
		"nested": "begin " + strings.Repeat("if true then ", n) + "null; " + strings.Repeat("end if; ", n) + "end",
		"blocks": strings.Repeat("begin ", n) + "null; " + strings.Repeat("end; ", n),
	} {
		_, err := PLpgSQL(nil, body)
		var e *Error
		if !errors.As(err, &e) || !strings.Contains(e.Msg, "too complex") || e.Offset == 0 {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := PLpgSQL(nil, "begin if true then null; "+strings.Repeat("elsif true then perform 1; ", 500)+"end if; end"); err != nil {
		t.Errorf("500 arms: %v", err)
	}
}
