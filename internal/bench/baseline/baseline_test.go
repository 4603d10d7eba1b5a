package baseline

import (
	"bytes"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/planvet/planvet/internal/bench/gate"
	"github.com/planvet/planvet/internal/bench/results"
	"github.com/planvet/planvet/internal/bench/verdict"
)

// run is results of one case, of n answers with a p95.
func run(at int, p95 float64, n int) *results.Results {
	c := results.Case{Name: "list", Service: "Slips", Operation: "List", Load: "closed", Clients: 1}
	c.Requests = n
	if n >= 60 {
		c.Latency = results.Latency{P50: &results.Estimate{Value: p95 / 2}, P95: &results.Estimate{Value: p95}}
		c.Distribution = []results.Bucket{{UpTo: p95 / 3}, {UpTo: p95 / 2, Count: n / 2}, {UpTo: p95 * 1.1, Count: n - n/2}}
	}
	t := time.Unix(int64(at)*3600, 0).UTC()
	return &results.Results{Version: 1, Started: t, Finished: t, Commit: fmt.Sprint("c", at), Environment: results.Environment{OS: "linux", Arch: "amd64", CPU: "x", Cores: 2},
		Suites: []results.Suite{{Name: "api", Cases: []results.Case{c}}}}
}

// history is n runs whose p95 alternate by a factor about 10 ms.
func history(n int, factor float64) *File {
	f := &File{}
	for i := range n {
		p95 := 10 * factor
		if i%2 == 1 {
			p95 = 10 / factor
		}
		f.Add(Of(run(i, p95, 300)), 100)
	}
	return f
}

func TestJudge(t *testing.T) {
	quiet, noisy := 1.01, 1.1 // standard deviations of ln p95 of about 1 and 10 %
	for _, c := range []struct {
		name  string
		f     *File
		p95   float64
		n     int
		want  gate.Verdict
		label string
	}{
		{"as before", history(12, quiet), 10.2, 300, gate.Pass, verdict.LowConfidence},
		{"9 % slower", history(12, quiet), 10.9, 300, gate.Pass, ""},
		{"12 % slower", history(12, quiet), 11.2, 300, gate.Fail, verdict.LowConfidence},
		{"12 % slower, and runs differ by 10 %", history(12, noisy), 11.2, 300, gate.Inconclusive, ""},
		{"40 % slower, and runs differ by 10 %", history(12, noisy), 14, 300, gate.Fail, ""},
		{"faster", history(12, quiet), 8, 300, gate.Pass, string(gate.Improved)},
		{"10 runs", history(10, quiet), 12, 300, gate.Fail, ""},
		{"9 runs", history(9, quiet), 12, 300, gate.Inconclusive, verdict.Insufficient},
		{"no runs", &File{}, 12, 300, gate.Inconclusive, ""},
		{"50 answers", history(12, quiet), 30, 50, gate.Inconclusive, verdict.Insufficient},
	} {
		r := c.f.Judge(run(99, c.p95, c.n), Options{Threshold: 0.1})
		k := &r.Cases[0]
		if k.Verdict != c.want || c.label != "" && !slices.Contains(k.Labels, c.label) || !r.LowConfidence || k.Verdict == gate.Inconclusive && len(k.Reasons) == 0 {
			t.Errorf("%s: %s %v %q", c.name, k.Verdict, k.Labels, k.Reasons)
		}
	}
}

