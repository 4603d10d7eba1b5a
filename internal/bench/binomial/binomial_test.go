package binomial

import (
	"math"
	"math/big"
	"math/rand/v2"
	"slices"
	"testing"
)

// TestBoundary is the table that live gates are held to: the smallest number over the
// target that fails a p95.
func TestBoundary(t *testing.T) {
	for _, c := range []struct{ n, from int }{{100, 12}, {300, 25}, {500, 38}, {1000, 68}} {
		if got := FailsFrom(c.n, 0.05); got != c.from {
			t.Errorf("n = %d: fails from %d, want %d", c.n, got, c.from)
		}
		if p, fails := OverTarget(c.n, c.from-1, 0.05); fails || p < Alpha {
			t.Errorf("n = %d: %d over fails, p = %g", c.n, c.from-1, p)
		}
		if p, fails := OverTarget(c.n, c.from, 0.05); !fails || p >= Alpha {
			t.Errorf("n = %d: %d over does not fail, p = %g", c.n, c.from, p)
		}
	}
	if got := FailsFrom(1, 0.05); got != 2 {
		t.Errorf("one request: fails from %d, want never (2)", got)
	}
	if got := FailsFrom(0, 0.05); got != 1 {
		t.Errorf("no request: fails from %d, want never (1)", got)
	}
}

// TestExact holds the sum against rational arithmetic.
func TestExact(t *testing.T) {
	for _, share := range []*big.Rat{big.NewRat(1, 100), big.NewRat(1, 20), big.NewRat(1, 2), big.NewRat(9, 10)} {
		p, _ := share.Float64()
		for _, n := range []int{1, 7, 60, 300} {
			tail := new(big.Rat)
			for k := n; k >= 0; k-- {
				term := new(big.Rat).SetInt(new(big.Int).Binomial(int64(n), int64(k)))
				rest := new(big.Rat).Sub(big.NewRat(1, 1), share)
				tail.Add(tail, term.Mul(term, power(share, k)).Mul(term, power(rest, n-k)))
				want, _ := tail.Float64()
				got, _ := OverTarget(n, k, p)
				if math.Abs(got-want) > max(1e-9*want, 1e-300) {
					t.Fatalf("n = %d, k = %d, share %v: %g, want %g", n, k, share, got, want)
				}
			}
		}
	}
}

func power(r *big.Rat, n int) *big.Rat {
	e := big.NewInt(int64(n))
	return new(big.Rat).SetFrac(new(big.Int).Exp(r.Num(), e, nil), new(big.Int).Exp(r.Denom(), e, nil))
}

func TestNeeded(t *testing.T) {
	for share, want := range map[float64]int{0.05: 59, 0.01: 299, 0.5: 5} {
		if got := Needed(share); got != want {
			t.Errorf("share %g needs %d, want %d", share, got, want)
		}
	}
}

// TestAtTheTarget draws services whose p95 is exactly the target: the count calls as
// many of them broken as its p says, where a comparison with the sample's p95 calls over a third.
func TestAtTheTarget(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	const runs = 5_000
	for _, n := range []int{100, 300, 1000} {
		target := math.Exp(0.5 * 1.6448536269514722)
		broken, naive := 0, 0
		samples := make([]float64, n)
		for range runs {
			over := 0
			for i := range samples {
				samples[i] = math.Exp(0.5 * random.NormFloat64())
				if samples[i] > target {
					over++
				}
			}
			if _, fails := OverTarget(n, over, 0.05); fails {
				broken++
			}
			slices.Sort(samples)
			if samples[(95*n+99)/100-1] > target {
				naive++
			}
		}
		// The share itself is under 1 % by TestExact; a draw of runs is within four of
		// its standard deviations of it.
		share, _ := OverTarget(n, FailsFrom(n, 0.05), 0.05)
		if expected := share * runs; math.Abs(float64(broken)-expected) > 4*math.Sqrt(expected) {
			t.Errorf("n = %d: %d of %d are called broken, want about %.0f", n, broken, runs, expected)
		}
		if naive*3 < runs {
			t.Errorf("n = %d: the comparison calls only %d of %d broken: the test draws the wrong services", n, naive, runs)
		}
		t.Logf("n = %d: %.2f %% by the count, %.1f %% by the sample's p95", n, 100*float64(broken)/runs, 100*float64(naive)/runs)
	}
}

func TestOverTargetRefuses(t *testing.T) {
	for _, c := range []struct {
		n, over int
		share   float64
	}{{-1, 0, 0.05}, {10, 11, 0.05}, {10, -1, 0.05}, {10, 1, 0}, {10, 1, 1}, {10, 1, math.NaN()}} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%+v was taken", c)
				}
			}()
			OverTarget(c.n, c.over, c.share)
		}()
	}
}
