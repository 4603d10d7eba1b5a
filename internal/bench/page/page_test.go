package page

import (
	"bytes"
	"math"
	"strings"
	"testing"

	"github.com/planvet/planvet/internal/bench/results"
	"github.com/planvet/planvet/internal/report/browsertest"
)

func asHTML(t testing.TB, r *Run) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := HTML(&b, r); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// Markup of the data stays text, and no figure is none.
func TestHostile(t *testing.T) {
	for name, r := range samples(t) {
		page := string(asHTML(t, r))
		if strings.Contains(page, "<img") || strings.Count(page, "<script") != 1 || strings.Contains(page, "\x1b") {
			t.Errorf("%s: markup of the data is an element", name)
		}
		for _, bad := range []string{"NaN", "Inf", "ZgotmplZ", "%!", "<nil>"} {
			if strings.Contains(page, bad) {
				t.Errorf("%s has %s", name, bad)
			}
		}
	}
}

func TestViews(t *testing.T) {
	b, pages := browsertest.Start(t), map[string][]byte{}
	for name, r := range samples(t) {
		pages[name] = asHTML(t, r)
	}
	b.InEachView(t, pages)
}

// Shares of a histogram add up to all answers whatever the buckets' ends, and a quantile
// curve passes through the quantiles that the buckets have.
func TestDistribution(t *testing.T) {
	// 90 answers at 2 ms and 10 at 30.
	a := arm{"A", "series1", []results.Bucket{{UpTo: 1.99}, {UpTo: 2.01, Count: 90}, {UpTo: 30, Count: 10}}}
	b := arm{"B", "series2", []results.Bucket{{UpTo: 2.1, Count: 50}, {UpTo: 2.3, Count: 50}}}
	h := histogram([]arm{a, b}, nil)
	for _, s := range h.Series {
		sum, most, at := 0.0, 0.0, 0.0
		for _, p := range s.Points {
			if sum += p[1]; p[1] > most {
				most, at = p[1], p[0]
			}
		}
		if math.Abs(sum-1) > 1e-9 || at > 2.3 {
			t.Errorf("%s: shares are %g together, most at %g ms", s.Name, sum, at)
		}
	}
	if !h.X.Log {
		t.Error("from 2 to 30 ms the axis is not logarithmic")
	}
	q := quantiles([]arm{a}, 12)
	at := func(share float64) (ms float64) {
		for _, p := range q.Series[0].Points {
			if ms = p[1]; p[0] >= -math.Log10(1-share)-1e-9 {
				break
			}
		}
		return ms
	}
	if at(0.9) != 2.01 || at(0.95) != 30 || len(q.Limits) != 1 {
		t.Errorf("p90 %g, p95 %g, limits %v", at(0.9), at(0.95), q.Limits)
	}
	if histogram([]arm{{}}, nil) != nil || quantiles([]arm{{buckets: []results.Bucket{{UpTo: 1}}}}, 5) != nil {
		t.Error("nothing has a chart")
	}
}

// Where an objective is written down stands with it, measured or not.
func TestSpecs(t *testing.T) {
	page := string(asHTML(t, &Run{Gate: sampleGate(t)}))
	for _, want := range []string{"spec NFR-7", "Loyalty Award, spec NFR-8"} {
		if !strings.Contains(page, want) {
			t.Errorf("%q is not in the page", want)
		}
	}
}
