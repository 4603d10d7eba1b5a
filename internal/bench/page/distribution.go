package page

import (
	"fmt"
	"math"

	"github.com/planvet/planvet/internal/bench/results"
	"github.com/planvet/planvet/internal/report"
)

// arm is one distribution of a chart.
type arm struct {
	name, class string
	buckets     []results.Bucket
}

// piece is a bucket with both ends. What writes buckets gives the upper ends alone: none is
// wider than a tenth, and none reaches below the one before.
type piece struct {
	from, to float64
	count    int
}

func pieces(all []results.Bucket) (out []piece) {
	const width = 1.1
	last := 0.0
	for _, b := range all {
		from := max(last, b.UpTo/width)
		if last = b.UpTo; b.Count > 0 && b.UpTo > 0 {
			out = append(out, piece{min(from, b.UpTo*(1-1e-9)), b.UpTo, b.Count})
		}
	}
	return out
}

// span is from the shortest to the longest of all arms; ok is false where there is none.
func span(arms []arm) (low, high float64, ok bool) {
	for _, a := range arms {
		for _, p := range pieces(a.buckets) {
			if !ok || p.from < low {
				low = p.from
			}
			high, ok = max(high, p.to), true
		}
	}
	return low, high, ok
}

// wideSpan is the ratio of the longest time to the shortest from which an axis is
// logarithmic.
const wideSpan = 4

// histogram is the share of answers by time; nil where nothing is known. Buckets of the
// arms have ends of their own, so that they are counted anew in bins that both share: what
// is spread over two bins is divided. There are at most 24 of them, each at least an eighth
// wider than the one before: narrower ones would show the buckets' ends and not the times.
func histogram(arms []arm, marks []report.Place) *report.Curves {
	low, high, ok := span(arms)
	if !ok {
		return nil
	}
	growth := max(1.125, math.Pow(high/low, 1.0/24))
	bins := int(math.Ceil(math.Log(high/low)/math.Log(growth))) + 1
	out := &report.Curves{Name: "How many took how long, share of answers", Marks: marks, X: timeAxis(low, high), Y: report.Axis{Format: percentOf}}
	for _, a := range arms {
		n := 0
		counts := make([]float64, bins+1)
		bin := func(ms float64) float64 { return math.Log(ms/low) / math.Log(growth) }
		for _, p := range pieces(a.buckets) {
			n += p.count
			from, to := bin(p.from), bin(p.to)
			for k := max(int(from), 0); k <= min(int(to), bins); k++ {
				overlap := min(to, float64(k+1)) - max(from, float64(k))
				counts[k] += float64(p.count) * max(overlap, 0) / (to - from)
			}
		}
		if n == 0 {
			continue
		}
		c := report.Curve{Name: fmt.Sprintf("%s, %s", a.name, report.Plural(n, "answer")), Class: a.class, Step: true, Filled: true}
		c.Points = append(c.Points, [2]float64{low, 0})
		for k, x := range counts {
			share := x / float64(n)
			out.Y.High = max(out.Y.High, share)
			c.Points = append(c.Points, [2]float64{min(low*math.Pow(growth, float64(k)), high), share})
		}
		c.Points = append(c.Points, [2]float64{high, 0})
		out.Series = append(out.Series, c)
	}
	if len(marks) > 0 {
		out.Summary = "from " + report.MS(low) + " to " + report.MS(high)
	}
	return out
}

// timeAxis is of milliseconds.
func timeAxis(low, high float64) report.Axis {
	return report.Axis{Low: low, High: high, Log: high > wideSpan*low, Format: short}
}

// quantiles is the time within which a share of answers was there, on an axis that gives
// each nine of the share the same room: it shows the tail. target is an objective of p95, 0
// for none.
func quantiles(arms []arm, target float64) *report.Curves {
	low, high, ok := span(arms)
	if !ok {
		return nil
	}
	if target > 0 {
		low, high = min(low, target), max(high, target)
	}
	out := &report.Curves{Name: "Time within which a share of answers was there", Y: timeAxis(low, high)}
	if !out.Y.Log {
		out.Y.Low = 0
	}
	nines := func(q float64) float64 { return -math.Log10(1 - q) }
	most := 0
	for _, a := range arms {
		all := pieces(a.buckets)
		n := 0
		for _, p := range all {
			n += p.count
		}
		if n == 0 {
			continue
		}
		most = max(most, n)
		c := report.Curve{Name: a.name, Class: a.class, Points: [][2]float64{{0, all[0].from}}}
		seen := 0
		for _, p := range all {
			seen += p.count
			// The last answer stands at the middle of its share, not at infinity.
			c.Points = append(c.Points, [2]float64{nines(min(float64(seen)/float64(n), 1-0.5/float64(n))), p.to})
		}
		out.Series = append(out.Series, c)
	}
	out.X = report.Axis{High: nines(1 - 0.5/float64(max(most, 1)))}
	for _, q := range []float64{0.5, 0.9, 0.99, 0.999, 0.9999, 0.99999} {
		if at := nines(q); at <= out.X.High {
			out.X.Ticks = append(out.X.Ticks, report.Tick{At: at, Text: fmt.Sprintf("p%g", 100*q)})
		}
	}
	if nines(0.95) <= out.X.High {
		out.Marks = []report.Place{{At: nines(0.95), Name: "p95"}}
	}
	if target > 0 {
		out.Limits = []report.Limit{{At: target, Name: "p95 target " + short(target)}}
	}
	return out
}
