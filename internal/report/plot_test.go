package report

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestTicks(t *testing.T) {
	for _, c := range []struct {
		low, high float64
		want      string
	}{
		{0, 1, "[0 0.5 1]"}, {0, 0.62, "[0 0.2 0.4 0.6 0.8]"}, {0.5, 1, "[0.4 0.6 0.8 1]"}, {0, 97, "[0 50 100]"}, {0, 180, "[0 50 100 150 200]"}, {0, 0, "[0 0.5 1]"}, {0, 3e9, "[0 1e+09 2e+09 3e+09]"}, {0, 0.03, "[0 0.01 0.02 0.03]"},
	} {
		if got := fmt.Sprint(ticks(c.low, c.high, 4)); got != c.want {
			t.Errorf("ticks(%g, %g) = %s, want %s", c.low, c.high, got, c.want)
		}
	}
	if got := fmt.Sprint(wholeTicks(0, 1, 4), wholeTicks(0, 7, 4)); got != "[0 1] [0 2 4 6 8]" {
		t.Errorf("whole ticks %s", got)
	}
	if got := fmt.Sprint(logTicks(7, 320), logTicks(0.2, 150), logTicks(1, 1.01)); got != "[5 10 20 50 100 200 500] [0.1 1 10 100 1000] [1 2]" {
		t.Errorf("logarithmic ticks %s", got)
	}
	// Whatever the range, it is covered by few figures that ascend.
	for low := 0.0; low < 1e7; low = low*3 + 0.0007 {
		for high := low*1.01 + 1e-6; high < 1e9; high *= 7 {
			at := ticks(low, high, 4)
			if at[0] > low+1e-9 || at[len(at)-1] < high*(1-1e-9) || len(at) > 5 || !slices.IsSorted(at) {
				t.Fatalf("ticks(%g, %g) = %v", low, high, at)
			}
		}
	}
}

func TestTimeTicks(t *testing.T) {
	from := time.Date(2026, 3, 2, 8, 3, 0, 0, time.FixedZone("CET", 3600))
	for span, want := range map[time.Duration]string{
		40 * time.Second:    "15:04:05 [07:03:00 07:03:10 07:03:20 07:03:30 07:03:40]",
		4 * time.Hour:       "15:04 [08:00 09:00 10:00 11:00]",
		50 * time.Hour:      "15:04 [12:00 00:00 12:00 00:00]",
		9 * 24 * time.Hour:  "2 Jan [4 Mar 6 Mar 8 Mar 10 Mar]",
		60 * 24 * time.Hour: "2 Jan [16 Mar 30 Mar 13 Apr 27 Apr]",
	} {
		at, layout := timeTicks(from, from.Add(span), 7)
		var got []string
		for _, x := range at {
			got = append(got, x.Format(layout))
		}
		if s := fmt.Sprintf("%s %v", layout, got); s != want {
			t.Errorf("%s: %s, want %s", span, s, want)
		}
	}
}

// hours are spans of an hour each from noon on; a negative value is a hole.
func hours(values ...float64) []Span {
	noon := time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)
	var out []Span
	for i, v := range values {
		if v >= 0 {
			out = append(out, Span{From: noon.Add(time.Duration(i) * time.Hour), To: noon.Add(time.Duration(i+1) * time.Hour), Value: v})
		}
	}
	return out
}

func plotOf(stacked bool, all ...Series) *Plot {
	from := hours(1)[0].From
	return &Plot{Name: "load " + evilMarkup, From: from, To: from.Add(4 * time.Hour), Stacked: stacked, Series: all,
		Format: func(v float64) string { return Figure(v) + " <s>" }}
}

// A step is as wide as its interval, and a hole is a hole: the line begins anew.
func TestPlotSteps(t *testing.T) {
	got := string(plotOf(false, Series{Name: "a", Class: "series1", Spans: hours(1, 2, -1, 4)}).HTML())
	for _, want := range []string{
		`<path class="line series1" d="M0 750H250V500H500M750 0H1000"/>`,
		`<path class="under series1" d="M0 1000V750H250V1000ZM250 1000V500H500V1000ZM750 1000V0H1000V1000Z"/>`,
		">12:00<", ">16:00<", ">4.00 &lt;s&gt;<", "12:00 to 13:00 · a: 1.00 &lt;s&gt;", "; a: 1.00 &lt;s&gt; to 4.00 &lt;s&gt;, last 4.00",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("%q is not in %s", want, got)
		}
	}
	if strings.Contains(got, "<script") || strings.Contains(got, "<img") || strings.Contains(got, "style=") {
		t.Error(got)
	}
}

