package report

import (
	"fmt"
	"strings"
	"testing"
)

// Ends of axes are round numbers around the values; what is given as ticks stays.
func TestAxis(t *testing.T) {
	text := func(v float64) string { return fmt.Sprint(v) }
	for _, c := range []struct {
		axis Axis
		want string
		at   float64
		x    float64
	}{
		{Axis{Low: 0, High: 0.62, Format: text}, "0 to 0.8: 0 0.2 0.4 0.6 0.8", 0.4, 0.5},
		{Axis{Low: -12, High: 40, Format: text}, "-20 to 40: -20 0 20 40", 10, 0.5},
		{Axis{Low: 1, High: 90, Log: true, Format: text}, "1 to 100: 1 2 5 10 20 50 100", 10, 0.5},
		{Axis{Low: 3, High: 3, Log: true, Format: text}, "2 to 5: 2 5", 2, 0},
		{Axis{Low: 0, High: 3, Ticks: []Tick{{2, "p99"}}}, "0 to 3: p99", 9, 1},
	} {
		a := c.axis.laid(4)
		got := fmt.Sprintf("%g to %g:", a.Low, a.High)
		for _, t := range a.Ticks {
			got += " " + t.Text
		}
		if x := a.share(c.at); got != c.want || x != c.x {
			t.Errorf("%+v: %s, want %s; %g is at %g, want %g", c.axis, got, c.want, c.at, x, c.x)
		}
	}
}

func TestCurves(t *testing.T) {
	c := &Curves{
		Name: "a <b>", X: Axis{High: 4, Format: Figure}, Y: Axis{High: 1, Format: Percent}, Summary: "it rises",
		Series: []Curve{
			{Name: "A", Class: "series1", Points: [][2]float64{{0, 0}, {2, 0.5}, {4, 1}}, Step: true, Filled: true},
			{Name: "B", Class: "series2", Points: [][2]float64{{1, 0.5}}, Dots: true},
		},
		Marks: []Place{{1, "p50"}, {1.1, "p95"}}, Limits: []Limit{{0.5, "half"}},
	}
	out := string(c.HTML())
	for _, want := range []string{`d="M0 1000H500V500H1000V0"`, `d="M0 1000H500V500H1000V0L1000 1000L0 1000Z"`, `<circle class="dot series2" cx="25.00%"`, "a &lt;b&gt;: it rises", ">half<", ">p50<"} {
		if !strings.Contains(out, want) {
			t.Errorf("no %s in %s", want, out)
		}
	}
	if strings.Contains(out, ">p95<") {
		t.Error("a mark's name stands on another's")
	}
}
