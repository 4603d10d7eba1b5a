package report

import (
	"math"
	"strconv"
	"strings"

	"github.com/planvet/planvet/rules"
)

// Plural writes a count with its noun: 1,204 queries.
func Plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	if strings.HasSuffix(noun, "y") {
		noun = strings.TrimSuffix(noun, "y") + "ies"
	} else if strings.HasSuffix(noun, "x") {
		noun += "es"
	} else {
		noun += "s"
	}
	return rules.Thousands(int64(n)) + " " + noun
}

// Figure writes a measured number with three significant digits.
func Figure(x float64) string {
	switch {
	case x >= 100 || x <= -100:
		return rules.Thousands(int64(x + 0.5))
	case x >= 10 || x <= -10:
		return strconv.FormatFloat(x, 'f', 1, 64)
	case x >= 1 || x <= -1:
		return strconv.FormatFloat(x, 'f', 2, 64)
	}
	return strconv.FormatFloat(x, 'g', 2, 64)
}

// MS writes milliseconds in the unit that reads best: 0.041 ms, 184 ms, 2.31 s.
func MS(ms float64) string {
	switch {
	case ms >= 60_000:
		return Figure(ms/60_000) + " min"
	case ms >= 1000:
		return Figure(ms/1000) + " s"
	case ms > 0 && ms < 0.001:
		return "<0.001 ms"
	}
	return Figure(ms) + " ms"
}

// Round writes a figure without the zeros behind its point: 5 ms, not 5.00 ms. It is
// for what was set, as a target or the tick of an axis.
func Round(text string) string {
	number, unit, _ := strings.Cut(text, " ")
	if strings.Contains(number, ".") {
		number = strings.TrimSuffix(strings.TrimRight(number, "0"), ".")
	}
	return strings.TrimSpace(number + " " + unit)
}

// Short writes a count in at most five characters: 999, 12.3k, 1.2M.
func Short(x float64) string {
	for _, u := range []struct {
		from float64
		name string
	}{{1e12, "T"}, {1e9, "G"}, {1e6, "M"}, {1e3, "k"}} {
		if math.Abs(x) < 0.9995*u.from {
			continue
		}
		if s := strconv.FormatFloat(x/u.from, 'f', 1, 64); math.Abs(x/u.from) < 99.95 {
			return strings.TrimSuffix(s, ".0") + u.name
		}
		return strconv.FormatFloat(x/u.from, 'f', 0, 64) + u.name
	}
	if x != math.Trunc(x) && math.Abs(x) < 10 {
		return strings.TrimSuffix(strconv.FormatFloat(x, 'f', 1, 64), ".0")
	}
	return strconv.FormatFloat(x, 'f', 0, 64)
}

// Percent writes a share of 1: 56 %, 0.3 %.
func Percent(share float64) string {
	p := share * 100
	switch {
	case p == 0:
		return "0 %"
	case p > 0 && p < 0.1:
		return "<0.1 %"
	case p < 9.95:
		return strconv.FormatFloat(p, 'f', 1, 64) + " %"
	case p < 100 && p >= 99.5:
		return ">99 %" // not quite all of it
	}
	return strconv.FormatFloat(p, 'f', 0, 64) + " %"
}

// Times writes a ratio: 12.3×.
func Times(x float64) string { return Figure(x) + "×" }

// Blocks writes shared blocks of 8 KiB, with their size where it says more.
func Blocks(n int64) string {
	s := Plural(int(n), "block")
	const kib = 8
	switch {
	case n >= 128*1024:
		return s + " (" + Figure(float64(n)*kib/1024/1024) + " GiB)"
	case n >= 128:
		return s + " (" + Figure(float64(n)*kib/1024) + " MiB)"
	}
	return s
}
