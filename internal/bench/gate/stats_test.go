package gate

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// near is agreement with a published figure that is known exactly.
func near(a, b float64) bool { return math.Abs(a-b) <= 1e-9 }

// hamilton is y - x of Hollander & Wolfe, Nonparametric Statistical Methods (1973),
// table 3.1: the depression scale of nine patients before and after treatment, the
// example of R's wilcox.test, here as x - y.
var hamilton = []float64{
	1.83 - 0.878, 0.50 - 0.647, 1.62 - 0.598, 2.48 - 2.05, 1.68 - 1.06, 1.88 - 1.29, 1.55 - 1.06, 3.06 - 3.14, 1.30 - 1.29,
}

func shifted(x []float64, by float64) []float64 {
	y := slices.Clone(x)
	for i := range y {
		y[i] -= by
	}
	return y
}

func TestSignedRankPublished(t *testing.T) {
	first := []float64{1.83, 0.50, 1.62, 2.48, 1.68, 1.88, 1.55, 3.06, 1.30}
	for _, c := range []struct {
		name string
		x    []float64
		v, p float64
	}{
		// R: V = 40, p-value = 0.01953, of 512 assignments 10.
		{"Hollander & Wolfe table 3.1", hamilton, 40, 10.0 / 512},
		// R, mu = 3, greater: V = 1, p-value = 0.998.
		{"first visits against 3", shifted(first, 3), 1, 511.0 / 512},
		// R, mu = 1.6, two-sided 0.4961: half of it is this side.
		{"first visits against 1.6", shifted(first, 1.6), 29, 127.0 / 512},
		// R 4.5.2, mu = 3, two-sided 0.8125, V = 9.
		{"five values against 3", shifted([]float64{1.5, 2.2, 3.1, 4, 5.3}, 3), 9, 0.40625},
		// The largest sum of n ranks is 1 of 2^n: the first rows of every table.
		{"all of five over 0", []float64{1, 2, 3, 4, 5}, 15, 1.0 / 32},
		{"all of eight over 0", []float64{1, 2, 3, 4, 5, 6, 7, 8}, 36, 1.0 / 256},
		// Tables of critical values (Wilcoxon & Wilcox 1964): n = 10, T <= 10 is 0.0420,
		// T <= 8 is 0.0244; n = 10, T <= 3 is 0.0049: 43, 25 and 5 of 1024.
		{"n = 10, T = 10", signs(10, 1, 2, 3, 4), 45, 43.0 / 1024},
		{"n = 10, T = 8", signs(10, 1, 3, 4), 47, 25.0 / 1024},
		{"n = 10, T = 3", signs(10, 3), 52, 5.0 / 1024},
		{"nothing", nil, 0, 1},
		{"zeros only", []float64{0, 0}, 0, 1},
	} {
		v, p := SignedRank(c.x)
		if !near(v, c.v) || !near(p, c.p) {
			t.Errorf("%s: V = %g, p = %.12g, want %g, %.12g", c.name, v, p, c.v, c.p)
		}
	}
}

// signs is 1..n, the given ones negative.
func signs(n int, negative ...int) []float64 {
	x := make([]float64, n)
	for i := range x {
		x[i] = float64(i + 1)
		if slices.Contains(negative, i+1) {
			x[i] = -x[i]
		}
	}
	return x
}

// TestSignedRankEnumerated counts every assignment of signs, with ties and zeros.
func TestSignedRankEnumerated(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	for range 200 {
		x := make([]float64, 1+random.IntN(11))
		for i := range x {
			x[i] = float64(random.IntN(13) - 6) // small whole numbers: many ties
		}
		v, p := SignedRank(x)
		x = slices.DeleteFunc(x, func(d float64) bool { return d == 0 })
		ranks := make([]float64, len(x))
		for i, a := range x {
			less, same := 0, 0
			for _, b := range x {
				if math.Abs(b) < math.Abs(a) {
					less++
				} else if math.Abs(b) == math.Abs(a) {
					same++
				}
			}
			ranks[i] = float64(less) + float64(same+1)/2
		}
		reach := 0
		for set := range 1 << len(x) {
			sum := 0.0
			for i, r := range ranks {
				if set>>i&1 == 1 {
					sum += r
				}
			}
			if sum >= v {
				reach++
			}
		}
		if want := float64(reach) / float64(int(1)<<len(x)); !near(p, want) {
			t.Fatalf("%v: p = %.12g, enumerated %.12g", x, p, want)
		}
	}
}

// TestNormalApproximation measures what SignedRank's docstring says of its error.
func TestNormalApproximation(t *testing.T) {
	const n = exactMax + 1
	ranks := make([]int, n)
	for i := range ranks {
		ranks[i] = 2 * (i + 1)
	}
	worst, atLevel := 0.0, 0.0
	for v := 0; v <= n*(n+1)/2; v += 40 {
		exact, normal := exactUpper(ranks, 2*v), normalUpper(float64(v), n, 0)
		worst = max(worst, math.Abs(exact-normal))
		if exact > 0.002 && exact < 0.003 {
			atLevel = max(atLevel, normal/exact-1)
			if normal < exact {
				t.Errorf("V = %d: the approximation %g is under the exact %g", v, normal, exact)
			}
		}
	}
	t.Logf("largest error %.2g, at p = 0.0025 %.2g of p", worst, atLevel)
	if worst > 1e-3 || atLevel > 0.06 {
		t.Errorf("largest error %.2g, at p = 0.0025 %.2g of p: more than is said", worst, atLevel)
	}
}

