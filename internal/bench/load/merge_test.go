package load

import (
	"bytes"
	"encoding/json"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/planvet/planvet/internal/bench/results"
)

// Percentiles of merged runs are those of one that had all samples, whatever these are and
// however they fall to the machines.
func TestMergePooled(t *testing.T) {
	random := rand.New(rand.NewPCG(7, 7))
	for trial := range 60 {
		machines := 2 + random.IntN(4)
		parts := make([]*Samples, machines)
		for k := range parts {
			parts[k] = newSamples()
		}
		whole := newSamples()
		for range 50 + random.IntN(3000) {
			took := time.Duration(float64(time.Millisecond) * (0.01 + random.ExpFloat64()*float64(1+trial)))
			o := Outcome{}
			if random.IntN(50) == 0 {
				o.Class = []string{"503", "timeout"}[random.IntN(2)]
			}
			whole.add(&o, took)
			parts[random.IntN(machines)].add(&o, took)
		}
		var all []*results.Measured
		m := &merging{}
		for _, p := range parts {
			r := p.Measured()
			all, m.names = append(all, &r), append(m.names, "x.json")
		}
		s, err := m.pool(all)
		if err != nil {
			t.Fatal(err)
		}
		a, _ := json.Marshal(s.Measured())
		b, _ := json.Marshal(whole.Measured())
		if !bytes.Equal(a, b) {
			t.Fatalf("trial %d: merged %s\npooled %s", trial, a, b)
		}
	}
}

// machine is what one of several measured.
func machine(t *testing.T, host string, edit func(*results.Results)) *results.Results {
	t.Helper()
	s := newSamples()
	for i := range 200 {
		s.add(&Outcome{}, time.Duration(1+i)*time.Millisecond)
	}
	s.add(&Outcome{Class: "503"}, 0)
	s.Elapsed = 2 * time.Second
	rate, queries := 100.0, 3.0
	r := &results.Results{Version: 1, Started: time.Unix(100, 0).UTC(), Finished: time.Unix(200, 0).UTC(), Environment: results.Environment{OS: "linux", Arch: "amd64", CPU: host, Cores: 2},
		Suites: []results.Suite{
			{Name: "api", Cases: []results.Case{{Name: "open", Service: "Slip", Operation: "Open", Load: "open", OfferedRPS: &rate, Measured: s.Measured(), ThroughputRPS: s.Throughput(), Distribution: s.Distribution(), Sustainable: &results.Sustainable{}}}},
			{Name: "e2e", Flows: []results.Flow{{Name: "slip", Service: "Slip", Load: "closed", Clients: 2, Measured: s.Measured(), Queries: &queries, Steps: []results.FlowStep{{Name: "a", Measured: s.Measured()}}, Transitions: []results.Transition{{To: "open", Measured: s.Measured()}}}}},
		}}
	if edit != nil {
		edit(r)
	}
	return r
}

func TestMerge(t *testing.T) {
	names := []string{"a.json", "b.json"}
	r, err := Merge(names, []*results.Results{machine(t, "x", nil), machine(t, "y", func(r *results.Results) { r.Started = time.Unix(50, 0).UTC() })})
	if err != nil {
		t.Fatal(err)
	}
	c, f := r.Results.Suites[0].Cases[0], r.Results.Suites[1].Flows[0]
	if c.Requests != 402 || c.Errors.Count != 2 || c.Errors.ByClass["503"] != 2 || *c.OfferedRPS != 200 || c.ThroughputRPS.Value != 200 || c.Sustainable != nil || c.Latency.P99 == nil || c.Histogram == "" {
		t.Errorf("got %+v", c)
	}
	if f.Clients != 4 || f.Requests != 402 || *f.Queries != 3 || f.Steps[0].Requests != 402 || f.Transitions[0].Requests != 402 || f.ThroughputRPS != nil {
		t.Errorf("got %+v", f)
	}
	if e := r.Results.Environment; e.CPU != "" || e.OS != "linux" || r.Results.Started.Unix() != 50 || len(r.Notes) != 2 {
		t.Errorf("got %+v", r)
	}
	var file bytes.Buffer
	if err := results.Write(&file, r.Results); err != nil {
		t.Fatal(err)
	}
	if _, err := results.Read(&file); err != nil {
		t.Error(err)
	}
	for _, x := range []struct {
		want string
		edit func(*results.Results)
	}{
		{"a.json is of commit none and b.json of abc", func(r *results.Results) { r.Commit = "abc" }},
		{"a.json and b.json do not have the same suites", func(r *results.Results) { r.Suites = r.Suites[:1] }},
		{"b.json has no case open, which a.json has", func(r *results.Results) { r.Suites[0].Cases[0].Name = "other" }},
		{"a.json and b.json have another load", func(r *results.Results) { r.Suites[0].Cases[0].Load = "closed" }},
		{"do not have the same steps", func(r *results.Results) { r.Suites[1].Flows[0].Steps = nil }},
		{"b.json has no histogram", func(r *results.Results) { r.Suites[0].Cases[0].Histogram = "" }},
		{"the histogram cannot be read", func(r *results.Results) { r.Suites[0].Cases[0].Histogram = "abc" }},
		{"the histogram has 200 latencies, and 201 requests", func(r *results.Results) { r.Suites[0].Cases[0].Requests++ }},
	} {
		if _, err := Merge(names, []*results.Results{machine(t, "x", nil), machine(t, "x", x.edit)}); err == nil || !strings.Contains(err.Error(), x.want) {
			t.Errorf("got %v, want %s", err, x.want)
		}
	}
	r, err = Merge(names, []*results.Results{machine(t, "x", nil), machine(t, "x", func(r *results.Results) {
		r.Suites[0].Cases[0].Standing = results.Standing{Invalid: "more than 1 % failed", Dropped: 2}
	})})
	if err != nil || r.Valid() || r.Notes[0].Invalid != "b.json: more than 1 % failed" || r.Notes[0].Dropped != 2 {
		t.Errorf("got %+v, %v", r, err)
	}
}
