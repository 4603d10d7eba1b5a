package pgast

import (
	"strings"
	"testing"
)

// Each benchmark has two sizes: the time of the larger one is ten times the
// smaller's, give or take, or the cost is not linear.
var benchSizes = []struct {
	name string
	n    int
}{{"1k", 1_000}, {"10k", 10_000}}

func benchBoth(b *testing.B, input func(n int) string, run func(b *testing.B, src string)) {
	for _, s := range benchSizes {
		src := input(s.n)
		b.Run(s.name, func(b *testing.B) {
			b.SetBytes(int64(len(src)))
			for b.Loop() {
				run(b, src)
			}
		})
	}
}

func file(n int) string {
	return strings.Repeat("create index on t (a) where b = 'x'; -- c\nselect a, b from t join u on t.a = u.b where c in (1, 2) and d like 'x';\n", n/2)
}

func BenchmarkSplit(b *testing.B) {
	benchBoth(b, file, func(b *testing.B, src string) { Split(src) })
}

func BenchmarkSplitHostile(b *testing.B) {
	benchBoth(b, func(n int) string { return strings.Repeat("copy t from stdin; select $1, a$b /* ( */;\n(", n) }, func(b *testing.B, src string) { Split(src) })
}

func BenchmarkParseFile(b *testing.B) {
	benchBoth(b, file, func(b *testing.B, src string) { ParseFile(src) })
}

func BenchmarkParseValues(b *testing.B) {
	benchBoth(b, func(n int) string { return "insert into t values (1, 'a')" + strings.Repeat(", (2, 'b'::text)", n) },
		func(b *testing.B, src string) { mustParse(b, src) })
}

func BenchmarkFormatAndFingerprint(b *testing.B) {
	benchBoth(b, func(n int) string { return "select a from t where a = 1" + strings.Repeat(" and b in (1, 2)", n) },
		func(b *testing.B, src string) {
			s := mustParse(b, src)
			Format(s)
			Fingerprint(s)
		})
}

func BenchmarkNormal(b *testing.B) {
	benchBoth(b, func(n int) string { return "a = 1" + strings.Repeat(" or b in (select c from u where u.d = t.e)", n) },
		func(b *testing.B, src string) {
			e, err := ParseExpr(src)
			if err != nil {
				b.Fatal(err)
			}
			Normal(e, nil, Name{Name: "t"})
		})
}

func BenchmarkPLpgSQL(b *testing.B) {
	benchBoth(b, func(n int) string {
		return "declare x int := 1; begin " + strings.Repeat("if x > 1 then update t set a = x where b = x; end if; x := 2; ", n/2) + "end"
	}, func(b *testing.B, src string) {
		if _, err := PLpgSQL(nil, src); err != nil {
			b.Fatal(err)
		}
	})
}

func BenchmarkPlaceholders(b *testing.B) {
	benchBoth(b, func(n int) string { return "select ?" + strings.Repeat(", ?", n) }, func(b *testing.B, src string) { Placeholders(src, Question) })
}
