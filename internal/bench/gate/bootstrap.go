package gate

import (
	"math"
	"math/rand/v2"
	"slices"
)

// resamples is how often a run is drawn anew.
const resamples = 2000

// bootstrap is the distribution, in ascending order, of the mean log ratio of epochs
// under resampling of epochs with replacement. A pair of server processes keeps an offset
// of its own for as long as it lives, so rounds of one epoch are no independent evidence
// (Kalibera & Jones, Rigorous Benchmarking in Reasonable Time, ISMM 2013); drawing single
// requests would call each of them evidence.
//
// An epoch is worth the Hodges-Lehmann estimate of its rounds. On recorded traces its
// standard deviation is up to half of that of the mean of the rounds, which one stalled
// round moves, and a third of that of the quantiles of all the epoch's requests: between
// the requests that waited and those that did not a p95 falls at random.
//
// Rounds within a drawn epoch are not drawn again: an epoch's value has their variance
// already, and to resample both levels with replacement counts it twice (Davison &
// Hinkley, Bootstrap Methods and their Application, 1997, section 3.8).
//
// Negating every value and keeping the seed negates the distribution.
func bootstrap(epochs []float64, seed uint64) []float64 {
	random := rand.New(rand.NewPCG(seed, uint64(len(epochs))))
	means := make([]float64, resamples)
	for i := range means {
		sum := 0.0
		for range epochs {
			sum += epochs[random.IntN(len(epochs))]
		}
		means[i] = sum / float64(len(epochs))
	}
	slices.Sort(means)
	return means
}

// bounds are the one-sided lower and upper bounds of the given confidence, by the
// percentile method. The distribution of few epochs is too narrow, by sqrt((k-1)/k)
// for k of them; it is widened about its median by as much.
func bounds(distribution []float64, epochs int, confidence float64) (lower, upper float64) {
	n := len(distribution)
	tail := max(int(math.Floor((1-confidence)*float64(n))), 1)
	lower, upper = distribution[tail-1], distribution[n-tail]
	center := (distribution[(n-1)/2] + distribution[n/2]) / 2
	k := float64(epochs)
	widen := math.Sqrt(k / (k - 1))
	return center - widen*(center-lower), center + widen*(upper-center)
}
