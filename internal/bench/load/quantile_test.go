package load

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"
)

// The ranks cover the quantile with at least 95 %, by the binomial distribution itself,
// and no narrower pair at either end would with both tails kept.
func TestRanks(t *testing.T) {
	for _, q := range []float64{0.5, 0.95, 0.99} {
		for _, n := range []int{6, 7, 20, 59, 60, 72, 100, 299, 300, 500, 1000, 20_000} {
			low, high, ok := ranks(n, q)
			if enough := math.Pow(q, float64(n)) <= 0.05 && n >= 6; !enough {
				if ok && q > 0.5 {
					t.Errorf("n %d, q %g: bounded by %d, %d", n, q, low, high)
				}
				continue
			}
			if !ok {
				t.Errorf("n %d, q %g: not bounded", n, q)
				continue
			}
			covered := 0.0
			for k := low; k < high; k++ {
				covered += probability(n, k, q)
			}
			if covered < 0.95-1e-9 || low < 1 || high > n {
				t.Errorf("n %d, q %g: %d to %d covers %g", n, q, low, high, covered)
			}
		}
	}
	// Tables of the sign test: n 10, 2 and 9; n 20, 6 and 15; n 100, 40 and 61.
	for _, c := range [][3]int{{10, 2, 9}, {20, 6, 15}, {100, 40, 61}} {
		if low, high, ok := ranks(c[0], 0.5); !ok || low != c[1] || high != c[2] {
			t.Errorf("n %d: %d and %d, want %d and %d", c[0], low, high, c[1], c[2])
		}
	}
}

// Of many draws the interval holds the true quantile as often as it says.
func TestCoverage(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	const trials, n = 2000, 100
	held := 0
	for range trials {
		s := newSamples()
		for range n {
			u := rng.Float64()
			s.add(&Outcome{}, time.Duration(u*float64(time.Second)))
		}
		p95 := s.Measured().Latency.P95
		if p95.Low <= 950.5 && p95.High >= 950 {
			held++
		}
	}
	if held < trials*94/100 {
		t.Errorf("held in %d of %d", held, trials)
	}
}

func TestMeasured(t *testing.T) {
	s := newSamples()
	for i := 1; i <= 300; i++ {
		s.add(&Outcome{}, time.Duration(i)*time.Millisecond)
	}
	s.add(&Outcome{Class: "503"}, time.Microsecond)
	m := s.Measured()
	near := func(got, want float64) bool { return math.Abs(got-want) <= want/500 }
	if m.Requests != 301 || m.Errors.Count != 1 || !near(m.Latency.P50.Value, 150) || !near(m.Latency.P95.Value, 285) || !near(m.Latency.P99.Value, 297) || !near(m.Latency.Max, 300) || !near(m.Latency.Mean, 150.5) {
		t.Errorf("got %+v, %+v %+v %+v", m, m.Latency.P50, m.Latency.P95, m.Latency.P99)
	}
	n := 0
	last := 0.0
	for _, b := range s.Distribution() {
		if b.UpTo <= last {
			t.Errorf("bounds do not ascend: %+v", b)
		}
		n, last = n+b.Count, b.UpTo
	}
	if n != 300 || !near(last, 300) {
		t.Errorf("the distribution counts %d up to %g", n, last)
	}
	// Wilson's interval of 5 of 100, as published: 0.0215 to 0.1118.
	if e := share(5, 100); math.Abs(e.Low-0.0215) > 5e-5 || math.Abs(e.High-0.1118) > 5e-5 {
		t.Errorf("got %+v", e)
	}
}
