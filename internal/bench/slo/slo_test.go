package slo

import (
	"strings"
	"testing"
)

// The seed's sample loads as it stands.
const sample = `{
  "slos": [
    {
      "service": "RatingSlip",
      "operation": "UpdateTelemetry",
      "p95_target_ms": 80,
      "metric_name": "ratingslip_update_latency_p95",
      "alert_threshold_ms": 100
    }
  ]
}`

func TestRead(t *testing.T) {
	all, err := Read(strings.NewReader(sample))
	if err != nil {
		t.Fatal(err)
	}
	if want := (Objective{Service: "RatingSlip", Operation: "UpdateTelemetry", P95Target: 80, Metric: "ratingslip_update_latency_p95", Alert: 100}); len(all) != 1 || all[0] != want {
		t.Errorf("got %+v", all)
	}
	for _, c := range []struct{ old, new, want string }{
		{`"p95_target_ms"`, `"p95_targt_ms"`, `line 6: unknown key "p95_targt_ms"; did you mean "p95_target_ms"?`},
		{`"metric_name"`, `"zzz"`, `line 7: unknown key "zzz": the keys here are service, operation, tier`},
		{`"slos": [`, `"slo": [`, `line 2: unknown key "slo"; did you mean "slos"?`},
		{`"metric_name": "rating`, `"operation": "rating`, `line 7: key "operation" is written twice`},
		{`"p95_target_ms": 80`, `"p95_target_ms": 0`, "line 6: p95_target_ms is 0, it must be a number over 0"},
		{`"p95_target_ms": 80`, `"p95_target_ms": "80"`, `line 6: p95_target_ms is "80", it must be a number`},
		{`"p95_target_ms": 80`, `"p95_target_ms": [80]`, `line 6: p95_target_ms must be a single value`},
		{`"p95_target_ms": 80`, `"tier": "fats"`, `line 6: tier is "fats", it must be one of fast, standard, complex, background; did you mean "fast"?`},
		{`"p95_target_ms": 80`, `"p95_target_ms": 80, "type": "reads"`, `line 6: type is "reads", it must be one of read-heavy`},
		{`"p95_target_ms": 80,`, ``, "line 3: RatingSlip UpdateTelemetry has no p95_target_ms and no tier"},
		{`"p95_target_ms": 80`, `"p95_target_ms": 80, "p50_target_ms": 81`, "p50_target_ms 81 is over p95_target_ms 80"},
		{`"p95_target_ms": 80`, `"p95_target_ms": 80, "p99_target_ms": 79`, "p99_target_ms 79 is under p95_target_ms 80"},
		{`"p95_target_ms": 80`, `"p95_target_ms": 80, "error_rate": 1`, "line 6: error_rate is 1, it must be a share"},
		{`"alert_threshold_ms": 100`, `"alert_threshold_ms": 70`, "line 3: RatingSlip UpdateTelemetry: alert_threshold_ms 70 is under p95_target_ms 80"},
		{`      "service": "RatingSlip",`, ``, "line 3: an objective names no service"},
		{`"slos": [`, `"slos": [{"service": "RatingSlip", "operation": "UpdateTelemetry", "p95_target_ms": 8}, `, "line 3: RatingSlip UpdateTelemetry stands twice, first in line 2"},
		{sample, `{"slos": []}`, "no objective"},
		{sample, sample + "{}", "line 11: something follows"},
		{sample, `[`, "line 1: here must be an object"},
		{sample, `{"slos": {}}`, "line 1: here must be a list"},
		{sample, "{\n\"slos\": [", "line 2: the file ends too early"},
		{sample, "{\n\"slos\" [", "line 2: invalid character"},
	} {
		if _, err := Read(strings.NewReader(strings.Replace(sample, c.old, c.new, 1))); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want %q", c.new, err, c.want)
		}
	}
}

// Row 56: a tier gives the three targets, and a written one wins.
func TestTiers(t *testing.T) {
	for tier, want := range map[string][3]float64{
		`"fast"`: {50, 100, 200}, `"standard"`: {100, 250, 500}, `"complex"`: {250, 500, 1000}, `"background"`: {1000, 2000, 5000},
		`"fast", "p99_target_ms": 150`: {50, 100, 150},
		`"fast", "p95_target_ms": 40`:  {40, 40, 200},
		`"fast", "p95_target_ms": 900`: {50, 900, 900},
	} {
		all, err := Read(strings.NewReader(`{"slos": [{"service": "a", "operation": "b", "tier": ` + tier + `}]}`))
		if err != nil {
			t.Fatalf("%s: %v", tier, err)
		}
		if o := all[0]; [3]float64{o.P50Target, o.P95Target, o.P99Target} != want {
			t.Errorf("%s gives %+v, want %v", tier, o, want)
		}
	}
}

// Rows 52 to 55: bands over the target, each with its upper end, and the alert apart.
func TestStates(t *testing.T) {
	o := Objective{P95Target: 80, Alert: 100}
	for p95, want := range map[float64]State{10: Green, 80: Green, 80.1: Minor, 85: Minor, 96: Minor, 96.1: Warning, 100: Warning, 120: Warning, 120.1: Critical, 125: Critical} {
		if got := o.Of(p95); got != want {
			t.Errorf("%g of 80 ms is %s, want %s", p95, got, want)
		}
	}
	if o.Alerts(100) || !o.Alerts(100.1) || (&Objective{P95Target: 80}).Alerts(1e9) {
		t.Error("the alert is not absolute")
	}
}