func TestHodgesLehmann(t *testing.T) {
	for _, c := range []struct {
		name string
		x    []float64
		want float64
	}{
		// Hollander & Wolfe, example 3.3: 0.46, the 23rd of 45 Walsh averages.
		{"Hollander & Wolfe table 3.1", hamilton, 0.46},
		{"one", []float64{3}, 3},
		{"two", []float64{1, 2}, 1.5},
		{"three", []float64{1, 2, 6}, 2.75}, // averages 1 1.5 2 3.5 4 6
		{"a wild one", []float64{1, 2, 3, 4, 1000}, 3},
	} {
		got := HodgesLehmann(c.x)
		if !near(got, c.want) {
			t.Errorf("%s: %.12g, want %.12g", c.name, got, c.want)
		}
		negative := make([]float64, len(c.x))
		for i, v := range c.x {
			negative[i] = -v
		}
		if HodgesLehmann(negative) != -got {
			t.Errorf("%s: the sign is not turned exactly", c.name)
		}
	}
	if !math.IsNaN(HodgesLehmann(nil)) {
		t.Error("of nothing it is a number")
	}
}

func TestHolm(t *testing.T) {
	for _, c := range []struct{ p, want []float64 }{
		// R 4.5.2, p.adjust(p, "holm").
		{[]float64{0.001, 0.01, 0.05, 0.1, 0.5, 0.9}, []float64{0.006, 0.05, 0.2, 0.3, 1, 1}},
		// MultipleTesting.jl and PValueAdjust.jl, their documentation and tests.
		{[]float64{0.001, 0.01, 0.03, 0.5}, []float64{0.004, 0.03, 0.06, 0.5}},
		{[]float64{1, 0.5, 0.1, 0.001, 0.0001, 0.002}, []float64{1, 1, 0.3, 0.005, 0.0006, 0.008}},
		{[]float64{0.05, 0.05, 0.05}, []float64{0.15, 0.15, 0.15}},
		{[]float64{0.2}, []float64{0.2}},
		{nil, nil},
	} {
		got := Holm(c.p)
		if !slices.EqualFunc(got, c.want, near) {
			t.Errorf("Holm(%v) = %v, want %v", c.p, got, c.want)
		}
	}
}

func TestQuantile(t *testing.T) {
	ten := []float64{1, 2, 3, 4, 5, 6, 7, 8, 9, 10}
	for _, c := range []struct{ q, want float64 }{{0, 1}, {0.05, 1}, {0.1, 1}, {0.11, 2}, {0.5, 5}, {0.7, 7}, {0.95, 10}, {1, 10}} {
		if got := Quantile(ten, c.q); got != c.want { // R: quantile(1:10, q, type = 1)
			t.Errorf("q = %g: %g, want %g", c.q, got, c.want)
		}
	}
	if !math.IsNaN(Quantile(nil, 0.5)) {
		t.Error("of nothing it is a number")
	}
}

// TestMedian compares with the middle of sorted values, of which many are equal.
func TestMedian(t *testing.T) {
	random := rand.New(rand.NewPCG(5, 6))
	for range 2000 {
		x := make([]float64, 1+random.IntN(40))
		for i := range x {
			x[i] = float64(random.IntN(1 + random.IntN(60)))
		}
		s := slices.Sorted(slices.Values(x))
		n := len(s)
		if want, got := (s[(n-1)/2]+s[n/2])/2, median(slices.Clone(x)); got != want {
			t.Fatalf("%v: %g, want %g", x, got, want)
		}
	}
}

func TestTrend(t *testing.T) {
	up := make([]float64, 20)
	for i := range up {
		up[i] = 0.01 * float64(i)
	}
	slope, p := Trend(up)
	if !near(slope, 0.01) || p > 1e-8 {
		t.Errorf("a line: slope %g, p %g", slope, p)
	}
	if _, p := Trend([]float64{1, 2, 1, 2, 1, 2, 1, 2}); p < 0.5 {
		t.Errorf("up and down: p %g", p)
	}
}

func TestBootstrap(t *testing.T) {
	// Three epochs of offsets of their own: the bounds are about those three, however
	// many rounds each of them has.
	epochs := []float64{-1, 0, 1}
	distribution := bootstrap(epochs, 1)
	if distribution[0] != -1 || distribution[resamples-1] != 1 {
		t.Errorf("from %g to %g, want -1 to 1: all three draws are one epoch in 1 of 27", distribution[0], distribution[resamples-1])
	}
	if lower, upper := bounds(distribution, 3, 0.9); lower > -0.8 || upper < 0.8 {
		t.Errorf("bounds %g to %g are of the rounds, not of the epochs", lower, upper)
	}
}
