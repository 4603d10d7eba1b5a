package slo

import (
	"bytes"
	"testing"

	"github.com/planvet/planvet/internal/bench/results"
)

// Row 57: the type by verb and SQL.
func TestTypeOf(t *testing.T) {
	for name, want := range map[string]string{
		"GET /players?q=": "read-heavy", "POST /slips": "write-heavy", "DELETE /slips/{id}": "write-heavy",
		"select * from visits where id = $1": "read-heavy", "insert into visits (id) values ($1)": "write-heavy", "UPDATE visits SET x = 1": "write-heavy",
		"select casino_id, count(*) from visits group by casino_id": "aggregation", "with d as (delete from visits returning *) select count(*) from d": "write-heavy",
		"with d as (select sum(x) from visits) select * from d": "aggregation",
		"visits by player": "", "update telemetry": "", "select a player": "", "Get": "", "": "",
	} {
		if got := typeOf(name); got != want {
			t.Errorf("%q is %q, want %q", name, got, want)
		}
	}
}

// Row 57: the tier by the upper end of the interval times 1.25, and what is written is
// read again and kept by the run that it comes from.
func TestPropose(t *testing.T) {
	r := &results.Results{Version: 1, Suites: []results.Suite{{Name: "api"}}}
	add := func(operation, name string, high float64) {
		c := results.Case{Name: name, Service: "a", Operation: operation}
		c.Requests = 300
		if high > 0 {
			c.Latency.P95 = &results.Estimate{Value: high * .9, Low: high * .8, High: high}
		}
		r.Suites[0].Cases = append(r.Suites[0].Cases, c)
	}
	add("Fast", "GET /a", 80)
	add("Standard", "GET /b", 81)
	add("Slowest", "GET /c", 10)
	add("Slowest", "POST /c", 300)
	add("Background", "POST /d", 1600)
	add("Over", "POST /e", 1601)
	add("None", "GET /f", 0)
	all, skipped := Propose(r)
	want := []Objective{
		{Service: "a", Operation: "Fast", Tier: "fast", Type: "read-heavy"}, {Service: "a", Operation: "Standard", Tier: "standard", Type: "read-heavy"},
		{Service: "a", Operation: "Slowest", Tier: "complex"}, {Service: "a", Operation: "Background", Tier: "background", Type: "write-heavy"},
		{Service: "a", Operation: "Over", P95Target: 2100, Type: "write-heavy"},
	}
	if len(all) != len(want) || len(skipped) != 1 || skipped[0].Operation != "None" {
		t.Fatalf("got %+v, %+v", all, skipped)
	}
	for i := range want {
		if all[i] != want[i] {
			t.Errorf("got %+v, want %+v", all[i], want[i])
		}
	}
	var text bytes.Buffer
	if err := WriteProposal(&text, all); err != nil {
		t.Fatal(err)
	}
	read, err := Read(&text)
	if err != nil {
		t.Fatal(err)
	}
	for i, o := range read {
		if p95 := []float64{100, 250, 500, 2000, 2100}[i]; o.P95Target != p95 {
			t.Errorf("%+v: p95 must be %g", o, p95)
		}
	}
	if c := Check(read, r); len(c.WithoutCase) != 0 || c.Checked[0].Verdict == Broken {
		t.Errorf("got %+v", c)
	}
}
