package querytrace

import (
	"fmt"
	"testing"

	"github.com/planvet/planvet/internal/slope"
)

// Slope runs flow at two or more sizes of its fixture and fails the test where the
// number of round trips of a statement grows with the items: by 0.9 or more an item.
// flow makes n items, then does its work with [Recorder.Context], [Recorder.Handler] or
// after [Recorder.Watch]; only that is counted. In a *testing.T each size is a subtest
// n=SIZE, so that what flow registers with t.Cleanup is done before the next.
//
// The message names the statement, who sent it, and the statement before it that
// returned as many rows. A count that grows at first and then stops, at a page or a
// cap, fails as well and is called bounded; where all sizes lie beyond a page, the test
// fails because it decides nothing. Growth by less than the limit is logged. Statements
// of a pgx.Batch are one round trip.
//
// With QUERYTRACE_OUT=DIR in the environment, or [Out], what was recorded is written
// there.
func Slope(t testing.TB, sizes []int, flow func(t testing.TB, n int, rec *Recorder), opts ...Option) {
	t.Helper()
	o, err := newOptions(opts)
	if err == nil {
		sizes, err = slope.Sizes(sizes)
	}
	if err != nil {
		t.Errorf("querytrace: %v", err)
		return
	}
	runs := make([]*Recorder, len(sizes))
	for i, n := range sizes {
		runs[i] = &Recorder{}
		if !run(t, n, runs[i], flow) {
			return
		}
	}
	groups := group(runs, o.members)
	judge(sizes, groups, o.limit)
	if o.out != "" {
		if err := writeOut(o.out, testPackage(), t.Name(), sizes, groups); err != nil {
			t.Errorf("querytrace: %v", err)
		}
	}
	r := analyse(sizes, groups, o)
	for _, text := range r.logs {
		t.Log("querytrace: " + text)
	}
	for _, text := range r.errors {
		t.Error("querytrace: " + text)
	}
}

// run runs flow at one size. It is false where there is nothing to judge.
func run(t testing.TB, n int, rec *Recorder, flow func(testing.TB, int, *Recorder)) bool {
	t.Helper()
	defer rec.close()
	sub, ok := t.(interface {
		Run(string, func(*testing.T)) bool
	})
	if !ok {
		flow(t, n, rec)
		return !t.Failed()
	}
	done := false
	if !sub.Run(fmt.Sprintf("n=%d", n), func(t *testing.T) {
		flow(t, n, rec)
		done = true
	}) {
		return false
	}
	if !done {
		t.Logf("querytrace: size %d was skipped, not selected by -run, or parallel: the slope is not known", n)
	}
	return done
}

// result is what Slope has to say.
type result struct{ errors, logs []string }

func analyse(sizes []int, groups []*groupOf, o options) result {
	var r result
	if len(groups) == 0 {
		r.errors = append(r.errors, "nothing was recorded: connections need a Tracer, and the flow rec.Context, rec.Handler or rec.Watch")
		return r
	}
	o.allowances(&r, sizes, groups)
	var failed, tx, slower []*groupOf
	for _, g := range groups {
		switch {
		case !fails(g):
			if g.verdict.Growth == slope.Slower && !g.tx {
				slower = append(slower, g)
			}
		case g.tx:
			tx = append(tx, g)
		default:
			failed = append(failed, g)
		}
	}
	if len(failed) == 0 {
		failed, tx = tx, nil
	}
	for _, g := range failed {
		r.errors = append(r.errors, explain(sizes, g, tx))
	}
	if len(failed) == 0 {
		if text := together(sizes, slower, o.limit); text != "" {
			r.errors = append(r.errors, text)
			slower = nil
		}
	}
	for _, g := range slower {
		r.logs = append(r.logs, explainSlower(sizes, g))
	}
	return r
}

func fails(g *groupOf) bool { return g.verdict.Growth.Fails() }

// testPackage is the import path of the test that is running.
func testPackage() string {
	frames := callers(stack(), nil)
	if len(frames) == 0 {
		return ""
	}
	return packageOf(frames[len(frames)-1].Func)
}
