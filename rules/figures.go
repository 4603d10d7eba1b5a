package rules

import "strconv"

// Thousands writes 1234567 as 1,234,567.
func Thousands(n int64) string {
	s := strconv.FormatInt(n, 10)
	first := 0
	if n < 0 {
		first = 1
	}
	for i := len(s) - 3; i > first; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// Size says how many rows a relation has and where the number comes from:
// statistics, profile, or default (which the word assumed stands for).
func Size(rows int64, source string) string {
	n := Thousands(rows)
	switch source {
	case "default", "":
		return n + " assumed rows"
	case "profile":
		return n + " rows by the profile"
	}
	return n + " rows by " + source
}
