package dashboard

import (
	"bytes"
	"encoding/json"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/planvet/planvet/internal/bench/results"
	"github.com/planvet/planvet/internal/bench/slo"
	"github.com/planvet/planvet/internal/explain"
	"github.com/planvet/planvet/internal/monitor"
)

func asJSON(t testing.TB, d *Dashboard) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := JSON(&b, d); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// The same inputs give the same figures, which are those of the golden file.
func TestGolden(t *testing.T) {
	for name, d := range samples(t) {
		if name == "hostile" {
			continue
		}
		// Series are long; their sums are held by TestFigures.
		golden := "testdata/" + name + ".json"
		got := asJSON(t, withoutSeries(d))
		if os.Getenv("UPDATE") == "1" {
			if err := os.WriteFile(golden, got, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(golden)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got, want) {
			t.Errorf("%s: the figures are not those of %s; UPDATE=1 writes them", name, golden)
		}
	}
}

// withoutSeries is a copy with the first two samples of each series.
func withoutSeries(d *Dashboard) *Dashboard {
	var out Dashboard
	text, _ := json.Marshal(d)
	json.Unmarshal(text, &out)
	var cut func(v reflect.Value)
	cut = func(v reflect.Value) {
		switch v.Kind() {
		case reflect.Pointer:
			if !v.IsNil() {
				cut(v.Elem())
			}
		case reflect.Slice:
			if v.Type() == reflect.TypeFor[[]Sample]() && v.Len() > 2 {
				v.SetLen(2)
			}
			for i := range v.Len() {
				cut(v.Index(i))
			}
		case reflect.Struct:
			if v.Type() == reflect.TypeFor[time.Time]() {
				return
			}
			for i := range v.NumField() {
				cut(v.Field(i))
			}
		}
	}
	cut(reflect.ValueOf(&out))
	return &out
}

// Each form follows the contract, and the contract refuses what it should.
func TestContract(t *testing.T) {
	schema, err := jsonschema.NewCompiler().Compile("../report/testdata/contract/dashboard.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	validate := func(text string) error {
		doc, err := jsonschema.UnmarshalJSON(strings.NewReader(text))
		if err != nil {
			t.Fatal(err)
		}
		return schema.Validate(doc)
	}
	all := samples(t)
	for name, d := range all {
		if err := validate(string(asJSON(t, d))); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	text := string(asJSON(t, all["full"]))
	for _, c := range [][2]string{{`"version": 1`, `"version": 2`}, {`"state": "critical"`, `"state": "grave"`}, {`"top": [`, `"first": [`}, {`"state": "minor"`, `"state": "small"`}, {`"deadlocks"`, `"dead_locks"`}} {
		if !strings.Contains(text, c[0]) {
			t.Fatalf("%s is not in the figures", c[0])
		}
		if validate(strings.ReplaceAll(text, c[0], c[1])) == nil {
			t.Errorf("%s instead of %s passes", c[1], c[0])
		}
	}
}

// The parts add up to the whole, and each figure is that of its readings.
func TestFigures(t *testing.T) {
	d := samples(t)["full"]
	readings := sampleReadings()
	sum := 0.0
	for _, s := range d.Statements.Load {
		sum += s.Value * s.To.Sub(s.From).Seconds() * 1000
	}
	if want := d.Statements.Totals.ExecMS; sum < want*0.9999 || sum > want*1.0001 {
		t.Errorf("the load adds up to %.0f ms, the total is %.0f", sum, want)
	}
	for k := range d.Statements.Load {
		parts := d.Statements.Rest[k].Value
		for _, q := range d.Statements.Top[:drawnStatements] {
			parts += q.Load[k].Value
		}
		if all := d.Statements.Load[k].Value; parts < all*0.9999 || parts > all*1.0001 {
			t.Errorf("at %s the parts are %v of %v", d.Statements.Load[k].From, parts, all)
		}
	}
	if d.Locks.Deadlocks != 2 || d.Locks.Peak != 6 || d.Locks.Waiting != 2 {
		t.Errorf("locks %+v", d.Locks)
	}
	if len(d.Marks) != 2 || d.Marks[0].What != "reset" || !d.Marks[0].At.Equal(readings[20].Statements.Reset) || d.Marks[1].What != "restart" {
		t.Errorf("marks %+v", d.Marks)
	}
	if n := len(d.Selectivity.Series); n != 47 {
		t.Errorf("selectivity has %d samples, want all but that of the reset", n)
	}
	var read int64
	for i, r := range readings {
		for k := range r.Scans {
			if i > 0 && i != 20 {
				read += r.Scans[k].Rows() - readings[i-1].Scans[k].Rows()
			}
		}
	}
	if *d.Selectivity.Read != read {
		t.Errorf("%d rows read, want %d", *d.Selectivity.Read, read)
	}
}

func TestObjectives(t *testing.T) {
	got := map[string]slo.State{}
	for _, o := range samples(t)["full"].Objectives {
		got[o.Service+" "+o.Operation] = o.State
		if (o.P95 == nil) != (o.State == slo.NotMeasured) || o.P95 == nil && o.Why == "" || (o.Verdict == slo.Broken) != (o.State != slo.Green && o.P95 != nil) {
			t.Errorf("%+v", o)
		}
	}
	// MovePlayer has too few samples as an endpoint, and enough as a step of a flow.
	want := map[string]slo.State{
		"RatingSlip UpdateTelemetry": slo.Green, "RatingSlip Open": slo.Minor, "RatingSlip Close": slo.Warning, "Loyalty Ledger": slo.Critical,
		"Player Search": slo.Green, "TableContext MovePlayer": slo.Minor, "Loyalty Redeem": slo.NotMeasured,
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %v", got)
	}
	for _, o := range samples(t)["full"].Objectives {
		if o.Alert != (o.Operation == "Ledger") {
			t.Errorf("alert of %s %s is %v", o.Service, o.Operation, o.Alert)
		}
	}
}

// A p95 over its target breaks an objective where chance does not explain it, as slo
// check has it: of 300 answers 15 may be over a p95, and up to 24 are by chance.
func TestObjectivesByChance(t *testing.T) {
	objectives := []slo.Objective{{Service: "Slip", Operation: "List", P95Target: 100, SpecRef: "NFR-7"}}
	for over, want := range map[int]struct {
		state    slo.State
		verdict  slo.Verdict
		panel    string
		headline string
	}{
		20: {slo.Green, slo.Met, Good, "by what chance explains"},
		40: {slo.Minor, slo.Broken, Warning, "is furthest over"},
	} {
		r := &results.Results{Version: 1, Suites: []results.Suite{{Name: "api", Cases: []results.Case{{
			Name: "slips", Service: "Slip", Operation: "List", Load: "open",
			Measured:     results.Measured{Requests: 300, Latency: results.Latency{P95: &results.Estimate{Value: 110, Low: 90, High: 118}}},
			Distribution: []results.Bucket{{UpTo: 50, Count: 200}, {UpTo: 100, Count: 100 - over}, {UpTo: 120, Count: over}},
		}}}}}
		d := Build(Inputs{Results: r, Objectives: objectives})
		o, p := d.Objectives[0], d.panel("slo")
		if o.State != want.state || o.Verdict != want.verdict || o.Why == "" || d.Endpoints[0].State != want.state || p.State != want.panel || !strings.Contains(p.Headline, want.headline) {
			t.Errorf("%d over: %+v, endpoint %s, %+v", over, o, d.Endpoints[0].State, p)
		}
		if page := string(asHTML(t, d)); !strings.Contains(page, "Slip List, spec NFR-7") {
			t.Error("the page does not say where the objective is written down")
		}
	}
}

// What was not measured says so, names a command, and has no figure.
func TestNotMeasured(t *testing.T) {
	all := samples(t)
	for name, want := range map[string]int{"nothing": 12, "full": 0, "now": 7, "bench": 7, "slo": 12} {
		n := 0
		for _, p := range all[name].Panels {
			if p.State != NotMeasured {
				if p.Figure == "" || p.Headline == "" || p.Command != "" {
					t.Errorf("%s: %+v", name, p)
				}
				continue
			}
			if n++; p.Figure != "" || p.Command == "" || p.Headline == "" {
				t.Errorf("%s: %+v", name, p)
			}
		}
		if n != want {
			t.Errorf("%s: %d panels are not measured, want %d", name, n, want)
		}
	}
	page := string(asHTML(t, all["nothing"]))
	if n := strings.Count(page, ">not measured</span> "); n != 0 && n < 12 {
		t.Errorf("%d tags", n)
	}
	for _, command := range []string{withResults, withSLOs, withOverhead} {
		if !strings.Contains(page, command) {
			t.Errorf("%s is not on the page", command)
		}
	}
}

// Idle servers have figures of zero, which are not those of an unknown.
func TestIdle(t *testing.T) {
	readings := sampleReadings()[:2]
	again := *readings[1]
	st := *again.Statements
	st.At = st.At.Add(time.Minute)
	again.Statements = &st
	c := courseOf([]*monitor.Reading{readings[1], &again})
	d := Build(Inputs{Made: morning, Course: c, Options: monitor.Options{Limits: monitor.DefaultLimits}})
	for id, want := range map[string]string{"statements": Neutral, "hits": NotMeasured, "selectivity": Neutral, "locks": Good} {
		if p := d.panel(id); p.State != want {
			t.Errorf("%s is %+v, want %s", id, p, want)
		}
	}
	asHTML(t, d)
}

func TestReadRLS(t *testing.T) {
	overhead := explain.Overhead{Role: "authenticated", Enforced: explain.Arm{MS: 9}, Ideal: explain.Arm{MS: 2}, SameRows: true, MS: 7}
	differ := explain.Overhead{Role: "authenticated", Problem: "the arms returned other rows", MS: 3}
	for name, c := range map[string]struct {
		report any
		want   []RLSCost
	}{
		"rls overhead": {&explain.OverheadReport{Version: 1, Tables: []explain.TableOverhead{{Table: "public.a", SQL: "select 1", Overhead: overhead}, {Table: "public.b", Overhead: differ}}},
			[]RLSCost{{Table: "public.a", SQL: "select 1", Role: "authenticated", Enforced: 9, Ideal: 2, MS: ptr(7.0)}, {Table: "public.b", Role: "authenticated", Problem: "the arms returned other rows"}}},
		"explain": {&explain.Report{Version: 1, SQL: "select 2", RLS: &overhead}, []RLSCost{{SQL: "select 2", Role: "authenticated", Enforced: 9, Ideal: 2, MS: ptr(7.0)}}},
	} {
		text, err := json.Marshal(c.report)
		if err != nil {
			t.Fatal(err)
		}
		got, err := ReadRLS(bytes.NewReader(text))
		if err != nil || !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s: got %+v, %v", name, got, err)
		}
	}
	for _, text := range []string{"", "[]", `{"version": 1}`, `{"version": 9, "tables": []}`} {
		if _, err := ReadRLS(strings.NewReader(text)); err == nil {
			t.Errorf("%q is taken for a report", text)
		}
	}
}

func ptr[T any](x T) *T { return &x }

// A pool with a queue is critical, whatever the server's own connections are.
func TestSaturatedPool(t *testing.T) {
	all := sampleReadings()[36:39]
	d := Build(Inputs{Made: morning, Course: courseOf(all), Options: monitor.Options{Limits: monitor.DefaultLimits}})
	p, pool := d.panel("connections"), all[2].Pools[0]
	if p.State != Critical || p.Figure != "10 queued" || pool.Waiting != 10 || !reflect.DeepEqual(d.Connections.Pools[0], pool) {
		t.Errorf("got %+v of %+v", p, pool)
	}
	if w := d.Connections.Waiting; len(w) != 2 || w[0].Value != float64(all[1].Pools[0].Waiting) || w[1].Value != 10 {
		t.Errorf("queue over time %+v", w)
	}
	if !strings.Contains(string(asHTML(t, d)), `class="bad">saturated`) {
		t.Error("the verdict is not marked")
	}
}

// What is but possible warns of nothing, and says what it is; who sends a statement is
// named.
func TestPossibleFlag(t *testing.T) {
	q := monitor.Query{Rank: 1, QueryIDs: []string{"1"}, SQL: "select a from b where id = $1", Owner: "store/b.go:12", Flags: []monitor.Flag{{Name: "follows-rows-of", Message: "m", Certainty: "possible"}}}
	d := &Dashboard{Statements: &Statements{Top: []Statement{{Query: q}}}}
	if p := d.statementsPanel(); p.State != Neutral {
		t.Errorf("got %+v", p)
	}
	d.Panels = d.panels(Inputs{})
	if page := string(asHTML(t, d)); !strings.Contains(page, "store/b.go:12") || !strings.Contains(page, `<p class="soft">possible: follows-rows-of: m</p>`) {
		t.Error("the flag or the owner is not on the page")
	}
	d.Statements.Top[0].Flags = append(q.Flags, monitor.Flag{Name: "low-hit-ratio"})
	if p := d.statementsPanel(); p.State != Warning {
		t.Errorf("got %+v", p)
	}
}

// Every field of the figures stands in the contract.
func TestContractComplete(t *testing.T) {
	text, err := os.ReadFile("../report/testdata/contract/dashboard.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	type object struct{ Properties map[string]any }
	var schema struct {
		object
		Defs map[string]object `json:"$defs"`
	}
	if err := json.Unmarshal(text, &schema); err != nil {
		t.Fatal(err)
	}
	var names []string
	for name := range schema.Properties {
		names = append(names, name)
	}
	for _, o := range schema.Defs {
		for name := range o.Properties {
			names = append(names, name)
		}
	}
	seen := map[reflect.Type]bool{}
	var walk func(typ reflect.Type)
	walk = func(typ reflect.Type) {
		switch typ.Kind() {
		case reflect.Pointer, reflect.Slice, reflect.Map:
			walk(typ.Elem())
		case reflect.Struct:
			if seen[typ] || typ == reflect.TypeFor[time.Time]() {
				return
			}
			seen[typ] = true
			for i := range typ.NumField() {
				f := typ.Field(i)
				name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
				if f.IsExported() && !f.Anonymous && !slices.Contains(names, name) {
					t.Errorf("%s.%s, %q, is not in the contract", typ, f.Name, name)
				}
				if f.IsExported() || f.Anonymous {
					walk(f.Type)
				}
			}
		}
	}
	walk(reflect.TypeFor[Dashboard]())
}
