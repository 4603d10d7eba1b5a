package nplusone_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/planvet/planvet/analyzers/embedsql"
	"github.com/planvet/planvet/analyzers/nplusone"
	"github.com/planvet/planvet/analyzers/program/programtest"
	"github.com/planvet/planvet/internal/casetest"
)

// TestCases compares the findings on each archive with its file want. ok_ cases want
// none, err_ cases at least one; limits_ cases keep known misses and false alarms.
func TestCases(t *testing.T) {
	for _, c := range slices.Concat(casetest.Glob(t, "testdata/*.txtar"), casetest.Glob(t, "testdata/row_at_a_time_write/*.txtar")) {
		t.Run(c.Name, func(t *testing.T) {
			r := embedsql.Extract(programtest.Load(t, c.Archive, false), embedsql.Options{
				Root: programtest.Root, ReadFile: programtest.Files(c.Archive),
			})
			got := render(nplusone.Check(r, nplusone.Options{}))
			c.Speaks(t, strings.Count(got, "\n"))
			c.Want(t, got)
		})
	}
}
