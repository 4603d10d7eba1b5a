package gate

import (
	"cmp"
	"math"
	"slices"
)

// Quantile is the nearest-rank quantile of samples in ascending order: the
// ceil(q*n)-th smallest, a value that was measured (R's type 1; Hyndman & Fan, Sample
// Quantiles in Statistical Packages, The American Statistician 50, 1996). It is NaN of
// no samples.
func Quantile(sorted []float64, q float64) float64 {
	if len(sorted) == 0 {
		return math.NaN()
	}
	rank := int(math.Ceil(q*float64(len(sorted)) - 1e-9)) // 0.07*100 is a little over 7
	return sorted[min(max(rank, 1), len(sorted))-1]
}

// HodgesLehmann is the one-sample estimator: the median of the n(n+1)/2 Walsh averages
// (x_i+x_j)/2, i <= j (Hodges & Lehmann, Estimates of Location Based on Rank Tests,
// Annals of Mathematical Statistics 34, 1963). The mean of the two middle ones stands
// for the median of an even number. It is NaN of no values. One wild round of n moves
// it little, and changing every sign changes its sign exactly.
func HodgesLehmann(x []float64) float64 {
	if len(x) == 0 {
		return math.NaN()
	}
	walsh := make([]float64, 0, len(x)*(len(x)+1)/2)
	for i, a := range x {
		for _, b := range x[i:] {
			walsh = append(walsh, (a+b)/2)
		}
	}
	return median(walsh)
}

// median reorders x.
func median(x []float64) float64 {
	n := len(x)
	upper := nth(x, n/2)
	if n%2 == 1 {
		return upper
	}
	return (slices.Max(x[:n/2]) + upper) / 2
}

// nth is the value that has n values before it in order; x is reordered so that those are
// before it and the rest after (Hoare, Algorithm 65: Find, Communications of the ACM 4,
// 1961).
func nth(x []float64, n int) float64 {
	for low, high := 0, len(x)-1; low < high; {
		pivot := x[low+(high-low)/2]
		i, j := low, high
		for i <= j {
			for x[i] < pivot {
				i++
			}
			for pivot < x[j] {
				j--
			}
			if i <= j {
				x[i], x[j] = x[j], x[i]
				i, j = i+1, j-1
			}
		}
		switch {
		case n <= j:
			high = j
		case n >= i:
			low = i
		default:
			return x[n]
		}
	}
	return x[n]
}

// exactMax is the largest number of values of which the signed-rank distribution is
// summed: no look has more than 120 rounds. The confirmation asks both stages together,
// up to 240, and its p is then approximate.
const exactMax = 128

// SignedRank tests "the values are symmetric about 0" against "about something over 0"
// by Wilcoxon's signed ranks (Wilcoxon, Individual Comparisons by Ranking Methods,
// Biometrics Bulletin 1, 1945). v is the sum of the ranks of |x| of the values over 0;
// p is P(V >= v).
//
// Conventions: zeros are dropped before ranking (Wilcoxon's own; R's wilcox.test);
// equal |x| share the mean of their ranks, and p is exact given those ranks: the share
// of the 2^n assignments of signs that reach v, counted by dynamic programming over
// doubled ranks, which are whole (Hollander, Wolfe & Chicken, Nonparametric Statistical
// Methods, 3rd ed. 2014, section 3.1). No value other than 0 is p = 1.
//
// Beyond 128 values p is the normal approximation with the variance corrected for
// ties and a continuity correction of 1/2. At 129 values without ties its error is at
// most 1e-3, and at p = 0.0025 it is 6 % of p, on the safe side: p is too large.
func SignedRank(x []float64) (v, p float64) {
	values := slices.DeleteFunc(slices.Clone(x), func(d float64) bool { return d == 0 })
	slices.SortFunc(values, func(a, b float64) int { return cmp.Compare(math.Abs(a), math.Abs(b)) })
	n := len(values)
	doubled := make([]int, n) // twice the rank
	twice, ties := 0, 0.0
	for i := 0; i < n; {
		j := i + 1
		for j < n && math.Abs(values[j]) == math.Abs(values[i]) {
			j++
		}
		for k := i; k < j; k++ {
			doubled[k] = i + 1 + j // 2 * mean of the ranks i+1..j
			if values[k] > 0 {
				twice += doubled[k]
			}
		}
		t := float64(j - i)
		ties += t*t*t - t
		i = j
	}
	v = float64(twice) / 2
	if n > exactMax {
		return v, normalUpper(v, n, ties)
	}
	return v, exactUpper(doubled, twice)
}

// exactUpper is P(sum of a random subset of ranks >= least).
func exactUpper(ranks []int, least int) float64 {
	if least <= 0 {
		return 1
	}
	total := 0
	for _, r := range ranks {
		total += r
	}
	share := make([]float64, total+1) // of the assignments so far, by their sum
	share[0] = 1
	reached := 0
	for _, r := range ranks {
		reached += r
		for sum := reached; sum >= 0; sum-- {
			without := share[sum] / 2
			if sum >= r {
				without += share[sum-r] / 2
			}
			share[sum] = without
		}
	}
	p := 0.0
	for sum := total; sum >= least; sum-- { // small terms first
		p += share[sum]
	}
	return min(p, 1)
}

func normalUpper(v float64, n int, ties float64) float64 {
	m := float64(n)
	mean := m * (m + 1) / 4
	variance := m*(m+1)*(2*m+1)/24 - ties/48
	return math.Erfc((v-mean-0.5)/math.Sqrt(2*variance)) / 2
}

// Holm adjusts p-values so that comparing each with alpha keeps the chance of one
// false rejection among all of them at or under alpha, whatever their dependence: the
// k-th smallest of m becomes max over j <= k of min(1, (m-j+1) p_(j)) (Holm, A Simple
// Sequentially Rejective Multiple Test Procedure, Scandinavian Journal of Statistics 6,
// 1979; R's p.adjust). The order of the answer is that of p.
func Holm(p []float64) []float64 {
	order := make([]int, len(p))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(p[a], p[b]) })
	adjusted := make([]float64, len(p))
	least := 0.0
	for k, i := range order {
		least = max(least, min(1, float64(len(p)-k)*p[i]))
		adjusted[i] = least
	}
	return adjusted
}

// Trend is Kendall's two-sided p against "no trend in the order of x", by the normal
// approximation with a continuity correction, and the Theil-Sen slope: the median of
// the slopes of all pairs (Mann, Nonparametric Tests Against Trend, Econometrica 13,
// 1945; Sen, Estimates of the Regression Coefficient Based on Kendall's Tau, JASA 63,
// 1968). Fewer than 8 values are p = 1. Equal values count for neither direction and
// the variance is not reduced for them, which makes p too large.
func Trend(x []float64) (slope, p float64) {
	n := len(x)
	if n < 8 {
		return 0, 1
	}
	s := 0
	slopes := make([]float64, 0, n*(n-1)/2)
	for i := range x {
		for j := i + 1; j < n; j++ {
			s += cmp.Compare(x[j], x[i])
			slopes = append(slopes, (x[j]-x[i])/float64(j-i))
		}
	}
	m := float64(n)
	z := max(math.Abs(float64(s))-1, 0) / math.Sqrt(m*(m-1)*(2*m+5)/18)
	return median(slopes), math.Erfc(z / math.Sqrt2)
}
