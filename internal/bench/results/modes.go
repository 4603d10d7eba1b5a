package results

import "math"

// Mode is a peak of a distribution: the times around At, Share of all.
type Mode struct {
	At    float64 `json:"at_ms"`
	Share float64 `json:"share"`
}

// Bounds of what counts as a peak: neither noise nor a tail is one.
const (
	fewForModes   = 100  // values, below which nothing is said
	modeShare     = 0.05 // of all values, at least
	modeValley    = 0.5  // the valley between two peaks is lower than this times the lower one
	modeApart     = 1.5  // the ratio of two peaks, at least
	modeDeviation = 2.5  // square roots of the counts of a peak and of a valley differ by this, at least
)

// Modes are the peaks of a distribution, ascending:
//
//  1. values are counted in bins that grow by a tenth, the resolution of Bucket, and
//     counts smoothed over five bins;
//  2. bins are cut where the count falls below half of the lower of the peaks on both
//     sides, and by more than chance makes of it: square roots of counts of Poisson have
//     a deviation of 1/2, and those of peak and valley must be five of these apart;
//  3. parts with too few values, and those too near to each other, are joined.
//
// One mode says that calls do one kind of work. nil is given for too few values.
func Modes(all []Bucket) []Mode {
	n := 0
	for _, b := range all {
		n += b.Count
	}
	if n < fewForModes {
		return nil
	}
	bin := func(ms float64) int { return int(math.Round(math.Log(max(ms, 1e-3)) / math.Log(1.1))) }
	first, last := bin(all[0].UpTo), bin(all[len(all)-1].UpTo)
	raw, sum := make([]float64, last-first+5), make([]float64, last-first+5)
	for _, b := range all {
		k := bin(b.UpTo) - first + 2
		raw[k] += float64(b.Count)
		sum[k] += float64(b.Count) * b.UpTo
	}
	smooth := make([]float64, len(raw))
	for i := range raw {
		for d, weight := range []float64{1, 2, 3, 2, 1} {
			if k := i + d - 2; k >= 0 && k < len(raw) {
				smooth[i] += weight * raw[k] / 9
			}
		}
	}
	type part struct {
		from, to, peak int
		count          float64
	}
	partOf := func(from, to int) part {
		p := part{from: from, to: to, peak: from}
		for i := from; i < to; i++ {
			p.count += raw[i]
			if smooth[i] > smooth[p.peak] {
				p.peak = i
			}
		}
		return p
	}
	// Cuts are at the lowest bin between two peaks of which the lower has twice as much.
	var parts []part
	from, low := 0, 0
	for i := range smooth {
		if smooth[i] < smooth[low] {
			low = i
		}
		left := partOf(from, low+1)
		right := partOf(low, i+1)
		if low > from && deep(smooth[low], math.Min(smooth[left.peak], smooth[right.peak])) && left.count >= modeShare*float64(n) {
			rest := 0.0
			for k := low; k < len(raw); k++ {
				rest += raw[k]
			}
			if rest < modeShare*float64(n) {
				break
			}
			parts = append(parts, partOf(from, low))
			from, low = low, i
		} else if smooth[i] > smooth[low] && smooth[i] >= smooth[left.peak] {
			low = i // a higher peak: what was before was its flank
		}
	}
	parts = append(parts, partOf(from, len(raw)))
	var out []Mode
	for _, p := range parts {
		// The mean of the values around the peak: a bin is a tenth wide.
		var at, near float64
		for k := max(p.from, p.peak-2); k < min(p.to, p.peak+3); k++ {
			at, near = at+sum[k], near+raw[k]
		}
		if at /= near; near == 0 {
			at = math.Pow(1.1, float64(p.peak+first-2))
		}
		if k := len(out) - 1; k >= 0 && at/out[k].At < modeApart {
			out[k].Share += p.count / float64(n)
			continue
		}
		out = append(out, Mode{At: at, Share: p.count / float64(n)})
	}
	return out
}

// deep says whether a valley between two peaks is one, of smoothed counts: those stand
// for the values of 81/19 bins, the kernel's effective width.
func deep(valley, peak float64) bool {
	const width = 81.0 / 19
	return valley < modeValley*peak && math.Sqrt(width*peak)-math.Sqrt(width*valley) > modeDeviation
}