// In a stack the second series stands on the first, and the axis reaches their sum.
func TestPlotStack(t *testing.T) {
	p := plotOf(true, Series{Name: "a", Class: "series1", Spans: hours(1, 1)}, Series{Name: "b " + evilMarkup, Class: "rest", Spans: hours(3, 1)})
	got := string(p.HTML())
	if want := `<path class="fill rest" d="M0 750V0H250V750ZM250 750V500H500V750Z"/>`; !strings.Contains(got, want) {
		t.Errorf("%q is not in %s", want, got)
	}
	if a, b := strings.Index(got, `class="fill rest"`), strings.Index(got, `class="fill series1"`); a > b {
		t.Error("the lower series is drawn under the upper")
	}
	if strings.Contains(got, "<script") || strings.Contains(string(p.Figures()), "<script") {
		t.Error(got)
	}
	if f := string(p.Figures()); strings.Count(f, "<tr>") != 3 || !strings.Contains(f, `<th scope="row">12:00 to 13:00</th><td class="n">1.00 &lt;s&gt;</td><td class="n">3.00 &lt;s&gt;</td>`) {
		t.Error(f)
	}
}

// Names beside lines are moved apart and stay within the plot.
func TestPlotEnds(t *testing.T) {
	var all []Series
	for i := range 8 {
		all = append(all, Series{Name: fmt.Sprint("series ", i), Class: "series1", Spans: hours(1, 1, 1, 0.001*float64(i))})
	}
	p := plotOf(false, all...)
	last := -100.0
	for line := range strings.SplitSeq(p.ends(p.levels()), "<text ") {
		var x, y float64
		if n, _ := fmt.Sscanf(line, `x="%f" y="%f">`, &x, &y); n < 2 {
			continue
		}
		if y-last < 14.9 || y > plotHeight+1 {
			t.Errorf("a name at %v after one at %v", y, last)
		}
		last = y
	}
	if last < 100 {
		t.Errorf("the lowest name is at %v", last)
	}
}

// A band, a limit and a mark are drawn where they are; a limit beyond the axis is not.
func TestPlotBandLimitMark(t *testing.T) {
	s := hours(1, 2, 2, 2)
	low, high := 0.5, 4.0
	s[1].Low, s[1].High = &low, &high
	p := plotOf(false, Series{Name: "a", Class: "series2", Spans: s})
	p.Limits, p.Marks = []Limit{{2, "enough"}, {9, "far"}}, []Mark{{s[2].From, "reset"}}
	got := string(p.HTML())
	for _, want := range []string{`<path class="band series2" d="M250 875V0H500V875Z"/>`, ">enough<", `<line class="moment" x1="50.00%" x2="50.00%"`, ">reset<"} {
		if !strings.Contains(got, want) {
			t.Errorf("%q is not in %s", want, got)
		}
	}
	if strings.Contains(got, ">far<") {
		t.Error("a limit stands where the axis does not reach")
	}
}

func TestRanges(t *testing.T) {
	lines := []Range{{Label: evilMarkup, Value: evilMarkup, Points: []Point{{At: 50, Low: 40, High: 80, Class: "bad"}}, Ticks: []float64{100}}, {Label: "none"}}
	got := string(Ranges(lines, Scale{High: 100, Format: Short, Unit: "%", Bands: []Band{{0, 50, "good"}}}))
	for _, want := range []string{
		`<rect class="zone good" x="2.00%" width="48.00%" height="20"/>`, `<line class="whisker bad" x1="40.40%" x2="78.80%" y1="10" y2="10"/>`,
		`<circle class="dot bad" cx="50.00%"`, `<line class="bound" x1="98.00%" x2="98.00%"`, ">20<", ">100<",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("%q is not in %s", want, got)
		}
	}
	if strings.Contains(got, "<script") || strings.Contains(got, "<img") || strings.Count(got, `class="dot`) != 1 {
		t.Error(got)
	}
	got = string(Ranges([]Range{{Points: []Point{{At: 10, Class: "a"}, {At: 1, Class: "b"}, {At: 0.1, Class: "c"}}}}, Scale{Log: true, Format: Short}))
	for class, x := range map[string]string{"a": "98.00%", "b": "50.00%", "c": "2.00%"} {
		if want := `<circle class="dot ` + class + `" cx="` + x; !strings.Contains(got, want) {
			t.Errorf("%q is not in %s", want, got)
		}
	}
	if Ranges(nil, Scale{Log: true, Format: Short}) == "" {
		t.Error("no lines, no chart")
	}
}

func TestRound(t *testing.T) {
	for text, want := range map[string]string{"5.00 ms": "5 ms", "41.0 rps": "41 rps", "0.5 %": "0.5 %", "100 %": "100 %", "1,200 ms": "1,200 ms", "0 ms": "0 ms", "10": "10"} {
		if got := Round(text); got != want {
			t.Errorf("Round(%q) = %q, want %q", text, got, want)
		}
	}
}