// A figure of other runs under another load is not compared with, and neither is one of
// another machine.
func TestComparable(t *testing.T) {
	f := history(12, 1.01)
	r := run(99, 12, 300)
	r.Suites[0].Cases[0].Clients = 4
	if k := f.Judge(r, Options{Threshold: 0.1}); k.Cases[0].Verdict != gate.Inconclusive || len(k.NotCompared) != 1 || !strings.Contains(k.NotCompared[0].Why, "closed 1") {
		t.Errorf("%+v", k)
	}
	for _, c := range []struct {
		name   string
		change func(*results.Environment)
		want   string
	}{
		{"cpu", func(e *results.Environment) { e.CPU = "y" }, "the CPU is y and was x"},
		{"cores", func(e *results.Environment) { e.Cores = 4 }, "the number of cores is 4 and was 2"},
		{"system", func(e *results.Environment) { e.Arch = "arm64" }, "the system is linux/arm64 and was linux/amd64"},
		{"an unknown CPU", func(e *results.Environment) { e.CPU = "" }, ""},
		{"a database that was not there", func(e *results.Environment) { e.Postgres, e.Settings = "17.1", map[string]string{"work_mem": "1"} }, ""},
	} {
		r := run(99, 12, 300)
		c.change(&r.Environment)
		k := f.Judge(r, Options{Threshold: 0.1})
		if got := strings.Join(k.Cases[0].Reasons, "\n"); (k.Cases[0].Verdict == gate.Invalid) != (c.want != "") || !strings.Contains(got, c.want) {
			t.Errorf("%s: %s %q", c.name, k.Cases[0].Verdict, got)
		}
		if k = f.Judge(r, Options{Threshold: 0.1, Force: true}); k.Cases[0].Verdict != gate.Fail {
			t.Errorf("%s: forced, it is %s %q", c.name, k.Cases[0].Verdict, k.Cases[0].Reasons)
		}
		// Runs of both in one file: those of the same environment count.
		both := history(12, 1.01)
		for i := range 12 {
			o := run(20+i, 24, 300)
			c.change(&o.Environment)
			both.Add(Of(o), 100)
		}
		if k = both.Judge(r, Options{Threshold: 0.1}); c.want != "" && (k.Cases[0].Verdict != gate.Pass || k.Cases[0].History.Runs != 12) {
			t.Errorf("%s: beside its own runs it is %s %q", c.name, k.Cases[0].Verdict, k.Cases[0].Reasons)
		}
	}
	a := results.Environment{Postgres: "17.1", Settings: map[string]string{"work_mem": "4096"}, Tables: map[string]int64{"t": 1000, "old": 5}}
	for want, b := range map[string]results.Environment{
		"PostgreSQL is 17.2 and was 17.1":        {Postgres: "17.2", Settings: a.Settings, Tables: a.Tables},
		"setting work_mem is 1 and was 4096":     {Postgres: "17.1", Settings: map[string]string{"work_mem": "1"}, Tables: a.Tables},
		"table t has 1200 rows and had 1000":     {Postgres: "17.1", Settings: a.Settings, Tables: map[string]int64{"t": 1200}},
		"":                                       {Postgres: "17.1", Settings: a.Settings, Tables: map[string]int64{"t": 1050, "new": 7}},
		"setting jit is off and was the default": {Postgres: "17.1", Settings: map[string]string{"work_mem": "4096", "jit": "off"}, Tables: a.Tables},
	} {
		if got := strings.Join(Differences(&a, &b), "; "); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

// live.md row 64: an update adds a run and keeps those before, up to a number; its diff is
// a few lines.
func TestAdd(t *testing.T) {
	f := history(2, 1.01)
	var before, after bytes.Buffer
	if err := f.Write(&before); err != nil {
		t.Fatal(err)
	}
	f.Add(Of(run(5, 10, 300)), 10)
	if err := f.Write(&after); err != nil {
		t.Fatal(err)
	}
	again, err := Read(bytes.NewReader(after.Bytes()))
	if err != nil || len(again.Runs) != 3 || *again.Runs[2].Cases[0].P95 != 10 || len(again.Runs[2].Cases[0].Histogram) != 3 || again.Runs[2].Commit != "c5" {
		t.Fatalf("%+v, %v", again, err)
	}
	old, lines := strings.Split(before.String(), "\n"), strings.Split(after.String(), "\n")
	same := 0
	for _, l := range lines {
		if slices.Contains(old, l) {
			same++
		}
	}
	// The comma after the last run, and the run: its head, its case.
	if changed := len(lines) - same; changed > 3 {
		t.Errorf("%d lines of the diff:\n%s\n%s", changed, before.String(), after.String())
	}
	for i := range 20 {
		f.Add(Of(run(10+i, 10, 300)), 12)
	}
	if len(f.Runs) != 12 || f.Runs[11].Commit != "c29" || f.Runs[0].Commit != "c18" {
		t.Errorf("%d runs, from %s", len(f.Runs), f.Runs[0].Commit)
	}
	// Those of another machine stay, and the newest of each has the work.
	other := run(50, 10, 300)
	other.Environment.CPU = "y"
	blocks := int64(5)
	other.Suites[0].Cases[0].Work = &results.Work{Fingerprint: "p", Blocks: &blocks}
	f.Add(Of(other), 12)
	other.Finished = other.Finished.Add(time.Hour)
	f.Add(Of(other), 12)
	if len(f.Runs) != 14 || f.Runs[12].Cases[0].Work != nil || f.Runs[13].Cases[0].Work == nil {
		t.Errorf("%+v", f.Runs)
	}
}

func TestDrift(t *testing.T) {
	f := &File{}
	for i := range 12 {
		f.Add(Of(run(i, 10*math.Pow(1.02, float64(i)), 300)), 100)
	}
	d := f.Drift()
	if len(d) != 1 || d[0].Runs != 11 || math.Abs(d[0].Trend-2) > 0.01 || d[0].P > 0.01 || !strings.Contains(d[0].String(), "drifts by +2.0 % a run") {
		t.Errorf("%+v", d)
	}
	if d := history(12, 1.05).Drift(); d[0].P < 0.01 || strings.Contains(d[0].String(), "drifts") {
		t.Errorf("%+v", d)
	}
	if d := (&File{}).Drift(); d != nil {
		t.Errorf("%+v", d)
	}
}

func TestReadRefuses(t *testing.T) {
	for text, want := range map[string]string{
		`{"version": 2, "runs": []}`:    "version 2, this planvet knows 1",
		`[]`:                            "no baseline",
		`{"version": 1, "runs": []} {}`: "something follows",
		`{"version": 1, "runs": [{"cases": [{"p95_ms": -1}]}]}`: "a percentile of -1 ms",
		`{"version": 1, "runs": [{"finished": "yesterday"}]}`:   "no baseline",
	} {
		if _, err := Read(strings.NewReader(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", text, err)
		}
	}
	if f, err := Read(strings.NewReader("{\"version\": 1, \"runs\": []}\n")); err != nil || len(f.Runs) != 0 {
		t.Errorf("an empty one: %v", err)
	}
}

// A flow that sends one statement more a run fails by that alone, with one stored run.
func TestStatements(t *testing.T) {
	flow := func(n float64) *results.Results {
		r := run(1, 10, 300)
		r.Suites = []results.Suite{{Name: "e2e", Flows: []results.Flow{{Name: "slip", Service: "Slips", Queries: &n}}}}
		return r
	}
	f := &File{}
	f.Add(Of(flow(3)), 10)
	r := f.Judge(flow(4), Options{Threshold: 0.1})
	if k := &r.Cases[0]; k.Verdict != gate.Fail || !slices.Contains(k.Labels, verdict.MoreWork) || len(k.Causes) != 1 || k.Causes[0].Kind != "more-statements" || !strings.Contains(k.Reasons[0], "statements 3 → 4") {
		t.Errorf("%+v", k)
	}
	if k := f.Judge(flow(3), Options{Threshold: 0.1}).Cases[0]; k.Verdict != gate.Inconclusive {
		t.Errorf("%+v", k)
	}
}
