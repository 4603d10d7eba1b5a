package nplusone_test

import (
	"fmt"
	"strings"
	"testing"

	"golang.org/x/tools/txtar"

	"github.com/planvet/planvet/analyzers/embedsql"
	"github.com/planvet/planvet/analyzers/nplusone"
	"github.com/planvet/planvet/analyzers/program/programtest"
)

// BenchmarkProgram takes statements out of a program and judges its loops: types with
// a query each behind one interface, and loops that call through it or through a chain
// of functions.
func BenchmarkProgram(b *testing.B) {
	for _, n := range []int{50, 500} {
		var src strings.Builder
		src.WriteString("package app\n\nimport (\n\t\"context\"\n\n\t\"github.com/jackc/pgx/v5\"\n)\n")
		for i := range n {
			fmt.Fprintf(&src, `
type reader%[1]d interface{ Read%[1]d(ctx context.Context, id int64) string }

type store%[1]d struct{ tx pgx.Tx }

func (s *store%[1]d) Read%[1]d(ctx context.Context, id int64) (name string) {
	q := "select name from t%[1]d"
	if id > 0 {
		q += " where id = $1"
	}
	s.tx.QueryRow(ctx, q, id).Scan(&name)
	return name
}

func step%[1]d(ctx context.Context, r reader%[1]d, id int64) string { return r.Read%[1]d(ctx, id) }

func Names%[1]d(ctx context.Context, r reader%[1]d, ids []int64) (out []string) {
	for _, id := range ids {
		out = append(out, step%[1]d(ctx, r, id))
	}
	return out
}
`, i)
		}
		ar := &txtar.Archive{Files: []txtar.File{{Name: "app.go", Data: []byte(src.String())}}}
		pkgs := programtest.Load(b, ar, false)
		b.Run(fmt.Sprintf("types=%d", n), func(b *testing.B) {
			for range b.N {
				r := embedsql.Extract(pkgs, embedsql.Options{Root: programtest.Root, ReadFile: programtest.Files(ar)})
				if found := nplusone.Check(r, nplusone.Options{}); len(found) != n {
					b.Fatalf("%d findings of %d", len(found), n)
				}
			}
		})
	}
}
