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
	if want := (Objective{"RatingSlip", "UpdateTelemetry", 80, "ratingslip_update_latency_p95", 100}); len(all) != 1 || all[0] != want {
		t.Errorf("got %+v", all)
	}
	for _, c := range []struct{ old, new, want string }{
		{`"p95_target_ms"`, `"p95_targt_ms"`, `line 6: json: unknown field "p95_targt_ms"`},
		{`"p95_target_ms": 80`, `"p95_target_ms": 0`, "RatingSlip UpdateTelemetry: p95_target_ms is 0"},
		{`"alert_threshold_ms": 100`, `"alert_threshold_ms": 70`, "alert_threshold_ms 70 is under p95_target_ms 80"},
		{`"service": "RatingSlip"`, `"service": ""`, "objective 1 names no service"},
		{`"slos": [`, `"slos": [{"service": "RatingSlip", "operation": "UpdateTelemetry", "p95_target_ms": 8}, `, "stands twice"},
		{sample, `{"slos": []}`, "no objective"},
		{sample, `[`, "line 1"},
	} {
		if _, err := Read(strings.NewReader(strings.Replace(sample, c.old, c.new, 1))); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want %q", c.new, err, c.want)
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
