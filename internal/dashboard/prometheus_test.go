package dashboard

import (
	"bytes"
	"math"
	"testing"

	"github.com/prometheus/common/expfmt"

	"github.com/planvet/planvet/internal/bench/slo"
)

// TestPrometheus holds what Prometheus's own parser reads against the figures, of every
// sample.
func TestPrometheus(t *testing.T) {
	for name, d := range samples(t) {
		var b bytes.Buffer
		if err := Prometheus(&b, d); err != nil {
			t.Fatal(err)
		}
		families, err := new(expfmt.TextParser).TextToMetricFamilies(&b)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		// at is the value of the series that has all of the labels; NaN for none.
		at := func(name string, labels ...string) float64 {
			for _, m := range families["planvet_kpi_"+name].GetMetric() {
				found := 0
				for _, l := range m.Label {
					for i := 0; i < len(labels); i += 2 {
						if l.GetName() == labels[i] && l.GetValue() == labels[i+1] {
							found += 2
						}
					}
				}
				if found == len(labels) {
					return m.GetGauge().GetValue()
				}
			}
			return math.NaN()
		}
		for _, p := range d.Panels {
			if got := at("measured", "panel", p.ID); got != map[bool]float64{true: 0, false: 1}[p.State == NotMeasured] {
				t.Errorf("%s: panel %s is measured: %v", name, p.ID, got)
			}
		}
		for _, e := range d.Endpoints {
			if e.Latency.P95 != nil && name != "hostile" && at("latency_seconds", "percentile", "95", "case", e.Name, "suite", e.Suite) != e.Latency.P95.Value/1000 {
				t.Errorf("%s: p95 of %s", name, e.Name)
			}
		}
		for _, o := range d.Objectives {
			if o.P95 != nil && name != "hostile" && (at("slo_broken", "service", o.Service, "operation", o.Operation) == 1) != (o.Verdict == slo.Broken) {
				t.Errorf("%s: %s %s", name, o.Service, o.Operation)
			}
		}
		if d.Hits != nil && d.Hits.Ratio != nil && at("cache_hit_ratio") != *d.Hits.Ratio {
			t.Errorf("%s: hit ratio %v", name, at("cache_hit_ratio"))
		}
		if d.Locks != nil && (at("lock_waiting_sessions") != float64(d.Locks.Waiting) || at("deadlocks") != float64(d.Locks.Deadlocks)) {
			t.Errorf("%s: locks", name)
		}
	}
}
