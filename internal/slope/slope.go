// Package slope says whether the count of a statement grows with the number of items
// that a flow works on, and which statement's rows it follows. querytrace asks it at
// test time, monitor of pg_stat_statements.
package slope

import (
	"fmt"
	"slices"
)

// Growth is what a count does as sizes grow.
type Growth int

const (
	// Constant does not grow.
	Constant Growth = iota
	// Slower grows by less than the limit an item.
	Slower
	// PerItem grows by the limit or more an item, up to the largest size.
	PerItem
	// Bounded grows by the limit or more an item, or by one for each row of another
	// statement, and stops: a page, a cap.
	Bounded
	// Hidden does not grow, but is one for each row of a statement with a LIMIT that
	// all sizes reach: its slope says nothing.
	Hidden
)

// Limit is the slope, in statements an item, from which a count is taken to follow the
// items. A little under 1, for what a cache or a shared value saves.
const Limit = 0.9

// least is the smallest growth that says anything: one more statement can be a chance.
const least = 2

// fewest is the smallest count that is taken to be a page: that of two statements of
// one shape is equal to some statement's rows too easily.
const fewest = 3

// String is the growth's name in what planvet writes.
func (g Growth) String() string {
	return [...]string{"constant", "slower", "per-item", "bounded", "hidden"}[g]
}

// Fails says that the count is one that follows the items, or may be.
func (g Growth) Fails() bool { return g == PerItem || g == Bounded || g == Hidden }

// Series is one statement's figures, one a size.
type Series struct {
	Calls, Rows []float64
	// Limited is set where the statement has a LIMIT.
	Limited bool
}

// Link is how calls go with another statement's rows.
type Link int

const (
	// None is no relation.
	None Link = iota
	// SameGrowth: from size to size there are as many more calls as rows.
	SameGrowth
	// Equal: at each size there are as many calls as rows.
	Equal
)

// Verdict is what is known of a statement.
type Verdict struct {
	Growth Growth
	// PerItem is the slope in calls an item: by least squares, or of the steepest
	// stretch where that is what made the verdict.
	PerItem float64
	// Parent is the index of the statement whose rows the calls follow, -1 for none.
	Parent int
	Link   Link
}

// Judge looks at a statement at sizes, which rise, against those that may be its
// parent, the likeliest first.
//
//  1. A stretch between two sizes is steep where calls grow by limit or more an item,
//     and by at least two. A steep stretch up to the largest size is PerItem.
//  2. Else a steep stretch is Bounded: what grew has stopped.
//  3. Else calls that grow by two or more and are at each size as many as a parent's
//     rows are Bounded: the parent returned fewer rows than there were items. (A limit
//     above 1 allows one call a row.)
//  4. Else calls that stay the same, are three or more, are as many as the rows of a
//     parent with a LIMIT, and no more than the smallest size, are Hidden.
func Judge(sizes []int, s Series, parents []Series, limit float64) Verdict {
	v := Verdict{PerItem: Fit(sizes, s.Calls), Parent: -1}
	for i, p := range parents {
		if l := follows(s.Calls, p.Rows); l > v.Link {
			v.Link, v.Parent = l, i
		}
	}
	last := len(sizes) - 1
	grown := s.Calls[last] - s.Calls[0]
	steep, end := steepest(sizes, s.Calls, limit)
	switch {
	case end == last:
		v.Growth = PerItem
		v.PerItem = max(v.PerItem, steep)
	case end > 0:
		v.Growth, v.PerItem = Bounded, steep
	case grown >= least && v.Link == Equal && limit <= 1:
		v.Growth = Bounded
	case grown > 0:
		v.Growth = Slower
	case hidden(sizes, s, parents):
		v.Growth = Hidden
		v.Parent, v.Link = limitedParent(s, parents), Equal
	default:
		v.Parent, v.Link = -1, None
	}
	return v
}

// steepest returns the steepest slope among the stretches that reach the limit and end
// at the largest size that any of them ends at; end is 0 where there is none.
func steepest(sizes []int, calls []float64, limit float64) (slope float64, end int) {
	for i := range sizes {
		for j := i + 1; j < len(sizes); j++ {
			d := calls[j] - calls[i]
			by := d / float64(sizes[j]-sizes[i])
			if d < least || by < limit || j < end {
				continue
			}
			if j > end {
				slope = 0
			}
			slope, end = max(slope, by), j
		}
	}
	return slope, end
}

func hidden(sizes []int, s Series, parents []Series) bool {
	k := s.Calls[0]
	for _, c := range s.Calls {
		if c != k {
			return false
		}
	}
	return k >= fewest && k <= float64(sizes[0]) && limitedParent(s, parents) >= 0
}

func limitedParent(s Series, parents []Series) int {
	for i, p := range parents {
		if p.Limited && follows(s.Calls, p.Rows) == Equal {
			return i
		}
	}
	return -1
}

// follows compares calls with rows size by size.
func follows(calls, rows []float64) Link {
	equal, same, grows := true, true, false
	for i := range calls {
		equal = equal && calls[i] == rows[i]
		if i > 0 {
			d := calls[i] - calls[i-1]
			same = same && d == rows[i]-rows[i-1]
			grows = grows || d >= least
		}
	}
	switch {
	case equal && calls[len(calls)-1] > 1:
		return Equal
	case same && grows:
		return SameGrowth
	}
	return None
}

// Sizes returns sizes in rising order, or why they cannot tell a statement an item from
// chance.
func Sizes(sizes []int) ([]int, error) {
	s := slices.Clone(sizes)
	slices.Sort(s)
	switch {
	case len(slices.Compact(slices.Clone(s))) != len(s) || len(s) < 2 || s[0] < 0:
		return nil, fmt.Errorf("sizes %v: at least two different ones are needed, none negative", sizes)
	case s[len(s)-1]-s[0] < least:
		return nil, fmt.Errorf("sizes %v are too close to tell a statement an item from chance", sizes)
	}
	return s, nil
}

// Fit is the slope of counts over sizes by least squares: Σ(x-x̄)(y-ȳ) / Σ(x-x̄)².
func Fit(sizes []int, counts []float64) float64 {
	var mx, my, xy, xx float64
	for i, n := range sizes {
		mx += float64(n) / float64(len(sizes))
		my += counts[i] / float64(len(sizes))
	}
	for i, n := range sizes {
		xy += (float64(n) - mx) * (counts[i] - my)
		xx += (float64(n) - mx) * (float64(n) - mx)
	}
	if xx == 0 {
		return 0
	}
	return xy / xx
}
