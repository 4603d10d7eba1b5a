package sqllint_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/planvet/planvet/sqllint"
)

func BenchmarkCheck(b *testing.B) {
	for _, n := range []int{20, 400} {
		var ddl, sql strings.Builder
		for i := range n {
			fmt.Fprintf(&ddl, "create table t%d (id bigint primary key, parent bigint, name text, at timestamptz);\ncreate index on t%d (parent);\n", i, i)
			fmt.Fprintf(&sql, "select a.id from t%d a join t%d b on b.parent = a.id where a.name = $1 order by a.at limit 10;\n", i, (i+1)%n)
		}
		cat, stmts := schema(b, ddl.String()), statements(b, sql.String())
		b.Run(fmt.Sprintf("statements=%d", n), func(b *testing.B) {
			for range b.N {
				sqllint.Check(cat, stmts, sqllint.Options{})
			}
		})
	}
}
