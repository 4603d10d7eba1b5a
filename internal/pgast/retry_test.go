package pgast

import (
	"errors"
	"strings"
	"testing"
	"time"
)

// Short texts that a parser with trials reads exponentially often are refused, and fast.
func TestRetriesAreBounded(t *testing.T) {
	nested := func(n int, open, close string) string {
		return "select " + strings.Repeat(open, n) + "1" + strings.Repeat(close, n)
	}
	for name, sql := range map[string]string{
		"sum":         nested(40, "((select ", ") + 1)"),
		"sums":        nested(30, "(((select ", ") + 1) + 1)"),
		"from":        "select * from " + strings.Repeat("((select * from ", 60) + "t" + strings.Repeat(") a join t on true)", 60),
		"in":          nested(60, "a in ((select ", "), 1)"),
		"any":         nested(60, "a = any ((select ", ") || b)"),
		"union":       nested(60, "((select 1) union (select ", ") + 1)"),
		"values":      nested(60, "((values (", ")) + 1)"),
		"substring":   nested(60, "substring(", ")"),
		"overlay":     nested(60, "overlay(", ")"),
		"json_object": nested(60, "json_object(", ")"),
		"calls":       "select substring(a, 1)" + strings.Repeat(", substring(a, 1)", 200_000),
		"sums-flat":   "select 1" + strings.Repeat(", ((select 1) + 1)", 200_000),
		"rows":        "select " + strings.Repeat(strings.Repeat("(", 900)+"1"+strings.Repeat(")", 900)+",", 2000) + "1",
	} {
		t.Run(name, func(t *testing.T) {
			if err := measureRetries(sql); err == nil {
				t.Error("measured as cheap")
			}
			done := make(chan struct{})
			go func() {
				defer close(done)
				_, _ = Parse(sql)
				_, _ = PGFingerprint(sql)
			}()
			select {
			case <-done:
			case <-time.After(time.Minute):
				t.Fatal("not read in a minute")
			}
		})
	}
}

// What people and generators write is far below the bound.
func TestRetriesOfOrdinarySQL(t *testing.T) {
	for name, sql := range map[string]string{
		"values":  "insert into t values (1)" + strings.Repeat(", ((1), (substring('abc', 1)))", 2_000) + strings.Repeat(", ((1), (trim('abc')))", 50_000),
		"unions":  "select * from ((select 1) union (select 2))" + strings.Repeat(" union ((select 1) intersect (select 2))", 200),
		"nested":  "select " + strings.Repeat("((select a from t where b = ", 8) + "1" + strings.Repeat(") + 1)", 8),
		"parens":  "select " + strings.Repeat("(", 900) + "1" + strings.Repeat(")", 900),
		"queries": "select " + strings.Repeat("(select ", 300) + "1" + strings.Repeat(")", 300),
		"calls":   "select " + strings.Repeat("f(substring(a from 1), ", 200) + "1" + strings.Repeat(")", 200),
	} {
		if err := measureRetries(sql); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := Parse(sql); err != nil {
			t.Errorf("%s: Parse: %v", name, err)
		}
	}
}

// A syntax error in a subquery is reported where it is, on either parser.
func TestErrorPlaceInSubquery(t *testing.T) {
	for _, c := range []struct{ sql, at, near string }{
		{"select 'é', (select a frm t x y) from t", "t x y", "t"},
		{"select * from (select a from where) x", "where)", "where"},
		{"select * from t where a in (select b form t c d)", "t c", "t"},
		{"select * from t where a = any ( select (select 1 from t where b =) )", ") )", ")"},
		{"insert into t (a) select (with x as (select 1) select b c d e)", "d e", "d"},
		{"select ((select 1 2))", "2))", "2"},
	} {
		_, err := Parse(c.sql)
		var e *Error
		if !errors.As(err, &e) || !strings.HasPrefix(c.sql[e.Offset:], c.at) || !strings.Contains(e.Msg, `at or near "`+c.near+`" (`) {
			t.Errorf("%s: %+v", c.sql, err)
		}
	}
}
