package querytrace

import (
	"cmp"
	"slices"
	"strings"

	"github.com/planvet/planvet/internal/slope"
)

// groupOf is all round trips of one shape in all runs. Its figures have one element a
// run.
type groupOf struct {
	shape
	calls, rows []float64
	// first is the place of the first call in each run, -1 where there is none.
	first   []int
	sites   []*site
	verdict slope.Verdict
	parent  *groupOf
}

// site is the calls of a shape from one place.
type site struct {
	stack               []Frame
	calls, rows, errors []float64
}

func (s *site) frame() Frame {
	if len(s.stack) == 0 {
		return Frame{}
	}
	return s.stack[0]
}

func newGroup(s shape, runs int) *groupOf {
	g := &groupOf{shape: s, calls: make([]float64, runs), rows: make([]float64, runs), first: make([]int, runs)}
	for i := range g.first {
		g.first[i] = -1
	}
	return g
}

// at finds the calls from a place, by its nearest frame.
func (g *groupOf) at(stack []Frame) *site {
	for _, s := range g.sites {
		if len(s.stack) == 0 && len(stack) == 0 || len(s.stack) > 0 && len(stack) > 0 && s.stack[0] == stack[0] {
			return s
		}
	}
	n := len(g.calls)
	s := &site{stack: stack, calls: make([]float64, n), rows: make([]float64, n), errors: make([]float64, n)}
	g.sites = append(g.sites, s)
	return s
}

// group gathers the calls of runs by shape, in the order of their first calls: round
// trips, or, with members, the statements of batches in place of the batches.
func group(runs []*Recorder, members bool) []*groupOf {
	var out []*groupOf
	index := map[string]*groupOf{}
	for run, rec := range runs {
		calls := rec.snapshot()
		batches := batchShapes(calls)
		for i, c := range calls {
			if members && c.size > 0 || !members && c.batch != nil {
				continue
			}
			s, ok := batches[c]
			if !ok {
				s = shapeOf(c.sql, c.named)
			}
			g := index[s.fingerprint]
			if g == nil {
				g = newGroup(s, len(runs))
				index[s.fingerprint] = g
				out = append(out, g)
			}
			if g.first[run] < 0 {
				g.first[run] = i
			}
			rows, err := c.outcome()
			at := g.at(callers(c.stack, c.skip))
			g.calls[run]++
			at.calls[run]++
			g.rows[run] += float64(max(rows, 0))
			at.rows[run] += float64(max(rows, 0))
			if err != nil {
				at.errors[run]++
			}
		}
	}
	return out
}

// batchShapes gives each batch a shape of its own: that of its different statements.
func batchShapes(calls []*call) map[*call]shape {
	type parts struct{ prints, texts, shown []string }
	of := map[*call]*parts{}
	for _, c := range calls {
		if c.size > 0 {
			of[c] = &parts{}
			continue
		}
		p := of[c.batch]
		if c.batch == nil || p == nil {
			continue
		}
		s := shapeOf(c.sql, c.named)
		if !slices.Contains(p.prints, s.fingerprint) {
			p.prints, p.texts, p.shown = append(p.prints, s.fingerprint), append(p.texts, s.text), append(p.shown, s.shown)
		}
	}
	out := map[*call]shape{}
	for c, p := range of {
		out[c] = shape{
			fingerprint: hash(append([]string{"batch"}, p.prints...)...),
			text:        "batch of " + strings.Join(p.texts, "; "), shown: "batch of " + strings.Join(p.shown, "; "),
		}
	}
	return out
}

// judge gives each group its verdict against those that may be its parent.
func judge(sizes []int, groups []*groupOf, limit float64) {
	for _, g := range groups {
		parents := g.parents(groups)
		series := make([]slope.Series, len(parents))
		for i, p := range parents {
			series[i] = slope.Series{Calls: p.calls, Rows: p.rows, Limited: p.limited}
		}
		g.verdict = slope.Judge(sizes, slope.Series{Calls: g.calls, Rows: g.rows}, series, limit)
		g.parent = nil
		if g.verdict.Parent >= 0 {
			g.parent = parents[g.verdict.Parent]
		}
	}
}

// parents are the statements that return rows and were sent before the first call of g
// in every run that has one: those that ran less often than g first, as a loop's parent
// does and its sibling in the loop does not, then those of the same function, then the
// nearest.
func (g *groupOf) parents(groups []*groupOf) []*groupOf {
	var out []*groupOf
	for _, p := range groups {
		if p != g && p.returns && before(p, g) {
			out = append(out, p)
		}
	}
	last := len(g.first) - 1
	first := func(a, b bool) int {
		switch {
		case a == b:
			return 0
		case a:
			return -1
		}
		return 1
	}
	slices.SortStableFunc(out, func(a, b *groupOf) int {
		return cmp.Or(
			first(a.calls[last] < g.calls[last], b.calls[last] < g.calls[last]),
			first(a.shares(g), b.shares(g)),
			cmp.Compare(b.first[last], a.first[last]),
		)
	})
	return out
}

func before(p, g *groupOf) bool {
	some := false
	for run := range g.first {
		if g.first[run] < 0 {
			continue
		}
		if p.first[run] < 0 || p.first[run] > g.first[run] {
			return false
		}
		some = true
	}
	return some
}

// shares says that both are called in one function.
func (g *groupOf) shares(other *groupOf) bool {
	return slices.ContainsFunc(g.sites, func(a *site) bool {
		return slices.ContainsFunc(other.sites, func(b *site) bool { return a.frame().Func == b.frame().Func })
	})
}
