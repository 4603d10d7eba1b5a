package results_test

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/planvet/planvet/internal/bench/results"
)

// buckets counts values as a benchmark does: a bucket begins with its first value.
func buckets(values []float64) []results.Bucket {
	slices.Sort(values)
	var out []results.Bucket
	bound := 0.0
	for _, v := range values {
		if len(out) > 0 && v <= bound {
			out[len(out)-1] = results.Bucket{UpTo: v, Count: out[len(out)-1].Count + 1}
			continue
		}
		bound = v * 1.1
		out = append(out, results.Bucket{UpTo: v, Count: 1})
	}
	return out
}

// TestModes draws from known distributions: two kinds of work are two modes, and no
// single kind is, whatever its tail.
func TestModes(t *testing.T) {
	logNormal := func(r *rand.Rand, median, sigma float64) float64 { return median * math.Exp(sigma*r.NormFloat64()) }
	for name, c := range map[string]struct {
		draw func(r *rand.Rand) float64
		want []float64 // where the peaks are
	}{
		"log-normal":  {func(r *rand.Rand) float64 { return logNormal(r, 5, 0.4) }, []float64{5}},
		"narrow":      {func(r *rand.Rand) float64 { return 20 + 0.01*r.Float64() }, []float64{20}},
		"exponential": {func(r *rand.Rand) float64 { return r.ExpFloat64() * 10 }, []float64{10}},
		"a heavy tail": {func(r *rand.Rand) float64 {
			return math.Pow(1-r.Float64(), -1.0/2)
		}, []float64{1}},
		"few outliers": {func(r *rand.Rand) float64 {
			if r.Float64() < 0.01 {
				return logNormal(r, 500, 0.1)
			}
			return logNormal(r, 5, 0.2)
		}, []float64{5}},
		"hit and miss": {func(r *rand.Rand) float64 {
			if r.Float64() < 0.3 {
				return logNormal(r, 50, 0.2)
			}
			return logNormal(r, 2, 0.2)
		}, []float64{2, 50}},
		"three": {func(r *rand.Rand) float64 {
			return logNormal(r, []float64{1, 10, 100}[r.IntN(3)], 0.15)
		}, []float64{1, 10, 100}},
	} {
		wrong := 0
		for seed := range uint64(40) {
			r := rand.New(rand.NewPCG(seed, 7))
			values := make([]float64, 300)
			for i := range values {
				values[i] = c.draw(r)
			}
			got := results.Modes(buckets(values))
			total := 0.0
			ok := len(got) == len(c.want)
			for i, m := range got {
				total += m.Share
				// An exponential's peak on a scale of ratios is flat.
				ok = ok && m.At > c.want[i]/2.2 && m.At < c.want[i]*2.2
			}
			if math.Abs(total-1) > 1e-9 {
				t.Errorf("%s: shares are %v", name, got)
			}
			if !ok {
				wrong++
				if wrong == 1 {
					t.Logf("%s, seed %d: %+v, want %v", name, seed, got, c.want)
				}
			}
		}
		if wrong > 1 {
			t.Errorf("%s: %d of 40 draws are wrong", name, wrong)
		}
	}
	if got := results.Modes([]results.Bucket{{UpTo: 1, Count: 50}, {UpTo: 90, Count: 49}}); got != nil {
		t.Errorf("99 values have modes %v", got)
	}
}
