package verdict

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/planvet/planvet/internal/bench/gate"
	"github.com/planvet/planvet/internal/bench/results"
	"github.com/planvet/planvet/internal/bench/slo"
	"github.com/planvet/planvet/internal/bench/work"
	"github.com/planvet/planvet/internal/casetest"
	"github.com/planvet/planvet/internal/report"
)

// live.md row 63: 5 > 2 > 1 > 3 > 4 > 0.
func TestWorst(t *testing.T) {
	order := []report.ExitCode{5, 2, 1, 3, 4, 0}
	for i, a := range order {
		for _, b := range order[i:] {
			if got := Worst(b, a); got != a {
				t.Errorf("Worst(%d, %d) = %d", b, a, got)
			}
		}
	}
}

func TestDecide(t *testing.T) {
	broken := &slo.Compliance{Verdict: slo.Broken, Checked: []slo.Checked{{Verdict: slo.Broken, State: slo.Critical}}}
	unknown := &slo.Compliance{Verdict: slo.Inconclusive, Checked: []slo.Checked{{Verdict: slo.Inconclusive}}}
	for _, c := range []struct {
		name    string
		cases   []gate.Verdict
		slo     *slo.Compliance
		partial bool
		p       Policy
		verdict gate.Verdict
		exit    report.ExitCode
	}{
		{"pass", []gate.Verdict{gate.Pass, gate.Pass}, nil, false, Policy{}, gate.Pass, 0},
		{"one of many", []gate.Verdict{gate.Pass, gate.Fail, gate.Inconclusive}, nil, false, Policy{}, gate.Fail, 1},
		{"inconclusive warns", []gate.Verdict{gate.Pass, gate.Inconclusive}, nil, false, Policy{Inconclusive: "fail"}, gate.Inconclusive, 4},
		{"inconclusive passes", []gate.Verdict{gate.Pass, gate.Inconclusive}, nil, false, Policy{Inconclusive: "pass"}, gate.Inconclusive, 0},
		{"invalid before all", []gate.Verdict{gate.Fail, gate.Invalid}, broken, true, Policy{SLO: true}, gate.Invalid, 5},
		{"objective", []gate.Verdict{gate.Pass}, broken, false, Policy{SLO: true}, gate.Pass, 3},
		{"objective that fails nothing", []gate.Verdict{gate.Pass}, broken, false, Policy{}, gate.Pass, 0},
		{"objective before inconclusive", []gate.Verdict{gate.Inconclusive}, broken, false, Policy{SLO: true}, gate.Inconclusive, 3},
		{"regression before objective", []gate.Verdict{gate.Fail}, broken, false, Policy{SLO: true}, gate.Fail, 1},
		{"unknown objective", []gate.Verdict{gate.Pass}, unknown, false, Policy{SLO: true}, gate.Pass, 4},
		{"unknown objective passes", []gate.Verdict{gate.Pass}, unknown, false, Policy{SLO: true, Inconclusive: "pass"}, gate.Pass, 0},
		{"ended", []gate.Verdict{gate.Inconclusive}, nil, true, Policy{}, gate.Inconclusive, 3},
		{"ended, and passes", []gate.Verdict{gate.Inconclusive}, nil, true, Policy{Inconclusive: "pass"}, gate.Inconclusive, 3},
		{"a regression was found before", []gate.Verdict{gate.Fail}, nil, true, Policy{}, gate.Fail, 1},
		{"nothing", nil, nil, false, Policy{}, gate.Inconclusive, 4},
	} {
		r := &Report{Mode: Live, SLO: c.slo, Partial: c.partial}
		for _, v := range c.cases {
			r.Cases = append(r.Cases, Case{Verdict: v})
		}
		if r.Decide(c.p); r.Verdict != c.verdict || r.Exit != c.exit {
			t.Errorf("%s: %s, exit %d, want %s, %d", c.name, r.Verdict, r.Exit, c.verdict, c.exit)
		}
	}
}

