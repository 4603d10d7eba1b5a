// Package binomial decides whether a latency objective is broken by counting the
// requests that were over the target.
//
// "p95 is at most T" says that at most 5 % of requests are over T. Of n independent
// requests the number over T is then at most binomial with n and 0.05, and the
// objective is broken only where the number seen would be a rare accident. To compare
// the sample's p95 with T instead calls a service whose p95 is exactly T broken in
// four to five runs of ten, whatever n is.
package binomial

import "math"

// Alpha is the largest share of runs that may be called broken while the objective
// is kept, its boundary included.
const Alpha = 0.01

// OverTarget tests "at most share of all requests are over the target" on n requests
// of which over were. share is 0.05 for a p95, 0.5 for a p50, 0.01 for a p99.
//
// p is the exact one-sided probability P(X >= over) for X ~ Binomial(n, share), and
// fails says p < Alpha. No request, or none over, is p = 1. It panics where over is
// not within 0..n or share not strictly between 0 and 1: a caller's bug.
//
// The samples must be independent: requests that queue behind each other break the
// target together, and this test knows nothing of it.
func OverTarget(n, over int, share float64) (p float64, fails bool) {
	if n < 0 || over < 0 || over > n || !(share > 0 && share < 1) {
		panic("binomial: over must be within 0..n and share between 0 and 1")
	}
	p = atLeast(n, over, share)
	return p, p < Alpha
}

// FailsFrom is the smallest number over the target, of n, at which OverTarget fails;
// n+1 where no number does, because n is too small to show anything.
func FailsFrom(n int, share float64) int {
	low, high := 0, n+1 // the answer is in (low, high]: p falls as over grows
	for high-low > 1 {
		mid := low + (high-low)/2
		if _, fails := OverTarget(n, mid, share); fails {
			high = mid
		} else {
			low = mid
		}
	}
	return high
}

// Needed is the number of requests that a quantile needs before the largest of them is
// an upper 95 % bound of it: the smallest n with 1-(1-share)^n >= 0.95. It is 59 for a
// p95 and 299 for a p99 (W. J. Conover, Practical Nonparametric Statistics, 3rd ed.
// 1999, section 3.3, one-sided tolerance limits).
func Needed(share float64) int {
	return int(math.Ceil(math.Log(0.05) / math.Log1p(-share)))
}

// atLeast is the sum of C(n,i) p^i (1-p)^(n-i) over i = k..n, by the ratio of
// neighbouring terms from the term at k outward, on the side that is smaller, so that
// small probabilities keep their digits. The first term is by log gamma, whose
// rounding bounds the relative error: 1e-11 at n = 1000, 1e-8 at a million.
func atLeast(n, k int, p float64) float64 {
	if k <= 0 {
		return 1
	}
	if float64(k) <= float64(n)*p {
		return 1 - atLeast(n, n-k+1, 1-p) // P(X <= k-1), counted from the other end
	}
	lg := func(x int) float64 { v, _ := math.Lgamma(float64(x) + 1); return v }
	term := math.Exp(lg(n) - lg(k) - lg(n-k) + float64(k)*math.Log(p) + float64(n-k)*math.Log1p(-p))
	sum := term
	for i := k; i < n && term > sum*1e-18; i++ {
		term *= float64(n-i) / float64(i+1) * p / (1 - p)
		sum += term
	}
	return min(sum, 1)
}
