package report

import (
	"math"
	"strconv"
	"time"
)

// ticks are round numbers from low to high: at most n steps of 1, 2 or 5 times a power
// of ten, of which the first is not over low and the last not under high.
func ticks(low, high float64, n int) []float64 {
	if !(high > low) {
		high = low + 1
	}
	step := math.Pow10(int(math.Floor(math.Log10((high - low) / float64(n)))))
	for _, f := range []float64{1, 2, 5, 10, 20, 50} {
		if (math.Ceil(high/(f*step)-1e-9) - math.Floor(low/(f*step)+1e-9)) <= float64(n) {
			step *= f
			break
		}
	}
	var out []float64
	for i := math.Floor(low/step + 1e-9); ; i++ {
		// Not by adding up, for the sum of 0.1s is no round number.
		v, _ := strconv.ParseFloat(strconv.FormatFloat(i*step, 'g', 12, 64), 64)
		if out = append(out, v); v >= high-step*1e-9 {
			return out
		}
	}
}

// wholeTicks are ticks at whole numbers only.
func wholeTicks(low, high float64, n int) []float64 {
	at := ticks(low, high, n)
	if len(at) < 2 || at[1]-at[0] >= 1 {
		return at
	}
	var out []float64
	for v := math.Floor(low); ; v++ {
		if out = append(out, v); v >= high {
			return out
		}
	}
}

// logTicks are 1, 2 and 5 times powers of ten, or powers alone over many decades; the
// first is not over low and the last not under high.
func logTicks(low, high float64) []float64 {
	factors := []float64{1, 2, 5}
	if high/low > 100 {
		factors = []float64{1}
	}
	var out []float64
	for d := int(math.Floor(math.Log10(low))); ; d++ {
		for _, f := range factors {
			v := f * math.Pow10(d)
			if v <= low*(1+1e-9) {
				out = out[:0]
			}
			if out = append(out, v); v >= high*(1-1e-9) {
				return out
			}
		}
	}
}

// timeSteps are distances of ticks that a clock or a calendar has.
var timeSteps = []time.Duration{
	time.Second, 5 * time.Second, 10 * time.Second, 15 * time.Second, 30 * time.Second,
	time.Minute, 2 * time.Minute, 5 * time.Minute, 10 * time.Minute, 15 * time.Minute, 30 * time.Minute,
	time.Hour, 2 * time.Hour, 3 * time.Hour, 6 * time.Hour, 12 * time.Hour,
	day, 2 * day, 7 * day, 14 * day, 28 * day, 91 * day, 364 * day,
}

const day = 24 * time.Hour

// timeTicks are round moments of UTC within a span, at most n of them, and the layout
// that tells them apart.
func timeTicks(from, to time.Time, n int) (at []time.Time, layout string) {
	step := timeSteps[len(timeSteps)-1]
	for _, s := range timeSteps {
		if to.Sub(from) <= time.Duration(n)*s {
			step = s
			break
		}
	}
	switch {
	case step < time.Minute:
		layout = time.TimeOnly
	case step < day:
		layout = "15:04"
	case step < 28*day:
		layout = "2 Jan"
	default:
		layout = "Jan 2006"
	}
	for t := from.UTC().Truncate(step); !t.After(to); t = t.Add(step) {
		if !t.Before(from) {
			at = append(at, t)
		}
	}
	return at, layout
}