// example is a report with all that one may have.
func example() *Report {
	number := func(n int64) *int64 { return &n }
	bound := func(f float64) *float64 { return &f }
	scan := func(how, index string) []results.Scan {
		return []results.Scan{{Relation: "public.visits", Alias: "visits", How: how, Index: index, Pages: 340, Rows: 20000, Indexes: []string{"public.visits_pkey"}}}
	}
	a := &results.Work{Fingerprint: "a", Plan: []string{"Limit", "  Index Scan using visits_guest_idx on visits"}, Blocks: number(22), Rows: number(20), WALRecords: number(0), Scans: scan("Index Scan using visits_guest_idx on visits", "public.visits_guest_idx")}
	b := &results.Work{Fingerprint: "b", Plan: []string{"Limit", "  Sort", "    Seq Scan on visits"}, Blocks: number(340), Rows: number(20), WALRecords: number(0), Scans: scan("Seq Scan on visits", "")}
	diff := work.Compare(a, b, 0.1)
	r := &Report{
		Version: ReportVersion, Mode: Live, CorrelationID: "pr-123", Threshold: 10, Started: time.Unix(0, 0).UTC(), Finished: time.Unix(60, 0).UTC(),
		A: Side{"main", "0123456789abcdef"}, B: Side{Name: "this tree"}, Environment: results.Environment{OS: "linux", Arch: "amd64", Cores: 2, Postgres: "17.1"},
		Cases: []Case{
			{Suite: "db", Case: "visits of a guest", Service: "Visits", Operation: "List", Verdict: gate.Fail, Labels: []string{MoreWork}, Reasons: diff.Worse(true), Causes: diff.Causes, Work: diff, Reproduce: "planvet gate --suite db --case 'visits of a guest' --base-ref main", Ratios: [][]float64{{2.1}, nil}},
			{Suite: "db", Case: "close | <b>", Service: "Visits", Operation: "Close", Verdict: gate.Fail, Labels: []string{"tail-only"}, Reasons: []string{}, Causes: []work.Cause{},
				P50: &Change{A: 2, B: 2.1, Percent: 5, Low: bound(4), High: bound(6), P: bound(0.001), Samples: 4000}, P95: &Change{A: 4, B: 6, Percent: 50, Low: bound(41), High: bound(58), P: bound(1e-12), Adjusted: bound(2e-12), Samples: 4000},
				Confirm: &Change{A: 4, B: 6.1, Percent: 52, Low: bound(40), High: bound(60), Samples: 2000}, Rounds: 80, Epochs: 16, A: Arm{Requests: 4000, Distribution: []results.Bucket{{UpTo: 5, Count: 4000}}}, B: Arm{Requests: 4000, Errors: 3}},
			{Suite: "api", Case: "GET /slips", Service: "RatingSlip", Operation: "List", Verdict: gate.Inconclusive, Labels: []string{LowConfidence, Insufficient}, Reasons: []string{"insufficient: 3 of 10 runs that a verdict on times needs"}, Causes: []work.Cause{}, History: &History{Runs: 3, P95: []float64{3, 3.1, 3.3}, Sigma: 4.8, Limit: 14.9}},
		},
		NotCompared: []NotCompared{{Suite: "e2e", Why: "no other version is named"}}, Notes: []string{"A is PostgreSQL 16.1, B is 17.1"}, Reproduce: "planvet gate --base-ref main --seed 7",
	}
	r.Decide(Policy{})
	return r
}

func TestText(t *testing.T) {
	var text, md strings.Builder
	if err := example().Text(&text, report.TextOptions{}); err != nil {
		t.Fatal(err)
	}
	casetest.Golden(t, "testdata/gate.txt", text.String())
	if err := example().Markdown(&md); err != nil {
		t.Fatal(err)
	}
	casetest.Golden(t, "testdata/gate.md", md.String())
}

