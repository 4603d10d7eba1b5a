package memory

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/planvet/planvet/internal/bench/gate"
	"github.com/planvet/planvet/internal/bench/results"
	"github.com/planvet/planvet/internal/bench/verdict"
	"github.com/planvet/planvet/internal/bench/work"
	"github.com/planvet/planvet/internal/report"
	"github.com/planvet/planvet/rules"
)

// took are what becomes of a document: source, outcome, task and figures of each entry, and
// what was left out.
func took(t *testing.T, document, before []byte) (entries []Entry, lines []string) {
	t.Helper()
	got, err := From(document, before)
	if err != nil {
		t.Fatal(err)
	}
	if entries, err = Settled(got.Entries, noon); err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		lines = append(lines, strings.Join([]string{e.Source, e.Outcome, e.Task, e.figures()}, "|"))
	}
	return entries, append(lines, got.LeftOut...)
}

func TestFromCheck(t *testing.T) {
	before, after := &rules.Evidence{Cost: 1234, SharedBlocks: 900}, &rules.Evidence{Cost: 8, SharedBlocks: 3}
	d := &report.Document{Findings: []rules.Finding{
		{
			ID: "v1:a", Rule: "rls-unindexed-predicate", Message: "visits.casino_id has no index", Object: rules.Object{Schema: "public", Table: "visits", Columns: []string{"casino_id"}, Policy: "own"},
			Fix:     &rules.Fix{SQL: []string{"create index concurrently\n  on visits (casino_id)"}},
			Query:   &rules.Query{Text: "select 1 from visits where casino_id = $1", Fingerprint: "f1"},
			Verdict: rules.Verdict{Status: rules.Confirmed, Level: rules.Measured, Before: before, After: after},
		},
		{ID: "v1:b", Rule: "x", Location: rules.Location{Path: "a.sql", Line: 3}, Verdict: rules.Verdict{Status: rules.Refuted, Before: before, After: after}},
		{ID: "v1:c", Rule: "rls-initplan", Location: rules.Location{Path: "a.sql", Line: 4}, Verdict: rules.Verdict{Status: rules.Confirmed, Before: before}},
	}}
	var doc bytes.Buffer
	if err := report.JSON(&doc, d); err != nil {
		t.Fatal(err)
	}
	entries, lines := took(t, doc.Bytes(), nil)
	if d := cmp.Diff([]string{
		"check|confirmed|visits.casino_id has no index|900 → 3 blocks (−99.66 %)",
		"a.sql:3 x: not confirmed", "a.sql:4 rls-initplan: its evidence has no before and after",
	}, lines); d != "" {
		t.Error(d)
	}
	e := entries[0]
	if e.Object != "public.visits (casino_id), policy own" || e.Fingerprint != "f1" || e.Pattern != "create index concurrently on visits (casino_id)" || strings.Join(e.Tags, " ") != "indexing performance rls" || e.Finding != "v1:a" || !strings.HasPrefix(e.ID, "check-") {
		t.Errorf("%+v", e)
	}
	if again, _ := took(t, doc.Bytes(), nil); again[0].ID != e.ID {
		t.Error("the same file gives another entry")
	}
}

func TestFromGate(t *testing.T) {
	kase := func(name string, v gate.Verdict, a, b float64, labels ...string) verdict.Case {
		return verdict.Case{Suite: "api", Case: name, Service: "Visit", Operation: "List", Verdict: v, Labels: labels, P95: &verdict.Change{A: a, B: b}, Causes: []work.Cause{{Kind: work.IndexGone, Text: "the index is gone"}}}
	}
	r := &verdict.Report{
		Version: verdict.ReportVersion, Mode: verdict.Live, A: verdict.Side{Name: "main", Commit: "abc"},
		Cases: []verdict.Case{
			kase("better", gate.Pass, 450, 85, string(gate.Improved)), kase("worse", gate.Fail, 85, 450), kase("same", gate.Pass, 100, 99), kase("unclear", gate.Inconclusive, 100, 50), kase("none", gate.Pass, 1, 1),
		},
	}
	r.Cases[4].P95 = nil
	var doc bytes.Buffer
	if err := r.JSON(&doc); err != nil {
		t.Fatal(err)
	}
	entries, lines := took(t, doc.Bytes(), nil)
	if d := cmp.Diff([]string{
		"gate|success|api better|p95 450 ms → 85.0 ms (−81 %)", "gate|failure|api worse|p95 85.0 ms → 450 ms (+429 %)",
		"api same: the gate calls it neither improved nor slower", "api unclear: the gate calls it neither improved nor slower", "api none: it has no p95, and no blocks of both",
	}, lines); d != "" {
		t.Error(d)
	}
	if e := entries[1]; e.Validation.Results["before"] != "main abc" || e.Lessons[0] != "the index is gone" || e.Object != "Visit List" {
		t.Errorf("%+v", e)
	}
}

func TestFromBench(t *testing.T) {
	kase := func(name string, low, p95, high float64) results.Case {
		c := results.Case{Name: name, Service: "Visit", Operation: name, Load: "open", SQL: "select * from visits where id = 1"}
		if p95 > 0 {
			c.Latency.P95 = &results.Estimate{Value: p95, Low: low, High: high}
		}
		return c
	}
	file := func(cores int, cs ...results.Case) []byte {
		text, err := json.Marshal(&results.Results{Version: 1, Environment: results.Environment{OS: "linux", Cores: cores}, Suites: []results.Suite{{Name: "db", Cases: cs}}})
		if err != nil {
			t.Fatal(err)
		}
		return text
	}
	before := file(4, kase("better", 400, 450, 500), kase("same", 80, 90, 100), kase("few", 0, 0, 0), kase("worse", 80, 85, 90))
	after := file(4, kase("better", 80, 85, 90), kase("same", 85, 95, 105), kase("few", 0, 0, 0), kase("worse", 400, 450, 500), kase("new", 1, 2, 3))
	entries, lines := took(t, after, before)
	if d := cmp.Diff([]string{
		"bench|success|db better|p95 450 ms → 85.0 ms (−81 %)", "bench|failure|db worse|p95 85.0 ms → 450 ms (+429 %)",
		"db same: the confidence intervals of both p95 meet", "db few: it has no p95 before and after", "db new: the results of before do not have it",
	}, lines); d != "" {
		t.Error(d)
	}
	if entries[0].Fingerprint != fingerprint("select * from visits where id = $1") {
		t.Errorf("%+v", entries[0])
	}
	for want, c := range map[string][2][]byte{
		"name those of before": {after, nil}, "two environments": {file(8), before}, "it is none of": {[]byte("{}"), nil}, "no JSON of planvet's": {[]byte("x"), nil},
		"findings of version 2": {[]byte(`{"schema_version": "2", "findings": []}`), nil}, "go with results of a benchmark only": {[]byte(`{"schema_version": "1", "findings": []}`), before},
		"verdicts of version 9": {[]byte(`{"version": 9, "mode": "live"}`), nil},
	} {
		if _, err := From(c[0], c[1]); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %s", err, want)
		}
	}
}
