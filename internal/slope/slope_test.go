package slope

import (
	"math"
	"testing"
)

func TestJudge(t *testing.T) {
	two, three := []int{2, 20}, []int{2, 5, 20}
	for name, c := range map[string]struct {
		sizes  []int
		calls  []float64
		rows   []float64 // of the one statement that may be the parent
		limit  bool
		growth Growth
		link   Link
	}{
		"loop over rows (1)":                   {two, []float64{2, 20}, []float64{2, 20}, false, PerItem, Equal},
		"loop over values (1)":                 {two, []float64{2, 20}, []float64{1, 1}, false, PerItem, None},
		"loop and one call elsewhere (1)":      {two, []float64{3, 21}, []float64{2, 20}, false, PerItem, SameGrowth},
		"two calls an item (1)":                {two, []float64{4, 40}, []float64{2, 20}, false, PerItem, None},
		"one by one beyond a size (1)":         {three, []float64{1, 1, 16}, nil, false, PerItem, None},
		"set form":                             {two, []float64{1, 1}, []float64{2, 20}, false, Constant, None},
		"five always":                          {two, []float64{5, 5}, []float64{2, 20}, false, Constant, None},
		"five always, beside five rows":        {two, []float64{5, 5}, []float64{5, 5}, false, Constant, None},
		"five always, beside a page of five":   {two, []float64{5, 5}, []float64{5, 5}, true, Constant, None},
		"one by chance":                        {[]int{2, 3}, []float64{4, 5}, nil, false, Slower, None},
		"chunks of ten":                        {[]int{10, 100}, []float64{1, 10}, []float64{10, 100}, false, Slower, None},
		"fewer at the larger size":             {two, []float64{9, 3}, nil, false, Constant, None},
		"a page of five, seen at 3 sizes (2)":  {three, []float64{2, 5, 5}, nil, false, Bounded, None},
		"a page of ten, seen by its rows (3)":  {two, []float64{2, 10}, []float64{2, 10}, false, Bounded, Equal},
		"a page of ten, rows of another (3)":   {two, []float64{2, 10}, []float64{2, 20}, false, Slower, None},
		"a page of ten under all sizes (4)":    {[]int{20, 40}, []float64{10, 10}, []float64{10, 10}, true, Hidden, Equal},
		"ten rows of no page (4)":              {[]int{20, 40}, []float64{10, 10}, []float64{10, 10}, false, Constant, None},
		"a page of two is left to chance (4)":  {[]int{20, 40}, []float64{2, 2}, []float64{2, 2}, true, Constant, None},
		"constants of a table of ten rows (4)": {[]int{2, 40}, []float64{10, 10}, []float64{10, 10}, true, Constant, None},
	} {
		var parents []Series
		if c.rows != nil {
			parents = []Series{{Calls: make([]float64, len(c.rows)), Rows: c.rows, Limited: c.limit}}
		}
		v := Judge(c.sizes, Series{Calls: c.calls}, parents, Limit)
		if v.Growth != c.growth || v.Link != c.link || (v.Parent >= 0) != (c.link != None) {
			t.Errorf("%s: got %+v, want growth %d, link %d", name, v, c.growth, c.link)
		}
	}
}

func TestJudgePrefersEqualRows(t *testing.T) {
	parents := []Series{{Rows: []float64{1, 19}}, {Rows: []float64{2, 20}}, {Rows: []float64{2, 20}}}
	if v := Judge([]int{2, 20}, Series{Calls: []float64{2, 20}}, parents, Limit); v.Parent != 1 || v.Link != Equal {
		t.Errorf("got %+v, want the first with equal rows", v)
	}
}

func TestFit(t *testing.T) {
	for _, c := range []struct {
		sizes  []int
		counts []float64
		want   float64
	}{
		{[]int{2, 20}, []float64{2, 20}, 1},
		{[]int{2, 20}, []float64{7, 7}, 0},
		{[]int{1, 2, 3}, []float64{2, 4, 9}, 3.5},
		{[]int{4}, []float64{4}, 0},
	} {
		if got := Fit(c.sizes, c.counts); math.Abs(got-c.want) > 1e-9 {
			t.Errorf("Fit(%v, %v) = %v, want %v", c.sizes, c.counts, got, c.want)
		}
	}
}
