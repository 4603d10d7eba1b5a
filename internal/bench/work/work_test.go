package work

import (
	"slices"
	"testing"

	"github.com/planvet/planvet/internal/bench/results"
)

func of(blocks, rows int64, how string) *results.Work {
	return &results.Work{Fingerprint: how, Plan: []string{how}, Blocks: &blocks, Rows: &rows,
		Scans: []results.Scan{{Relation: "public.t", Alias: "t", How: how, Pages: 100, Rows: 1000}}}
}

func TestCompare(t *testing.T) {
	const index, seq = "Index Scan using t_a_idx on t", "Seq Scan on t"
	statements := func(n float64) *results.Work { return &results.Work{Statements: &n} }
	grown := func(w *results.Work) *results.Work { w.Scans[0].Pages, w.Scans[0].Rows = 250, 1000; return w }
	set := func(w *results.Work) *results.Work { w.Settings = map[string]string{"work_mem": "64kB"}; return w }
	for _, c := range []struct {
		name          string
		a, b          *results.Work
		worse, passed int // figures that are worse, and that are where the times are not
		causes        []string
		different     bool
	}{
		{"the same", of(100, 1, index), of(100, 1, index), 0, 0, nil, false},
		{"a table of three blocks", of(3, 1, index), of(9, 1, seq), 0, 0, []string{NewSeqScan}, false},
		{"twice", of(20, 1, index), of(40, 1, seq), 1, 1, []string{NewSeqScan}, false},
		{"a half more", of(100, 1, index), of(150, 1, seq), 1, 0, []string{NewSeqScan}, false},
		{"within the threshold", of(1000, 1, index), of(1090, 1, index), 0, 0, nil, false},
		{"fewer", of(100, 1, seq), of(5, 1, index), 0, 0, []string{PlanChange}, false},
		{"none before", of(0, 1, index), of(40, 1, index), 1, 1, nil, false},
		{"another number of rows", of(5, 1, index), of(5, 2, index), 0, 0, nil, true},
		{"a table that grew", of(100, 1, seq), grown(of(250, 1, seq)), 0, 0, []string{TableGrowth}, false},
		{"a setting", of(100, 1, index), set(of(300, 1, seq)), 1, 1, []string{NewSeqScan, SettingChanged}, false},
		{"one statement more", statements(3), statements(4), 1, 1, []string{MoreStatements}, false},
		{"one statement less", statements(4), statements(3), 0, 0, nil, false},
		{"not counted", of(100, 1, index), statements(3), 0, 0, nil, false},
	} {
		d := Compare(c.a, c.b, 0.1)
		var kinds []string
		for _, k := range d.Causes {
			kinds = append(kinds, k.Kind)
		}
		if len(d.Worse(false)) != c.worse || len(d.Worse(true)) != c.passed || !slices.Equal(kinds, c.causes) || (d.Different != "") != c.different {
			t.Errorf("%s: %q, %q, %+v, %q", c.name, d.Worse(false), d.Worse(true), d.Causes, d.Different)
		}
	}
}