func TestContract(t *testing.T) {
	const file = "../../report/testdata/contract/gate.schema.json"
	schema, err := jsonschema.NewCompiler().Compile(file)
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := example().JSON(&b); err != nil {
		t.Fatal(err)
	}
	for _, c := range [][2]string{{"", ""}, {`"mode": "live"`, `"mode": "dead"`}, {`"verdict": "fail"`, `"verdict": "perhaps"`}, {`"index-gone"`, `"bad-luck"`}, {`"exit": 1`, `"exit": 7`}} {
		text := b.String()
		if c[0] != "" {
			if text = strings.ReplaceAll(text, c[0], c[1]); text == b.String() {
				t.Fatalf("%s is not in the report", c[0])
			}
		}
		doc, err := jsonschema.UnmarshalJSON(strings.NewReader(text))
		if err != nil {
			t.Fatal(err)
		}
		if err := schema.Validate(doc); (err == nil) != (c[0] == "") {
			t.Errorf("%s: %v", c[1], err)
		}
	}
	// Every field stands in the contract.
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	type object struct{ Properties map[string]any }
	var of struct {
		object
		Defs map[string]object `json:"$defs"`
	}
	if err := json.Unmarshal(text, &of); err != nil {
		t.Fatal(err)
	}
	check := func(typ reflect.Type, name string) {
		known := of.Defs[name].Properties
		if name == "" {
			known = of.Properties
		}
		for i := range typ.NumField() {
			tag, _, _ := strings.Cut(typ.Field(i).Tag.Get("json"), ",")
			if known[tag] == nil {
				t.Errorf("%s.%s is not in the contract", typ, typ.Field(i).Name)
			}
		}
	}
	for name, typ := range map[string]reflect.Type{"": reflect.TypeFor[Report](), "case": reflect.TypeFor[Case](), "change": reflect.TypeFor[Change](), "arm": reflect.TypeFor[Arm](), "history": reflect.TypeFor[History](), "diff": reflect.TypeFor[work.Diff](), "side": reflect.TypeFor[Side](), "work": reflect.TypeFor[results.Work](), "scan": reflect.TypeFor[results.Scan](), "environment": reflect.TypeFor[results.Environment](), "cause": reflect.TypeFor[work.Cause]()} {
		check(typ, name)
	}
}

// What the gate decided stands in the report with its samples.
func TestDecided(t *testing.T) {
	of := &gate.Case{}
	for range 8 {
		var e gate.Epoch
		for range 5 {
			r := gate.Round{A: gate.Arm{Errors: 1}}
			for i := range 50 {
				r.A.Samples = append(r.A.Samples, 10+float64(i)/10)
				r.B.Samples = append(r.B.Samples, 11+float64(i)/10)
			}
			e.Rounds = append(e.Rounds, r)
		}
		of.First = append(of.First, e)
	}
	d := gate.Judge([]gate.Case{*of}, gate.Options{Threshold: 0.1, Seed: 1})[0]
	var c Case
	c.Decided(&d, of)
	if c.A.Requests != 2040 || c.A.Errors != 40 || c.B.Requests != 2000 || len(c.Ratios) != 8 || len(c.Ratios[0]) != 5 {
		t.Errorf("%+v", c)
	}
	n := 0
	for i, b := range c.B.Distribution {
		n += b.Count
		if i > 0 && b.UpTo <= c.B.Distribution[i-1].UpTo {
			t.Errorf("%+v", c.B.Distribution)
		}
	}
	if n != 2000 || c.B.Distribution[len(c.B.Distribution)-1].UpTo != 15.9 {
		t.Errorf("%d in %+v", n, c.B.Distribution)
	}
	if c.P50 == nil || c.P95 == nil || math.Abs(c.P95.Percent-100*(15.7/14.7-1)) > 0.01 || !slices.Contains([]gate.Verdict{gate.Invalid, gate.Pass, gate.Inconclusive}, c.Verdict) {
		t.Errorf("%+v", c.P95)
	}
}

