package stats

import (
	"fmt"
	"math"
	"strings"
	"time"
)

// Invent makes values for a column whose file has frequencies and a histogram's
// length but no values: typ is its type as format_type prints it, rows the table's,
// now the end of what times are invented. Common values and bounds are distinct and
// ascending, so that equality and ranges select as the frequencies say, whatever the
// real values are. Types of which no value can be made up are left without.
//
// With them the planner estimates comparisons with parameters as production's does;
// one with a literal that production knows to be frequent, it does not. Where the
// common values are all that the column has (a status, a country), the list is left
// out: a literal of the statement would be on no invented list and select nothing,
// while without one it selects the average.
func (c *Column) Invent(typ string, rows float64, now time.Time) {
	value := inventor(typ, now)
	if value == nil {
		return
	}
	common := len(c.Frequencies)
	distinct := c.Distinct
	if distinct < 0 {
		distinct = -distinct * rows
	}
	distinct = max(distinct, float64(common+c.Bounds), 1)
	listed := c.NullFraction
	for _, f := range c.Frequencies {
		listed += f
	}
	const all = 0.99
	if c.Common == "" && common > 0 && listed < all {
		c.Common = array(common, func(i int) string { return value(float64(i), distinct) })
	}
	if c.Histogram == "" && c.Bounds > 1 {
		step := (distinct - 1 - float64(common)) / float64(c.Bounds-1)
		c.Histogram = array(c.Bounds, func(i int) string { return value(math.Floor(float64(common)+step*float64(i)), distinct) })
	}
}

// array writes n values as PostgreSQL reads an array.
func array(n int, value func(int) string) string {
	var b strings.Builder
	for i := range n {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString(`"` + value(i) + `"`)
	}
	return "{" + b.String() + "}"
}

// inventor returns a function that gives the i-th of n distinct values of a type in
// ascending order; nil for a type that has none.
func inventor(typ string, now time.Time) func(i, n float64) string {
	typ, _, _ = strings.Cut(typ, "(")
	const year = 365 * 24 * time.Hour
	at := func(i, n float64, layout string) string {
		return now.UTC().Add(-time.Duration(float64(year) * (1 - (i+1)/n))).Format(layout)
	}
	switch typ {
	case "smallint":
		return func(i, n float64) string { return fmt.Sprintf("%.0f", math.Floor(i*min(1, 32000/n))) }
	case "integer":
		return func(i, n float64) string { return fmt.Sprintf("%.0f", math.Floor(1+i*min(1, 2e9/n))) }
	case "bigint", "numeric", "real", "double precision", "money", "oid":
		return func(i, _ float64) string { return fmt.Sprintf("%.0f", 1+i) }
	case "text", "character varying", "citext", "name", "bpchar", "character":
		return word
	case "uuid":
		return func(i, n float64) string {
			return fmt.Sprintf("%08x-0000-4000-8000-%012.0f", uint32(i/max(n, 1)*math.MaxUint32), i)
		}
	case "timestamp with time zone", "timestamp without time zone", "timestamp":
		return func(i, n float64) string { return at(i, n, "2006-01-02 15:04:05.000000Z") }
	case "date":
		return func(i, n float64) string { return at(i, max(n, 1), "2006-01-02") }
	case "interval":
		return func(i, _ float64) string { return fmt.Sprintf("%.0f seconds", i) }
	case "inet", "cidr":
		return func(i, _ float64) string {
			x := uint32(i)
			return fmt.Sprintf("10.%d.%d.%d", x>>16&255, x>>8&255, x&255)
		}
	}
	return nil
}

// word is the i-th of n texts of 13 small letters, the first six spread evenly: what
// somebody would search for, the middle of one, is in few others.
func word(i, n float64) string {
	const spread, rest = 6, 7
	var w [spread + rest]byte
	put := func(at, length int, v float64) {
		for k := at + length - 1; k >= at; k-- {
			w[k] = 'a' + byte(math.Mod(v, 26))
			v = math.Floor(v / 26)
		}
	}
	put(0, spread, math.Floor(i/max(n, 1)*math.Pow(26, spread)))
	put(spread, rest, i)
	return string(w[:])
}
