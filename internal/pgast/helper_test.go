package pgast

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// sameTree compares trees modulo positions.
func sameTree(a, b any) string {
	return cmp.Diff(a, b, cmp.Transformer("pos", func(At) int { return 0 }), cmpopts.EquateEmpty(),
		cmp.AllowUnexported(isExprOf()...))
}

func isExprOf() []any {
	return []any{ColumnRef{}, Const{}, Param{}, Op{}, Bool{}, NullTest{}, BoolTest{}, SubLink{}, FuncCall{}, ValueFunc{}, Case{},
		Coalesce{}, MinMax{}, Cast{}, Array{}, Row{}, List{}, Subscript{}, Collate{}, Default{}, Other{}, Select{}, Insert{},
		Update{}, Delete{}, Merge{}, Table{}, Subquery{}, FuncTable{}, Join{}}
}

func mustParse(t testing.TB, sql string) Stmt {
	t.Helper()
	s, err := Parse(sql)
	if err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
	return s
}

// roundTrip reports how the tree of Format(n) differs from n, "" for not at all.
func roundTrip(s Stmt) (text, diff string) {
	text = Format(s)
	again, err := Parse(text)
	if err != nil {
		return text, err.Error()
	}
	return text, sameTree(s, again)
}
