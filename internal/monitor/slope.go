package monitor

import (
	"cmp"
	"errors"
	"fmt"
	"slices"

	"github.com/planvet/planvet/internal/pgast"
	itemslope "github.com/planvet/planvet/internal/slope"
)

// FlowRun is what a flow over a number of items did to pg_stat_statements.
type FlowRun struct {
	Items int
	Delta Delta
}

// Growing is a statement that was called more often for more items. Lists have a figure
// for each run, the one with the fewest items first.
type Growing struct {
	// Query is that of the run with the most items that has it.
	Query Query
	// Transaction is set for commands that begin or end a transaction or a part of one.
	Transaction bool
	// Growth and PerItem are the verdict and the slope in calls an item; see slope.Judge.
	Growth      itemslope.Growth
	PerItem     float64
	Calls, Rows []int64
	// Parent is the statement whose rows the calls follow, if one does, with its rows.
	Parent     *Query
	ParentRows []int64
	// SameGrowth is set where there are as many more calls as rows from run to run, but
	// not as many calls as rows.
	SameGrowth bool
}

// Slope is what runs of one flow over different numbers of items say of its statements.
type Slope struct {
	// Items are the runs' numbers of items, rising.
	Items []int
	// Growing are the statements that are called more often for more items, and those of
	// which these numbers of items say nothing (slope.Hidden): failing ones first, the
	// steepest first.
	Growing []Growing
	// Evicted is set where a run lost rows of pg_stat_statements, or where the extension
	// does not tell: calls may be missing.
	Evicted bool
}

// Slopes fits the calls of each statement over the items of the runs. The server must
// have had nothing else to do in them. limit is the slope that counts as one call an
// item: slope.Limit. The error says why the runs cannot be compared.
//
// pg_stat_statements keeps no order: a parent is a statement that ran less often than
// the child and returned as many rows as the child was called.
func Slopes(runs []FlowRun, limit float64) (*Slope, error) {
	runs = slices.Clone(runs)
	slices.SortStableFunc(runs, func(a, b FlowRun) int { return cmp.Compare(a.Items, b.Items) })
	items := make([]int, len(runs))
	s := &Slope{}
	for i, r := range runs {
		items[i] = r.Items
		s.Evicted = s.Evicted || r.Delta.Evicted != 0
		if r.Delta.Reset {
			return nil, fmt.Errorf("the counters were reset in the run over %d items: repeat it", r.Items)
		}
	}
	var err error
	if s.Items, err = itemslope.Sizes(items); err != nil {
		return nil, err
	}
	shapes := gatherShapes(runs)
	if len(shapes) == 0 {
		return nil, errors.New("no statement was run in any of the runs")
	}
	for i, g := range shapes {
		v, parent := g.judge(items, shapes, i, limit)
		if v.Growth != itemslope.Constant {
			s.Growing = append(s.Growing, g.growing(v, parent))
		}
	}
	slices.SortStableFunc(s.Growing, func(a, b Growing) int {
		rank := func(g Growing) int {
			switch {
			case !g.Growth.Fails():
				return 2
			case g.Transaction:
				return 1
			}
			return 0
		}
		return cmp.Or(cmp.Compare(rank(a), rank(b)), cmp.Compare(b.PerItem, a.PerItem), cmp.Compare(b.Query.ExecMS, a.Query.ExecMS))
	})
	return s, nil
}

// flowShape is one statement in all runs.
type flowShape struct {
	query       Query
	stmt        pgast.Stmt // nil where the text does not parse
	calls, rows []float64
}

func gatherShapes(runs []FlowRun) []*flowShape {
	type shapeKey struct {
		text     string
		topLevel bool
	}
	var out []*flowShape
	index := map[shapeKey]*flowShape{}
	for run, r := range runs {
		queries, _ := Queries(r.Delta.Statements, nil, "total", Limits{})
		for _, q := range queries {
			k := shapeKey{cmp.Or(q.Fingerprint, q.SQL), q.TopLevel}
			g := index[k]
			if g == nil {
				g = &flowShape{calls: make([]float64, len(runs)), rows: make([]float64, len(runs))}
				g.stmt, _ = pgast.Parse(q.SQL)
				index[k] = g
				out = append(out, g)
			}
			g.query = q
			g.calls[run], g.rows[run] = float64(q.Calls), float64(q.Rows)
		}
	}
	return out
}

// judge looks for a shape's parent among those of its level that ran less often, the
// one that ran least first.
func (g *flowShape) judge(items []int, shapes []*flowShape, self int, limit float64) (itemslope.Verdict, *flowShape) {
	last := len(items) - 1
	var parents []*flowShape
	for i, p := range shapes {
		if i != self && pgast.ReturnsRows(p.stmt) && p.query.TopLevel == g.query.TopLevel && p.calls[last] < g.calls[last] {
			parents = append(parents, p)
		}
	}
	slices.SortStableFunc(parents, func(a, b *flowShape) int { return cmp.Compare(a.calls[last], b.calls[last]) })
	series := make([]itemslope.Series, len(parents))
	for i, p := range parents {
		series[i] = itemslope.Series{Calls: p.calls, Rows: p.rows, Limited: p.limited()}
	}
	v := itemslope.Judge(items, itemslope.Series{Calls: g.calls, Rows: g.rows}, series, limit)
	if v.Parent < 0 {
		return v, nil
	}
	return v, parents[v.Parent]
}

func (g *flowShape) limited() bool {
	s, ok := g.stmt.(*pgast.Select)
	return ok && s.Limit != nil
}

func (g *flowShape) growing(v itemslope.Verdict, parent *flowShape) Growing {
	_, tx := g.stmt.(*pgast.Transaction)
	out := Growing{Query: g.query, Transaction: tx, Growth: v.Growth, PerItem: v.PerItem,
		Calls: whole(g.calls), Rows: whole(g.rows), SameGrowth: v.Link == itemslope.SameGrowth}
	if parent != nil {
		out.Parent, out.ParentRows = &parent.query, whole(parent.rows)
	}
	return out
}

func whole(list []float64) []int64 {
	out := make([]int64, len(list))
	for i, x := range list {
		out[i] = int64(x)
	}
	return out
}
