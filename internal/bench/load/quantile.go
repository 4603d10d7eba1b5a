package load

import (
	"math"
	"sort"

	"github.com/HdrHistogram/hdrhistogram-go"

	"github.com/planvet/planvet/internal/bench/results"
)

// z95 is the normal quantile of a two-sided 95 %.
const z95 = 1.959963984540054

// ordered gives the k-th smallest of a histogram's values.
type ordered struct {
	upTo  []int     // how many values are at most value
	value []float64 // milliseconds
}

func newOrdered(h *hdrhistogram.Histogram) *ordered {
	o := &ordered{}
	n := 0
	for _, b := range h.Distribution() {
		if b.Count > 0 {
			n += int(b.Count)
			o.upTo, o.value = append(o.upTo, n), append(o.value, float64(b.To)/1e6)
		}
	}
	return o
}

func (o *ordered) n() int { return o.upTo[len(o.upTo)-1] }

// at is the k-th smallest value, k from 1.
func (o *ordered) at(k int) float64 {
	k = min(max(k, 1), o.n())
	return o.value[sort.SearchInts(o.upTo, k)]
}

// quantile is the value of nearest rank with the interval of 95 % that order statistics
// give; nil where the samples are too few to bound it from both sides.
func (o *ordered) quantile(q float64) *results.Estimate {
	n := o.n()
	low, high, ok := ranks(n, q)
	if !ok {
		return nil
	}
	rank := int(math.Ceil(q*float64(n) - 1e-9))
	return &results.Estimate{Value: o.at(rank), Low: min(o.at(low), o.at(rank)), High: max(o.at(high), o.at(rank))}
}

// ranks are those of the order statistics between which the quantile q of what n samples
// were drawn from lies with 95 % confidence, whatever the distribution: how many samples
// are under it is binomial, X ~ B(n, q), and x(low) <= Q <= x(high) unless X < low or
// X >= high (David and Nagaraja, Order Statistics, 7.1). Both tails have 2.5 %, but the
// upper one has what the largest sample leaves where that is more.
func ranks(n int, q float64) (low, high int, ok bool) {
	const alpha = 0.05
	if n > 20_000 { // the normal approximation, rounded outwards
		half := z95 * math.Sqrt(float64(n)*q*(1-q))
		return int(float64(n)*q - half), int(float64(n)*q+half) + 2, true
	}
	cdf, sum := make([]float64, n+1), 0.0
	for k := range cdf {
		sum += probability(n, k, q)
		cdf[k] = sum
	}
	high = sort.Search(n, func(k int) bool { return k > 0 && 1-cdf[k-1] <= alpha/2 })
	left := min(alpha/2, alpha-(1-cdf[high-1])) // for the lower tail
	low = sort.Search(n, func(k int) bool { return cdf[k] > left })
	return low, high, low >= 1
}

// probability is that of k of n at q each.
func probability(n, k int, q float64) float64 {
	ln := func(x int) float64 { v, _ := math.Lgamma(float64(x) + 1); return v }
	return math.Exp(ln(n) - ln(k) - ln(n-k) + float64(k)*math.Log(q) + float64(n-k)*math.Log1p(-q))
}

// share is k of n with Wilson's interval of 95 %.
func share(k, n int) results.Estimate {
	if n == 0 {
		return results.Estimate{}
	}
	p, size, zz := float64(k)/float64(n), float64(n), z95*z95
	mid := (p + zz/(2*size)) / (1 + zz/size)
	half := z95 / (1 + zz/size) * math.Sqrt(p*(1-p)/size+zz/(4*size*size))
	return results.Estimate{Value: p, Low: max(0, min(mid-half, p)), High: min(1, max(mid+half, p))}
}
