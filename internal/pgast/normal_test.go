package pgast

import (
	"strings"
	"testing"
)

// Without an Env, names stay as written and nothing fails.
func TestNormalWithoutEnv(t *testing.T) {
	for in, want := range map[string]string{
		"Docs.a = 1 AND (b IN ('x', 'y') AND c)":             "a = 1 AND b = ANY (ARRAY['x', 'y']) AND c",
		"a NOT BETWEEN 1 AND 2":                              "a < 1 OR a > 2",
		"a BETWEEN SYMMETRIC 1 AND 2":                        "(a >= 1 AND a <= 2) OR (a >= 2 AND a <= 1)",
		"x::text = 'y'::varchar(3)":                          "x::text = 'y'",
		"'t'::bool":                                          "true",
		"now() - interval '90 min'":                          "now() - '01:30:00'",
		"interval '1 year 14 months -3 days'":                "'2 years 2 mons -3 days'",
		"interval 'P1Y'":                                     "'P1Y'",
		"'{\"b\": 1, \"a\": [1.0]}'::jsonb":                  "'{\"a\":[1.0],\"b\":1}'",
		"a IS NOT DISTINCT FROM b":                           "NOT (a IS DISTINCT FROM b)",
		"NULL IS DISTINCT FROM b":                            "b IS NOT NULL",
		"(a, b) <> (1, 2)":                                   "a <> 1 OR b <> 2",
		"EXISTS (SELECT x FROM docs d WHERE d.id = docs.id)": "EXISTS (SELECT 1 FROM docs AS d WHERE d.id = docs.id)",
		"EXISTS (SELECT count(*) FROM u)":                    "EXISTS (SELECT count(*) FROM u)",
		"x IN (SELECT y AS z FROM u, v)":                     "x IN (SELECT y FROM u, v)",
		"pg_catalog.lower(a) = upper(public.f(b))":           "lower(a) = upper(public.f(b))",
	} {
		e, err := ParseExpr(in)
		if err != nil {
			t.Fatal(err)
		}
		if got := Normal(e, nil, Name{Name: "docs"}); got != want {
			t.Errorf("%s\ngot  %s\nwant %s", in, got, want)
		}
	}
	if Normal(nil, nil, Name{}) != "" || NormalStmt(nil, nil) != "" {
		t.Error("nil has a normal form")
	}
}

// Operands that are written more than once do not double the text at each level.
func TestNormalStaysSmall(t *testing.T) {
	for _, c := range [][2]string{{"(", " between a and b)"}, {"(", " in (a, b))"}, {"(a between ", " and b)"}, {"coalesce(", "::text, b)"}, {"(", " || b)::text"}} {
		const n = 200
		src := strings.Repeat(c[0], n) + "x" + strings.Repeat(c[1], n)
		e, err := ParseExpr(src)
		if err != nil {
			t.Fatal(err)
		}
		if got := Normal(e, nil, Name{Name: "t"}); len(got) > 100*len(src) {
			t.Errorf("%s…%s: %d bytes became %d", c[0], c[1], len(src), len(got))
		}
	}
}
