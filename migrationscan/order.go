package migrationscan

import (
	"cmp"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

var (
	leadingVersion = regexp.MustCompile(`^[vV]?(\d+(?:\.\d+)*)`)
	flywayVersion  = regexp.MustCompile(`^[vV](\d+(?:[._]\d+)*)__`)
	flywayAgain    = regexp.MustCompile(`^R__`)
)

// version is the number that a file's name starts with: one part for 0007_x and
// 20240102030405_x, several for v2.10.24 and Flyway's V1_2__x. A part is a run of
// digits without leading zeros, so that any length compares.
type version []string

func versionOf(name, format string) version {
	if format == "flyway" {
		if m := flywayVersion.FindStringSubmatch(name); m != nil {
			return parts(strings.ReplaceAll(m[1], "_", "."))
		}
	}
	if m := leadingVersion.FindStringSubmatch(name); m != nil {
		return parts(m[1])
	}
	return nil
}

func parts(s string) version {
	var v version
	for p := range strings.SplitSeq(s, ".") {
		v = append(v, strings.TrimLeft(p, "0"))
	}
	return v
}

func (v version) compare(w version) int {
	return slices.CompareFunc(v, w, func(a, b string) int {
		return cmp.Or(cmp.Compare(len(a), len(b)), cmp.Compare(a, b))
	})
}

// compareNames orders two file or folder names as the format's tool does.
// Supabase, dbmate, prisma and drizzle sort by text; the others by number, and a
// name without one comes last.
func compareNames(a, b, format string) int {
	switch format {
	case "supabase", "dbmate", "prisma", "drizzle":
		return cmp.Compare(a, b)
	case "flyway":
		if x, y := flywayAgain.MatchString(a), flywayAgain.MatchString(b); x != y {
			return boolOrder(x, y)
		}
	}
	x, y := versionOf(a, format), versionOf(b, format)
	if (x == nil) != (y == nil) {
		return boolOrder(x == nil, y == nil)
	}
	return cmp.Or(x.compare(y), cmp.Compare(natural(a), natural(b)), cmp.Compare(a, b))
}

func boolOrder(a, b bool) int {
	switch {
	case a == b:
		return 0
	case b:
		return -1
	}
	return 1
}

var digits = regexp.MustCompile(`\d+`)

// natural pads the numbers in a name, so that part_2 sorts before part_10.
func natural(s string) string {
	return digits.ReplaceAllStringFunc(s, func(d string) string {
		if len(d) >= 20 {
			return d
		}
		return strings.Repeat("0", 20-len(d)) + d
	})
}

// comparePaths orders files in several folders part by part.
func comparePaths(a, b, format string) int {
	x, y := strings.Split(a, "/"), strings.Split(b, "/")
	for i := 0; i < len(x) && i < len(y); i++ {
		if c := compareNames(x[i], y[i], format); c != 0 {
			return c
		}
	}
	return cmp.Compare(len(x), len(y))
}

func itoa(n int) string { return strconv.Itoa(n) }
