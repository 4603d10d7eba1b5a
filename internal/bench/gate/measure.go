package gate

import (
	"math"
	"slices"
)

// Measure is what the rounds say of one quantile. All ratios are natural logarithms of
// B over A: 0.0953 is 10 % slower.
type Measure struct {
	Quantile float64
	// N is the number of samples of the arm that has fewer, Rounds and Epochs those
	// that the estimate is of; Epochs is the effective number of observations.
	N, Rounds, Epochs int
	A, B              float64 // the quantile of all samples of an arm, in ms
	Ratio             float64 // ln(B/A), the pooled log ratio
	HL                float64 // Hodges-Lehmann estimate of the log ratio by round
	Mean              float64 // over epochs, of each one's Hodges-Lehmann estimate
	Lower, Upper      float64 // 99.5 % one-sided bounds of the log ratio, by bootstrap
	Lower95, Upper95  float64 // the same of 95 %
	P, Adjusted       float64 // signed-rank p against "not slower", and after Holm
	PFaster           float64 // the same against "not faster"
}

// Sufficient is false where there are too few samples to say anything.
func (m Measure) Sufficient() bool { return m.Epochs > 0 }

// Percent is a log ratio as the share that B is slower, in percent.
func Percent(logRatio float64) float64 { return 100 * math.Expm1(logRatio) }

func (m Measure) significant(p float64) bool { return m.Lower > 0 && p < lookAlpha }

func (m Measure) suspicious(p float64) bool { return m.Lower95 > 0 && p < lookAlpha }

func (m Measure) beyond(threshold, ms float64) bool {
	limit := math.Log1p(threshold)
	return m.HL > limit && m.Mean > limit && m.A*math.Expm1(m.HL) >= ms
}

// within says that B is slower by less than so many ms at the upper 95 % bound.
func (m Measure) within(ms float64) bool { return m.A*math.Expm1(m.Upper95) < ms }

// swapped is the measure with A called B.
func (m Measure) swapped() Measure {
	m.A, m.B, m.Ratio, m.HL, m.Mean = m.B, m.A, -m.Ratio, -m.HL, -m.Mean
	m.Lower, m.Upper = -m.Upper, -m.Lower
	m.Lower95, m.Upper95 = -m.Upper95, -m.Lower95
	m.P, m.PFaster = m.PFaster, m.P
	return m
}

type measures struct {
	p50, p95, p99 Measure
	slope, trend  float64 // of ln p50 of both arms through the run, and its p by epoch
}

// setOfP99 is how many samples of each arm a p99 is of: as many epochs as have them.
const setOfP99 = 300

func measure(epochs []Epoch, seed uint64) measures {
	var pooledA, pooledB, setA, setB []float64
	var d50, d95, d99 [][]float64
	var level []float64
	for _, e := range epochs {
		var r50, r95 []float64
		sum := 0.0
		for _, r := range e.Rounds {
			a, b := sorted(r.A.Samples), sorted(r.B.Samples)
			if len(a) == 0 || len(b) == 0 {
				continue
			}
			r50 = append(r50, logRatio(a, b, 0.5))
			r95 = append(r95, logRatio(a, b, 0.95))
			sum += (math.Log(Quantile(a, 0.5)) + math.Log(Quantile(b, 0.5))) / 2
			setA, setB = append(setA, a...), append(setB, b...)
			pooledA, pooledB = append(pooledA, a...), append(pooledB, b...)
		}
		if len(r95) == 0 {
			continue
		}
		d50, d95 = append(d50, r50), append(d95, r95)
		level = append(level, sum/float64(len(r95)))
		if min(len(setA), len(setB)) >= setOfP99 {
			d99 = append(d99, []float64{logRatio(sorted(setA), sorted(setB), 0.99)})
			setA, setB = nil, nil
		}
	}
	slices.Sort(pooledA)
	slices.Sort(pooledB)
	m := measures{
		p50: estimate(d50, pooledA, pooledB, 0.5, seed),
		p95: estimate(d95, pooledA, pooledB, 0.95, seed),
		p99: estimate(d99, pooledA, pooledB, 0.99, seed),
	}
	m.slope, m.trend = Trend(level)
	m.slope *= float64(len(level))
	return m
}

