package slo

import (
	"bytes"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// Row 58: twenty runs of 300 answers, run i with i over the target, a day apart. In 28
// days before the last are all: 6,000 answers, a budget of 300, spent 0+1+…+19 = 190, so
// 110/300 remain. In a window of 9.5 days are the last ten: 3,000, a budget of 150,
// spent 10+…+19 = 145, 5/150 remain.
func TestBudget(t *testing.T) {
	start := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	var file bytes.Buffer
	for i := range 20 {
		r := run(mixed(300, i, 40, 90)...)
		r.Finished = start.AddDate(0, 0, i)
		c := Check([]Objective{{Service: "a", Operation: "b", P95Target: 80, MinRPS: 10}}, r)
		if err := c.Append(&file); err != nil {
			t.Fatal(err)
		}
	}
	text := file.String()
	history, err := ReadHistory(strings.NewReader(text))
	if err != nil || len(history) != 20 {
		t.Fatalf("%d runs, %v", len(history), err)
	}
	day, end := 24*time.Hour, start.AddDate(0, 0, 19)
	for _, c := range []struct {
		window             time.Duration
		runs, samples, bad int
		budget, remaining  float64
	}{{28 * day, 20, 6000, 190, 300, 110. / 300}, {228 * time.Hour, 10, 3000, 145, 150, 5. / 150}, {36 * time.Hour, 2, 600, 37, 30, -7. / 30}} {
		b := BudgetOf(history, end, c.window)
		if len(b.Lines) != 1 || b.Runs != c.runs {
			t.Fatalf("%s: got %+v", c.window, b)
		}
		l := b.Lines[0]
		if l.Samples != c.samples || l.Bad != c.bad || math.Abs(l.Budget-c.budget) > 1e-9 || math.Abs(l.Remaining-c.remaining) > 1e-9 || math.Abs(l.Burn-(1-c.remaining)) > 1e-9 || math.Abs(l.LastBurn-19./15) > 1e-9 || b.Empty() != (c.remaining < 0) {
			t.Errorf("%s: got %+v", c.window, l)
		}
	}
	if b := BudgetOf(history, start.AddDate(0, 0, -1), day); b.Runs != 0 || b.Empty() {
		t.Errorf("before all: got %+v", b)
	}
	for _, c := range [][2]string{{"{\n", "line 1 is no report"}, {text + "{\"version\": 7}\n", "line 21 is of version 7"}} {
		if _, err := ReadHistory(strings.NewReader(c[0])); err == nil || !strings.Contains(err.Error(), c[1]) {
			t.Errorf("got %v, want %q", err, c[1])
		}
	}
	budgetContract(t, BudgetOf(history, end, 28*day))
}

// A run without counts is not summed, and said; where no error is allowed, one empties.
func TestBudgetLimits(t *testing.T) {
	none := 0.0
	r := run(mixed(300, 40, 40, 90)...)
	r.Suites[0].Cases[0].Distribution = nil
	r.Suites[0].Cases[0].Errors.Count = 1
	c := Check([]Objective{{Service: "a", Operation: "b", P95Target: 80, ErrorRate: &none}}, r)
	b := BudgetOf([]*Compliance{c}, r.Finished, time.Hour)
	if len(b.Lines) != 2 || b.Lines[0].Measure != "error_rate" || !b.Lines[0].Empty || b.Lines[1].Uncounted != 1 || b.Lines[1].Samples != 0 || b.Lines[1].Empty {
		t.Errorf("got %+v", b.Lines)
	}
	budgetContract(t, b)
}

func budgetContract(t *testing.T, b *Budget) {
	t.Helper()
	schema, err := jsonschema.NewCompiler().Compile("../../report/testdata/contract/slo-budget.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	var text bytes.Buffer
	if err := b.JSON(&text); err != nil {
		t.Fatal(err)
	}
	for _, c := range [][2]string{{"samples", "samples"}, {`"version": 1`, `"version": 2`}, {`"burn"`, `"burns"`}, {`"bad": `, `"bad": -1`}} {
		doc, err := jsonschema.UnmarshalJSON(strings.NewReader(strings.ReplaceAll(text.String(), c[0], c[1])))
		if err != nil {
			t.Fatal(err)
		}
		if err := schema.Validate(doc); (err == nil) != (c[0] == c[1]) {
			t.Errorf("%s instead of %s: %v", c[1], c[0], err)
		}
	}
}
