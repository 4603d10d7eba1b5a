package poolstate_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/planvet/planvet/analyzers/embedsql"
	"github.com/planvet/planvet/analyzers/poolstate"
	"github.com/planvet/planvet/analyzers/program/programtest"
	"github.com/planvet/planvet/catalog"
	"github.com/planvet/planvet/internal/casetest"
	"github.com/planvet/planvet/rules"
	"github.com/planvet/planvet/sqllint"
)

// TestCases compares all that pool-session-state says of Go code, by its texts and by its
// calls, with each archive's file want. ok_ cases want nothing, err_ cases something; limits_ cases keep what
// is missed or said too much. The file prepared says whether the pooler follows named
// statements.
func TestCases(t *testing.T) {
	for _, c := range casetest.Glob(t, "testdata/*.txtar") {
		t.Run(c.Name, func(t *testing.T) {
			r := embedsql.Extract(programtest.Load(t, c.Archive, false), embedsql.Options{
				Root: programtest.Root, ReadFile: programtest.Files(c.Archive),
			})
			pool := &sqllint.Pooling{Declared: true, Prepared: strings.TrimSpace(c.Section("prepared"))}
			fs := sqllint.Check(catalog.New(), r.Statements, sqllint.Options{
				Pooling: pool, Commands: r.Commands, Enabled: func(r string) bool { return r == sqllint.PoolSessionState.Name },
			})
			fs = append(fs, poolstate.Check(r, pool)...)
			rules.Sort(fs)
			var b strings.Builder
			for _, f := range fs {
				fmt.Fprintf(&b, "%s:%d:%d: %s: %s\n", f.Location.Path, f.Location.Line, f.Location.Column, f.Certainty, f.Message)
				for _, r := range f.Related {
					fmt.Fprintf(&b, "  %s:%d: %s\n", r.Location.Path, r.Location.Line, r.Message)
				}
			}
			c.Speaks(t, len(fs))
			c.Want(t, b.String())
		})
	}
}

// TestNoPool: nothing is said of a project that is not known to pool.
func TestNoPool(t *testing.T) {
	if got := poolstate.Check(nil, nil); got != nil {
		t.Errorf("got %v", got)
	}
}
