package gate

// Trend is the Theil-Sen slope of values in their order, and the two-sided p of Kendall
// against "no trend". Fewer than 8 values have none: p is 1.
func Trend(x []float64) (slope, p float64) { return trend(x) }