func estimate(epochs [][]float64, pooledA, pooledB []float64, q float64, seed uint64) Measure {
	m := Measure{Quantile: q, N: min(len(pooledA), len(pooledB)), Epochs: len(epochs)}
	if len(epochs) < 2 {
		return Measure{Quantile: q, N: m.N, A: Quantile(pooledA, q), B: Quantile(pooledB, q), P: 1, PFaster: 1}
	}
	d := slices.Concat(epochs...)
	m.Rounds = len(d)
	m.A, m.B = Quantile(pooledA, q), Quantile(pooledB, q)
	m.Ratio = math.Log(m.B) - math.Log(m.A)
	m.HL = HodgesLehmann(d)
	own := make([]float64, len(epochs))
	for i, e := range epochs {
		own[i] = HodgesLehmann(e)
		m.Mean += own[i] / float64(len(epochs))
	}
	distribution := bootstrap(own, seed)
	m.Lower, m.Upper = bounds(distribution, len(epochs), lookConfidence)
	m.Lower95, m.Upper95 = bounds(distribution, len(epochs), 0.95)
	_, m.P = SignedRank(d)
	for i := range d {
		d[i] = -d[i]
	}
	_, m.PFaster = SignedRank(d)
	return m
}

func sorted(x []float64) []float64 {
	x = slices.Clone(x)
	slices.Sort(x)
	return x
}

// logRatio is ln(B/A) of a quantile. A difference of logarithms changes its sign
// exactly where the arms are swapped.
func logRatio(a, b []float64, q float64) float64 {
	return math.Log(Quantile(b, q)) - math.Log(Quantile(a, q))
}

// labels of a last look. p95 and byMedian say what fails there.
func labels(m measures, p95, byMedian bool, threshold, ms float64) (l []Label) {
	limit := math.Log1p(threshold)
	moved := func(m Measure, by float64) bool {
		return m.Sufficient() && m.suspicious(m.P) && m.beyond(by, ms)
	}
	faster50, faster95 := m.p50.swapped(), m.p95.swapped()
	switch {
	case byMedian:
		l = append(l, ByMedian)
	case p95 && m.p50.HL < min(limit, m.p95.HL/2):
		l = append(l, TailOnly)
	case p95:
	case moved(m.p50, threshold):
		l = append(l, MedianSlower)
	// A PASS comes early: 15 % faster is to be seen by then, at the median where the p95
	// is not faster for certain.
	case moved(faster95, threshold/2), moved(faster50, threshold/2) && faster95.HL > limit/2:
		l = append(l, Improved)
	}
	if !p95 && moved(m.p99, threshold) {
		l = append(l, TailP99)
	}
	if m.trend < 0.05 && math.Abs(m.slope) > limit {
		l = append(l, Drift)
	}
	return l
}

// countRounds of epochs.
func countRounds(epochs []Epoch) (n int) {
	for _, e := range epochs {
		n += len(e.Rounds)
	}
	return n
}

// atLook is the epochs up to the last look that they reach, all of them before the
// first: what was measured between two looks is not looked at.
func atLook(epochs []Epoch) []Epoch {
	want := 0
	for _, look := range Looks {
		if countRounds(epochs) >= look {
			want = look
		}
	}
	if want == 0 {
		return epochs
	}
	var cut []Epoch
	for _, e := range epochs {
		if want == 0 {
			break
		}
		e.Rounds = e.Rounds[:min(len(e.Rounds), want)]
		want -= len(e.Rounds)
		cut = append(cut, e)
	}
	return cut
}

// nextLook is the first look after n rounds, 0 after the last.
func nextLook(n int) int {
	for _, look := range Looks {
		if n < look {
			return look
		}
	}
	return 0
}
