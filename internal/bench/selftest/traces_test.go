package selftest

import (
	"math"
	"slices"
	"testing"

	"github.com/planvet/planvet/internal/bench/gate"
)

// TestTraces logs how much the epochs of two identical services differ, which docs/gate.md
// tells, and holds what the gate's estimate rests on: that the Hodges-Lehmann estimate of
// an epoch's rounds scatters less than the p95 of all its requests.
func TestTraces(t *testing.T) {
	traces, err := Traces("testdata")
	if err != nil {
		t.Fatal(err)
	}
	better := 0
	for _, tr := range traces {
		if len(tr.Epochs) < 20 {
			t.Errorf("%s, %s: %d epochs, want 20", tr.Noise, tr.Case, len(tr.Epochs))
		}
		var p50, p95, pooled []float64
		for _, e := range tr.Epochs {
			var d50, d95 []float64
			var a, b []float64
			for _, r := range e.Rounds {
				d50, d95 = append(d50, ratio(r.A.Samples, r.B.Samples, 0.5)), append(d95, ratio(r.A.Samples, r.B.Samples, 0.95))
				a, b = append(a, r.A.Samples...), append(b, r.B.Samples...)
			}
			p50, p95 = append(p50, gate.HodgesLehmann(d50)), append(p95, gate.HodgesLehmann(d95))
			pooled = append(pooled, ratio(a, b, 0.95))
		}
		t.Logf("%-4s %-16s %d epochs of the same: p50 ±%.1f %%, p95 ±%.1f %%, p95 of all requests of an epoch ±%.1f %%",
			tr.Noise, tr.Case, len(p95), 100*rms(p50), 100*rms(p95), 100*rms(pooled))
		if rms(p95) < rms(pooled) {
			better++
		}
	}
	if better < len(traces)*2/3 {
		t.Errorf("the estimate of rounds scatters less in %d of %d traces", better, len(traces))
	}
}

func ratio(a, b []float64, q float64) float64 {
	return math.Log(gate.Quantile(slices.Sorted(slices.Values(b)), q) / gate.Quantile(slices.Sorted(slices.Values(a)), q))
}

// rms is the standard deviation about 0, which is true of arms that are the same.
func rms(x []float64) float64 {
	sum := 0.0
	for _, v := range x {
		sum += v * v
	}
	return math.Sqrt(sum / float64(len(x)))
}
