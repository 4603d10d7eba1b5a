package report

import (
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/planvet/planvet/rules"
)

// many is a document of n findings over n/20 files.
func many(n int) *Document {
	one := sample().Findings
	d := clean()
	d.Read = func(string) ([]byte, error) { return []byte(strings.Repeat("select id from players;\n", 200)), nil }
	for i := range n {
		f := one[i%len(one)]
		f.Location = rules.Location{Path: fmt.Sprintf("db/%05d.sql", i/20), Line: i%200 + 1, Column: 8}
		d.Findings = append(d.Findings, f)
	}
	rules.SetIDs(d.Findings)
	return d
}

func BenchmarkWriters(b *testing.B) {
	for _, n := range []int{1_000, 10_000} {
		d := many(n)
		for _, f := range Formats() {
			b.Run(fmt.Sprintf("%s/%d", f.Name, n), func(b *testing.B) {
				for b.Loop() {
					if _, err := f.Write(io.Discard, d, nil); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}
