package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/planvet/planvet/internal/bench/results"
	"github.com/planvet/planvet/internal/bench/slo"
)

// live.md row 81: the example's suites run against its program on a throwaway database, by
// one command, and what they measure and what is promised are the same.
func TestCasinoBench(t *testing.T) {
	if testing.Short() {
		t.Skip("-short starts no server")
	}
	file := filepath.Join(t.TempDir(), "results.json")
	code, out, errs := planvetRun(t, "bench", "--suite-file", filepath.Join(casino, ".perf", "suites.yaml"), "--iterations", "60", "--results", file)
	if code != 0 {
		t.Fatalf("exit %d: %s%s", code, out, errs)
	}
	text, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer text.Close()
	r, err := results.Read(text)
	if err != nil || len(r.Suites) != 3 {
		t.Fatalf("%+v, %v", r, err)
	}
	for _, s := range r.Suites {
		for _, c := range s.Cases {
			if c.Requests != 60 || c.Errors.Count != 0 || s.Name == "api" && (c.Database == nil || c.Database.Source != "statements") {
				t.Errorf("%s: %+v %+v", c.Name, c.Measured, c.Database)
			}
		}
		for _, f := range s.Flows {
			if f.Requests != 60 || f.Errors.Count != 0 || f.Queries == nil || len(f.Steps) < 4 {
				t.Errorf("%s: %+v", f.Name, f)
			}
		}
	}
	promised, err := os.Open(filepath.Join(casino, ".perf", "slos.json"))
	if err != nil {
		t.Fatal(err)
	}
	defer promised.Close()
	all, err := slo.Read(promised)
	if err != nil {
		t.Fatal(err)
	}
	if c := slo.Check(all, r); len(c.WithoutCase) > 0 || len(c.WithoutSLO) > 0 {
		t.Errorf("without a case: %v, without an objective: %v", c.WithoutCase, c.WithoutSLO)
	}
}