// A comment holds 65,536 characters: the worst cases stay, whatever one of them takes, and
// the cut is said.
func TestMarkdownWithin(t *testing.T) {
	r := example()
	whole, left := r.MarkdownWithin(1 << 20)
	if left != "" || !strings.HasPrefix(whole, Marker+"\n") {
		t.Errorf("what fits is cut: %s", left)
	}
	huge := strings.Repeat("  Index Scan using an_index_with_a_long_name on a_table\n", 3000)
	for i := range 2000 {
		c := Case{Suite: "api", Case: fmt.Sprintf("case %04d", i), Verdict: gate.Pass, P95: &Change{A: 10, B: 10, Percent: float64(i) / 1000}}
		switch i {
		case 1500:
			c.Verdict, c.P95.Percent, c.Reasons = gate.Fail, 300, []string{"the worst"}
			c.Work = &work.Diff{Plan: []work.DiffLine{{Op: "+", Text: huge}}}
		case 700:
			c.Verdict, c.P95.Percent, c.Reasons = gate.Fail, 12, []string{"the least"}
		case 3:
			c.Verdict, c.Reasons = gate.Invalid, []string{strings.Repeat("no measurement ", 10000)}
		}
		r.Cases = append(r.Cases, c)
	}
	r.Notes = append(r.Notes, huge, huge)
	for _, room := range []int{report.CommentLimit, 10_000, 3000} {
		text, left := r.MarkdownWithin(room)
		if len(text) > room || len(text) < room/3 || left == "" || !strings.Contains(text, left) {
			t.Errorf("%d: %d characters, %q", room, len(text), left)
		}
		for _, want := range []string{"| case 1500 | **fail** |", "the worst", "| case 0003 | **invalid** |", "again: `planvet gate --base-ref main --seed 7`", "exit "} {
			if !strings.Contains(text, want) {
				t.Errorf("%d: no %q", room, want)
			}
		}
		if strings.Count(text, "```")%2 != 0 || strings.Contains(text, "case 0000 ") {
			t.Errorf("%d: a fence is open, or what passed stands before what failed", room)
		}
	}
	if text, left := r.MarkdownWithin(100); text != "" || left == "" {
		t.Errorf("in 100 characters: %q", text)
	}
}

// live.md row 48: services by what their objectives say, the worst first.
func TestServices(t *testing.T) {
	r := example()
	at := func(ms float64) *results.Estimate { return &results.Estimate{Value: ms, Low: ms, High: ms} }
	run := &results.Results{Suites: []results.Suite{{Name: "api"}}}
	for _, k := range []struct {
		service, operation string
		p95                float64
	}{{"Loyalty", "Points", 10}, {"RatingSlip", "Close", 20}, {"RatingSlip", "List", 90}} {
		run.Suites[0].Cases = append(run.Suites[0].Cases, results.Case{Name: k.operation, Service: k.service, Operation: k.operation, Measured: results.Measured{Requests: 1000, Latency: results.Latency{P95: at(k.p95)}}})
	}
	var all []slo.Objective
	for _, c := range run.Suites[0].Cases {
		all = append(all, slo.Objective{Service: c.Service, Operation: c.Operation, P95Target: 40})
	}
	all[2].SpecRef = "NFR-7"
	all = append(all, slo.Objective{Service: "Floor", Operation: "Watch", P95Target: 40, SpecRef: "NFR-8"})
	r.SLO = slo.Check(all, run)
	text, _ := r.MarkdownWithin(1 << 20)
	_, table, _ := strings.Cut(text, "## Objectives, by service\n\n")
	table, _, _ = strings.Cut(table, "\n\n")
	if want := "| service | verdict | operations, the worst first |\n| --- | --- | --- |\n| RatingSlip | broken, critical | List broken by spec NFR-7, Close met |\n| Loyalty | met | Points met |"; table != want {
		t.Errorf("%s\nwant %s", table, want)
	}
	var b strings.Builder
	if err := r.Text(&b, report.TextOptions{}); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"objective RatingSlip List, spec NFR-7, broken: p95_ms", "objective without a case: Floor Watch, spec NFR-8"} {
		if !strings.Contains(b.String(), want) || !strings.Contains(text, "- "+want[:30]) {
			t.Errorf("%q is not in\n%s\n%s", want, b.String(), text)
		}
	}
}
