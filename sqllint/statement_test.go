package sqllint_test

import (
	"testing"

	"github.com/planvet/planvet/rules"
	"github.com/planvet/planvet/sqllint"
)

// TestLocateSharedFragment: a condition that many queries take in from a file of its
// own is reported where each of them takes it in.
func TestLocateSharedFragment(t *testing.T) {
	const head, fragment = "select * from a where ", "owner = $1"
	s := sqllint.Statement{
		Text:     head + fragment + " and b = $2",
		Location: rules.Location{Path: "store.go", Line: 9, Column: 2},
		Segments: []sqllint.Segment{
			{Start: 0, At: rules.Location{Path: "store.go", Line: 5, Column: 10}, Exact: true},
			{Start: len(head), At: rules.Location{Path: "scope.go", Line: 3, Column: 9}, Exact: true},
			{Start: len(head + fragment), At: rules.Location{Path: "store.go", Line: 6, Column: 1}, Exact: true},
		},
	}
	for off, want := range map[int]rules.Location{
		7:                      {Path: "store.go", Line: 5, Column: 17},
		len(head) + 2:          {Path: "store.go", Line: 5, Column: 10 + len(head)},
		len(head+fragment) + 1: {Path: "store.go", Line: 6, Column: 2},
	} {
		if got := s.Locate(off); got != want {
			t.Errorf("offset %d is at %v, want %v", off, got, want)
		}
	}
}
